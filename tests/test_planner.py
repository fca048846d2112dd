"""Plans on a real store: one transaction an intent, jobs that look and rehearse, moments that come by the clock."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from bot import ledger
from bot.clock import clock_of
from bot.engine import UnknownRun
from bot.jobs.before import Before
from bot.jobs.queue import ProcrastinateQueue, register
from bot.jobs.worker import work
from bot.planner import Planner, UnknownPlan, WindowTaken
from bot.ports import Found, StepError
from bot.runbook.drill import DrillReport
from bot.runbook.people import Timing
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.preparation import Moment, Preparation, Stage, Window
from bot.runbook.preparation.standing import Standing, status
from bot.runbook.refusals import Invalid, NotReady
from bot.target import Target
from tests.kit import Backstage, backstage, plan, ready, target
from tests.runbook.preparation.people import ALEX, DANA, PEOPLES, PRIYA, SAM, draft, drilled, proofs


@dataclass
class SmallProver:
    """A real ``Prover`` over a small world: files with a digest, and items that may fail."""

    files: str = "f1"
    sql: str = "ALTER TABLE cases ADD priority int;"
    credentials: bool = True
    looks: int = 0

    async def prove(self, preparation: Preparation) -> Found:
        self.looks += 1
        found = proofs(preparation, self.files, time.time(), credentials=self.credentials)
        name = preparation.draft.plan.migrations[0]
        return Found(files=self.files, proofs=found.proofs, risk=found.risk, texts=((name, self.sql),))


@dataclass
class SmallDrill:
    """A real ``Drill`` that measures nothing but says so."""

    problem: str = ""
    drills: int = 0

    async def rehearse(
        self,
        target: Target,
        migrations: tuple[str, ...],
        down: tuple[str, ...],
        *,
        name: str,
        progress: Callable[[str, float | None], Awaitable[None]],
    ) -> DrillReport:
        self.drills += 1
        if self.problem:
            raise StepError(self.problem, "Grant CREATEDB.")
        return drilled("f1")


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


async def _until(planner: Planner, plan_id: str, true: Callable[[Preparation], bool]) -> Preparation:
    async with asyncio.timeout(60):
        while not true(found := await planner.load(plan_id)):
            await asyncio.sleep(0.02)
    return found


def _soon(seconds: float, length: float = 7200.0) -> Window:
    now = time.time()
    return Window(start=now + seconds, end=now + seconds + length)


@dataclass
class Hours:
    """The engine's time: the real one, and so many seconds later."""

    later: float = 0.0

    def now(self) -> float:
        return time.time() + self.later


@asynccontextmanager
async def _at_work(
    dsn: str, prover: SmallProver, drill: SmallDrill, hours: Hours | None = None
) -> AsyncIterator[Backstage]:
    """A worker and a clock, with the two ports about plans."""
    async with backstage(dsn, now=hours.now if hours else None) as stage:
        before = Before(stage.planner, prover, drill, {"casework": target()})

        async def unread(run_id: str) -> None:
            """Nobody delivers here."""

        jobs = {"prove": before.prove, "rehearse": before.rehearse, "plan_tick": before.tick}
        register(stage.jobs, {**jobs, "publish": unread, "drive": unread, "deadman": unread})
        queue = ProcrastinateQueue(stage.jobs)
        tasks = [
            asyncio.create_task(work(stage.engine, stage.jobs, stage.pool, dsn)),
            asyncio.create_task(clock_of(stage.engine, queue, dsn).run()),
        ]
        try:
            yield stage
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _comes(planner: Planner, hours: Hours, plan_id: str, moment: Moment) -> Preparation:
    """The moment comes: what the clock would say then."""
    due = (await planner.load(plan_id)).due(moment)
    hours.later = due - time.time() + 1
    return await planner.handle(plan_id, i.PlanTick(kind=moment.value, due=due))


async def _with_all_go(planner: Planner) -> Preparation:
    """A plan that begins in ten minutes, so that all moments but T-0 come at once; all is shown, all say Go."""
    made = await planner.plan(draft(window=_soon(600.0)), DANA)
    await _until(planner, made.id, lambda p: p.files == "f1")
    await planner.handle(made.id, i.TickItems(person=DANA, items=PEOPLES, evidence="https://wiki/1"))
    await planner.handle(made.id, i.ReadSql(person=SAM, files="f1"))
    await planner.handle(made.id, i.Review(person=SAM, files="f1"))
    await planner.handle(made.id, i.TickItems(person=ALEX, items=(Item.NOTIFIED,), evidence="mailed on Monday"))
    await planner.handle(made.id, i.AskDrill(person=DANA))
    await _until(planner, made.id, lambda p: Moment.GO_NO_GO in p.came and p.drill is not None)
    for person in (DANA, ALEX, PRIYA):
        await planner.handle(made.id, i.SayGo(person=person, go=True))
    return await planner.load(made.id)


async def test_a_plan_goes_from_its_making_to_its_run(dsn: str) -> None:
    """Everything the bot does by itself is a job; people tick, review and say Go; the run keeps what was measured."""
    prover, drill, hours = SmallProver(), SmallDrill(), Hours()
    async with _at_work(dsn, prover, drill, hours) as stage:
        planner = stage.planner
        ready_ = await _with_all_go(planner)
        assert await planner.texts(ready_.id) == (("001_add_case_priority.sql", prover.sql),)
        assert ready_.announced_at is not None
        assert drill.drills == 1
        with pytest.raises(NotReady):
            await planner.handle(ready_.id, i.AskStart(person=DANA))
        await _comes(planner, hours, ready_.id, Moment.START)
        looks = prover.looks
        await planner.handle(ready_.id, i.AskStart(person=DANA))
        started = await _until(planner, ready_.id, lambda p: p.final)
        assert prover.looks > looks  # once more, at the last moment
        assert started.stage is Stage.STARTED
        run = await stage.engine.load(started.run)
        assert (run.plan.preparation, run.plan.drill) == (ready_.id, ready_.drill)
        assert "is whole" in await ledger.verify(stage.engine, ready_.id)
        assert [each.id for each in await stage.engine.recent()] == [started.run]
        assert await planner.open() == ()


async def test_a_start_is_refused_when_the_last_look_finds_something(dsn: str) -> None:
    prover, hours = SmallProver(), Hours()
    async with _at_work(dsn, prover, SmallDrill(), hours) as stage:
        planner = stage.planner
        made = await _with_all_go(planner)
        await _comes(planner, hours, made.id, Moment.START)
        prover.credentials = False
        await planner.handle(made.id, i.AskStart(person=DANA))
        refused = await _until(planner, made.id, lambda p: p.stage is Stage.OPEN)
        assert status(refused, Item.CREDENTIALS).standing is Standing.FAILED
        assert await stage.engine.recent() == ()


async def test_a_busy_database_refuses_the_start(dsn: str) -> None:
    hours = Hours()
    async with _at_work(dsn, SmallProver(), SmallDrill(), hours) as stage:
        planner = stage.planner
        made = await _with_all_go(planner)
        run = await stage.engine.start(plan())
        await _comes(planner, hours, made.id, Moment.START)
        await planner.handle(made.id, i.AskStart(person=DANA))
        await _until(planner, made.id, lambda p: p.stage is Stage.OPEN)
        assert run.id in (await ledger.export(stage.engine, made.id))


async def test_changed_files_are_found_by_looking_again(dsn: str) -> None:
    prover = SmallProver()
    async with _at_work(dsn, prover, SmallDrill()) as stage:
        planner = stage.planner
        fast = Timing().faster(3600.0)  # the bot looks every five seconds
        made = await planner.plan(draft(plan=replace(draft().plan, timing=fast), window=_soon(6000.0)), DANA)
        await _until(planner, made.id, lambda p: p.files == "f1")
        await planner.handle(made.id, i.TickItems(person=DANA, items=(Item.SUITE,), evidence="https://ci/1"))
        prover.files, prover.sql = "f2", prover.sql + "\nDROP TABLE x;"
        fell = await _until(planner, made.id, lambda p: p.files == "f2")
        assert status(fell, Item.SUITE).standing is Standing.OPEN
        exported = await ledger.export(stage.engine, made.id)
        assert '"FellBack"' in exported
        assert "+DROP TABLE x;" in exported


async def test_a_rehearsal_that_is_not_possible_says_why(dsn: str) -> None:
    drill = SmallDrill(problem="The role may not create a database.")
    async with _at_work(dsn, SmallProver(), drill) as stage:
        made = await stage.planner.plan(draft(window=_soon(600.0)), DANA)
        await stage.planner.handle(made.id, i.AskDrill(person=DANA))
        async with asyncio.timeout(60):
            while "DrillEnded" not in (exported := await ledger.export(stage.engine, made.id)):
                await asyncio.sleep(0.02)
        assert "The role may not create a database. Grant CREATEDB." in exported


async def test_two_plans_of_a_target_do_not_share_their_hour(dsn: str) -> None:
    async with backstage(dsn) as stage:
        planner = stage.planner
        made = await planner.plan(draft(window=_soon(3600.0)), DANA)
        with pytest.raises(WindowTaken, match=made.id):
            await planner.plan(draft(window=_soon(9000.0)), DANA)
        later = await planner.plan(draft(window=_soon(90000.0)), DANA)
        with pytest.raises(WindowTaken):
            await planner.handle(later.id, i.Postpone(person=DANA, window=_soon(4000.0), reason="earlier"))
        await planner.handle(made.id, i.CancelPlan(person=DANA, reason="not needed"))
        await planner.handle(later.id, i.Postpone(person=DANA, window=_soon(4000.0), reason="earlier"))
        assert [each.id for each in await planner.open()] == [later.id]


async def test_a_frozen_window_is_refused_when_planned_and_when_postponed(dsn: str) -> None:
    frozen = _soon(86400.0)

    async def thawed(target: str, window: Window) -> None:
        if window.start < frozen.end and frozen.start < window.end:
            raise Invalid(f"{target} is frozen then.", "Choose another window.")

    async with backstage(dsn) as stage:
        planner = Planner(stage.engine, ProcrastinateQueue(stage.jobs), require_allowed=thawed)
        with pytest.raises(Invalid, match="frozen"):
            await planner.plan(draft(window=frozen), DANA)
        made = await planner.plan(draft(window=_soon(3600.0)), DANA)
        with pytest.raises(Invalid, match="frozen"):
            await planner.handle(made.id, i.Postpone(person=DANA, window=frozen, reason="later"))


async def test_plans_and_runs_are_not_taken_for_each_other(dsn: str) -> None:
    async with backstage(dsn) as stage:
        made = await stage.planner.plan(draft(window=_soon(3600.0)), DANA)
        run = await stage.engine.start(plan())
        with pytest.raises(UnknownRun):
            await stage.engine.load(made.id)
        with pytest.raises(UnknownPlan):
            await stage.planner.load(run.id)
        assert [each.id for each in await stage.engine.active()] == [run.id]
