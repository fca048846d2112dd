"""The switch: who is put out, what a crash leaves, and who may not do it, on a real server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.beside import Names, exclusively, names_of
from integrations.postgres.go_back import GoBack
from integrations.postgres.switch import switch
from tests.integrations.postgres.back import Backstage, Crash
from tests.integrations.postgres.conftest import QUICK, Stage


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    yield made
    await made.remove()


@pytest.fixture
def back_names(stage: Stage) -> Callable[[str, str], Names]:
    """The names a run would use for a database."""

    def made(database: str, run: str) -> Names:
        dsn = psycopg.conninfo.make_conninfo(stage.target.dsn, dbname=database)
        changed = replace(stage, target=replace(stage.target, dsn=dsn), run=replace(stage.run, id=run))
        return names_of(changed.at(StepName.BACKUP))

    return made


async def test_connected_sessions_are_fenced_off(back: Backstage) -> None:
    """Whoever is connected is put out before the renaming, nobody gets in meanwhile, and afterwards all may."""
    await back.backup_and_break()
    dsn, refused = back.casework.app_dsn, []

    async def knocks(at: str) -> None:
        try:
            async with await psycopg.AsyncConnection.connect(dsn, connect_timeout=2):
                pass
        except psycopg.OperationalError as error:
            refused.append((at, str(error)))

    tasks: list[asyncio.Task[None]] = []
    app = await psycopg.AsyncConnection.connect(dsn)
    await app.execute("select count(*) from cases")
    await GoBack(QUICK, after=lambda at: tasks.append(asyncio.create_task(knocks(at)))).run(await back.approved())
    await asyncio.gather(*tasks)

    with pytest.raises(psycopg.OperationalError):
        await app.execute("select 1")
    await app.close()
    assert any("not currently accepting connections" in said for _, said in refused)
    async with await psycopg.AsyncConnection.connect(dsn) as again:
        assert (await (await again.execute("select current_database()")).fetchone()) == (back.names.live,)


@pytest.mark.parametrize(
    "moment", ["fenced side", "fenced live", "emptied", "live renamed", "side renamed", "opened"]
)  # fmt: skip
async def test_a_crash_anywhere_in_the_switch_is_settled(back: Backstage, moment: str) -> None:
    """Whatever the crash left, the way is still described alike, and the next attempt ends where the first would."""
    before = await back.backup_and_break()

    def crash(at: str) -> None:
        if at == moment:
            raise Crash(at)

    context = await back.approved()
    with pytest.raises(Crash):
        await GoBack(QUICK, after=crash).run(context)
    assert context.run.grant == (await back.approved()).run.grant
    step, second = GoBack(QUICK), replace(context, attempt=2)

    outcome = await step.check(second) or await step.run(second)

    assert (moment == "opened") == ("settled by its note" in outcome.evidence[0])
    assert (await step.verify(second, outcome)).ok
    assert {back.names.live: True, back.names.failed: False} == (await back.standing()).open
    assert before == await back.content()


async def test_a_session_that_cannot_be_ended_stops_the_switch(back: Backstage) -> None:
    """A superuser who stays connected: nothing is renamed, the database is open again, and it is said how."""
    await back.backup_and_break()
    holder = await psycopg.AsyncConnection.connect(back.casework.superuser_dsn)
    await holder.execute("select 1")
    await back.as_superuser("revoke pg_signal_backend from casework_owner", "postgres")
    try:
        with pytest.raises(StepError, match="Nothing was switched") as caught:
            await GoBack(replace(QUICK, orphan_end=0.5)).run(await back.approved())
    finally:
        await back.as_superuser("grant pg_signal_backend to casework_owner", "postgres")
        await holder.close()

    assert "RENAME TO" in caught.value.advice
    assert {back.names.live: True, back.names.side: False} == (await back.standing()).open
    await GoBack(QUICK).run(await back.approved())
    assert {back.names.live: True, back.names.failed: False} == (await back.standing()).open


def ends_it(back: Backstage) -> Callable[[str], None]:
    """A hook that ends the switching session from outside once the live database is fenced."""

    def after(at: str) -> None:
        if at == "fenced live":
            with psycopg.connect(back.pg.dsn("postgres"), autocommit=True) as db:
                db.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                    "where application_name = 'migrate/run-7/go_back'"
                )

    return after


async def test_a_switching_session_that_dies_opens_the_database_again(back: Backstage) -> None:
    """Ended after the fence: another session opens what it has closed, and nothing was switched."""
    await back.backup_and_break()

    with pytest.raises(StepError, match="Nothing was switched") as caught:
        await GoBack(QUICK, after=ends_it(back)).run(await back.approved())

    assert Database.CHANGED == caught.value.database
    assert {back.names.live: True, back.names.side: False} == (await back.standing()).open


async def test_what_cannot_be_opened_again_is_said_to_be_closed(back: Backstage) -> None:
    """No other session gets through either: people are told that it is closed, and the statement that opens it."""
    await back.backup_and_break()
    context = await back.approved()
    ends = ends_it(back)

    def after(at: str) -> None:
        if at == "fenced live":
            with psycopg.connect(back.pg.dsn("postgres"), autocommit=True) as db:
                db.execute("alter role casework_owner nologin")
        ends(at)

    try:
        with pytest.raises(StepError, match="is CLOSED to all connections") as caught:
            await GoBack(QUICK, after=after).run(context)
    finally:
        await back.as_superuser("alter role casework_owner login", "postgres")

    assert f'ALTER DATABASE "{back.names.live}" ALLOW_CONNECTIONS true;' in caught.value.advice
    assert Database.UNKNOWN == caught.value.database
    assert not (await back.standing()).open[back.names.live]
    assert Database.UNKNOWN == await GoBack(QUICK)._known(context)
    await GoBack(QUICK).run(replace(context, attempt=2))
    assert {back.names.live: True, back.names.failed: False} == (await back.standing()).open


async def test_a_lock_from_another_database_is_not_waited_for(back: Backstage) -> None:
    """Somebody's open transaction elsewhere holds the database: named, unfenced again, refused."""
    await back.backup_and_break()
    context = await back.approved()
    dsn = psycopg.conninfo.make_conninfo(back.pg.dsn("postgres"), application_name="Ann's psql")
    async with await psycopg.AsyncConnection.connect(dsn) as ann:
        await ann.execute(f"comment on database \"{back.names.live}\" is 'mine'".encode())
        with pytest.raises(StepError, match=r"locked from another database .* Ann's psql .* Nothing was switched"):
            await asyncio.wait_for(GoBack(replace(QUICK, orphan_end=0.5)).run(context), 60)
        await ann.rollback()

    assert {back.names.live: True, back.names.side: False} == (await back.standing()).open


async def test_a_frozen_attempt_is_put_out(back: Backstage) -> None:
    """The guard lies on the session that switches: the next attempt ends it, so a worker that thaws does nothing."""
    await back.backup_and_break()
    frozen = AsyncExitStack()
    stuck = await frozen.enter_async_context(exclusively(await back.approved(), QUICK))

    await GoBack(QUICK).run(await back.approved(attempt=2))

    with pytest.raises(psycopg.OperationalError):
        await switch(stuck, back.names, QUICK)
    await frozen.aclose()
    assert {back.names.live: True, back.names.failed: False} == (await back.standing()).open


async def test_another_run_is_not_put_out(back: Backstage) -> None:
    """Whoever else holds the guard of this database is named, and left alone."""
    await back.backup_and_break()
    other = replace(back, stage=replace(back.stage, run=replace(back.stage.run, id="run-8")))
    async with exclusively(other.at(StepName.GO_BACK), QUICK) as theirs:
        with pytest.raises(StepError, match="migrate/run-8/go_back"):
            await GoBack(QUICK).run(await back.approved())
        await theirs.execute("select 1")


async def test_a_database_made_anew_between_the_renamings_stops_it(back: Backstage) -> None:
    """Somebody creates the missing database in the gap: the bot does not choose, and says what there is."""
    await back.backup_and_break()

    def crash(at: str) -> None:
        if at == "live renamed":
            raise Crash(at)

    with pytest.raises(Crash):
        await GoBack(QUICK, after=crash).run(await back.approved())
    await back.as_superuser(f'create database "{back.names.live}" owner casework_owner', "postgres")

    with pytest.raises(StepError, match="all at once") as caught:
        await GoBack(QUICK).run(await back.approved(attempt=2))

    assert Database.UNKNOWN == caught.value.database


def test_long_names_stay_within_postgresqls_limit(back_names: Callable[[str, str], Names]) -> None:
    """PostgreSQL would cut a longer name silently; the three stay different, and the same at every look."""
    names = back_names("größe" * 12, "m-azn52q")

    assert all(len(each.encode()) <= 63 for each in (names.side, names.failed))
    assert 2 == len({names.side, names.failed})
    assert names == back_names("größe" * 12, "m-azn52q")
    assert names.side != back_names("größe" * 12, "m-other1").side
