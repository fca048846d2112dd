"""The backup step: its five answers, on a real database with the real pg_dump."""

import asyncio
import gzip
import json
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import conninfo

from bot.demo import casework as sample
from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.backup import Backup
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import session
from integrations.postgres.manifest import read_manifest
from integrations.postgres.orphans import guarded
from integrations.postgres.tools import find_tools
from integrations.process import base_env, run_child
from tests.integrations.postgres.conftest import QUICK, Stage


async def test_description_is_exact_and_masked(stage: Stage) -> None:
    """The command, the folder, the database and its identity are said; the password is not."""
    found = await Backup(QUICK).describe(stage.at(StepName.BACKUP))

    text = "\n".join(found.lines)
    secret = str(conninfo.conninfo_to_dict(stage.target.dsn)["password"])
    assert "--format=directory --jobs=2" in text
    assert str(stage.target.backups / "run-7.partial") in text
    assert stage.run.plan.database in text
    assert secret not in text + str(found.inputs)
    assert (await stage.ask("select system_identifier::text from pg_control_system()"))[0][0] == found.inputs["system"]


async def test_run_verify_check(stage: Stage) -> None:
    """A backup is whole, says what it holds, verifies, and is found again instead of being made twice."""
    backup = Backup(QUICK)
    context = stage.at(StepName.BACKUP)
    assert await backup.check(context) is None

    outcome = await backup.run(context)

    folder = Path(outcome.facts["folder"])
    ((cases,),) = await stage.ask("select count(*) from cases")
    assert cases == json.loads(outcome.facts["rows"])["public.cases"]
    assert int(outcome.facts["bytes"]) == sum(
        each.stat().st_size for each in folder.iterdir() if each.name != "manifest.json"
    )
    assert [] == list(stage.target.backups.glob("*.partial"))
    assert {0o600} == {each.stat().st_mode & 0o777 for each in folder.iterdir()}
    assert (await backup.verify(context, outcome)).ok
    assert outcome == await backup.check(context)
    assert "only reads" in backup.undo(context)


async def test_restored_dump_has_the_same_fingerprint(stage: Stage, casework_template: EmbeddedPostgres) -> None:
    """The fingerprint survives dump and restore, so a restored copy can be proven to be the database before."""
    outcome = await stage.backed_up()
    name = f"{stage.run.plan.database}_back"
    await sample.create_database(casework_template, name, owner=sample.OWNER)
    dsn = conninfo.make_conninfo(stage.target.dsn, dbname=name)
    tools = await find_tools(18, None)
    argv = [tools.path("pg_restore"), "--no-password", "-d", casework_template.dsn(name), outcome.facts["folder"]]
    ended = await run_child(argv, env=base_env(), cwd=Path("/"), on_line=lambda _: None, time_limit=60)
    assert ended.ok, ended.tail
    async with session(dsn, "test") as db:
        restored = fingerprint(await read_catalog(db))
    await sample.drop_database(casework_template, name)

    assert outcome.facts["fingerprint"] == restored


async def test_damage_is_found(stage: Stage) -> None:
    """One changed byte in one file makes the verdict no."""
    outcome = await stage.backed_up()
    victim = next(Path(outcome.facts["folder"]).glob("*.dat.gz"))
    victim.write_bytes(gzip.compress(b"other"))

    verdict = await Backup(QUICK).verify(stage.at(StepName.BACKUP), outcome)

    assert (False, f"The backup is damaged: {victim.name} is not as it was written (size or sha256 differs).") == (
        verdict.ok,
        verdict.reason,
    )


async def test_a_table_missing_from_the_dump_is_found(stage: Stage) -> None:
    """The table of contents is held against the catalog."""
    outcome = await stage.backed_up()
    async with await psycopg.AsyncConnection.connect(stage.target.dsn, autocommit=True) as db:
        await db.execute("create table later (id int primary key)")

    verdict = await Backup(QUICK).verify(stage.at(StepName.BACKUP), outcome)

    assert not verdict.ok
    assert "TABLE public later" in verdict.reason


async def test_leftovers_of_a_dead_attempt_are_removed(stage: Stage) -> None:
    """A partial folder and a session that outlived its client are ended before the next attempt."""
    context = replace(stage.at(StepName.BACKUP), attempt=2)
    partial = stage.target.backups / "run-7.partial"
    partial.mkdir(parents=True)
    (partial / "toc.dat").write_text("half")
    orphan = await psycopg.AsyncConnection.connect(stage.target.dsn, application_name=context.application_name)
    await orphan.execute("select 1")

    assert await Backup(QUICK).check(context) is None

    assert not partial.exists()
    with pytest.raises(psycopg.OperationalError):
        await orphan.execute("select 1")
    await orphan.close()


async def test_a_foreign_folder_is_never_overwritten(stage: Stage) -> None:
    """A folder of that name that is no whole backup of this run stops the step and stays as it is."""
    folder = stage.target.backups / "run-7"
    folder.mkdir(parents=True)
    (folder / "keep.txt").write_text("mine")

    with pytest.raises(StepError, match="is no whole backup of this run"):
        await Backup(QUICK).check(stage.at(StepName.BACKUP))

    assert "mine" == (folder / "keep.txt").read_text()


async def test_failing_pg_dump_leaves_nothing(stage: Stage, casework: Casework) -> None:
    """When pg_dump fails, its words are told, the database is untouched, and no folder stays."""
    async with await psycopg.AsyncConnection.connect(casework.superuser_dsn, autocommit=True) as db:
        await db.execute("create table hidden (id int)")

    with pytest.raises(StepError, match="permission denied for table hidden") as caught:
        await Backup(QUICK).run(stage.at(StepName.BACKUP))

    assert caught.value.database in (None, Database.UNTOUCHED)
    assert [] == list(stage.target.backups.iterdir())


async def test_no_secret_in_any_command_line(stage: Stage) -> None:
    """While pg_dump runs, no process of this machine shows the password in its arguments."""
    secret = str(conninfo.conninfo_to_dict(stage.target.dsn)["password"])
    working = asyncio.create_task(Backup(QUICK).run(stage.at(StepName.BACKUP)))
    shown: list[str] = []
    while not working.done():
        for child in psutil.Process().children(recursive=True):
            try:
                shown.append(" ".join(child.cmdline()))
            except psutil.Error:
                continue
        await asyncio.sleep(0.005)
    await working

    assert any("pg_dump" in each for each in shown)
    assert [] == [each for each in shown if secret in each]


async def test_hostile_run_id_is_refused(stage: Stage) -> None:
    """A run id can never lead out of the backups folder."""
    stage.run = replace(stage.run, id="../../etc")

    with pytest.raises(StepError, match="cannot be a folder's name"):
        await Backup(QUICK).describe(stage.at(StepName.BACKUP))


async def test_only_one_bot_at_a_time(stage: Stage) -> None:
    """While another run holds the target's guard, the step refuses and names it."""
    other = replace(stage, run=replace(stage.run, id="run-8"))
    async with guarded(other.at(StepName.BACKUP), QUICK):
        with pytest.raises(StepError, match="migrate/run-8/backup"):
            await Backup(QUICK).run(stage.at(StepName.BACKUP))


async def test_manifest_is_readable_again(stage: Stage) -> None:
    """What was written is what is read."""
    outcome = await stage.backed_up()

    manifest, digest = read_manifest(Path(outcome.facts["folder"]))

    assert (outcome.facts["manifest_sha256"], "run-7") == (digest, manifest.run)
