"""The lock ladder against real blockers: named, cancelled by approval, held, given up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.ports import StepError, StepPaused
from bot.runbook.run import Database
from integrations.postgres.apply import Apply
from tests.integrations.postgres.conftest import QUICK, Stage

ADD = "alter table cases add column court text;"


@pytest_asyncio.fixture
async def blocker(stage: Stage, casework: Casework) -> AsyncIterator[psycopg.AsyncConnection]:
    """A client of the application that has read from the table and keeps its transaction open."""
    db = await psycopg.AsyncConnection.connect(casework.app_dsn, application_name="casework-web")
    await db.execute("select title from cases where number = 'secret 42'")
    yield db
    await db.close()


@pytest.fixture
def ready(stage: Stage) -> Stage:
    stage.write("001_add.sql", ADD)
    return stage


async def test_the_free_lock_is_taken_after_a_retry(ready: Stage, blocker: psycopg.AsyncConnection) -> None:
    """A try that times out is rolled back, and the next one gets the lock when it is free."""
    await ready.backed_up()
    working = asyncio.create_task(Apply(QUICK).run(await ready.approved()))
    while not any("The lock was not free" in each for each in ready.said):
        await asyncio.sleep(0.01)
    await blocker.rollback()

    outcome = await working

    assert int(outcome.facts["tries"]) > 1
    assert () == ready.seen[-1]


async def test_giving_up_names_the_blocker(ready: Stage, blocker: psycopg.AsyncConnection) -> None:
    """The last try keeps its time-out, too; then the session is named, its query without literals."""
    await ready.backed_up()

    with pytest.raises(StepError) as caught:
        await Apply(QUICK).run(await ready.approved())

    assert "did not get its lock in 3 tries" in caught.value.problem
    assert f"casework-web (user casework_app, pid {blocker.info.backend_pid}" in caught.value.problem
    assert "select title from cases where number = $1" in caught.value.problem
    assert "secret 42" not in caught.value.problem
    assert Database.UNTOUCHED == caught.value.database
    assert (await blocker.execute("select 1")) is not None


async def test_a_hold_stops_between_two_tries(ready: Stage, blocker: psycopg.AsyncConnection) -> None:
    """Somebody pulls the cord while it waits: it pauses, having changed nothing."""
    await ready.backed_up()
    context = await ready.approved()
    ready.hold()

    with pytest.raises(StepPaused):
        await Apply(QUICK).run(context)

    assert [] == await ready.ask("select 1 from information_schema.columns where column_name = 'court'")
    assert [] == await ready.ask("select * from migrate_bot.applied")


async def test_a_hold_after_the_first_file_is_no_silent_pause(ready: Stage, blocker: psycopg.AsyncConnection) -> None:
    """With one file in, a pause would claim that nothing changed: the truth is told instead."""
    ready.write("000_first.sql", "create table first (id int primary key);")
    names = ("000_first.sql", "001_add.sql")
    ready.run = replace(ready.run, plan=replace(ready.run.plan, migrations=names))
    await ready.backed_up()
    context = await ready.approved()
    ready.hold()

    with pytest.raises(StepError, match=r"000_first.sql went in before; 001_add.sql is not in") as caught:
        await Apply(QUICK).run(context)

    assert Database.CHANGED == caught.value.database


async def test_a_granted_blocker_is_ended(ready: Stage, blocker: psycopg.AsyncConnection) -> None:
    """An approved cancel is carried out: an idle transaction does not hear it, so it is terminated after a moment."""
    ready.grant_all = True
    ready.target = replace(ready.target, lock_timeouts=(3.0, 3.0))
    await ready.backed_up()

    outcome = await Apply(QUICK).run(await ready.approved())

    assert "001_add.sql: 1 statement" in outcome.evidence[0]
    assert blocker.info.backend_pid in [each.pid for each in ready.seen[0]]
    with pytest.raises(psycopg.OperationalError):
        await blocker.execute("select 1")


async def test_a_running_query_is_only_cancelled(ready: Stage, blocker: psycopg.AsyncConnection) -> None:
    """A blocker that hears the cancel keeps its session."""
    ready.grant_all = True
    ready.target = replace(ready.target, lock_timeouts=(3.0, 3.0))
    await ready.backed_up()
    sleeping = asyncio.create_task(blocker.execute("select pg_sleep(600)"))
    working = asyncio.create_task(Apply(QUICK).run(await ready.approved()))

    with pytest.raises(psycopg.errors.QueryCanceled):
        await sleeping
    await blocker.rollback()
    await working

    assert (await blocker.execute("select 1")) is not None


async def test_nobody_is_cancelled_without_a_grant(ready: Stage, blocker: psycopg.AsyncConnection) -> None:
    """Blockers are named and left alone as long as nobody approved their end."""
    await ready.backed_up()
    with pytest.raises(StepError):
        await Apply(QUICK).run(await ready.approved())

    assert ready.seen[0][0].application == "casework-web"
    assert (await blocker.execute("select 1")) is not None


async def test_long_waits_are_raised(ready: Stage, blocker: psycopg.AsyncConnection) -> None:
    """Lock waits over the runbook's limit stand in the progress."""
    ready.target = replace(ready.target, lock_timeouts=(1.0,))
    await ready.backed_up()
    with pytest.raises(StepError):
        await Apply(replace(QUICK, loud_wait=0.3)).run(await ready.approved())

    assert any("⚠️ waited over 0 s for locks" in each for each in ready.said)
