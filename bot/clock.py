"""The clock: arms what the runs' state says is due, and firing only queues a job.

APScheduler holds nothing that cannot be derived again: a fresh clock reads the active runs and re-arms everything.
Any number of clocks may run; the core refuses a slot that was already taken, so nothing is posted twice.
"""

import datetime
from collections.abc import Iterable

import structlog
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from psycopg import AsyncConnection

from bot import store
from bot.engine import CHANGED, Engine
from bot.errands import publishing, speaking_up
from bot.ports import Job, Queue
from bot.runbook.run import Run
from bot.runbook.timers import DEADMAN_AHEAD, DEADMAN_EVERY, Timer, timers

_log = structlog.get_logger()
AGAIN = 5.0  # seconds after which a slot that is still due is queued once more (its job may have got lost)
SWEEP = 5.0  # seconds between looks at everything, should a notification be missed


class Clock:
    """Arms the timers of every active run until it is stopped."""

    def __init__(self, engine: Engine, queue: Queue, dsn: str) -> None:
        self._engine = engine
        self._queue = queue
        self._dsn = dsn
        self._scheduler = AsyncIOScheduler(timezone=datetime.UTC)
        self._armed: dict[str, set[str]] = {}

    async def run(self) -> None:
        """Listen for changed runs and keep their timers armed until cancelled."""
        self._scheduler.start()
        try:
            async with await AsyncConnection.connect(self._dsn, autocommit=True) as conn:
                await conn.execute(f"listen {CHANGED}")
                await self._rearm()
                while True:
                    async for _ in conn.notifies(timeout=SWEEP, stop_after=1):
                        pass
                    await self._rearm()
        finally:
            self._scheduler.shutdown(wait=False)

    async def _rearm(self) -> None:
        runs = await self._engine.active()
        for run in runs:
            self._arm(run, timers(run))
        for gone in self._armed.keys() - {run.id for run in runs}:
            self._disarm(self._armed.pop(gone))
        await self._deliver_leftovers()
        await self._put_off_deadmen()

    def _arm(self, run: Run, wanted: Iterable[Timer]) -> None:
        due = {f"{run.id}:{timer.kind}:{timer.due!r}": timer for timer in wanted}
        armed = self._armed.setdefault(run.id, set())
        self._disarm(armed - due.keys())
        armed &= due.keys()
        for slot, timer in due.items():
            if slot not in armed:
                armed.add(slot)
                self._schedule(slot, run.id, timer, max(timer.due, self._engine.now()))

    def _schedule(self, slot: str, run_id: str, timer: Timer, when: float) -> None:
        self._scheduler.add_job(
            self._fire,
            "date",
            run_date=datetime.datetime.fromtimestamp(when, datetime.UTC),
            args=(slot, run_id, timer),
            id=slot,
            replace_existing=True,
            misfire_grace_time=None,
        )

    def _disarm(self, slots: Iterable[str]) -> None:
        for slot in slots:
            try:
                self._scheduler.remove_job(slot)
            except JobLookupError:
                continue

    async def _fire(self, slot: str, run_id: str, timer: Timer) -> None:
        """Queue the slot's job; armed again a little later, in case the job gets lost before it is taken."""
        job = Job(name="tick", run_id=run_id, once=slot, arguments={"kind": timer.kind.value, "due": timer.due})
        try:
            self._engine.checkpoint("fire", timer.kind)
            async with self._engine.connection() as conn:
                await self._queue.defer(conn, job)
            self._engine.checkpoint("fired", timer.kind)
        finally:  # also when the store was away
            if slot in self._armed.get(run_id, set()):
                self._schedule(slot, run_id, timer, self._engine.now() + AGAIN)

    async def _deliver_leftovers(self) -> None:
        async with self._engine.connection() as conn:
            for row in await store.rows(conn, "runs_with_letters"):
                await self._queue.defer(conn, publishing(row[0]))

    async def _put_off_deadmen(self) -> None:
        """Every active run has its dead-man message put off in time; one that ended has it taken back."""
        soon = self._engine.now() + DEADMAN_AHEAD - DEADMAN_EVERY
        async with self._engine.connection() as conn:
            for row in await store.rows(conn, "deadmen_due", soon=soon):
                await self._queue.defer(conn, speaking_up(row[0]))
