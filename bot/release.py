"""``python -m bot release``: the schema of the bot's own store, and of its job engine."""

from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection

from bot import store


async def release(dsn: str) -> None:
    """Bring the store's schema up to date: the bot's own tables and the job engine's.  Safe to run again."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await conn.execute("select pg_advisory_lock(7270, 0)")
        there = await (await conn.execute("select to_regclass('procrastinate_jobs')")).fetchone()
        if there is None or there[0] is None:
            await conn.execute(SchemaManager.get_schema())
        await conn.execute(store.schema())
