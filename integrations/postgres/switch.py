"""Two databases change places: fenced off, emptied, renamed.  Every step may be the last one before a crash.

What was done is seen from which names there are, so a second attempt goes on from anywhere.
"""

import asyncio
import time
from collections.abc import Callable

import psycopg
from psycopg import sql

from bot.ports import StepError
from bot.runbook.run import Database
from integrations.postgres.beside import FILE, Names, look
from integrations.postgres.connect import Session, rows
from integrations.postgres.orphans import signal_session
from integrations.postgres.settings import Limits

Stop = Callable[[str], None]  # called after each sub-step with its name; a test's crash


def nothing(_: str) -> None:
    """The hook of a switch that nobody interrupts."""


async def switch(db: Session, names: Names, limits: Limits, after: Stop = nothing) -> float:
    """Put ``side`` in the place of ``live``, which becomes ``failed``; seconds from the fence to the opening.

    ``db`` must be on none of them.  A refusal before the first renaming leaves all as it was; one after it is
    taken back.  ``StepError`` says what to type by hand.
    """
    began = time.monotonic()
    standing = await look(db, names)
    if standing.has_live and not standing.has_failed:
        await _put_away(db, names, limits, after)
        standing = await look(db, names)
    if not standing.has_live:
        await _put_in_place(db, names, limits, after)
    await _allow(db, names.live, True)
    after("opened")
    return time.monotonic() - began


async def _put_away(db: Session, names: Names, limits: Limits, after: Stop) -> None:
    try:
        for name in (names.side, names.live):
            await _allow(db, name, False)
            after(f"fenced {'side' if name == names.side else 'live'}")
        await _end_sessions(db, [names.live, names.side], limits)
        after("emptied")
        await _rename(db, names.live, names.failed, limits)
    except (StepError, psycopg.Error) as error:
        await _allow(db, names.live, True)
        raise _refused(names, error, "Nothing was switched.", None) from error
    after("live renamed")


async def _put_in_place(db: Session, names: Names, limits: Limits, after: Stop) -> None:
    try:
        await _rename(db, names.side, names.live, limits)
    except (StepError, psycopg.Error) as error:
        await _rename(db, names.failed, names.live, limits)
        await _allow(db, names.live, True)
        raise _refused(names, error, f"{names.live} has its name back.", Database.CHANGED) from error
    after("side renamed")


async def _allow(db: Session, name: str, yes: bool) -> None:
    """ALTER DATABASE … ALLOW_CONNECTIONS; where a managed server refuses it, ending sessions has to suffice."""
    word = sql.SQL("true" if yes else "false")
    try:
        await db.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(name), word))
    except psycopg.errors.InsufficientPrivilege:
        if yes and not (await look(db, Names(live=name, side=name, failed=name))).open.get(name, True):
            raise


async def _rename(db: Session, old: str, new: str, limits: Limits) -> None:
    """Rename, ending whoever connects in between, until it is done or has taken too long."""
    deadline = time.monotonic() + limits.orphan_end
    statement = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
    while True:
        try:
            await db.execute(statement)
            return
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise
            await _end_sessions(db, [old], limits)


async def _end_sessions(db: Session, names: list[str], limits: Limits) -> None:
    deadline = time.monotonic() + limits.orphan_end
    while left := await rows(db, "sessions_in", {"names": names}, FILE):
        if time.monotonic() > deadline:
            who = ", ".join(f"{name} (pid {pid})" for pid, _, name in left[:5])
            raise StepError(f"These sessions cannot be ended: {who}.")
        for pid, started, _ in left:
            await signal_session(db, "terminate", f"{pid}@{started}")
        await asyncio.sleep(0.05)
    prepared = [gid for name in names for (gid,) in await rows(db, "prepared_in", {"name": name}, FILE)]
    if prepared:
        raise StepError(f"Prepared transactions keep the database in use: {', '.join(map(str, prepared))}.")


def by_hand(names: Names) -> str:
    """The whole switch as a superuser would type it, on the database ``postgres``."""
    live, side, failed = (f'"{each}"' for each in (names.live, names.side, names.failed))
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
    return (
        f"ALTER DATABASE {live} ALLOW_CONNECTIONS false; {ending} IN ('{names.live}', '{names.side}'); "
        f"ALTER DATABASE {live} RENAME TO {failed}; ALTER DATABASE {side} RENAME TO {live}; "
        f"ALTER DATABASE {live} ALLOW_CONNECTIONS true;"
    )


def _refused(names: Names, error: Exception, now: str, database: Database | None) -> StepError:
    said = error.problem if isinstance(error, StepError) else str(error).strip().splitlines()[0]
    return StepError(
        f"The switch to {names.side} did not succeed: {said} {now} The copy is whole and stays.",
        f"Remove the cause, then type /migrate retry. Or, as a superuser connected to “postgres”, type: "
        f"{by_hand(names)} The retry then finds that it is done.",
        database=database,
    )
