"""The store's schema: made once, brought up to date as often as one likes."""

import asyncio

import psycopg

from bot import store
from bot.release import release
from tests.kit import backstage, plan


async def _tables(dsn: str) -> set[str]:
    async with await psycopg.AsyncConnection.connect(dsn) as conn:
        found = await (await conn.execute("select tablename from pg_tables where schemaname = 'public'")).fetchall()
    return {row[0] for row in found}


async def test_a_release_again_changes_nothing_that_is_there(store_dsn: str) -> None:
    """Runs and letters outlive every deploy."""
    await release(store_dsn)
    async with backstage(store_dsn) as stage:
        run = await stage.engine.start(plan())
        before = await _tables(store_dsn)
        await release(store_dsn)
        assert before == await _tables(store_dsn)
        assert run == await stage.engine.load(run.id)
        async with stage.engine.connection() as conn:
            assert 1 == len(await store.waiting_letters(conn, run.id))


async def test_two_releases_at_once_make_one_schema(store_dsn: str) -> None:
    """Two machines deploy at the same moment: one waits for the other."""
    await asyncio.gather(*(release(store_dsn) for _ in range(3)))
    assert {"runs", "ledger", "letters", "procrastinate_jobs"} <= await _tables(store_dsn)
