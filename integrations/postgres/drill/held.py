"""The locks of a statement that commits by itself, seen while it works.

Another session on the copy keeps an old snapshot and reads the tables it is about, so that it has to wait, with its
locks, for a moment: CONCURRENTLY waits for old snapshots and readers, whatever needs a table for itself waits for them.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from integrations.postgres.connect import Session
from integrations.postgres.drill.measure import locks_of, waits
from integrations.postgres.risk.model import Lock

Holding = AbstractAsyncContextManager[Session]
MOST_TABLES = 200  # held at a time: each is an entry of the server's lock table
_ROUNDS = 30  # a statement waits a few times; then it is only looked at
_QUICK, _SLOW = 0.001, 0.2  # seconds between two looks: soon at first, then as befits a long statement
_NOT_TO_BE_HAD = (
    psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
)  # fmt: skip


@dataclass
class Watch:
    """``found``: every lock seen of session ``pid``; ``waited``: seconds in which it only waited for us."""

    eye: Session
    pid: int
    holding: Callable[[], Holding]
    found: dict[int, Lock] = field(default_factory=dict)
    waited: float = 0.0

    async def run(self, statement: Coroutine[Any, Any, float]) -> float:
        """Run the session's statement, which gives its seconds: without those it waited for us."""
        async with contextlib.AsyncExitStack() as stack:
            holder = await stack.enter_async_context(self.holding())
            working = asyncio.ensure_future(statement)
            stack.push_async_callback(_over, working)
            for _ in range(_ROUNDS):
                if await self._look(working, until_waiting=True):
                    break
                seen = time.monotonic()
                fresh = await stack.enter_async_context(self.holding())  # before the other lets go: no gap
                await holder.rollback()
                self.waited += time.monotonic() - seen
                holder = fresh
            await holder.rollback()
            await self._look(working, until_waiting=False)
            return max(0.0, await working - self.waited)

    async def _look(self, working: "asyncio.Future[float]", *, until_waiting: bool) -> bool:
        """Keep looking; is it done?  One look comes after it was seen to wait, so what it waits with is found."""
        pause, waiting = _QUICK, False
        while not working.done():
            for oid, mode in (await locks_of(self.eye, self.pid)).items():
                self.found[oid] = max(mode, self.found.get(oid, mode))
            if waiting and until_waiting:
                return False
            waiting = await waits(self.eye, self.pid)
            if not (waiting and until_waiting):
                await asyncio.wait({working}, timeout=pause)
                pause = min(pause * 1.5, _SLOW)
        return True


async def _over(working: "asyncio.Future[float]") -> None:
    """Nothing of it goes on when the look has ended, for whatever reason."""
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


@contextlib.asynccontextmanager
async def holding(dsn: str, application_name: str, tables: Sequence[str]) -> AsyncIterator[Session]:
    """A transaction with a snapshot of now that reads as many of the tables as can be had at once."""
    async with await psycopg.AsyncConnection.connect(dsn, application_name=application_name) as holder:
        await holder.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await holder.execute("SELECT")
        for name in tables[:MOST_TABLES]:
            with contextlib.suppress(*_NOT_TO_BE_HAD):
                async with holder.transaction():
                    schema, _, table = name.partition(".")
                    lock = sql.SQL("LOCK TABLE ONLY {} IN ACCESS SHARE MODE NOWAIT")
                    await holder.execute(lock.format(sql.Identifier(schema, table)))
        yield holder
        await holder.rollback()
