"""Two databases change places: fenced off, emptied, renamed.  Every step may be the last one before a crash.

What was done is seen from which names there are, so a second attempt goes on from anywhere.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import psycopg
from psycopg import sql

from bot.ports import StepError
from bot.runbook.run import Database
from integrations.postgres.beside import FILE, Names, look
from integrations.postgres.connect import Session, rows
from integrations.postgres.orphans import signal_session
from integrations.postgres.settings import Limits

Stop = Callable[[str], None]  # called after each sub-step with its name; a test's crash
Again = Callable[[], AbstractAsyncContextManager[Session]]  # another session like the one that switches


def nothing(_: str) -> None:
    """The hook of a switch that nobody interrupts."""


async def switch(db: Session, names: Names, limits: Limits, after: Stop = nothing, again: Again | None = None) -> float:
    """Put ``side`` in the place of ``live``, which becomes ``failed``; seconds from the fence to the opening.

    ``db`` must be on none of them.  A refusal before the first renaming leaves all as it was; one after it is
    taken back, by a session of ``again`` where this one is gone.  ``StepError`` says what to type by hand.
    """
    began = time.monotonic()
    await _patient(db, limits)
    standing = await look(db, names)
    if standing.has_live and not standing.has_failed:
        await _put_away(db, names, limits, after, again)
        standing = await look(db, names)
    if not standing.has_live:
        await _put_in_place(db, names, limits, after, again)
    await _allow(db, names.live, True)
    after("opened")
    return time.monotonic() - began


async def _patient(db: Session, limits: Limits) -> None:
    """Nobody outside these databases keeps everybody out of them for longer by holding a lock on one."""
    await db.execute("SELECT set_config('lock_timeout', %s, false)", (str(int(limits.orphan_end * 1000)),))


async def _put_away(db: Session, names: Names, limits: Limits, after: Stop, again: Again | None) -> None:
    try:
        for name in (names.side, names.live):
            await _allow(db, name, False)
            after(f"fenced {'side' if name == names.side else 'live'}")
        await _end_sessions(db, [names.live, names.side], limits)
        after("emptied")
        await _rename(db, names.live, names.failed, limits)
    except (StepError, psycopg.Error) as error:
        await _as_it_was(db, names, limits, again, error)
        raise _refused(names, error, "Nothing was switched.", None) from error
    after("live renamed")


async def _put_in_place(db: Session, names: Names, limits: Limits, after: Stop, again: Again | None) -> None:
    try:
        await _rename(db, names.side, names.live, limits)
    except (StepError, psycopg.Error) as error:
        await _as_it_was(db, names, limits, again, error)
        raise _refused(names, error, f"{names.live} has its name back.", Database.CHANGED) from error
    after("side renamed")


async def _as_it_was(db: Session, names: Names, limits: Limits, again: Again | None, error: Exception) -> None:
    """Name and openness back, if need be on a fresh session; ``StepError`` says that the database is closed."""
    try:
        await _put_back(db, names, limits)
        return
    except (StepError, psycopg.Error) as failed:
        last: Exception = failed
    if again is not None:
        try:
            async with again() as fresh:
                await _patient(fresh, limits)
                await _put_back(fresh, names, limits)
                return
        except (StepError, psycopg.Error) as failed:
            last = failed
    raise _closed(names, error, last) from error


async def _put_back(db: Session, names: Names, limits: Limits) -> None:
    standing = await look(db, names)
    if standing.has_live and standing.has_failed:  # the renaming was done, and only its answer is lost
        raise StepError(f"{names.live} is the copy already.")
    if not standing.has_live:
        await _rename(db, names.failed, names.live, limits)
    if not standing.open.get(names.live, False):
        await _allow(db, names.live, True)


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
        except psycopg.errors.LockNotAvailable as error:
            found = await rows(db, "locks_on", {"name": old}, FILE)
            who = ", ".join(f"{name} (pid {pid})" for pid, name in found[:5]) or "nobody who is still there"
            raise StepError(f"{old} is locked from another database for too long by {who}.") from error


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


def statements(names: Names) -> tuple[str, ...]:
    """The whole switch as a superuser would type it, on the database ``postgres``."""
    live, side, failed = (f'"{each}"' for each in (names.live, names.side, names.failed))
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
    return (
        f"ALTER DATABASE {live} ALLOW_CONNECTIONS false;",
        f"{ending} IN ('{names.live}', '{names.side}');",
        f"ALTER DATABASE {live} RENAME TO {failed};",
        f"ALTER DATABASE {side} RENAME TO {live};",
        f"ALTER DATABASE {live} ALLOW_CONNECTIONS true;",
    )


def by_hand(names: Names) -> str:
    """The same in one line."""
    return " ".join(statements(names))


def _closed(names: Names, error: Exception, last: Exception) -> StepError:
    live, failed = f'"{names.live}"', f'"{names.failed}"'
    return StepError(
        f"The switch to {names.side} did not succeed: {_said(error)} The database {names.live} is CLOSED to all "
        f"connections and could not be opened again: {_said(last)}",
        f"Type /migrate retry: it finishes the switch. Or, to open the database now, as a superuser connected to "
        f"“postgres”, type: ALTER DATABASE {live} ALLOW_CONNECTIONS true; (where there is no {live}, before that: "
        f"ALTER DATABASE {failed} RENAME TO {live};)",
        database=Database.UNKNOWN,
    )


def _said(error: Exception) -> str:
    said = error.problem if isinstance(error, StepError) else (str(error).strip() or type(error).__name__)
    return f"{said.splitlines()[0].rstrip('.')}."


def _refused(names: Names, error: Exception, now: str, database: Database | None) -> StepError:
    return StepError(
        f"The switch to {names.side} did not succeed: {_said(error)} {now} The copy is whole and stays.",
        f"Remove the cause, then type /migrate retry. Or, as a superuser connected to “postgres”, type: "
        f"{by_hand(names)} The retry then finds that it is done.",
        database=database,
    )
