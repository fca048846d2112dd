"""What every use case needs, and what it answers: the desk behind the counter."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.engine import Engine
from bot.ports import Directory, Target
from bot.runbook.people import Person, Policy
from bot.runbook.refusals import Invalid, NotNow
from bot.runbook.run import Run
from commands.parse import Request

View = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer to one request: words for the person alone, or a modal to open or redraw."""

    text: str = ""
    channel: str = ""  # where to say it, when the request came from no channel
    payload: Mapping[str, object] = field(default_factory=dict)
    modal: View | None = None


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The engine, who people are, and what can be migrated."""

    engine: Engine
    directory: Directory
    targets: Mapping[str, Target]

    async def person(self, request: Request, policy: Policy) -> Person:
        """Who asks, looked up now; raises a refusal if that cannot be told."""
        return await self.directory.person(request.user, policy)

    async def run(self, request: Request, *, latest: bool = False) -> Run:
        """The run a request is about: the button's, the one named first, or the only active one.

        ``latest``: where none is active the newest one will do, for those who only look.
        """
        if request.value.run:
            return await self.engine.load(request.value.run)
        named = request.words.split(" ", 1)[0]
        if named.startswith("m-"):
            return await self.engine.load(named)
        active = await self.engine.active()
        if not active and latest:
            active = await self.engine.recent(1)
        if not active:
            raise NotNow("No migration is active.", "Type /migrate start to begin one, or /migrate history.")
        if len(active) > 1:
            names = ", ".join(f"{run.id} ({run.plan.target})" for run in active)
            raise Invalid(
                f"More than one migration is active: {names}.", "Name the run first, e.g. /migrate status m-…."
            )
        return active[0]


UseCase = Callable[[Desk, Request], Awaitable[Reply]]


def words_after_run(request: Request) -> str:
    """What was typed, without a leading run id."""
    first, _, rest = request.words.partition(" ")
    return rest.strip() if first.startswith("m-") else request.words
