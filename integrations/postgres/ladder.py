"""The lock ladder: short tries with pauses, so that the application never queues long behind the migration.

A waiting ALTER TABLE stops every later query on its table; a try that gives up after a moment does not.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.ports import Context
from bot.runbook.run import Run
from integrations.postgres.psql import Failure
from integrations.postgres.settings import Limits
from integrations.postgres.watch import Watch
from integrations.postgres.words import plural


@dataclass(frozen=True, kw_only=True)
class Climb:
    """How a file went: the failure of its last try or ``None``, how often it was tried, who held it when."""

    failure: Failure | None
    tries: int
    seconds: float
    held: Run | None = None  # a hold was asked for between two tries


_A_MOMENT = 1.0  # seconds: nobody was seen in the way, so it is not known when to try again


class Ladder:
    """Climbs the target's ``lock_timeouts``; ``again`` is asked before each new try whether it is safe."""

    def __init__(self, context: Context, watch: Watch, limits: Limits) -> None:
        self._context, self._watch, self._limits = context, watch, limits

    async def climb(
        self, once: Callable[[float], Awaitable[Failure | None]], again: Callable[[Failure], Awaitable[bool]]
    ) -> Climb:
        """Try until it is in, fails for another reason, is held, or the last try has timed out too.

        A patient target's last rung is stood on for longer: it is tried again whenever whoever was in the way has gone.
        """
        began = time.monotonic()
        timeouts, pauses = self._context.target.lock_timeouts, self._context.target.lock_pauses
        held, number = None, 0
        while True:
            number += 1
            failure = await self._watched(once(timeouts[min(number, len(timeouts)) - 1]))
            if failure is None or not failure.lock:
                break
            pause = pauses[min(number, len(pauses)) - 1] if pauses else 0.0
            if number >= len(timeouts):
                left = self._context.target.lock_patience - (time.monotonic() - began)
                pause = left if self._watch.blocked else min(max(pause, _A_MOMENT), left)
                if left <= 0:
                    break
            if not await again(failure) or (held := await self._pause(number, pause)):
                break
        await self._watch.clear()
        return Climb(failure=failure, tries=number, seconds=time.monotonic() - began, held=held)

    async def _watched(self, working: Awaitable[Failure | None]) -> Failure | None:
        """One try beside its watch; an error of either ends both, and psql with them."""
        stop = asyncio.Event()
        work = asyncio.ensure_future(working)
        follow = asyncio.ensure_future(self._watch.follow(stop))
        try:
            await asyncio.wait({work, follow}, return_when=asyncio.FIRST_COMPLETED)
            if follow.done():
                follow.result()
            failure = await work
            stop.set()  # its last look is finished, not cut off: it may be telling people something
            await follow
            return failure
        finally:
            for each in (work, follow):
                each.cancel()
            await asyncio.gather(work, follow, return_exceptions=True)

    async def _pause(self, number: int, seconds: float) -> Run | None:
        """Let the application through; shorter when whoever blocked has gone. The run, if it is to be held."""
        tries = len(self._context.target.lock_timeouts)
        of = f"{number} of {plural(tries, 'try', 'tries')}" if number < tries else f"{number}"
        text = f"The lock was not free (try {of}); again in at most {seconds:.0f} s"
        await self._context.progress(text, None)
        until = time.monotonic() + seconds
        was_blocked = self._watch.blocked
        while True:
            await self._watch.sample()
            run = await self._context.current()
            if run.hold is not None or run.rollback_wanted:
                return run
            if time.monotonic() >= until or (was_blocked and not self._watch.blocked):
                return None
            await asyncio.sleep(min(self._limits.sample_every, max(until - time.monotonic(), 0)))
