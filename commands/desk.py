"""What every use case needs, and what it answers: the desk behind the counter."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.doctor.findings import Report
from bot.engine import Engine
from bot.follow_ups import FollowUps
from bot.gameday.games import GameDays
from bot.planner import Planner
from bot.ports import Directory
from bot.runbook.people import Person, Policy
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.refusals import Invalid, NotNow
from bot.runbook.run import Run
from bot.target import Target
from commands.parse import Request

View = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer to one request: words for the person alone, or a modal to open or redraw."""

    text: str = ""
    channel: str = ""  # where to say it, when the request came from no channel
    payload: Mapping[str, object] = field(default_factory=dict)
    modal: View | None = None
    later: Callable[[], Awaitable["Reply"]] | None = None  # takes longer than Slack waits: said when it is there


Destroys = Callable[[Target, tuple[str, ...]], bool]  # do these files surely destroy something, by their bytes alone?


def unknown(_target: Target, _files: tuple[str, ...]) -> bool:
    """Nobody has looked into the files."""
    return False


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The engine, who people are, and what can be migrated; ``destroys`` is asked before a run is started."""

    engine: Engine
    planner: Planner
    games: GameDays
    follow_ups: FollowUps
    directory: Directory
    targets: Mapping[str, Target]
    destroys: Destroys = unknown
    doctor: Callable[[], Awaitable[Report]] | None = None

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

    async def plan(self, request: Request) -> Preparation:
        """The plan a request is about: the button's, the one named first, or the only one that waits."""
        if named := plan_id(request):
            return await self.planner.load(named)
        plans = await self.planner.open()
        if not plans:
            raise NotNow("No migration is planned.", "Type /migrate plan to plan one.")
        if len(plans) > 1:
            names = ", ".join(f"{each.id} ({each.draft.plan.name})" for each in plans)
            raise Invalid(f"More than one migration is planned: {names}.", "Name it first, e.g. /migrate go p-….")
        return plans[0]


UseCase = Callable[[Desk, Request], Awaitable[Reply]]


def words_after_run(request: Request) -> str:
    """What was typed, without a leading run id."""
    return _words_after(request, "m-")


def words_after_id(request: Request) -> str:
    """What was typed, without a leading plan id."""
    return _words_after(request, "p-")


def _words_after(request: Request, mark: str) -> str:
    first, _, rest = request.words.partition(" ")
    return rest.strip() if first.startswith(mark) else request.words


def plan_id(request: Request) -> str:
    """The plan that a button was drawn for, or that is named first; empty where there is none."""
    named = request.value.run or request.words.split(" ", 1)[0]
    return named if named.startswith("p-") else ""
