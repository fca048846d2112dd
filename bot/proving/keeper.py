"""The counted transactions of every target, kept in the bot's own store."""

import time
from collections.abc import Awaitable, Callable

from bot import store
from bot.engine import Pool
from bot.proving.traffic import KEPT, SHORTEST, Count
from bot.target import Target

CountNow = Callable[[Target], Awaitable[tuple[int, str]]]


class TrafficKeeper:
    """Counts at every look and keeps it for two months."""

    def __init__(self, pool: Pool, count: CountNow, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._count = count
        self._now = now

    async def __call__(self, target: Target) -> tuple[Count, ...]:
        """All that is kept of this target, with the count of this moment; ``StepError`` where it cannot be asked."""
        transactions, since = await self._count(target)
        now = self._now()
        async with self._pool.connection() as conn, conn.transaction():
            kept = await store.rows(conn, "traffic", target=target.name, since=now - KEPT)
            counts = tuple(Count(at=at, transactions=count, since=began) for at, count, began in kept)
            if not counts or now - counts[-1].at >= SHORTEST:
                await store.execute(
                    conn, "put_traffic", target=target.name, at=now, transactions=transactions, since=since
                )
                await store.execute(conn, "forget_traffic", target=target.name, before=now - KEPT)
        return (*counts, Count(at=now, transactions=transactions, since=since))
