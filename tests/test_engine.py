"""The one door, on a real store: one transaction per intent, nothing lost, nothing twice."""

import asyncio

import psycopg
import pytest

from bot import ledger, store
from bot.ports import StepError
from bot.runbook import intents as i
from bot.runbook.refusals import AlreadyAnswered, Refusal, TargetBusy
from bot.runbook.run import Database, State
from bot.runbook.steps import StepName
from tests.kit import ALEX, DANA, PRIYA, backstage, plan, reaches, ready, small_steps, with_steps


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


async def test_a_second_run_on_the_same_target_is_refused(dsn: str) -> None:
    """One active run per target, held by the database itself."""
    async with backstage(dsn) as stage:
        await stage.engine.start(plan())
        with pytest.raises(TargetBusy):
            await stage.engine.start(plan())
        assert 1 == len(await stage.engine.active())


async def test_of_two_answers_at_once_one_counts(dsn: str) -> None:
    """Two people press at the same moment: one transaction wins, the other is told."""
    async with backstage(dsn) as stage:
        driver = with_steps(stage, small_steps())
        run = await stage.engine.start(plan())
        await driver.drive(run.id)
        question = (await stage.engine.load(run.id)).question
        assert question is not None

        async def press(person: object) -> object:
            intent = i.Approve(person=person, number=question.number, digest=question.digest)  # type: ignore[arg-type]
            try:
                return await stage.engine.handle(run.id, intent)
            except Refusal as refusal:
                return refusal

        first, second = await asyncio.gather(press(ALEX), press(PRIYA))
        refused = [each for each in (first, second) if isinstance(each, Refusal)]
        assert [AlreadyAnswered] == [type(each) for each in refused]


async def test_a_refusal_writes_nothing(dsn: str) -> None:
    """A no leaves ledger and outbox as they were."""
    async with backstage(dsn) as stage:
        run = await stage.engine.start(plan())
        before = await ledger.export(stage.engine, run.id)
        with pytest.raises(Refusal):
            await stage.engine.handle(run.id, i.Retry(person=DANA))
        assert before == await ledger.export(stage.engine, run.id)


async def test_the_driver_runs_to_the_next_question_and_waits(dsn: str) -> None:
    """One job does everything that needs no people."""
    async with backstage(dsn) as stage:
        steps = small_steps()
        driver = with_steps(stage, steps)
        run = await stage.engine.start(plan())
        await driver.drive(run.id)
        run = await stage.engine.load(run.id)
        assert (State.ASKING, StepName.BACKUP) == (run.state, run.step.name)
        assert 0 == steps[StepName.BACKUP].runs


async def test_what_changed_between_ask_and_run_is_asked_anew_with_the_difference(dsn: str) -> None:
    """The approval is void, and the new question shows what is different."""
    async with backstage(dsn) as stage:
        steps = small_steps()
        driver = with_steps(stage, steps)
        run = await stage.engine.start(plan())
        await driver.drive(run.id)
        asked = (await stage.engine.load(run.id)).question
        assert asked is not None
        steps[StepName.BACKUP].inputs = {"what": "that"}
        await stage.engine.handle(run.id, i.Approve(person=ALEX, number=asked.number, digest=asked.digest))
        await driver.drive(run.id)
        again = (await stage.engine.load(run.id)).question
        assert again is not None
        assert 0 == steps[StepName.BACKUP].runs
        assert "what: this → that" in again.diff and "+that" in again.diff


async def test_a_failure_is_recorded_with_what_is_known_of_the_database(dsn: str) -> None:
    """The step's own words reach the run."""
    async with backstage(dsn) as stage:
        steps = small_steps()
        steps[StepName.BACKUP].failure = StepError("disk full", "free some", database=Database.UNTOUCHED)
        driver = with_steps(stage, steps)
        run = await stage.engine.start(plan())
        await driver.drive(run.id)
        asked = (await stage.engine.load(run.id)).question
        assert asked is not None
        await stage.engine.handle(run.id, i.Approve(person=ALEX, number=asked.number, digest=asked.digest))
        await driver.drive(run.id)
        run = await stage.engine.load(run.id)
        assert run.trouble is not None
        assert (State.STUCK, "disk full", "free some") == (run.state, run.trouble.problem, run.trouble.advice)


async def test_an_unexpected_error_becomes_a_reference(dsn: str) -> None:
    """People get a reference that is in the logs; the run asks what now."""
    async with backstage(dsn) as stage:
        steps = small_steps()
        steps[StepName.ANNOUNCE_START].failure = ZeroDivisionError()
        driver = with_steps(stage, steps)
        run = await stage.engine.start(plan())
        await driver.drive(run.id)
        trouble = (await stage.engine.load(run.id)).trouble
        assert trouble is not None
        assert trouble.reference.startswith("E-") and trouble.reference in trouble.advice


async def test_an_abort_cancels_the_running_step_and_its_result_is_not_believed(dsn: str) -> None:
    """The claim is the fence: a step that lost it is cut short."""
    async with backstage(dsn) as stage:
        steps = small_steps()
        steps[StepName.BACKUP].gate = asyncio.Event()
        driver = with_steps(stage, steps)
        run = await stage.engine.start(plan())
        await driver.drive(run.id)
        asked = (await stage.engine.load(run.id)).question
        assert asked is not None
        await stage.engine.handle(run.id, i.Approve(person=ALEX, number=asked.number, digest=asked.digest))
        driving = asyncio.create_task(driver.drive(run.id))
        await reaches(stage.engine, run.id, lambda found: found.claim is not None)
        await stage.engine.handle(run.id, i.Abort(person=DANA, reason="not today"))
        await driving
        await driver.drive(run.id)  # the job that the abort itself queued
        run = await stage.engine.load(run.id)
        assert (State.CANCELLED, 0) == (run.state, steps[StepName.BACKUP].effects)


async def test_the_ledger_is_append_only_and_its_chain_shows_tampering(dsn: str) -> None:
    """The database refuses to change a line; whoever gets around it is found out."""
    async with backstage(dsn) as stage:
        run = await stage.engine.start(plan())
        await stage.engine.handle(run.id, i.PullCord(person=DANA, reason="wait"))
        assert "is whole" in await ledger.verify(stage.engine, run.id)
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
            for statement in ("update ledger set actor = 'x'", "delete from ledger", "truncate ledger"):
                with pytest.raises(psycopg.errors.RaiseException):
                    await conn.execute(statement)
            await conn.execute("alter table ledger disable trigger user")
            for tampering in (
                "update ledger set actor = 'U66' where seq = 2",
                "update ledger set at = at + 1 where seq = 1",
                "delete from ledger where seq = (select max(seq) from ledger)",
            ):
                async with conn.transaction(force_rollback=True):
                    await conn.execute(tampering)
                    async with backstage(dsn):
                        rows = await (
                            await conn.execute("select seq, at, actor, kind, body, hash from ledger")
                        ).fetchall()
                    entries = [
                        store.Entry(seq=r[0], at=r[1], actor=r[2], kind=r[3], body=r[4], hash=r[5]) for r in rows
                    ]
                    head = (await stage.engine.load_with_head(run.id))[1]
                    with pytest.raises(ledger.LedgerError):
                        ledger.check(run.id, sorted(entries, key=lambda each: each.seq), head)


async def test_replaying_the_ledger_gives_the_same_run(dsn: str) -> None:
    """A fresh engine reads the same state, bit for bit."""
    async with backstage(dsn) as stage, backstage(dsn) as other:
        driver = with_steps(stage, small_steps())
        run = await stage.engine.start(plan())
        await driver.drive(run.id)
        assert await stage.engine.load_with_head(run.id) == await other.engine.load_with_head(run.id)
