"""What a failed migration proposes beside trying again, and that each proposal does what it says, on a real server."""

import asyncio
from dataclasses import replace

import psycopg

from bot.demo.casework import Casework
from bot.jobs.drive import fixed
from bot.runbook.fixes import LONGER_BY, Fix
from bot.runbook.run import Database, Done
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.script import read_migration
from integrations.postgres.separate import separated
from integrations.postgres.verify import Verify
from tests.integrations.postgres.acts import ADD, failed
from tests.integrations.postgres.conftest import QUICK, Stage

KEY = """\
set lock_timeout = '5s';
alter table case_notes add column seen_in bigint;
update case_notes set seen_in = 424242;
alter table case_notes add constraint notes_seen_in foreign key (seen_in) references cases on delete cascade -- all
;
"""
VALIDATED = "select convalidated from pg_constraint where conname = 'notes_seen_in'"


def take(stage: Stage, *fixes: Fix) -> None:
    """As after the button was pressed: the run knows of it, and the driver gives the target accordingly."""
    stage.run = replace(stage.run, fixes=(*stage.run.fixes, *fixes))
    stage.target = fixed(stage.target, fixes)


async def test_more_time_is_proposed_for_a_statement_that_took_too_long(stage: Stage) -> None:
    """Four times as much is what runs next, and what people approve."""
    stage.write("001_slow.sql", f"select pg_sleep(0.6);\n{ADD}")
    stage.target = replace(stage.target, statement_timeout=0.3)
    await stage.backed_up()
    error = await failed(stage)
    assert (Fix.LONGER,) == error.fixes
    assert Database.UNTOUCHED is error.database

    take(stage, Fix.LONGER)
    assert 0.3 * LONGER_BY == stage.target.statement_timeout
    context = await stage.approved()
    described = await Apply(QUICK).describe(context)
    outcome = await Apply(QUICK).run(context)

    assert "a statement after 1.2 s" in str(described.lines)
    assert "1.2" == described.inputs["statement_timeout"]
    assert "001_slow.sql: 3 statements in one transaction" in outcome.evidence[0]


async def test_waiting_for_the_blocker_is_proposed_for_a_lock(stage: Stage, casework: Casework) -> None:
    """It waits beyond the ladder without queueing: others read and write the table meanwhile."""
    stage.write("001_add.sql", ADD)
    await stage.backed_up()
    async with await psycopg.AsyncConnection.connect(casework.app_dsn, application_name="report") as blocker:
        await blocker.execute("select title from cases limit 1")
        assert (Fix.WHEN_FREE,) == (await failed(stage)).fixes

        take(stage, Fix.WHEN_FREE)
        context = await stage.approved()
        stage.said.clear()
        working = asyncio.create_task(Apply(QUICK).run(context))
        beyond = f"(try {len(stage.target.lock_timeouts)})"
        while not any(beyond in each for each in stage.said):
            await asyncio.sleep(0.01)
        assert [(0,)] == await stage.ask("select count(*) from pg_locks where not granted")
        await blocker.rollback()
    outcome = await working

    assert int(outcome.facts["tries"]) == len(stage.target.lock_timeouts) + 1
    assert "without queueing" in str((await Apply(QUICK).describe(context)).lines)


async def test_patience_has_an_end(stage: Stage, casework: Casework) -> None:
    """Whoever never goes away is named at last."""
    stage.write("001_add.sql", ADD)
    await stage.backed_up()
    async with await psycopg.AsyncConnection.connect(casework.app_dsn, application_name="report") as blocker:
        await blocker.execute("select title from cases limit 1")
        take(stage, Fix.WHEN_FREE)
        stage.target = replace(stage.target, lock_patience=1.5)
        error = await failed(stage)

    assert "did not get its lock" in error.problem
    assert "report (user" in error.problem


async def test_a_rollback_ends_the_waiting(stage: Stage, casework: Casework) -> None:
    """Who wants to go back does not wait fifteen minutes for somebody else's transaction."""
    stage.write("001_add.sql", ADD)
    await stage.backed_up()
    async with await psycopg.AsyncConnection.connect(casework.app_dsn) as blocker:
        await blocker.execute("select title from cases limit 1")
        take(stage, Fix.WHEN_FREE)
        context = await stage.approved()
        stage.run = replace(stage.run, rollback_wanted="no time")
        async with asyncio.timeout(60):
            ended = (await asyncio.gather(Apply(QUICK).run(context), return_exceptions=True))[0]

    assert "Held before try" in str(ended)


async def test_rows_that_break_a_key_are_validated_separately(stage: Stage) -> None:
    """The key goes in for new rows; its validation fails alone, is told as such, and is all that is run again."""
    stage.write("001_key.sql", KEY)
    await stage.backed_up()
    error = await failed(stage)
    assert (Fix.VALIDATE_LATER,) == error.fixes, error.problem
    assert error.criterion is not None

    take(stage, Fix.VALIDATE_LATER)
    described = await Apply(QUICK).describe(stage.at(StepName.APPLY))
    assert {"001_key.sql", "001_key.sql (validation)"} == set(described.attachments)
    assert "validated in a transaction of their own" in str(described.lines)
    error = await failed(stage)
    assert "001_key.sql (validation)" in error.problem and "23503" in error.problem
    assert "001_key.sql went in before" in error.problem
    assert error.criterion is None and not error.fixes
    assert [(False,)] == await stage.ask(VALIDATED)

    await stage.ask("with gone as (update case_notes set seen_in = null returning 1) select count(*) from gone")
    outcome = await Apply(QUICK).run(await stage.approved())
    assert [(True,)] == await stage.ask(VALIDATED)
    assert "settled by its marker" in outcome.evidence[0]

    done = Done(step=StepName.APPLY, began_at=0, ended_at=1, facts=tuple(outcome.facts.items()))
    stage.run = replace(stage.run, done=(*stage.run.done, done))
    verified = await Verify(QUICK).run(stage.at(StepName.VERIFY))
    assert "Marked as applied: 001_key.sql, 001_key.sql (validation)" in str(verified.evidence)


async def test_what_went_in_whole_is_not_split_afterwards(stage: Stage) -> None:
    """A file that its marker settles stays as it was applied, whatever is chosen for a later one."""
    stage.write("000_check.sql", "alter table cases add constraint titled check (title is not null);")
    stage.write("001_key.sql", KEY)
    await stage.backed_up()
    await failed(stage)

    take(stage, Fix.VALIDATE_LATER)
    described = await Apply(QUICK).describe(stage.at(StepName.APPLY))

    assert {"000_check.sql", "001_key.sql", "001_key.sql (validation)"} == set(described.attachments)


async def test_only_single_named_checks_and_keys_are_split(stage: Stage) -> None:
    """Anything else stays as it is, and nothing is proposed for it."""
    whole = (
        "alter table cases add check (title <> '');",
        "alter table cases add constraint a check (title <> ''), add constraint b check (title <> 'x');",
        "alter table cases add constraint a check (title <> '') not valid;",
        "alter table cases add constraint a unique (title);",
        "create index concurrently i on cases (title);\nalter table cases add constraint a check (title <> '');",
    )
    for text in whole:
        stage.write("001.sql", text)
        script = read_migration(stage.target, "001.sql")
        assert (script,) == separated(script)


async def test_nothing_is_proposed_for_a_file_that_is_in_by_half(stage: Stage) -> None:
    """What cannot simply be run again is not offered to be."""
    stage.write("001_half.sql", "create table extra (id int);\ncreate index concurrently i on nobodys (id);")
    await stage.backed_up()
    error = await failed(stage)

    assert Database.UNKNOWN is error.database
    assert () == error.fixes
