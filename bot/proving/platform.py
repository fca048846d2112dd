"""PLATFORM: it takes our credentials and knows every service, and each service answers that it is well."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.ports import Platform, Probe, StepError
from bot.proving.subject import Looked, Looks, Subject, fine, wrong
from bot.runbook.preparation.checklist import Item
from bot.runbook.samples import Sample
from bot.runbook.wording import counted
from bot.target import Target

ITEMS = (Item.PLATFORM,)
Check = Callable[[Target], Awaitable[Looked]]


class PlatformProof:
    """``checks`` are the credentials of whatever else is configured: paging, status page."""

    def __init__(self, platform: Platform, probe: Probe, checks: tuple[Check, ...] = ()) -> None:
        self._platform = platform
        self._probe = probe
        self._checks = checks

    async def look(self, subject: Subject) -> Looks:
        """The one item, the gravest finding first."""
        target = subject.target
        found = await asyncio.gather(self._services(target), self._health(target), *(c(target) for c in self._checks))
        ordered = sorted(found, key=lambda each: (each.ok is not False, each.ok is not None))
        lines = tuple(line for each in ordered for line in each.findings)
        return {Item.PLATFORM: Looked(ok=ordered[0].ok, findings=lines)}

    async def _services(self, target: Target) -> Looked:
        if not target.services:
            return fine(f"{target.name} has no services that would have to be stopped")
        try:
            states = await self._platform.status(target)
        except StepError as error:
            return wrong(f"{error.problem} {error.advice}".strip())
        names = [each.name for each in target.services]
        if unknown := [each for each in names if each not in states]:
            return wrong(f"The platform does not know {', '.join(unknown)}. Mend the services of {target.name}.")
        if down := [each for each in names if not states[each]]:
            return wrong(f"Not running: {', '.join(down)}. Start it, or find out why it is down.")
        return fine(f"The platform knows {counted(len(names), 'service')}, all running: {', '.join(names)}")

    async def _health(self, target: Target) -> Looked:
        if not target.services and not target.workflows:
            return fine()
        sample = await self._probe.sample(target)
        problems = _problems(sample)
        if problems:
            return wrong(*problems)
        latency = "" if sample.latency_ms is None else f", database latency {sample.latency_ms:.0f} ms"
        return fine(f"Healthy: {', '.join(sample.healthy)}{latency}") if sample.healthy else fine()


def _problems(sample: Sample) -> list[str]:
    found = []
    if sample.unhealthy:
        found.append(f"Not healthy: {', '.join(sample.unhealthy)}. Mend it before anything is changed.")
    if sample.broken:
        found.append(f"Critical workflow without success: {', '.join(sample.broken)}. Mend it first.")
    return found
