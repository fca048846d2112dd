"""Runbook step 3: stop the services, and prove from the database that they have stopped."""

import asyncio
import time
from collections.abc import Sequence

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.samples import Verdict
from integrations.services.parts import Services, Session, Sessions, fingerprint, listed, named

POLL_SECONDS = 0.1


class StopServices:
    """Stops every service of the target.

    Stopped means: the platform says so, nobody but the bot is connected to the database, and its tuple counters
    do not move for ``still_seconds``.  Sessions may take ``drain_seconds`` to go after their service has ended.
    """

    def __init__(
        self, *, platform: Services, sessions: Sessions,
        still_seconds: float = 2.0, drain_seconds: float = 10.0,
    ) -> None:  # fmt: skip
        self._platform = platform
        self._sessions = sessions
        self._still_seconds = still_seconds
        self._drain_seconds = drain_seconds

    async def describe(self, context: Context) -> Description:
        """Which services, what people will notice, and how it will be proven."""
        names = listed(service.name for service in context.target.services)
        return Description(
            inputs={
                "target": context.target.name,
                "platform": self._platform.where(context.target),
                **{f"service {each.name}": fingerprint(each) for each in context.target.services},
            },
            lines=(
                f"Stop {names} ({self._platform.where(context.target)}), all at once.",
                f"{context.target.name} is not available to its users until the services are restarted.",
                "Stopped is proven from the database: no sessions but the bot's, and no row written for "
                f"{self._still_seconds:g} s.",
            ),
        )

    async def check(self, context: Context) -> Outcome | None:
        """An outcome when every service is stopped and nobody else is connected."""
        if any((await self._platform.status(context.target)).values()) or await self._sessions.application_sessions(
            context.target.dsn
        ):
            return None
        # Down already: what this run found is kept all the same, or a rollback would go by what an earlier run found.
        await self._platform.remember(context.target, context.run.id)
        return _outcome(context)

    async def run(self, context: Context) -> Outcome:
        """Stop, then wait for the last session to go.  ``StepError`` names what remains."""
        names = listed(service.name for service in context.target.services)
        await context.progress(f"Stopping {names}", None)
        await self._platform.remember(context.target, context.run.id)
        await self._platform.stop(context.target)
        if running := await self._running(context):
            raise StepError(
                f"Still running after the stop: {listed(running)}.",
                f"Look at {listed(running)} on the platform ({self._platform.where(context.target)}), then retry.",
            )
        await self._drained(context)
        return _outcome(context)

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Asks the platform and the database again."""
        if running := await self._running(context):
            return Verdict(ok=False, reason=f"Running again: {listed(running)}.")
        if sessions := await self._sessions.application_sessions(context.target.dsn):
            return Verdict(ok=False, reason=f"Connected to the database: {named(sessions)}.{_hidden(sessions)}")
        still = await self._sessions.writes_still(context.target.dsn, self._still_seconds)
        if not still.ok:
            return still
        reason = f"All services scaled to 0. No active connections to database. {still.reason}"
        return Verdict(ok=True, reason=reason)

    def undo(self, context: Context) -> str:
        """The restart step is the way back."""
        return f"Start services: {listed(service.name for service in context.target.services)}."

    async def _running(self, context: Context) -> tuple[str, ...]:
        return tuple(name for name, runs in (await self._platform.status(context.target)).items() if runs)

    async def _drained(self, context: Context) -> None:
        deadline, told = time.monotonic() + self._drain_seconds, ""
        while sessions := await self._sessions.application_sessions(context.target.dsn):
            if time.monotonic() > deadline:
                raise StepError(
                    f"The services have stopped, but others are connected to the database: {named(sessions)}.",
                    "Ask the people behind these sessions to disconnect (or end them with "
                    f"pg_terminate_backend), then retry.{_hidden(sessions)}",
                )
            if told != named(sessions):  # progress is for news
                told = named(sessions)
                await context.progress(f"Waiting for sessions to end: {told}", None)
            await asyncio.sleep(POLL_SECONDS)


def _hidden(sessions: Sequence[Session]) -> str:
    """The grant without which the database does not tell what some sessions are."""
    missing = {getattr(each, "missing", "") for each in sessions} - {""}
    return "".join(f" The bot may not see what some of them are; as a superuser: {each}." for each in sorted(missing))


def _outcome(context: Context) -> Outcome:
    """The runbook's "Expected State" and "Verification" of step 3."""
    services = context.target.services
    return Outcome(
        evidence=(
            *(f"{service.name}: 0/0 replicas" for service in services),
            "All services scaled to 0",
            "No active connections to database",
        ),
        facts={"services": listed(service.name for service in services)},
    )
