"""The one door: an intent comes in, one transaction makes it true or refuses it, jobs and letters go out.

``handle`` locks the run's row, lets the pure core decide, writes the ledger, the run, the outbox and the jobs on the
same connection, and commits.  What people are told is in the outbox of that very transaction: told after it is true.
"""

import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from bot import store, telemetry, tracing
from bot.errands import analyzing, driving, following, notifying, publishing, speaking_up
from bot.outbox import put_notice
from bot.outside import Media, no_media
from bot.ports import Letter, Queue
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook.apply import apply, begin
from bot.runbook.busy import busy
from bot.runbook.decide import decide
from bot.runbook.past import Wanted
from bot.runbook.refusals import Invalid, TargetBusy
from bot.runbook.run import Plan, Run, State
from bot.runbook.timers import TimerKind
from bot.views.card import card
from bot.views.letters import card_key, letters, needs_record
from bot.views.outside import notices
from bot.views.redraws import redraws
from bot.views.timeline import Record

_log = structlog.get_logger()
Pool = AsyncConnectionPool[store.Connection]
Checkpoint = Callable[[str, str], None]  # where in the work, and of what: the crash campaign dies there
CHANGED = "migrate_run_changed"  # the NOTIFY channel: payload is the run's id


def nothing(_where: str, _what: str) -> None:
    """The checkpoint of everyday life: goes by."""


class UnknownRun(Invalid):
    """No run has that id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run “{run_id}”.", "Type /migrate history to see the runs there are.")


class Engine:
    """Loads runs, takes intents.  Any number may work on the same store at once."""

    def __init__(
        self,
        pool: Pool,
        queue: Queue,
        *,
        now: Callable[[], float] = time.time,
        checkpoint: Checkpoint = nothing,
        media: Media = no_media,
    ) -> None:
        self._pool = pool
        self._queue = queue
        self._media = media
        self.now = now
        self.checkpoint = checkpoint
        self._known: dict[str, tuple[Run, str]] = {}

    def connection(self) -> AbstractAsyncContextManager[store.Connection]:
        """A connection of the pool, in a transaction that commits at the end of the block."""
        return self._pool.connection()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[store.Connection]:
        """A connection of the pool without a transaction, for locks that outlive one."""
        async with self._pool.connection() as conn:
            await conn.set_autocommit(True)
            try:
                yield conn
            finally:
                await conn.set_autocommit(False)

    async def start(self, plan: Plan, *, run_id: str = "") -> Run:
        """Begin a run; raises ``TargetBusy`` while another one is active on the target."""
        try:
            async with self._pool.connection() as conn:
                return await self.start_in(conn, plan, run_id or new_id())
        except psycopg.errors.UniqueViolation as error:
            raise await self.busy(plan.target) from error

    async def start_in(self, conn: store.Connection, plan: Plan, run_id: str) -> Run:
        """The same in the caller's transaction, which a target that is busy ends with a ``UniqueViolation``."""
        now = self.now()
        event = e.Started(plan=plan, at=now)
        run = begin(run_id, event)
        await store.execute(conn, "insert_run", id=run_id, target=plan.target, state=run.state.value, started_at=now)
        await self._write(conn, None, [(run, event)], head="", at=now, actor=plan.starter)
        return run

    async def busy(self, target: str) -> TargetBusy:
        """Who holds the database."""
        async with self._pool.connection() as conn:
            found = await store.rows(conn, "active_on", target=target)
        return busy(target, await self.load(found[0][0]) if found else None)

    async def handle(self, run_id: str, intent: i.Intent) -> Run:
        """Decide ``intent`` on the run as it is now; the run afterwards.  Raises ``Refusal``, changing nothing."""
        self.checkpoint("intent", type(intent).__name__)
        async with self._pool.connection() as conn:
            before, head = await self._locked(conn, run_id)
            now = self.now()
            events = decide(before, intent, now)
            steps = list(_walk(before, events))
            if not steps:
                await self._queue_work(conn, before, intent)
                return before
            after = steps[-1][0]
            head = await self._write(conn, before, steps, head=head, at=now, actor=i.actor_of(intent))
            await self._queue_work(conn, after, intent)
            names = " ".join(type(event).__name__ for event in events)
            self.checkpoint("commit", names)
        self.checkpoint("committed", names)
        telemetry.happened(events)
        tracing.moved(before, steps)
        self._remember(after, head)
        return after

    async def load(self, run_id: str) -> Run:
        """The run as the ledger has it now."""
        return (await self.load_with_head(run_id))[0]

    async def load_with_head(self, run_id: str) -> tuple[Run, str]:
        """The run and the ledger's head hash, e.g. for a status post."""
        async with self._pool.connection() as conn:
            found = await store.rows(conn, "peek_run", id=run_id)
            if not found:
                raise UnknownRun(run_id)
            return await self._replayed(conn, run_id, found[0])

    async def read(self, run_id: str) -> tuple[Run, str, Record]:
        """The run, its ledger's head and all that the store has of it: what a report is made of."""
        async with self._pool.connection() as conn:
            found = await store.rows(conn, "peek_run", id=run_id)
            if not found:
                raise UnknownRun(run_id)
            run, head = await self._replayed(conn, run_id, found[0])
            return run, head, await store.record(conn, run_id)

    async def tell(self, run_id: str, letters: Iterable[Letter]) -> None:
        """Say something that somebody asked for, and that changes nothing."""
        async with self._pool.connection() as conn:
            for letter in letters:
                await store.put_letter(conn, letter)
            await self._queue.defer(conn, publishing(run_id))

    async def active(self) -> tuple[Run, ...]:
        """Every run that is not final."""
        async with self._pool.connection() as conn:
            ids = [row[0] for row in await store.rows(conn, "active_runs")]
        return tuple([run for each in ids if (run := await self._readable(each))])

    async def _readable(self, run_id: str) -> Run | None:
        """One run that this version cannot read keeps the others from nothing."""
        try:
            return await self.load(run_id)
        except ValueError as error:
            _log.error("run.unreadable", run=run_id, why=str(error))
            return None

    async def recent(self, limit: int = 20) -> tuple[Run, ...]:
        """The newest runs first."""
        async with self._pool.connection() as conn:
            ids = [row[0] for row in await store.rows(conn, "recent_runs", limit=limit)]
        return tuple([run for each in ids if (run := await self._readable(each))])

    async def past(self, wanted: Wanted, limit: int = 50) -> tuple[Run, ...]:
        """The newest runs that are asked for."""
        given = {"target": wanted.target, "state": wanted.state, "since": wanted.since}
        async with self._pool.connection() as conn:
            ids = [row[0] for row in await store.rows(conn, "past_runs", **given, limit=limit)]
        return tuple([run for each in ids if (run := await self._readable(each))])

    async def show_progress(self, run_id: str, claim: int | None, text: str) -> None:
        """Where the running step is: on the card, not in the ledger.  Of an attempt that is over nothing is shown."""
        async with self._pool.connection() as conn:
            run, head = await self._locked(conn, run_id)
            if run.claim != claim:
                return
            await store.execute(conn, "set_progress", id=run_id, text=text, at=self.now())
            payload = card(run, self.now(), progress=text, head=head)
            if await store.redraw(conn, card_key(run), payload):
                await self._queue.defer(conn, publishing(run_id))

    async def _locked(self, conn: store.Connection, run_id: str) -> tuple[Run, str]:
        found = await store.rows(conn, "lock_run", id=run_id)
        if not found:
            raise UnknownRun(run_id)
        return await self._replayed(conn, run_id, found[0])

    async def _replayed(self, conn: store.Connection, run_id: str, row: tuple[Any, ...]) -> tuple[Run, str]:
        """The run at the row's version: what is known of it already, plus the events since."""
        version, head = row
        run, _ = self._known.get(run_id, (None, ""))
        if run is not None and run.version > version:  # read by somebody newer in between: replay from the start
            run = None
        if run is None or run.version < version:
            for entry in await store.entries(conn, run_id, after=run.version if run else 0):
                if entry.seq <= version:
                    run = _folded(run_id, run, entry.event)
        if run is None:
            raise UnknownRun(run_id)
        self._remember(run, head)
        return run, head

    def _remember(self, run: Run, head: str) -> None:
        """Spare the next replay; an ended run is not worth the memory."""
        self._known[run.id] = (run, head)
        if run.final:
            del self._known[run.id]

    async def _write(
        self,
        conn: store.Connection,
        before: Run | None,
        steps: list[tuple[Run, e.Event]],
        *,
        head: str,
        at: float,
        actor: str,
    ) -> str:
        """The ledger, the run's row and the outbox, in the open transaction; the new head."""
        run_id = steps[-1][0].id
        start = before.version if before else 0
        head = await store.append(conn, run_id, [event for _, event in steps], seq=start, head=head, at=at, actor=actor)
        await store.save(conn, steps[-1][0], head)
        await self._tell(conn, before, steps, head)
        await conn.execute("select pg_notify(%s, %s)", (CHANGED, run_id))
        if before is None:
            await self._queue.defer(conn, driving(steps[-1][0]))
        if before is None or any(isinstance(event, e.StepBegan | e.Ended) for _, event in steps):
            await self._queue.defer(conn, speaking_up(run_id))
        if any(isinstance(event, e.AnalyzeAsked) for _, event in steps):
            await self._queue.defer(conn, analyzing(run_id))
        if steps[-1][0].state is State.COMPLETED:
            await self._queue.defer(conn, following(run_id))
        return head

    async def _tell(
        self, conn: store.Connection, before: Run | None, steps: list[tuple[Run, e.Event]], head: str
    ) -> None:
        for after, event in steps:
            record = await store.record(conn, after.id) if needs_record(event) else Record()
            for letter in letters(before, after, event, head=head, record=record):
                await store.put_letter(conn, letter)
            if before is not None:
                for key, payload in redraws(before, after, event):
                    await store.redraw(conn, key, payload)
            await self._tell_outside(conn, before, after, event)
            before = after
        run = steps[-1][0]
        await store.redraw(conn, card_key(run), card(run, self.now(), head=head))
        await self._queue.defer(conn, publishing(run.id))

    async def _tell_outside(self, conn: store.Connection, before: Run | None, after: Run, event: e.Event) -> None:
        for notice in notices(before, after, event, self._media(after.plan.target)):
            await put_notice(conn, notice, at=self.now())
            await self._queue.defer(conn, notifying(after.id, notice.medium))

    async def _queue_work(self, conn: store.Connection, run: Run, intent: i.Intent) -> None:
        """Whoever is not the driver itself wakes it, when there is something to do."""
        kicked = isinstance(intent, i.Tick) and intent.kind == TimerKind.KICK
        by_driver = isinstance(intent, i.ByWorker)
        if run.state in (State.PREPARING, State.WORKING) and (kicked or not by_driver):
            await self._queue.defer(conn, driving(run))


def new_id(kind: str = "m") -> str:
    """The id of a run (``m``) or a plan (``p``): short enough to type, e.g. ``m-4f7k2q``."""
    alphabet = "23456789abcdefghjkmnpqrstuvwxyz"
    return f"{kind}-" + "".join(secrets.choice(alphabet) for _ in range(6))


def _walk(run: Run, events: Iterable[e.Event]) -> Iterable[tuple[Run, e.Event]]:
    for event in events:
        run = apply(run, event)
        yield run, event


def _folded(run_id: str, run: Run | None, event: e.Event) -> Run:
    if run is not None:
        return apply(run, event)
    if isinstance(event, e.Started):
        return begin(run_id, event)
    raise ValueError(f"The ledger of {run_id} does not begin with its start.")
