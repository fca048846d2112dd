"""The apply step: its five answers, and what a failure or a crash leaves, with the real psql."""

import asyncio
import os
import signal
from dataclasses import replace

import psycopg
import pytest

from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from tests.integrations.postgres.acts import ADD, failed, now, psql_children
from tests.integrations.postgres.conftest import QUICK, Stage, Until


async def test_description_covers_every_byte(stage: Stage) -> None:
    """Files by hash, target by identity, the backup by its manifest; the SQL itself is attached."""
    stage.write("001_add.sql", ADD)
    backup = await stage.backed_up()

    found = await Apply(QUICK).describe(stage.at(StepName.APPLY))
    stage.write("001_add.sql", ADD + " ")
    later = await Apply(QUICK).describe(stage.at(StepName.APPLY))

    assert {"001_add.sql": ADD} == found.attachments
    assert backup.facts["manifest_sha256"] == found.inputs["backup"]
    assert "2 statements in one transaction: all or nothing." in found.lines
    assert ["file 1 001_add.sql"] == [name for name in found.inputs if found.inputs[name] != later.inputs[name]]


async def test_run_verify_check(stage: Stage) -> None:
    """A file goes in with its marker, verifies, and is settled by that marker instead of being run twice."""
    stage.write("001_add.sql", ADD)
    await stage.backed_up()
    apply, context = Apply(QUICK), await stage.approved()
    assert await apply.check(context) is None

    outcome = await apply.run(context)

    assert "001_add.sql: 2 statements in one transaction" in outcome.evidence[0]
    assert [("Berne",)] == await stage.ask("select distinct court from cases")
    assert (await apply.verify(context, outcome)).ok
    again = await apply.check(replace(context, attempt=2))
    assert again is not None
    assert "settled by its marker" in again.evidence[0]
    assert await now(stage) == outcome.facts["fingerprint"]
    assert "backup" in apply.undo(context)


async def test_committed_but_unrecorded_is_not_run_again(stage: Stage) -> None:
    """An attempt after a crash between commit and record leaves the file alone."""
    stage.write("001_add.sql", ADD)
    stage.write("002_more.sql", "alter table cases add column room text;")
    await stage.backed_up()
    context = await stage.approved()
    only_first = replace(context.run, plan=replace(context.run.plan, migrations=("001_add.sql",)))
    stage.run = only_first
    await Apply(QUICK).run(await stage.approved())
    stage.run = context.run

    outcome = await Apply(QUICK).run(replace(context, attempt=2))

    assert "already applied" in outcome.evidence[0]
    assert "002_more.sql: 1 statement" in outcome.evidence[1]


async def test_failing_sql_changes_nothing(stage: Stage) -> None:
    """A failing last statement undoes the whole file: same fingerprint, same rows, said with line and advice."""
    stage.write("900.sql", ADD + "delete from case_notes;\ninsert into case_notes (case_id, author_id, body)\n"
                "values (99999999, 1, 'Mr Secret');")  # fmt: skip
    await stage.backed_up()
    before = await now(stage)
    notes = await stage.ask("select count(*) from case_notes")

    error = await failed(stage)

    assert Database.UNTOUCHED == error.database
    assert "900.sql, statement 4 of 4 (line 5): ERROR 23503" in error.problem
    assert "Nothing was changed." in error.problem
    assert "NOT VALID" in error.advice
    assert "99999999" not in error.problem
    assert before == await now(stage)
    assert notes == await stage.ask("select count(*) from case_notes")


async def test_second_file_failing_says_the_first_is_in(stage: Stage) -> None:
    """What went in before a failure is told: the database is changed."""
    stage.write("001_add.sql", ADD)
    stage.write("002_bad.sql", "alter table nowhere add column x int;")
    await stage.backed_up()

    error = await failed(stage)

    assert Database.CHANGED == error.database
    assert "001_add.sql went in before; 002_bad.sql is not in." in error.problem


async def test_kill_9_of_psql_is_settled(stage: Stage, until: Until) -> None:
    """psql killed in mid-file: its session is ended, nothing is in, the error says so, and a retry goes through."""
    stage.write("001_slow.sql", ADD + "select pg_sleep(600);")
    await stage.backed_up()
    working = asyncio.create_task(Apply(QUICK).run(await stage.approved()))
    sleeping = "select 1 from pg_stat_activity where query like 'select pg_sleep(600)%' and state = 'active'"
    await until(lambda: stage.ask(sleeping))
    os.kill(psql_children()[0][0], signal.SIGKILL)

    with pytest.raises(StepError, match="Nothing was changed") as caught:
        await working

    assert Database.UNTOUCHED == caught.value.database
    assert [] == await stage.ask(sleeping)


async def test_check_ends_the_session_of_a_dead_attempt(stage: Stage, until: Until) -> None:
    """After the whole bot was killed, check ends the orphaned backend before it looks at the marker."""
    stage.write("001_add.sql", ADD)
    await stage.backed_up()
    context = replace(await stage.approved(), attempt=2)
    orphan = await psycopg.AsyncConnection.connect(stage.target.dsn, application_name=context.application_name)
    await orphan.execute("lock table cases")
    sleeping = asyncio.create_task(orphan.execute("select pg_sleep(600)"))

    assert await Apply(QUICK).check(context) is None

    with pytest.raises(psycopg.OperationalError):
        await sleeping
    await orphan.close()
    assert (await Apply(QUICK).run(context)).evidence


async def test_what_does_not_parse_runs_in_one_transaction(stage: Stage) -> None:
    """Inline COPY data is no SQL for the parser: it is said so, and it still goes in whole, with its marker."""
    stage.write("001.sql", "create table courts (id int, name text);\ncopy courts from stdin;\n1\tBerne\n\\.\n")
    await stage.backed_up()
    described = await Apply(QUICK).describe(stage.at(StepName.APPLY))

    await Apply(QUICK).run(await stage.approved())

    assert any("cannot be parsed" in each for each in described.lines)
    assert [(1, "Berne")] == await stage.ask("select * from courts")


async def test_settings_of_one_file_do_not_leak_into_the_next(stage: Stage) -> None:
    """Every file has a session of its own: a search path or role set by the first is gone in the second."""
    stage.write("001.sql", "create schema other; set search_path = other; create table one (id int);")
    stage.write("002.sql", "create table two (id int);")
    await stage.backed_up()

    await Apply(QUICK).run(await stage.approved())

    tables = "select table_schema from information_schema.tables where table_name in ('one', 'two') order by 1"
    assert [("other",), ("public",)] == await stage.ask(tables)


async def test_server_side_commit_does_not_escape_the_transaction(stage: Stage) -> None:
    """A procedure that commits by itself fails inside our transaction instead of leaving half of the file."""
    stage.write("001.sql", "create table half (id int); do $$ begin insert into half values (1); commit; end $$;")
    await stage.backed_up()

    error = await failed(stage)

    assert "2D000" in error.problem
    assert Database.UNTOUCHED == error.database
