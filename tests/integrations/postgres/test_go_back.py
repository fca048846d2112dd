"""The way back: its answers, what it restores exactly, and what it refuses, on a real server."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import APP, Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.rungs import Rung
from bot.runbook.steps import Standby, StepName
from integrations.postgres.go_back import GoBack
from integrations.postgres.plan import backup_folder
from integrations.postgres.restore import failure
from integrations.postgres.template import HALF_MADE
from integrations.postgres.ways import ladder
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK, Stage


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    yield made
    await made.remove()


async def test_description_says_what_it_costs(back: Backstage) -> None:
    """Command, names, time with its basis, rows lost exactly, WAL and disk; the digest covers way, backup, target."""
    await back.backup_and_break()
    live = back.names.live

    found = await GoBack(QUICK).describe(back.at(StepName.ANNOUNCE_ROLLBACK))

    text = "\n".join(found.lines)
    assert f"pg_restore --format=directory --jobs=2 --no-password {back.stage.target.backups}" in text
    assert f"Restore into a new database {live}_restore_run-7" in text
    assert f"closed, as {live}_failed_run-7" in text
    assert "Basis: this run's dump of" in text
    assert "Lost: 1 row inserted, 0 changed, 0 deleted since the backup's snapshot" in text
    assert "case_notes +1" in text
    assert f"{back.stage.target.backups}/run-7.salvage" in text
    assert "the services are running, so it grows" in text
    assert "of write-ahead log on the whole server" in text
    assert "Disk: about" in text
    assert {"rung", "target", "backup", "system", "database", "role", "server"} == found.inputs.keys()
    assert str(psycopg.conninfo.conninfo_to_dict(back.stage.target.dsn)["password"]) not in text


async def test_services_stopped_before_the_backup_lose_nothing(back: Backstage) -> None:
    """Only where the stop is recorded before the backup and still holds, is it said that nothing is lost."""
    await back.backup_and_break()
    stop = replace(back.stage.run.done[0], step=StepName.STOP_SERVICES, began_at=-2.0, ended_at=-1.0)
    back.stage.run = replace(back.stage.run, done=(stop, *back.stage.run.done), services_down=True, down_at=-2.0)

    found = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)

    assert any("nothing but the migration's own changes" in line for line in found.lines)


async def test_run_verify_check(back: Backstage) -> None:
    """Schema and rows are exactly the backup's, the failed database is kept as it was, and it is not done twice."""
    before = await back.backup_and_break()
    failed = await back.content()
    step, context = GoBack(QUICK), await back.approved()
    assert await step.check(context) is None

    outcome = await step.run(context)

    assert before == await back.content()
    standing = await back.standing()
    assert {back.names.live: True, back.names.failed: False} == standing.open
    assert back.names.failed == outcome.facts["failed_database"]
    assert (await step.verify(context, outcome)).ok
    again = await step.check(context)
    assert again is not None
    assert "settled by its note" in again.evidence[0]
    assert "kept under another name" in step.undo(context)
    await back.as_superuser(f'alter database "{back.names.failed}" allow_connections true', "postgres")
    assert failed == await back.content(back.names.failed)


async def test_the_digest_stays_the_same_to_the_end(back: Backstage) -> None:
    """What was approved covers the restart after the switch, too: the way is described alike before and after."""
    await back.backup_and_break()
    context = await back.approved()
    before = (await ladder(replace(context, run=replace(context.run, grant=None)), QUICK)).inputs

    await GoBack(QUICK).run(context)

    assert before == (await ladder(context, QUICK)).inputs


async def test_what_no_dump_holds_survives(back: Backstage) -> None:
    """Owner, grants, settings for all and for one role, comment, limit, extension, sequences, default privileges."""
    live = back.names.live
    await back.as_superuser("create extension pg_trgm; create schema reports authorization casework_owner")
    for statement in (
        f'alter database "{live}" set search_path to "$user", public, reports',
        f"alter database \"{live}\" set statement_timeout to '71s'",
        f"alter role {APP} in database \"{live}\" set work_mem to '5MB'",
        f'revoke all on database "{live}" from public',
        f'grant connect, temporary on database "{live}" to {APP}',
        f'alter database "{live}" connection limit 33',
        f"comment on database \"{live}\" is 'Production, it''s ours'",
        "select setval('case_number_seq', 4711)",
    ):
        await back.as_superuser(statement)
    before = await _around(back)
    await back.backup_and_break()

    with pytest.raises(StepError, match="Nothing was switched") as caught:
        await GoBack(QUICK).run(await back.approved())

    by_hand = f'ALTER ROLE "{APP}" IN DATABASE "{back.names.side}" SET "work_mem" TO \'5MB\''
    assert by_hand in caught.value.advice  # no owner may set another role's settings
    assert {live: True, back.names.side: True} == (await back.standing()).open
    await back.as_superuser(by_hand, "postgres")
    outcome = await GoBack(QUICK).run(await back.approved())

    assert "had been restored and proven by an earlier attempt" in outcome.evidence[0]
    assert before == await _around(back)
    assert [(4711,)] == await back.as_superuser("select last_value from case_number_seq")


@pytest.mark.parametrize("kind", [Standby.NONE, Standby.TEMPLATE])
async def test_an_elder_backup_takes_settings_from_where_they_are_known(back: Backstage, kind: Standby) -> None:
    """A manifest without them still reads: the standby copy's note has them, too; else it is said that today's stay."""
    await back.migrate(kind)
    file = backup_folder(back.stage.at(StepName.BACKUP)) / "manifest.json"
    values = json.loads(file.read_text())
    assert back.names.live == values.pop("around")["properties"]["datname"]
    file.write_text(json.dumps(values))
    sha = {"manifest_sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    done = [replace(e, facts=tuple((dict(e.facts) | sha).items())) for e in back.stage.run.done[:1]]
    back.stage.run = replace(back.stage.run, done=(*done, *back.stage.run.done[1:]), rung_wanted=Rung.RESTORE)
    await back.as_superuser(f"alter database \"{back.names.live}\" set work_mem to '64MB'")

    outcome = await GoBack(QUICK).run(await back.approved())

    text, none = "\n".join(outcome.evidence), kind is Standby.NONE
    stays = await back.as_superuser(
        "select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase "
        "where d.datname = current_database() and s.setconfig::text ~ 'work_mem=64MB'"
    )
    assert none == bool(stays)
    assert none == ("⚠️ Owner, grants and settings are those of the failed database" in text)
    assert none != ("As at the backup again, because changed since: kept settings" in text)


async def test_an_owner_that_the_migration_changed_is_put_back(back: Backstage) -> None:
    """The copy is made with today's owner, and given the one of the backup before it is switched to."""
    await back.backup_and_break()
    await back.as_superuser("create role crate_owner; grant crate_owner to casework_owner", "postgres")
    await back.as_superuser(f'alter database "{back.names.live}" owner to crate_owner', "postgres")
    try:
        await GoBack(QUICK).run(await back.approved())
        owner = await back.as_superuser(
            "select pg_get_userbyid(datdba)::text from pg_database where datname = current_database()"
        )
    finally:
        await back.as_superuser("reassign owned by crate_owner to casework_owner; drop role crate_owner", "postgres")

    assert [("casework_owner",)] == owner


async def test_a_half_made_copy_is_made_anew(back: Backstage) -> None:
    """A crash while restoring leaves a marked copy: only that one is dropped, and the restore begins anew."""
    before = await back.backup_and_break()
    side = back.names.side
    await back.as_superuser(f'create database "{side}" owner casework_owner', "postgres")
    await back.as_superuser("create table half (id int)", side)
    await back.as_superuser(f"comment on database \"{side}\" is '{HALF_MADE}run-7'", "postgres")

    await GoBack(QUICK).run(await back.approved(attempt=2))

    assert before == await back.content()


async def test_a_foreign_database_is_never_dropped(back: Backstage) -> None:
    """A database of the copy's name that is not the bot's own stops the step, and stays."""
    await back.backup_and_break()
    side = back.names.side
    await back.as_superuser(f'create database "{side}" owner casework_owner', "postgres")
    await back.as_superuser("create table precious (id int)", side)

    with pytest.raises(StepError, match="no half-made copy of this run"):
        await GoBack(QUICK).run(await back.approved())

    assert [(None,)] == await back.as_superuser("select null from pg_class where relname = 'precious'", side)
    assert [] == [name for name in (await back.standing()).open if name == back.names.failed]


async def test_a_tampered_dump_is_refused(back: Backstage) -> None:
    """One changed byte: nothing is restored, nothing is switched, and it is said which file."""
    await back.backup_and_break()
    after = await back.content()
    victim = back.spoil_backup()

    with pytest.raises(StepError, match=victim) as caught:
        await GoBack(QUICK).run(await back.approved())

    assert Database.CHANGED == caught.value.database
    assert [back.names.live] == list((await back.standing()).open)
    assert after == await back.content()


async def test_another_copy_than_the_backup_is_not_switched_to(back: Backstage) -> None:
    """A copy whose rows differ from the manifest is dropped, and the live database stays."""
    await back.backup_and_break()
    context = await back.approved()
    file = back.stage.target.backups / "run-7" / "manifest.json"
    text = file.read_text().replace('"public.cases": [\n   600', '"public.cases": [\n   601')
    file.write_text(text)
    sha = hashlib.sha256(text.encode()).hexdigest()
    facts = dict(context.run.done[0].facts) | {"manifest_sha256": sha}
    back.stage.run = replace(back.stage.run, done=(replace(context.run.done[0], facts=tuple(facts.items())),))

    with pytest.raises(StepError, match=r"public\.cases: 601 at the backup, 600 now") as caught:
        await GoBack(QUICK).run(await back.approved())

    assert "Nothing was switched" in caught.value.problem
    assert [back.names.live] == list((await back.standing()).open)


async def test_nothing_happened_touches_nothing(back: Backstage) -> None:
    """With no mark and the backup's schema there is nothing to undo: rows written since stay."""
    await back.stage.backed_up()
    await back.as_superuser("insert into case_notes (case_id, author_id, body) values (1, 1, 'kept')")
    ((oid,),) = await back.as_superuser("select oid::bigint from pg_database where datname = current_database()")

    described = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)
    step, context = GoBack(QUICK), await back.approved()
    assert await step.check(context) is None
    outcome = await step.run(context)

    assert Rung.NOTHING == described.rung == described.inputs["rung"]
    assert "The database is not touched; nothing is lost." in described.lines[1]
    assert (await step.verify(context, outcome)).ok
    assert [back.names.live] == list((await back.standing()).open)
    assert [(oid,)] == await back.as_superuser("select oid::bigint from pg_database where datname = current_database()")
    assert [(1,)] == await back.as_superuser("select count(*) from case_notes where body = 'kept'")


async def test_another_way_than_the_approved_one_is_not_gone(back: Backstage) -> None:
    """Approved as "nothing happened", then the schema changes: the step refuses instead of choosing by itself."""
    await back.stage.backed_up()
    context = await back.approved()
    await back.as_superuser("alter table cases add column sneaked int")

    with pytest.raises(StepError, match="not the one that was approved"):
        await GoBack(QUICK).run(context)


async def test_without_createdb_it_is_said_before_and_after(back: Backstage) -> None:
    """A role that may not make databases cannot go this way: the question and the refusal say what to grant."""
    await back.backup_and_break()
    context = await back.approved()
    await back.as_superuser("alter role casework_owner nocreatedb", "postgres")
    try:
        found = await ladder(
            replace(back.at(StepName.ANNOUNCE_ROLLBACK), run=replace(back.stage.run, grant=None)), QUICK
        )
        with pytest.raises(StepError, match="may not make a database") as caught:
            await GoBack(QUICK).run(context)
    finally:
        await back.as_superuser("alter role casework_owner createdb", "postgres")

    restore = next(each for each in found.options if each.rung is Rung.RESTORE)
    assert not restore.possible
    assert "may not create or rename databases; as a superuser run: ALTER ROLE casework_owner CREATEDB;" in restore.why
    assert "CREATEDB" in caught.value.advice


def test_pg_restores_words_are_judged() -> None:
    """A newer client's unknown setting is harmless; any other error is a failure, and so is a silent code."""
    harmless = (
        'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"'
    )
    summary = "pg_restore: warning: errors ignored on restore: 1"

    assert "" == failure(0, [])
    assert "" == failure(1, [harmless, "Command was: SET transaction_timeout = 0;", summary])
    assert "role" in failure(1, [harmless, 'pg_restore: error: could not execute query: ERROR:  role "x"', summary])
    assert "code 1" in failure(1, [])
    assert "Killed" in failure(-9, ["Killed"])


async def _around(back: Backstage) -> list[tuple[object, ...]]:
    """Everything about the live database that is in no dump, and what a dump holds of rights."""
    asked = (
        "select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datlocprovider, datlocale, datcollate, "
        "datconnlimit, (select array_agg(x::text order by x::text) from unnest(datacl) x), "
        "shobj_description(oid, 'pg_database') from pg_database where datname = current_database()",
        "select setrole::regrole::text, setconfig from pg_db_role_setting s join pg_database d "
        "on d.oid = s.setdatabase where datname = current_database() order by 1",
        "select extname::text, extversion from pg_extension order by 1",
        "select n.nspname, relname, pg_get_userbyid(relowner), relacl::text from pg_class c "
        "join pg_namespace n on n.oid = relnamespace where n.nspname in ('public', 'reports') order by 1, 2",
        "select nspname, pg_get_userbyid(nspowner), nspacl::text from pg_namespace where nspname !~ '^pg_' "
        "and nspname <> 'migrate_bot' order by 1",
        "select defaclobjtype, defaclacl::text from pg_default_acl order by 1, 2",
    )
    return [row for query in asked for row in await back.as_superuser(query)]
