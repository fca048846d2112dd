"""What the apply step refuses to run, and what it never shows."""

import asyncio
from dataclasses import replace

import psycopg
import pytest
from psycopg import conninfo

from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from tests.integrations.postgres.acts import ADD, failed, psql_children
from tests.integrations.postgres.conftest import QUICK, Stage


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


async def test_two_bots_never_act_at_once(stage: Stage) -> None:
    """A second run on the same database is refused and told who is at work."""
    stage.write("001_slow.sql", "select pg_sleep(3);")
    await stage.backed_up()
    other = await replace(stage, run=replace(stage.run, id="run-8")).approved()
    working = asyncio.create_task(Apply(QUICK).run(await stage.approved()))
    while not psql_children():
        await asyncio.sleep(0.01)

    with pytest.raises(StepError, match="Another migration is at work on this database: migrate/run-7/apply"):
        await Apply(QUICK).run(other)
    await working


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
