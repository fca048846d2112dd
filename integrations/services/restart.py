"""Runbook step 6: bring back the services that ran before, and wait until they are healthy."""

import asyncio
import time

from bot.ports import Context, Description, Outcome, Probe, Service, StepError
from bot.runbook.samples import Sample, Verdict
from integrations.services.parts import Services, fingerprint, listed

POOL_LIMIT = 0.80  # runbook step 6: "Database connection pool healthy (<80% utilization)"
HEALTHY_SECONDS = 300.0  # runbook step 6: "Duration: 5 minutes"
POLL_SECONDS = 0.25
LOG_LINES = 10


class RestartServices:
    """Starts what ran before the stop.

    Waits at most ``healthy_seconds``, and no longer than ``dead_seconds`` for a service whose process has ended.
    """

    def __init__(
        self, *, platform: Services, probe: Probe,
        healthy_seconds: float = HEALTHY_SECONDS, dead_seconds: float = 5.0,
    ) -> None:  # fmt: skip
        self._platform = platform
        self._probe = probe
        self._healthy_seconds = healthy_seconds
        self._dead_seconds = dead_seconds

    async def describe(self, context: Context) -> Description:
        """Which services, by which command and release, and when they count as back."""
        wanted = await self._wanted(context)
        return Description(
            inputs={
                "target": context.target.name,
                "services": listed(service.name for service in wanted),
                "platform": self._platform.name,
                **{f"start {service.name}": fingerprint(service) for service in wanted},
            },
            lines=(
                f"Start what ran before the stop ({self._platform.name}): {listed(each.name for each in wanted)}.",
                *filter(None, [await self._release(context, each) for each in wanted]),
                f"Wait up to {self._healthy_seconds / 60:g} min until each health endpoint answers 200 with status "
                "healthy and database connected.",
            ),
        )

    async def check(self, context: Context) -> Outcome | None:
        """An outcome when all services that ran before run and answer as healthy."""
        sample, waiting, _ = await self._look(context)
        return None if waiting else await self._outcome(context, sample)

    async def run(self, context: Context) -> Outcome:
        """Start, then wait.  ``StepError`` says which service is not back, with the end of its log."""
        await context.progress("Starting services", 0.0)
        await self._platform.start(context.target)
        began = alive = time.monotonic()
        told: tuple[str, ...] = ()
        while True:
            sample, waiting, ended = await self._look(context)
            if not waiting:
                return await self._outcome(context, sample)
            now = time.monotonic()
            alive = alive if ended else now
            if now - alive > self._dead_seconds:
                raise await self._not_back(context, ended, "ended by itself")
            if now - began > self._healthy_seconds:
                raise await self._not_back(context, waiting, f"not healthy after {self._healthy_seconds:g} s")
            if waiting != told:  # progress is for news
                await self._report(context, waiting)
            told = waiting
            await asyncio.sleep(POLL_SECONDS)

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Runbook step 6, "Verification": running as before, healthy, pool below 80 %."""
        sample, waiting, _ = await self._look(context)
        if waiting:
            return Verdict(ok=False, reason=f"Not running and healthy: {listed(waiting)}.")
        if sample.pool is not None and sample.pool >= POOL_LIMIT:
            reason = f"Database connection pool at {sample.pool:.0%} utilization; healthy is below {POOL_LIMIT:.0%}."
            return Verdict(ok=False, reason=reason)
        reason = f"All services scaled to target replicas. Health checks passing (200 OK). {_pool(sample)}."
        return Verdict(ok=True, reason=reason)

    def undo(self, context: Context) -> str:
        """The stop step is the way back."""
        return f"Stop services: {listed(service.name for service in context.target.services)}."

    async def _wanted(self, context: Context) -> tuple[Service, ...]:
        names = await self._platform.wanted(context.target)
        return tuple(service for service in context.target.services if service.name in names)

    async def _look(self, context: Context) -> tuple[Sample, tuple[str, ...], tuple[str, ...]]:
        """A sample, who is not running and healthy, and who is not even running."""
        sample = await self._probe.sample(context.target)
        status = await self._platform.status(context.target)
        names = tuple(service.name for service in await self._wanted(context))
        ended = tuple(name for name in names if not status.get(name))
        # A healthy answer of a process that is not ours (an old one on the same port) does not count.
        return sample, tuple(name for name in names if name in ended or name not in sample.healthy), ended

    async def _report(self, context: Context, waiting: tuple[str, ...]) -> None:
        total = len(await self._wanted(context))
        await context.progress(f"Waiting for {listed(waiting)} to become healthy", 1 - len(waiting) / total)

    async def _outcome(self, context: Context, sample: Sample) -> Outcome:
        wanted = await self._wanted(context)
        latency = "not measured" if sample.latency_ms is None else f"{sample.latency_ms:.0f} ms"
        return Outcome(
            evidence=(
                *(f"{each.name}: {each.replicas}/{each.replicas} replicas" for each in wanted),
                f"Health checks passing (200 OK): {listed(each.name for each in wanted)}",
                f"Database latency: {latency}",
                _pool(sample),
            ),
            facts={f"release {each.name}": await self._platform.release(context.target, each) for each in wanted},
        )

    async def _release(self, context: Context, service: Service) -> str:
        release = await self._platform.release(context.target, service)
        return f"{service.name}: release {release}" if release else ""

    async def _not_back(self, context: Context, names: tuple[str, ...], why: str) -> StepError:
        services = [service for service in context.target.services if service.name in names]
        logs = [
            f"Last lines of {service.name}:\n" + "\n".join(lines)
            for service in services
            if (lines := await self._platform.log(context.target, service, LOG_LINES))
        ]
        advice = f"Find out why {listed(names)} does not become healthy, then retry; a rollback is the other way."
        return StepError("\n".join((f"{listed(names)}: {why}.", *logs)), advice)


def _pool(sample: Sample) -> str:
    used = "not measured" if sample.pool is None else f"healthy ({sample.pool:.0%} utilization, limit {POOL_LIMIT:.0%})"
    return f"Database connection pool: {used}"
