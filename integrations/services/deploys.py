"""Which deploy each service is on, held against the one from before the run (runbook "Rollback Steps", 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports import Context
from bot.runbook.steps import Route
from bot.target import Service
from integrations.services.parts import Services


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """One service's release: ``now`` (running, or configured), and ``before`` the run; empty for one without a name.

    ``known`` is false where nothing from before the run is remembered.
    """

    service: str
    now: str
    before: str
    known: bool

    @property
    def astray(self) -> str:
        """What is wrong with it after the way back; empty if nothing is."""
        if not self.known or self.now == self.before:
            return ""
        return f"{self.service} runs release {self.now or 'without a name'}, not {self.before}, the one before the run"

    @property
    def planned(self) -> str:
        """What it will be started on, for the way back."""
        if not self.known:
            return f"{self.service}: the deploy before the run is not known; start what is configured{self._named}"
        return f"{self.service}: {self._before}"

    @property
    def evidence(self) -> str:
        """What it was started on, for the way back."""
        if not self.known:
            return f"{self.service}: the deploy before the run is not known; started as configured{self._named}"
        return f"{self.service}: back on {self._before}"

    @property
    def _before(self) -> str:
        if self.before:
            return f"release {self.before}, the one before the run"
        return "the deploy before the run (its release has no name)"

    @property
    def _named(self) -> str:
        return f" (release {self.now})" if self.now else ""


async def deploys(platform: Services, context: Context, services: Sequence[Service]) -> tuple[Deploy, ...]:
    """Asks the platform about each service."""
    known = await platform.known(context.target, context.run.id)
    return tuple(
        [
            Deploy(
                service=each.name,
                now=await platform.release(context.target, each),
                before=await platform.previous(context.target, each) if each.name in known else "",
                known=each.name in known,
            )
            for each in services
        ]
    )


def goes_back(context: Context) -> bool:
    """Do the services come back on the deploys from before the run?  On every way to the schema from before, yes."""
    return context.run.route in (Route.ROLLBACK, Route.RETURN)
