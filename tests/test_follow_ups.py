"""What follows a run, on a real store: begun once, looked at by the clock's jobs, reviewed, answered, in the report."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from bot import ledger, store
from bot.clock import clock_of
from bot.engine import UnknownRun
from bot.follow_ups import UnknownFollowUp
from bot.jobs.after import After
from bot.jobs.drive import Driver
from bot.jobs.queue import ProcrastinateQueue, register
from bot.jobs.timed import Timed
from bot.jobs.worker import work
from bot.planner import UnknownPlan
from bot.runbook import intents as run_intents
from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.follow_up import FollowUp, Stage
from bot.runbook.follow_up.queries import Counted, Counts
from bot.runbook.people import Person, Timing
from bot.runbook.run import Run, State
from bot.runbook.samples import Sample
from bot.target import Target
from bot.views.report import report
from tests.fakes import FakeChannel
from tests.kit import ALEX, DANA, FAST, Backstage, backstage, plan, ready, small_steps, target

ON_CALL = Person(id="U4", name="Sam")
QUICK = replace(FAST, monitor_for=1.0, follow_every=0.2, follow_for=3.0, review_after=4.0)
STILL = replace(FAST, monitor_for=1.0, follow_every=9000.0, follow_for=90000.0, review_after=180000.0)


@dataclass
class SmallProbe:
    """A real ``Probe`` of a service that may become slow."""

    p95: float = 200.0
    looks: int = 0

    async def sample(self, target: Target) -> Sample:
        self.looks += 1
        return Sample(at=time.time(), healthy=("web",), error_rate=0.001, p95_ms=self.p95, latency_ms=5.0)


@dataclass
class SmallStatements:
    """A real ``Statements`` over one statement that is called ten times between two looks."""

    mean: float = 5.0
    total: Counted = field(default_factory=lambda: Counted(id="1", text="SELECT $1", calls=100, total_ms=500.0))

    async def count(self, target: Target) -> Counts:
        calls, spent = self.total.calls + 30, self.total.total_ms + 30 * self.mean
        self.total = replace(self.total, calls=calls, total_ms=spent)
        return Counts(at=time.time(), statements=(self.total,), since="today")


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


@asynccontextmanager
async def _at_work(dsn: str, probe: SmallProbe, statements: SmallStatements) -> AsyncIterator[Backstage]:
    """A worker and a clock, with everything a whole run needs."""
    async with backstage(dsn) as stage:
        targets = {"casework": target()}
        after = After(stage.follow_ups, probe, statements, targets)
        timed = Timed(stage.engine, FakeChannel(), probe, targets)

        async def unread(run_id: str) -> None:
            """Nobody delivers here."""

        drive = Driver(stage.engine, small_steps(), targets).drive
        jobs = {"drive": drive, "tick": timed.tick, "follow": after.follow, "follow_tick": after.tick}
        register(stage.jobs, {**jobs, "publish": unread, "deadman": unread})
        tasks = [
            asyncio.create_task(work(stage.engine, stage.jobs, stage.pool, dsn)),
            asyncio.create_task(clock_of(stage.engine, ProcrastinateQueue(stage.jobs), dsn).run()),
        ]
        try:
            yield stage
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _completed(stage: Backstage, timing: Timing = QUICK) -> Run:
    """A whole run, approved whenever it asks."""
    run = await stage.engine.start(plan(timing=timing, standby="none"))
    async with asyncio.timeout(90):
        while not (run := await stage.engine.load(run.id)).final:
            if run.question is not None:
                word = run.question.word or ""
                await stage.engine.handle(
                    run.id,
                    run_intents.Approve(person=ALEX, number=run.question.number, digest=run.question.digest, word=word),
                )
            await asyncio.sleep(0.02)
    assert run.state is State.COMPLETED
    return run


async def _until(stage: Backstage, run: Run, true: Callable[[FollowUp], bool]) -> FollowUp:
    async with asyncio.timeout(90):
        while True:
            try:
                if true(found := await stage.follow_ups.load(f"f-{run.id}")):
                    return found
            except UnknownFollowUp:
                pass
            await asyncio.sleep(0.02)


async def _letters(stage: Backstage, follow_up_id: str) -> list[str]:
    async with stage.engine.connection() as conn:
        return [str(each.payload["text"]) for each in await store.waiting_letters(conn, follow_up_id)]


async def test_a_completed_run_is_watched_reviewed_and_closed_by_itself_and_by_one_answer(dsn: str) -> None:
    """Looks by the clock, what became slow raised once, the review posted, the ledger whole, all in the report."""
    probe, statements = SmallProbe(), SmallStatements()
    async with _at_work(dsn, probe, statements) as stage:
        run = await _completed(stage)
        await _until(stage, run, lambda f: len(f.samples) >= 2)
        statements.mean = 4000.0
        found = await _until(stage, run, lambda f: f.stage is Stage.REVIEWING)
        assert found.day_over and found.review is not None and found.yardstick
        told = await _letters(stage, found.id)
        assert 1 == sum("1 statement became slow" in each for each in told)
        assert 1 == sum(each.startswith("48-hour review") for each in told)
        await stage.follow_ups.handle(found.id, i.AnswerTickets(person=ON_CALL, spike=False))
        await stage.follow_ups.handle(found.id, i.NoteAnomalies(person=ALEX, note="an index is missing"))
        assert Stage.CLOSED is (await stage.follow_ups.load(found.id)).stage
        assert "is whole" in await ledger.verify(stage.engine, found.id)
        assert () == await stage.follow_ups.open()
        state, head, record = await stage.engine.read(run.id)
        text = report(state, record, time.time(), head).text
        assert "## After the migration" in text and "Sam says there was none" in text and "an index is missing" in text


async def test_a_run_is_followed_once_whoever_asks_for_it(dsn: str) -> None:
    """Two jobs of the same run make one follow-up; a plan's or a run's door does not know it."""
    async with _at_work(dsn, SmallProbe(), SmallStatements()) as stage:
        run = await _completed(stage, STILL)
        await _until(stage, run, lambda f: f.version == 1)
        for _ in range(2):
            await stage.follow_ups.begin(run.id, None)
        (found,) = await stage.follow_ups.open()
        assert (1, f"f-{run.id}") == (found.version, found.id)
        with pytest.raises(UnknownRun):
            await stage.engine.load(found.id)
        with pytest.raises(UnknownPlan):
            await stage.planner.load(found.id)
        assert () == await stage.planner.open()
        assert [run.id] == [each.id for each in await stage.engine.recent()]


async def test_a_lost_job_is_found_by_the_clock(dsn: str) -> None:
    """A run that was completed while its job got lost is followed all the same."""
    async with _at_work(dsn, SmallProbe(), SmallStatements()) as stage:
        run = await _completed(stage, STILL)
        await _until(stage, run, lambda f: f.version == 1)
    async with backstage(dsn) as stage, stage.engine.connection() as conn:
        unfollowed = await store.rows(conn, "unfollowed_runs", since=0.0)
        assert [] == unfollowed
        await store.execute(conn, "insert_run", id="m-lost", target="other", state="completed", started_at=time.time())
        assert [("m-lost",)] == await store.rows(conn, "unfollowed_runs", since=0.0)
        assert [] == await store.rows(conn, "unfollowed_runs", since=time.time() + 60)


async def test_a_later_migration_of_the_target_ends_the_watching(dsn: str) -> None:
    """While it is on nothing is measured; when it is completed its own follow-up goes on."""
    async with _at_work(dsn, SmallProbe(), SmallStatements()) as stage:
        first = await _completed(stage, replace(QUICK, follow_for=9000.0, review_after=18000.0))
        await _until(stage, first, lambda f: len(f.samples) >= 1)
        second = await _completed(stage, STILL)
        over = await _until(stage, first, lambda f: f.final)
        assert (Stage.OVERTAKEN, f"overtaken by run {second.id}") == (over.stage, over.reason)
        assert Stage.WATCHING is (await _until(stage, second, lambda f: f.version == 1)).stage
        assert DANA.id == second.plan.starter
