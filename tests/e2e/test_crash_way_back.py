"""The crash campaign on the way back: whatever is killed, and whenever, it ends as if nothing had been."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from bot.demo.postgres import EmbeddedPostgres
from bot.runbook import intents as i
from bot.runbook.run import Run, State
from bot.runbook.rungs import Rung
from bot.runbook.steps import CURRENT_RUNBOOK, Route, Standby, StepName, route_steps
from tests.conftest import short_folder
from tests.e2e.campaign import SECONDS, Company, followed
from tests.e2e.crashing import ANYTHING, died_of
from tests.e2e.nursery import Nursery, end
from tests.e2e.outcome import Outcome, difference, look
from tests.e2e.points import AROUND, Trial, Variant
from tests.e2e.troupe import ALEX, MIGRATION, Production, production

pytestmark = pytest.mark.xdist_group("way back")  # one undisturbed way back of each kind

STEPS = tuple(each.name for each in route_steps(CURRENT_RUNBOOK, Route.ROLLBACK, downtime=True))
WORK = tuple(each for each in STEPS if each != "watch_back")
FENCED = ("fenced side", "fenced live", "emptied", "live renamed", "side renamed", "opened")
DOWN_SCRIPT = MIGRATION.replace(".sql", ".down.sql")
REASON = "Lawyers see their cases in the wrong order"


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a run is set up so that this rung is the one with the least loss, and the parts it is made of."""

    rung: Rung
    standby: Standby = Standby.NONE
    down: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


WAYS = (
    Way(rung=Rung.SWITCH, standby=Standby.TEMPLATE, parts=("rows kept", *FENCED)),
    Way(rung=Rung.RESTORE, parts=("rows kept", *FENCED)),
    Way(rung=Rung.DOWN, standby=Standby.TEMPLATE, down=(DOWN_SCRIPT,), parts=("rows kept", f"down {DOWN_SCRIPT}")),
)


def chains(way: Way) -> list[tuple[str, ...]]:
    """Every point on the way back, grouped so that a group's points follow one another within one run."""
    parts = tuple(f"part {each}" for each in way.parts)
    if way.rung is not Rung.SWITCH:  # what all rungs share is tried with one of them
        return [parts]
    around = [tuple(f"{where} {what} {step}" for step in WORK for what in ("Begin", "Finish")) for where in AROUND]
    effects = tuple(f"{where} {step}" for step in WORK for where in ("effect", "effected"))
    return [parts, *around, effects]


def trials() -> list[tuple[Way, Trial]]:
    """Every chain once; the parts of the switch also with the recoverer killed in its turn, and with two at once."""
    alone = [(way, Trial(points=chain)) for way in WAYS for chain in chains(way)]
    others = (Variant.AGAIN, Variant.TWO)
    return alone + [(WAYS[0], Trial(points=chains(WAYS[0])[0], variant=variant)) for variant in others]


@pytest.fixture(scope="module")
def left_alone() -> dict[Rung, Outcome]:
    """What each way back leaves that nobody killed, as soon as it has been gone once."""
    return {}


async def gone_back(
    pg: EmbeddedPostgres, nursery: Nursery, way: Way, trial: Trial, *, check: Callable[[Run], Awaitable[None]]
) -> tuple[Outcome, list[str]]:
    """Migrate, ask for the way back from the watch, and kill on the way."""
    with short_folder() as folder:
        async with production(pg, nursery, folder) as made:
            run = await made.begin(standby=way.standby, down=way.down)
            run = await _until(made, run, _wants_back_while_stopped if way.down else _is_watched)
            run = await made.engine.handle(run.id, i.RollBack(person=ALEX, reason=REASON))
            run = await followed(made, run, Company(made, trial))
            await check(run)
            return await look(made, run), died_of(made.kills)


def _is_watched(run: Run) -> bool:
    return run.state is State.WATCHING


def _wants_back_while_stopped(run: Run) -> bool:
    """Once services have come back, nobody knows what a DOWN script would drop, and another rung is asked for."""
    return run.state is State.ASKING and run.step.name is StepName.RESTART_SERVICES


async def _until(made: Production, run: Run, there: Callable[[Run], bool]) -> Run:
    """The migration is in, and the run is there; the worker that did it is gone."""
    worker = made.start("worker")
    try:
        async with asyncio.timeout(SECONDS):
            while not there(run):
                assert run.state is not State.STUCK, run.trouble
                await made.approve(run)
                await asyncio.sleep(0.03)  # the ledger is in another process's hands
                run = await made.engine.load(run.id)
    finally:
        end(worker)
    return run


@pytest.mark.parametrize(("way", "trial"), trials(), ids=lambda each: str(each.rung if isinstance(each, Way) else each))
async def test_a_killed_way_back_is_gone_to_its_end(
    way: Way, trial: Trial, crash_server: EmbeddedPostgres, nursery: Nursery, left_alone: dict[Rung, Outcome]
) -> None:
    """Ledger, databases, services and channel are those of the way back that nobody killed."""

    async def check(run: Run) -> None:
        assert State.ROLLED_BACK == run.state
        assert run.way is not None and way.rung is run.way.rung

    if way.rung not in left_alone:
        left_alone[way.rung] = (await gone_back(crash_server, nursery, way, Trial(points=()), check=check))[0]
    outcome, kills = await gone_back(crash_server, nursery, way, trial, check=check)

    assert set(trial.points) == {each for each in kills if not each.startswith(ANYTHING)}
    assert [] == difference(left_alone[way.rung], outcome)
