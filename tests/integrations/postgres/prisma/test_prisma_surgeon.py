"""Every case of a failed migration, provoked for real with Prisma 6: what is proposed, its proof, and that it works.

After a failure the step is described anew (the proposal is in the question), approved, and run.
"""

import asyncio
import contextlib
import hashlib
import os
import signal
from dataclasses import replace

import psutil
import psycopg
import pytest

from bot.ports import Context, Outcome, StepError, StepPaused
from bot.runbook.criteria import Criterion
from bot.runbook.fixes import Fix
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.prisma.apply import ApplyPrisma
from integrations.postgres.untouched import why_touched
from tests.integrations.postgres.conftest import QUICK, Until
from tests.integrations.postgres.prisma.conftest import ADD, NEW, PrismaStage

CONCURRENTLY = 'CREATE INDEX CONCURRENTLY "cases_title_idx" ON "cases"("title");\n'
#: Not one transaction: the first part is in when the second fails.
TWO_PARTS = (
    'BEGIN;\nALTER TABLE "cases" ADD COLUMN "court" TEXT;\nCOMMIT;\n'
    'BEGIN;\nCREATE UNIQUE INDEX "cases_owner_id_key" ON "cases"("owner_id");\n'
    'ALTER TABLE "tags" ADD COLUMN "colour" TEXT;\nCOMMIT;\n'
)


AT_WORK = "select 1 from pg_stat_activity where state = 'active' and query like '%_sleep(%' and pid <> pg_backend_pid()"


async def _retried(stage: PrismaStage) -> Outcome:
    """Describe, approve and run again, as after /migrate retry."""
    apply, context = ApplyPrisma(QUICK), await stage.approved(ApplyPrisma(QUICK))
    outcome = await apply.run(context)
    assert (await apply.verify(context, outcome)).ok
    return outcome


async def _first(stage: PrismaStage) -> str:
    """What the next question says will be done first."""
    lines = (await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))).lines
    return next((each for each in lines if each.startswith("First:")), "")


async def test_a_failing_statement_is_marked_as_rolled_back_after_approval(stage: PrismaStage) -> None:
    """The whole file undid itself: proven, said, and after the file was mended it is applied anew."""
    stage.add(text=ADD + 'ALTER TABLE "cases" ADD COLUMN "court" TEXT NOT NULL;\n')
    await stage.backed_up()

    error = await stage.failed()

    assert (Database.UNTOUCHED, Criterion.SQL_ERROR) == (error.database, error.criterion), error.problem
    assert "Nothing was changed" in error.problem
    assert "migrate resolve --rolled-back" in error.advice
    assert "the schema is exactly as before it" in error.advice
    assert (Fix.RESOLVE,) == error.fixes
    assert [(False, False)] == await stage.listed()
    assert "" == await why_touched(stage.at(StepName.VERIFY))

    stage.add(text=ADD)
    assert "mark 20250401090000_priority as rolled back" in await _first(stage)
    outcome = await _retried(stage)

    assert "marked as rolled back, because" in outcome.evidence[0]
    assert [(False, True), (True, False)] == await stage.listed()


async def test_the_repair_is_part_of_what_is_approved(stage: PrismaStage) -> None:
    """What was approved before the failure does not licence it."""
    stage.add(text='ALTER TABLE "nowhere" ADD COLUMN "x" INTEGER;')
    context = await stage.ready()
    with pytest.raises(StepError):
        await ApplyPrisma(QUICK).run(context)

    with pytest.raises(StepError, match="not what was approved"):
        await ApplyPrisma(QUICK).run(context)

    assert [(False, False)] == await stage.listed()


async def _kill_prisma() -> None:
    """SIGKILL to the command and all its children, as a lost machine would."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "migrate deploy" in " ".join(child.cmdline()):
                os.kill(child.pid, signal.SIGKILL)


async def test_kill_9_in_the_middle_leaves_nothing(stage: PrismaStage, until: Until) -> None:
    """The server is told by the guard to look for its client: the orphan ends, nothing is in, and that is proposed."""
    await stage.do("insert into tags (name) values ('slow')")
    stage.add(text=ADD + 'SELECT pg_sleep(600) FROM "tags" WHERE "name" = \'slow\';\n')
    context = await stage.ready()
    working = asyncio.create_task(ApplyPrisma(QUICK).run(context))
    await until(lambda: stage.ask(AT_WORK))
    await _kill_prisma()

    with pytest.raises(StepError) as caught:
        await working

    assert Database.UNTOUCHED == caught.value.database
    assert "migrate resolve --rolled-back" in caught.value.advice
    assert [] == await stage.ask(AT_WORK)
    await stage.do("delete from tags")
    assert "mark 20250401090000_priority as rolled back" in await _first(stage)
    await _retried(stage)


async def test_killed_after_the_commit_is_marked_as_applied(stage: PrismaStage, until: Until) -> None:
    """Killed while it waits to write its last line: everything is in, so it is applied, and not run again."""
    stage.add(text="SELECT pg_sleep(2);\n" + ADD)
    context = await stage.ready()
    working = asyncio.create_task(ApplyPrisma(QUICK).run(context))
    await until(lambda: stage.ask(AT_WORK))
    async with await psycopg.AsyncConnection.connect(stage.target.dsn) as holder:
        await holder.execute("lock table _prisma_migrations in exclusive mode")
        await until(lambda: stage.ask("select 1 from pg_indexes where indexname = 'cases_priority_idx'"))
        await _kill_prisma()
    error = await _error_of(working)

    assert Database.CHANGED == error.database
    assert "mark 20250401090000_priority as applied" in error.advice
    assert "mark 20250401090000_priority as applied" in await _first(stage)
    outcome = await _retried(stage)

    assert "by the schema statements 2–3 of 3 are in" in outcome.evidence[0]
    assert (True, False) == (await stage.listed())[-1]


async def _error_of(working: asyncio.Task[Outcome]) -> StepError:
    with pytest.raises(StepError) as caught:
        await working
    return caught.value


async def _leave_unfinished(stage: PrismaStage, done: str, *, logs: str = "NULL") -> None:
    """As a Prisma that died after ``done`` would have left it: its line without an end."""
    sha = hashlib.sha256((stage.migrations / NEW / "migration.sql").read_bytes()).hexdigest()
    await stage.do(done)
    await stage.do(
        "insert into _prisma_migrations (id, checksum, migration_name, logs, applied_steps_count) "
        f"values (gen_random_uuid()::text, '{sha}', '{NEW}', {logs}, 0)"
    )


async def test_half_a_migration_goes_back_or_is_finished(stage: PrismaStage) -> None:
    """Its first transaction is in, its second fails by itself: go back; or, its cause mended, the rest is run."""
    stage.add(text=TWO_PARTS)
    await stage.backed_up()

    error = await stage.failed()

    assert Database.CHANGED == error.database
    assert "Proposed: go back" in error.advice
    assert "statement 5 of 7 fails by itself" in error.advice
    await stage.do("delete from notes; delete from cases")
    assert "run the rest of 20250401090000_priority" in await _first(stage)
    outcome = await _retried(stage)

    assert "marked as applied" in outcome.evidence[0]
    assert [(1,)] == await stage.ask("select count(*) from pg_indexes where indexname = 'cases_owner_id_key'")
    assert [(1,)] == await stage.ask("select count(*) from information_schema.columns where column_name = 'colour'")


async def test_an_index_built_concurrently_and_interrupted(stage: PrismaStage) -> None:
    """What it left behind, invalid, is dropped; then it is applied anew."""
    stage.add(text=CONCURRENTLY)
    context = await stage.ready()
    async with await psycopg.AsyncConnection.connect(stage.target.dsn) as writer:
        await writer.execute("update cases set title = title where id = 1")
        error = await _fails(context)
        assert "did not get its lock" in error.problem
    invalid = "select 1 from pg_index where not indisvalid"
    assert [(1,)] == await stage.ask(invalid)
    assert "mark 20250401090000_priority as rolled back" in await _first(stage)

    await _retried(stage)

    assert [] == await stage.ask(invalid)
    assert (True, False) == (await stage.listed())[-1]


async def _fails(context: Context) -> StepError:
    with pytest.raises(StepError) as caught:
        await ApplyPrisma(QUICK).run(context)
    return caught.value


async def test_a_held_lock_is_tried_again_and_its_holder_is_named(stage: PrismaStage) -> None:
    """Each try gives up by itself, is marked, and the next is made; who kept it is in the error."""
    stage.add()
    context = await stage.ready()
    async with await psycopg.AsyncConnection.connect(stage.target.dsn, application_name="reports") as holder:
        await holder.execute("lock table cases in access share mode")

        error = await _fails(context)

    assert "did not get its lock in 2 tries" in error.problem
    assert "kept by reports" in error.problem
    assert (Database.UNTOUCHED, None) == (error.database, error.criterion)
    assert [(False, True), (False, False)] == await stage.listed()
    outcome = await _retried(stage)
    assert outcome.facts["tries"] == "1"


async def test_a_hold_between_two_tries_is_a_pause(stage: PrismaStage) -> None:
    stage.add()
    context = await stage.ready()
    async with await psycopg.AsyncConnection.connect(stage.target.dsn) as holder:
        await holder.execute("lock table cases in access share mode")
        stage.hold()

        with pytest.raises(StepPaused, match="Nothing was changed"):
            await ApplyPrisma(QUICK).run(context)

    assert [(False, True)] == await stage.listed()


async def test_the_holder_of_prismas_lock_is_named_and_ended_after_approval(stage: PrismaStage) -> None:
    """P1002: somebody's session has lock 72707369; the question warns of it, and its ending can be approved."""
    stage.add()
    await stage.backed_up()
    async with await psycopg.AsyncConnection.connect(
        stage.target.dsn, autocommit=True, application_name="old deploy"
    ) as holder:
        await holder.execute("select pg_advisory_lock(72707369)")
        lines = (await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))).lines
        assert any("72707369" in each and "old deploy" in each for each in lines)
        stage.grant_all = True

        await ApplyPrisma(QUICK).run(await stage.approved(ApplyPrisma(QUICK)))

        with pytest.raises(psycopg.OperationalError):
            await holder.execute("select 1")
    assert any(each.application == "old deploy" for seen in stage.seen for each in seen)
    assert [(True, False)] == await stage.listed()


async def test_prismas_lock_that_stays_held_is_told(stage: PrismaStage) -> None:
    """P1002 as a sentence, with the one who has it; nothing was changed, and it is to be tried again."""
    stage.add()
    context = await stage.ready()
    context = replace(context, target=replace(context.target, lock_timeouts=(0.2,)))
    stage.target = context.target
    context = await stage.approved(ApplyPrisma(QUICK))
    async with await psycopg.AsyncConnection.connect(
        stage.target.dsn, autocommit=True, application_name="old deploy"
    ) as holder:
        await holder.execute("select pg_advisory_lock(72707369)")

        error = await _fails(context)

    assert "kept by old deploy" in error.problem
    assert "Proposed: apply it again" in error.advice
    assert (Database.UNTOUCHED, None) == (error.database, error.criterion)


async def test_rows_only_and_killed_is_for_people(stage: PrismaStage) -> None:
    """No schema shows whether it is in, and Prisma heard nothing: it is not guessed."""
    stage.add(text='UPDATE "tags" SET "name" = lower("name");')
    await stage.backed_up()
    await _leave_unfinished(stage, "select 1")

    with pytest.raises(StepError, match="what is to be done is not proven") as caught:
        await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))

    assert "it changes rows only, and Prisma did not hear how it ended" in caught.value.advice


async def test_rows_only_and_refused_is_proven_by_the_refusal(stage: PrismaStage) -> None:
    """PostgreSQL's own error, in a file that is one transaction: nothing is in."""
    stage.add(text='UPDATE "cases" SET "owner_id" = 4711;')
    await stage.backed_up()

    error = await stage.failed()

    assert Database.UNTOUCHED == error.database
    assert "PostgreSQL refused it" in error.advice


async def test_what_somebody_changed_meanwhile_is_for_people(stage: PrismaStage) -> None:
    stage.add()
    await stage.backed_up()
    await _leave_unfinished(stage, ADD + "alter table tags add column by_hand int;")

    with pytest.raises(StepError) as caught:
        await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))

    assert "differs in what the migration does not touch: + column public.tags.by_hand" in caught.value.advice


async def test_a_failed_migration_of_an_earlier_run_is_settled_by_the_next(stage: PrismaStage) -> None:
    """It was listed as failed before the backup, and nothing of it is in."""
    stage.add()
    await _leave_unfinished(stage, "select 1", logs="'ERROR: canceling statement due to lock timeout'")
    await stage.backed_up()

    assert "mark 20250401090000_priority as rolled back" in await _first(stage)
    await _retried(stage)

    assert [(False, True), (True, False)] == await stage.listed()


async def test_the_second_of_two_fails(stage: PrismaStage) -> None:
    """The first is in, and said to be; the second is repaired on top of it."""
    second = "20250402090000_second"
    stage.add()
    stage.add(second, 'ALTER TABLE "cases" ADD COLUMN "room" TEXT;\nALTER TABLE "nowhere" ADD COLUMN "x" TEXT;\n')
    await stage.backed_up()

    error = await stage.failed()

    assert Database.CHANGED == error.database
    assert f"{NEW} went in before" in error.problem
    assert f"mark {second} as rolled back" in error.advice
    stage.add(second, 'ALTER TABLE "cases" ADD COLUMN "room" TEXT;\n')
    await _retried(stage)
    assert [(True, False)] == await stage.listed()
    assert [(False, True), (True, False)] == await stage.listed(second)
