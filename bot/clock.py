"""The clock: arms what the state of runs and plans says is due, and firing only queues a job.

APScheduler holds nothing that cannot be derived again: a fresh clock reads what is active and re-arms everything.
Any number of clocks may run; the core refuses a slot that was already taken, so nothing is posted twice.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from psycopg import AsyncConnection

from bot import store, telemetry
from bot.engine import CHANGED, Engine
from bot.errands import following, notifying, publishing, speaking_up
from bot.follow_ups import FollowUps
from bot.planner import Planner
from bot.ports import Job, Queue
from bot.runbook.follow_up.timers import follow_timers
from bot.runbook.people import Timing
from bot.runbook.preparation.timers import plan_timers
from bot.runbook.timers import DEADMAN_AHEAD, DEADMAN_EVERY, timers
from bot.vitals import Beat

_log = structlog.get_logger()
AGAIN = 5.0  # seconds after which a slot that is still due is queued once more (its job may have got lost)
PLAN_AGAIN = 30.0  # the same of a plan's slot: longer than the bot takes to look at everything
FOLLOW_AGAIN = 600.0  # seconds after which a completed run that nothing follows is asked about once more
SWEEP = 5.0  # seconds between looks at everything, should a notification be missed


@dataclass(frozen=True, kw_only=True)
class _Slot:
    """One timer of one run, plan or follow-up, and the job that its firing queues."""

    owner: str
    job: str
    kind: str
    due: float
    again: float = AGAIN

    @property
    def name(self) -> str:
        return f"{self.owner}:{self.kind}:{self.due!r}"


class Clock:
    """Arms the timers of every active run, open plan and follow-up until it is stopped."""

    def __init__(self, engine: Engine, planner: Planner, queue: Queue, dsn: str) -> None:
        self._engine = engine
        self._planner = planner
        self._follow_ups = FollowUps(engine, queue)
        self._follow_asked: dict[str, float] = {}  # when the job for a run was last queued
        self._queue = queue
        self._dsn = dsn
        self._scheduler = AsyncIOScheduler(timezone=datetime.UTC)
        self._armed: dict[str, set[str]] = {}
        self.beat = Beat(every=12 * SWEEP)

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
        due: dict[str, list[_Slot]] = {}
        for run in await self._engine.active():
            due[run.id] = [_Slot(owner=run.id, job="tick", kind=each.kind, due=each.due) for each in timers(run)]
        for plan in await self._planner.open():
            slot = partial(_Slot, owner=plan.id, job="plan_tick", again=PLAN_AGAIN)
            due[plan.id] = [slot(kind=each.kind, due=each.due) for each in plan_timers(plan)]
        for found in await self._follow_ups.open():
            slot = partial(_Slot, owner=found.id, job="follow_tick", again=PLAN_AGAIN)
            due[found.id] = [slot(kind=each.kind, due=each.due) for each in follow_timers(found)]
        self._arm_all(due)
        await self._follow_completed()
        await self._deliver_leftovers()
        await self._put_off_deadmen()
        self.beat()
        telemetry.swept()

    def _arm_all(self, due: Mapping[str, Iterable[_Slot]]) -> None:
        for owner, wanted in due.items():
            self._arm(owner, {each.name: each for each in wanted})
        for gone in self._armed.keys() - due.keys():
            self._disarm(self._armed.pop(gone))

    def _arm(self, owner: str, due: Mapping[str, _Slot]) -> None:
        armed = self._armed.setdefault(owner, set())
        self._disarm(armed - due.keys())
        armed &= due.keys()
        for name, slot in due.items():
            if name not in armed:
                armed.add(name)
                self._schedule(slot, max(slot.due, self._engine.now()))

    def _schedule(self, slot: _Slot, when: float) -> None:
        self._scheduler.add_job(
            self._fire,
            "date",
            run_date=datetime.datetime.fromtimestamp(when, datetime.UTC),
            args=(slot,),
            id=slot.name,
            replace_existing=True,
            misfire_grace_time=None,
        )

    def _disarm(self, slots: Iterable[str]) -> None:
        for slot in slots:
            try:
                self._scheduler.remove_job(slot)
            except JobLookupError:
                continue

    async def _fire(self, slot: _Slot) -> None:
        """Queue the slot's job; armed again a little later, in case the job gets lost before it is taken."""
        job = Job(name=slot.job, run_id=slot.owner, once=slot.name, arguments={"kind": str(slot.kind), "due": slot.due})
        try:
            self._engine.checkpoint("fire", slot.kind)
            await self._put(job)
            self._engine.checkpoint("fired", slot.kind)
        finally:  # also when the store was away
            if slot.name in self._armed.get(slot.owner, set()):
                self._schedule(slot, self._engine.now() + slot.again)

    async def _deliver_leftovers(self) -> None:
        async with self._engine.connection() as conn:
            letters = await store.rows(conn, "runs_with_letters")
            notices = await store.rows(conn, "notices_due", now=self._engine.now())
        for (run_id,) in letters:
            await self._put(publishing(run_id))
        for run_id, medium in notices:
            await self._put(notifying(run_id, medium))

    async def _follow_completed(self) -> None:
        """A completed run that nothing follows: the job for it may have got lost."""
        now = self._engine.now()
        async with self._engine.connection() as conn:
            found = await store.rows(conn, "unfollowed_runs", since=now - Timing().review_after)
        for (run_id,) in found:
            if now - self._follow_asked.get(run_id, 0.0) > FOLLOW_AGAIN:
                self._follow_asked[run_id] = now
                await self._put(following(run_id))

    async def _put_off_deadmen(self) -> None:
        """Every active run has its dead-man message put off in time; one that ended has it taken back."""
        soon = self._engine.now() + DEADMAN_AHEAD - DEADMAN_EVERY
        async with self._engine.connection() as conn:
            found = await store.rows(conn, "deadmen_due", soon=soon)
        for (run_id,) in found:
            await self._put(speaking_up(run_id))

    async def _put(self, job: Job) -> None:
        """In a transaction of its own: one that holds the locks of several jobs waits in a circle with the engine's,
        which puts the same jobs in another order, and the server ends either of the two."""
        async with self._engine.connection() as conn:
            await self._queue.defer(conn, job)


def clock_of(engine: Engine, queue: Queue, dsn: str) -> Clock:
    """A clock for the runs and plans of one store."""
    return Clock(engine, Planner(engine, queue), queue, dsn)
