"""What the jobs do about the database's upkeep: notes with the updates of a watch, statistics when somebody says so."""

from dataclasses import dataclass, field

import pytest

from bot.jobs.drive import Driver
from bot.jobs.timed import Timed
from bot.jobs.upkeep import Statistics
from bot.ports import StepError
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook.run import Run, State
from bot.runbook.timers import TimerKind, timers
from bot.store import entries
from bot.target import Target
from tests.commands.office import DANA, office_plan
from tests.commands.situations import without_statistics
from tests.fakes import FakeChannel
from tests.kit import Backstage, backstage, plan, ready, small_steps, target, with_steps
from tests.worker_process import HealthyProbe


@dataclass
class Caretaker:
    """``Upkeep`` that sees what it is told to see."""

    seen: tuple[str, ...] = ("a replica lags",)
    failure: StepError | None = None
    analyzed: list[tuple[str, ...]] = field(default_factory=list)

    async def look(self, target: Target) -> tuple[str, ...]:
        if self.failure:
            raise self.failure
        return self.seen

    async def analyze(self, target: Target, tables: tuple[str, ...]) -> tuple[str, ...]:
        self.analyzed.append(tables)
        if self.failure:
            raise self.failure
        return tuple(f"ANALYZE {each}: 0.1 s" for each in tables)


async def _kinds(stage: Backstage, run: Run) -> list[str]:
    async with stage.engine.connection() as conn:
        return [type(each.event).__name__ for each in await entries(conn, run.id)]


async def _watched(stage: Backstage, driver: Driver) -> Run:
    """A run whose services are watched."""
    run = await without_statistics(stage.engine, driver, office_plan())
    assert run.state is State.WATCHING
    return run


async def _update(timed: Timed, stage: Backstage, run: Run) -> Run:
    """The next status update is due."""
    now = await stage.engine.load(run.id)
    due = next(each.due for each in timers(now) if each.kind is TimerKind.STATUS)
    await timed.tick(run.id, "status", due)
    return await stage.engine.load(run.id)


async def test_a_watch_notes_the_database_with_its_updates_and_only_news(store_dsn: str) -> None:
    """Twice the same is said once; what cannot be looked at is said, and stops nothing."""
    await ready(store_dsn)
    moment = [1_000_000.0]
    async with backstage(store_dsn, now=lambda: moment[0]) as stage:
        run = await _watched(stage, with_steps(stage, small_steps()))
        upkeep = Caretaker()
        timed = Timed(stage.engine, FakeChannel(), HealthyProbe(), {"casework": target()}, upkeep)
        for _ in range(2):
            moment[0] += 1000.0
            run = await _update(timed, stage, run)
        assert ("a replica lags",) == run.database_notes
        upkeep.failure = StepError("It does not answer.")
        moment[0] += 1000.0
        run = await _update(timed, stage, run)
        assert "could not be looked at: It does not answer." in run.database_notes[0]
        assert 2 == (await _kinds(stage, run)).count("DatabaseNoted")


async def test_nothing_is_noted_where_nothing_is_watched(store_dsn: str) -> None:
    """While people are asked, an update is an update."""
    await ready(store_dsn)
    moment = [1_000_000.0]
    async with backstage(store_dsn, now=lambda: moment[0]) as stage:
        with_steps(stage, small_steps())
        run = await stage.engine.start(plan())
        moment[0] += 1000.0
        timed = Timed(stage.engine, FakeChannel(), HealthyProbe(), {"casework": target()}, Caretaker())
        run = await _update(timed, stage, run)
        assert () == run.database_notes


@pytest.mark.parametrize("failure", [None, StepError("The database is away.", "Look at it.")])
async def test_statistics_are_gathered_once_and_what_came_of_it_is_said(
    store_dsn: str, failure: StepError | None
) -> None:
    """A crash may run the job twice; the record has one answer, also when that is a no."""
    await ready(store_dsn)
    async with backstage(store_dsn) as stage:
        run = await _watched(stage, with_steps(stage, small_steps()))
        await stage.engine.handle(run.id, i.AskAnalyze(person=DANA))
        upkeep = Caretaker(failure=failure)
        job = Statistics(stage.engine, upkeep, {"casework": target()})
        await job.analyze(run.id)
        await job.analyze(run.id)
        after = await stage.engine.load(run.id)
        assert ("public.cases",) == upkeep.analyzed[0]
        assert after.analyzed and not after.analyzing
        async with stage.engine.connection() as conn:
            said = [each.event for each in await entries(conn, run.id) if isinstance(each.event, e.AnalyzeEnded)]
        assert 1 == len(said)
        assert ("The database is away. Look at it." if failure else "ANALYZE public.cases: 0.1 s") == said[0].lines[0]
