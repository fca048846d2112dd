"""The worst moment: the bot is killed when the database's name belongs to nobody."""

from collections.abc import Awaitable, Callable
from typing import LiteralString

import psycopg
from psycopg import sql

from bot.demo.scene import Scene, expect, until

_HOLD = sql.SQL("COMMENT ON DATABASE {} IS 'kept waiting'")
_RENAMING = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER DATABASE % RENAME TO %'"
)
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'migrate/%'"


async def killed_between_renames(scene: Scene, copy: str, approve: Callable[[], Awaitable[None]]) -> None:
    """Approve, kill everything after the first rename and before the second, and start it again.

    Locks keep first the one rename waiting, then the other, so that the moment does not have to be guessed.  What the
    server still has of the killed worker is ended as the server would, once it notices that its client is gone.
    """
    pg, live = scene.stage.world.postgres, scene.stage.world.production.name

    async def renaming() -> bool:
        return bool(await _ask(pg.dsn(), _RENAMING))

    async def nameless() -> bool:
        return live not in await names(pg.dsn())

    async with (
        await psycopg.AsyncConnection.connect(pg.dsn()) as on_live,
        await psycopg.AsyncConnection.connect(pg.dsn()) as on_copy,
    ):
        await on_live.execute(_HOLD.format(sql.Identifier(live)))
        await approve()
        await until(renaming, "the switch")
        await on_copy.execute(_HOLD.format(sql.Identifier(copy)))
        await on_live.rollback()
        await until(nameless, "the first rename")
        print("   (kill -9 web worker clock, between the two renames)", flush=True)
        await scene.stage.troupe.kill()
        await on_live.execute(_END)
        there = await names(pg.dsn())
        expect(live not in there and copy in there, f"It was not killed between the renames: {there}")
    await scene.stage.troupe.start()
    await scene.stage.troupe.connected(scene.stage.workspace)


async def names(dsn: str) -> tuple[str, ...]:
    """Every database of the server, seen from the maintenance database."""
    return tuple(str(name) for (name,) in await _ask(dsn, "SELECT datname FROM pg_database"))


async def _ask(dsn: str, query: LiteralString) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(dsn) as db:
        return await (await db.execute(query)).fetchall()
