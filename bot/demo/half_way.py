"""The worst moments: the bot is killed in the middle of a backup, of a migration, of a switch of names.

Locks hold each moment open, so that it does not have to be guessed.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import LiteralString

import psycopg
from psycopg import sql

from bot.demo.scene import Scene, expect, until
from bot.runbook.steps import StepName

_HOLD = sql.SQL("COMMENT ON DATABASE {} IS 'kept waiting'")
_KEEP: Mapping[StepName, tuple[str, LiteralString]] = {
    StepName.BACKUP: ("case_notes", "LOCK TABLE case_notes IN ACCESS EXCLUSIVE MODE"),
    StepName.APPLY: ("cases", "LOCK TABLE cases IN ACCESS SHARE MODE"),
}
_KEPT = (
    "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE NOT granted AND relation = %s::regclass AND application_name LIKE 'migrate/%%'"
)
_RENAMING = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER DATABASE % RENAME TO %'"
)
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'migrate/%'"


async def killed_in(scene: Scene, step: StepName) -> None:
    """Approve ``step``, kill everything while its tool waits for a table, and start it again."""
    table, lock = _KEEP[step]
    await scene.question(step)
    async with await psycopg.AsyncConnection.connect(scene.stage.target.dsn) as holder:
        await holder.execute(lock)
        await scene.approve(step)

        async def waits() -> bool:
            begun = (await scene.run()).claim is not None
            return begun and bool(await _ask(scene.stage.target.dsn, _KEPT, table))

        await until(waits, f"{step} at {table}")
        print(f"   (kill -9 web worker clock, within {step})", flush=True)
        await scene.stage.troupe.kill()
        run = await scene.run()
        expect(run.step.name is step and run.claim is not None, f"{step} was over before it could be killed.")
    await scene.stage.troupe.start()
    await scene.stage.troupe.connected(scene.stage.workspace)


async def killed_between_renames(scene: Scene, copy: str, approve: Callable[[], Awaitable[None]]) -> None:
    """Approve, kill everything after the first rename and before the second, and start it again.

    Locks keep first the one rename waiting, then the other.  What the server still has
    of the killed worker is ended as the server would, once it notices that its client is gone.
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


async def _ask(dsn: str, query: LiteralString, *values: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(dsn) as db:
        return await (await db.execute(query, values or None)).fetchall()
