"""Files that no transaction can hold: CREATE INDEX CONCURRENTLY, its leftovers, and what is half done."""

import asyncio
from dataclasses import replace

import psycopg

from bot.runbook.run import Database
from integrations.postgres.apply import Apply
from tests.integrations.postgres.acts import VALID, begin_file, failed, leave_invalid_index, now
from tests.integrations.postgres.conftest import QUICK, Stage, Until


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


async def test_half_done_file_is_not_guessed_at(stage: Stage) -> None:
    """A begun file that may not be repeated stops the run with the truth: unknown."""
    stage.write("003_own.sql", "begin; update cases set title = title || '!'; commit; vacuum cases;")
    await stage.backed_up()
    await begin_file(stage, "003_own.sql")

    error = await failed(stage, attempt=2)

    assert Database.UNKNOWN == error.database
    assert "begun by an earlier attempt" in error.problem
