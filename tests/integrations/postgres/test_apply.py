"""The apply step: its five answers, what is refused, and what a crash leaves, with the real psql."""

import asyncio
import contextlib
import os
import signal
from dataclasses import replace

import psutil
import psycopg
import pytest
from psycopg import conninfo

from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import session
from integrations.postgres.markers import ensure_table
from tests.integrations.postgres.conftest import QUICK, Stage, Until

ADD = "alter table cases add column court text;\nupdate cases set court = 'Berne';\n"


async def now(stage: Stage) -> str:
    async with session(stage.target.dsn, "test") as db:
        return fingerprint(await read_catalog(db))


async def failed(stage: Stage, attempt: int = 1) -> StepError:
    """Run the step as approved and return how it failed."""
    context = replace(await stage.approved(), attempt=attempt)
    with pytest.raises(StepError) as caught:
        await Apply(QUICK).run(context)
    return caught.value


def psql_children() -> list[tuple[int, str]]:
    """Process id and command line of every psql under us."""
    found = []
    for each in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if each.name() == "psql":
                found.append((each.pid, " ".join(each.cmdline())))
    return found


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


async def test_changed_file_is_refused(stage: Stage) -> None:
    """A file edited after its approval does not run."""
    stage.write("001_add.sql", ADD)
    await stage.backed_up()
    context = await stage.approved()
    stage.write("001_add.sql", "drop table cases cascade;")

    with pytest.raises(StepError, match="not what was approved"):
        await Apply(QUICK).run(context)


async def test_nothing_runs_without_a_grant(stage: Stage) -> None:
    """No approval, no migration, whoever calls."""
    stage.write("001_add.sql", ADD)
    await stage.backed_up()

    with pytest.raises(StepError, match="not what was approved"):
        await Apply(QUICK).run(stage.at(StepName.APPLY))


async def test_no_backup_is_refused(stage: Stage) -> None:
    """Without a backup of this run nothing is even described."""
    stage.write("001_add.sql", ADD)

    with pytest.raises(StepError, match="no backup"):
        await Apply(QUICK).describe(stage.at(StepName.APPLY))


async def test_drift_since_the_backup_is_refused(stage: Stage) -> None:
    """Somebody else's change since the backup stops the step and is named."""
    stage.write("001_add.sql", ADD)
    await stage.backed_up()
    async with await psycopg.AsyncConnection.connect(stage.target.dsn, autocommit=True) as db:
        await db.execute("alter table clients add column sneaky int")

    error = await failed(stage)

    assert "+ column public.clients.sneaky integer" in error.problem


async def test_no_secret_in_any_command_line(stage: Stage) -> None:
    """While psql runs, no process shows the password in its arguments; what people see has none either."""
    stage.write("001_slow.sql", "select pg_sleep(0.6);")
    await stage.backed_up()
    secret = str(conninfo.conninfo_to_dict(stage.target.dsn)["password"])
    working = asyncio.create_task(Apply(QUICK).run(await stage.approved()))
    shown: list[str] = []
    while not working.done():
        shown += [line for _, line in psql_children()]
        await asyncio.sleep(0.02)
    outcome = await working

    assert any("--single-transaction" in each for each in shown)
    assert [] == [each for each in [*shown, *stage.said, str(outcome)] if secret in each]


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


async def test_two_bots_never_act_at_once(stage: Stage) -> None:
    """A second run on the same database is refused and told who is at work."""
    stage.write("001_slow.sql", "select pg_sleep(0.8);")
    await stage.backed_up()
    working = asyncio.create_task(Apply(QUICK).run(await stage.approved()))
    while not psql_children():
        await asyncio.sleep(0.01)
    other = replace(stage, run=replace(stage.run, id="run-8"))

    with pytest.raises(StepError, match="Another migration is at work on this database: migrate/run-7/apply"):
        await Apply(QUICK).run(await other.approved())
    await working


async def test_concurrent_index_is_built_outside_a_transaction(stage: Stage) -> None:
    """A file that no transaction can hold runs without one, and its marker ends as done."""
    stage.write("002_index.sql", "create index concurrently cases_title_idx on cases (title);")
    await stage.backed_up()

    outcome = await Apply(QUICK).run(await stage.approved())

    assert "outside one transaction (CREATE INDEX CONCURRENTLY)" in outcome.evidence[0]
    assert [("done",)] == await stage.ask("select state from migrate_bot.applied")


async def test_invalid_index_is_dropped_and_nothing_stays(stage: Stage) -> None:
    """A unique index that cannot be built leaves an invalid one; it is dropped, and the schema is as before."""
    stage.write("002_index.sql", "create unique index concurrently cases_once_idx on cases (status);")
    await stage.backed_up()
    before = await now(stage)

    error = await failed(stage)

    assert "ERROR 23505" in error.problem
    assert Database.UNTOUCHED == error.database
    assert before == await now(stage)
    assert [] == await stage.ask("select * from migrate_bot.applied")


async def test_invalid_index_of_a_dead_attempt_is_built_anew(stage: Stage) -> None:
    """After a crash IF NOT EXISTS would take the useless index for the wanted one, so it is dropped first."""
    text = "create index concurrently if not exists cases_title_idx on cases (title);"
    stage.write("002_index.sql", text)
    await stage.backed_up()
    await begin_file(stage, "002_index.sql")
    await leave_invalid_index(stage, text)

    await Apply(QUICK).run(replace(await stage.approved(), attempt=2))

    assert [(True,)] == await stage.ask(VALID)


async def test_a_blocked_concurrent_index_is_tried_until_free(stage: Stage, until: Until) -> None:
    """A long transaction blocks building and dropping alike; the ladder goes on, and ends with a valid index."""
    stage.target = replace(stage.target, lock_timeouts=(0.2,) * 30)
    stage.write("002_index.sql", "create index concurrently if not exists cases_title_idx on cases (title);")
    await stage.backed_up()
    context = await stage.approved()
    async with await psycopg.AsyncConnection.connect(stage.target.dsn) as blocker:
        await blocker.execute("update cases set title = title where id = 1")
        working = asyncio.create_task(Apply(QUICK).run(context))
        await until(lambda: stage.ask("select 1 from pg_index where not indisvalid"))
        while not any("The lock was not free" in each for each in stage.said):
            await asyncio.sleep(0.02)
        await blocker.rollback()
    outcome = await working

    assert int(outcome.facts["tries"]) > 1
    assert [(True,)] == await stage.ask(VALID)


VALID = "select indisvalid from pg_index where indexrelid = 'cases_title_idx'::regclass"


async def leave_invalid_index(stage: Stage, text: str) -> None:
    """Build it while somebody is writing, and give up: PostgreSQL leaves the index behind, invalid."""
    async with (
        await psycopg.AsyncConnection.connect(stage.target.dsn) as blocker,
        await psycopg.AsyncConnection.connect(stage.target.dsn, autocommit=True) as half,
    ):
        await blocker.execute("update cases set title = title where id = 1")
        await half.execute("set statement_timeout = 300")
        with pytest.raises(psycopg.errors.QueryCanceled):
            await half.execute(text.encode())
        await blocker.rollback()
    assert [(False,)] == await stage.ask(VALID)


async def begin_file(stage: Stage, name: str) -> None:
    """Note a file as begun, as an attempt that died would have."""
    sha = (await Apply(QUICK).describe(stage.at(StepName.APPLY))).inputs[f"file 1 {name}"]
    async with session(stage.target.dsn, "test") as db:
        await ensure_table(db)
        await db.execute("insert into migrate_bot.applied values ('run-7', %s, %s, 'begun')", (name, sha))


async def test_half_done_file_is_not_guessed_at(stage: Stage) -> None:
    """A begun file that may not be repeated stops the run with the truth: unknown."""
    stage.write("003_own.sql", "begin; update cases set title = title || '!'; commit; vacuum cases;")
    await stage.backed_up()
    await begin_file(stage, "003_own.sql")

    error = await failed(stage, attempt=2)

    assert Database.UNKNOWN == error.database
    assert "begun by an earlier attempt" in error.problem


@pytest.mark.parametrize("name", ["../up.sql", "-rf.sql", ".hid.sql", "/etc/passwd", "a.txt", "a/b.sql", "none.sql"])
async def test_hostile_names_are_refused(stage: Stage, name: str) -> None:
    """Only plain .sql files of the folder itself are read."""
    (stage.target.migrations.parent / "up.sql").write_text("select 1;")
    stage.run = replace(stage.run, plan=replace(stage.run.plan, migrations=(name,)))
    await stage.backed_up()

    with pytest.raises(StepError, match="is not run"):
        await Apply(QUICK).describe(stage.at(StepName.APPLY))


async def test_a_link_out_of_the_folder_is_refused(stage: Stage) -> None:
    """A symbolic link cannot smuggle in a file that nobody reviewed."""
    (stage.target.migrations.parent / "up.sql").write_text("select 1;")
    (stage.target.migrations / "001.sql").symlink_to("../up.sql")
    stage.run = replace(stage.run, plan=replace(stage.run.plan, migrations=("001.sql",)))
    await stage.backed_up()

    with pytest.raises(StepError, match="leads out of the migrations folder"):
        await Apply(QUICK).describe(stage.at(StepName.APPLY))


@pytest.mark.parametrize(
    "text",
    [
        r"\! touch /tmp/owned",
        "select 1;\n  \\c postgres\ndrop table cases;",
        "select 'drop table cases' \\gexec",
        "copy cases to program 'cat';",
        "COPY cases FROM\nPROGRAM 'cat';",
        "set standard_conforming_strings = off; select '\\'; \\! ls ';",
        "selekt; commit;",
    ],
)
async def test_commands_of_psql_and_programs_are_refused(stage: Stage, text: str) -> None:
    """A migration is SQL: nothing that reaches a shell, another database or the server's programs."""
    stage.write("001.sql", text)
    await stage.backed_up()

    with pytest.raises(StepError, match="is not run"):
        await Apply(QUICK).describe(stage.at(StepName.APPLY))
