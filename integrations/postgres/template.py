"""A database copied by the server itself, file by file: quick at any size, but nobody may be connected meanwhile."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Coroutine
from typing import Any

from psycopg import errors as pg
from psycopg import sql

from bot.ports import Context
from integrations.postgres.beside import FILE, CannotMake
from integrations.postgres.carry import Properties, properties
from integrations.postgres.connect import Session, rows
from integrations.postgres.words import human_bytes

#: Above it the files are copied; below, the server's own default (through the write-ahead log) needs no checkpoint.
FILE_COPY_ABOVE = 256_000_000  # bytes
SPARE = 1.1  # a copy needs its source's size and a little room
PATIENCE = 30.0  # seconds to wait for whoever is still connected
HALF_MADE = "Half-made copy of migration run "
_LOCAL = (None, "127.0.0.1", "::1")


async def copy_template(db: Session, context: Context, source: str, name: str, *, patience: float = PATIENCE) -> float:
    """CREATE DATABASE … TEMPLATE, marked as half-made; its seconds.  ``db`` is on neither of the two.

    ``CannotMake`` names who stays connected to the source, or says which right or room is missing.
    """
    like = await properties(db, source)
    began = time.monotonic()
    while True:
        try:
            await _shown(context, source, name, db.execute(await _statement(db, source, name, like)))
            break
        except pg.ObjectInUse as error:  # the server has waited five seconds by itself
            who = ", ".join(
                f"{what} (pid {pid})" for pid, what in await rows(db, "connected_to", {"name": source}, FILE)
            )
            if time.monotonic() - began > patience:
                raise CannotMake(
                    f"{source} cannot be copied while somebody is connected: {who or error.diag.message_detail}.",
                    "End these sessions, then type /migrate retry.",
                ) from error
            await context.progress(f"Waiting to copy {source}; connected: {who or 'nobody any more'}", None)
        except (pg.InsufficientPrivilege, pg.DiskFull) as error:
            raise CannotMake(
                f"The server cannot copy {source}: {error.diag.message_primary}",
                f"The role needs CREATEDB and to act as the owner “{like['owner']}”; the disk needs room.",
            ) from error
    await mark_half_made(db, context, name)
    return time.monotonic() - began


async def mark_half_made(db: Session, context: Context, name: str) -> None:
    """Until it is proven, a copy says of itself that it is not."""
    mark = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), HALF_MADE + context.run.id)
    await db.execute(mark)


async def _statement(db: Session, source: str, name: str, like: Properties) -> sql.Composed:
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(like["owner"]), sql.Identifier(source)
    )
    ((version,),) = await rows(db, "version", None, FILE)
    if int(str(version)) >= 150000 and await size_of(db, source) > FILE_COPY_ABOVE:
        statement += sql.SQL(" STRATEGY file_copy")  # before 15 there is no other
    return statement


async def _shown(context: Context, source: str, name: str, copying: Coroutine[Any, Any, object]) -> None:
    """The server tells nothing of a copy's progress: how long it has taken is all there is to show."""
    began = time.monotonic()
    working = asyncio.ensure_future(copying)
    try:
        while not working.done():
            await context.progress(f"Copying {source} to {name}: {time.monotonic() - began:.0f} s", None)
            await asyncio.wait({working}, timeout=1.0)
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def size_of(db: Session, name: str) -> int:
    """Bytes of a database."""
    return int(str((await rows(db, "size_of", {"name": name}, FILE))[0][0]))


async def require_room(db: Session, needed: int) -> str:
    """How much is free for the server's data; ``CannotMake`` where it is too little, words where it cannot be known."""
    free = await free_bytes(db)
    if free is None:
        return "how much is free on the server's disk cannot be asked from here"
    if short := shortage(free, needed):
        raise CannotMake(f"{short[0].upper()}{short[1:]}.", "Free some space there, then type /migrate retry.")
    return f"{human_bytes(free)} free on the server's disk"


def shortage(free: int | None, needed: int) -> str:
    """Why a copy of so many bytes has no room; empty where it has, or where nobody knows."""
    if free is None or free >= needed * SPARE:
        return ""
    return f"the server's disk has {human_bytes(free)} free; a copy needs about {human_bytes(needed * SPARE)}"


async def free_bytes(db: Session) -> int | None:
    """Room on the disk of the server's data, where the server is on this host; no SQL tells it."""
    ((folder, address),) = await rows(db, "where_data", None, FILE)
    if folder is None or address not in _LOCAL:
        return None
    with contextlib.suppress(OSError):
        return shutil.disk_usage(str(folder)).free
    return None
