"""Sessions a dead attempt left behind, and the guard that keeps two bots from acting on one database at once.

Killing a client does not stop its SQL: after a crash the backend is found by its application name and ended first.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from bot.ports import Context, StepError
from bot.runbook.run import Database
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.settings import Limits

GUARD = {"class": 0x6D696772, "object": 0x626F74}  # "migr", "bot"
_Q = "queries.sql"


async def end_orphans(db: Session, name: str, limits: Limits) -> int:
    """Wait a moment for sessions called ``name`` to end, then terminate them; how many there were.

    Raises ``StepError`` when one does not end: what it does can then not be known.
    """
    values: dict[str, object] = {"name": name}
    orphans = await rows(db, "sessions_of", values)
    wait_until = time.monotonic() + limits.orphan_wait
    while orphans and await rows(db, "sessions_of", values):
        if time.monotonic() > wait_until:
            await _terminate(db, values, limits)
            break
        await asyncio.sleep(0.05)
    return len(orphans)


async def _terminate(db: Session, values: dict[str, object], limits: Limits) -> None:
    deadline = time.monotonic() + limits.orphan_end
    while left := await rows(db, "sessions_of", values):
        if time.monotonic() > deadline:
            raise StepError(
                f"Session {left[0][0]} of an earlier attempt is still at work and cannot be ended.",
                f"End it by hand (select pg_terminate_backend({left[0][0]})), then type /migrate retry.",
                database=Database.UNKNOWN,
            )
        for pid, started, *_ in left:
            await _signal(db, "terminate", pid, started)
        await asyncio.sleep(0.05)


async def _signal(db: Session, block: str, pid: object, started: object) -> str:
    """Cancel or terminate that very session; the reason if we may not."""
    try:
        await db.execute(blocks(_Q)[block], {"pid": pid, "started": started})
    except psycopg.errors.InsufficientPrivilege:
        return "this role may not end that session; grant it pg_signal_backend"
    return ""


async def signal_session(db: Session, kind: str, digest: str) -> str:
    """``cancel`` or ``terminate`` the session ``pid@started`` (no other that got its pid); why not, or nothing."""
    pid, _, started = digest.partition("@")
    return await _signal(db, kind, int(pid), started)


@asynccontextmanager
async def guarded(context: Context, limits: Limits) -> AsyncIterator[Session]:
    """Hold the target's guard for as long as the block runs; ``StepError`` names who has it.

    It is a session-level advisory lock, so it is gone the moment this process is.
    """
    async with session(context.target.dsn, context.application_name) as db:
        await _take(db, context, limits)
        await _no_other_run(db, context)
        yield db


async def _take(db: Session, context: Context, limits: Limits) -> None:
    deadline = time.monotonic() + limits.orphan_wait
    while not (await rows(db, "guard_try", GUARD))[0][0]:
        for pid, started, name in await rows(db, "guard_holder", GUARD):
            if name != context.application_name:
                raise _busy(str(name), pid)
            if time.monotonic() > deadline and context.attempt > 1:
                await _signal(db, "terminate", pid, started)
        if time.monotonic() > deadline + limits.orphan_end:
            raise _busy(context.application_name, "of an earlier attempt")
        await asyncio.sleep(0.05)


async def _no_other_run(db: Session, context: Context) -> None:
    ours = context.application_name.rpartition("/")[0].replace("_", r"\_").replace("%", r"\%") + "/%"
    for pid, _, name in await rows(db, "other_runs", {"ours": ours}):
        raise _busy(str(name), pid)


def _busy(name: str, pid: object) -> StepError:
    return StepError(
        f"Another migration is at work on this database: {name} (session {pid}).",
        "Wait until it has ended, then type /migrate retry.",
    )
