"""The database's name and those beside it, seen and guarded from another database of the same server.

Which of the three of a switch there are is its whole state, so a crash at any point is settled by looking.
"""

import asyncio
import hashlib
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.ports import Context, StepError
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.orphans import GUARD, signal_session
from integrations.postgres.settings import Limits

FILE = "way_back.sql"
NAME_BYTES = 63  # PostgreSQL cuts longer names silently (NAMEDATALEN - 1)
RESTORED, STANDBY, FAILED, REHEARSAL = KINDS = ("restore", "standby", "failed", "rehearsal")
MODEL = "model"  # never kept: dropped as soon as it was read
_MAINTENANCE = ("postgres", "template1")


@dataclass(frozen=True, kw_only=True)
class Names:
    """``live``: what the services connect to; ``side``: the copy that takes its place; ``failed``: kept evidence."""

    live: str
    side: str
    failed: str

    @property
    def all(self) -> list[str]:
        return [self.live, self.side, self.failed]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Which of the three there are, and whether each takes connections."""

    names: Names
    open: Mapping[str, bool]

    @property
    def begun(self) -> bool:
        """Has a database been renamed?"""
        return self.has_failed or not self.has_live

    @property
    def switched(self) -> bool:
        return self.has_live and self.has_failed and not self.has_side

    @property
    def has_live(self) -> bool:
        return self.names.live in self.open

    @property
    def has_side(self) -> bool:
        return self.names.side in self.open

    @property
    def has_failed(self) -> bool:
        return self.names.failed in self.open


def live_of(context: Context) -> str:
    """The database's own name; ``StepError`` when the connection string does not say it."""
    live = conninfo_to_dict(context.target.dsn).get("dbname")
    if not live:
        raise StepError(
            "The target's connection string does not name its database.",
            "Write it as postgresql://role:password@host:port/name, then type /migrate retry.",
        )
    return str(live)


def names_of(context: Context, side: str = RESTORED, run: str = "") -> Names:
    """The three names of a switch to a copy of that kind, of this run or of ``run``."""
    live = live_of(context)
    return Names(live=live, side=beside(context, side, run), failed=beside(context, FAILED, run))


def beside(context: Context, what: str, run: str = "") -> str:
    """The name of what a run keeps beside the database: never longer than PostgreSQL's names, always the same."""
    return _beside(live_of(context), what, run or context.run.id)


def _beside(name: str, what: str, run: str) -> str:
    full = f"{name}_{what}_{run}"
    if len(full.encode()) <= NAME_BYTES:
        return full
    suffix = f"_{what}_{hashlib.sha256(full.encode()).hexdigest()[:12]}"
    return name.encode()[: NAME_BYTES - len(suffix)].decode(errors="ignore") + suffix


def dsn_of(context: Context, database: str) -> str:
    """The target's connection string with another database."""
    return make_conninfo(context.target.dsn, dbname=database)


async def look(db: Session, names: Names) -> Standing:
    """What the server says there is now."""
    found = await rows(db, "databases", {"names": names.all}, FILE)
    return Standing(names=names, open={str(name): bool(is_open) for name, is_open in found})


class CannotMake(StepError):
    """The server has no right, no room or no quiet for a copy: this says nothing about the backup."""


@asynccontextmanager
async def maintenance(context: Context) -> AsyncIterator[Session]:
    """A session on ``postgres`` or ``template1``, with the target's own role: a database cannot rename itself."""
    async with AsyncExitStack() as stack:
        yield await _first(stack, context)


async def _first(stack: AsyncExitStack, context: Context) -> Session:
    last = StepError("There is no other database on the server to work from.")
    for name in _MAINTENANCE:
        if name == live_of(context):
            continue
        try:
            return await stack.enter_async_context(session(dsn_of(context, name), context.application_name))
        except StepError as error:
            last = error
    raise CannotMake(last.problem, last.advice)


@asynccontextmanager
async def exclusively(context: Context, limits: Limits) -> AsyncIterator[Session]:
    """The same, holding the guard of the target's name: who switches, holds it on the very session that switches.

    A session of an earlier attempt of this step that is still there is ended, so it cannot act any more.
    """
    async with maintenance(context) as db:
        lock = {"class": GUARD["class"], "object": zlib.crc32(live_of(context).encode()) & 0x7FFFFFFF}
        deadline = time.monotonic() + limits.orphan_wait
        while not (await rows(db, "guard_try", lock))[0][0]:
            for pid, started, name in await rows(db, "guard_holder", lock):
                if name != context.application_name or time.monotonic() > deadline + limits.orphan_end:
                    raise StepError(
                        f"Another way back is at work on this database: {name} (session {pid}).",
                        f"Wait until it has ended, or end it (select pg_terminate_backend({pid})); "
                        "then type /migrate retry.",
                    )
                if time.monotonic() > deadline:
                    await signal_session(db, "terminate", f"{pid}@{started}")
            await asyncio.sleep(0.05)
        yield db
