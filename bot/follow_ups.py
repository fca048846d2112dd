"""The door for what follows a run, as ``bot.engine`` is for runs: an intent comes in, one transaction makes it true.

A follow-up has its own ledger under an id derived from its run's, so that there is never a second one.
"""

from collections.abc import Callable, Iterable

import structlog

from bot import store
from bot.engine import CHANGED, Engine
from bot.errands import publishing
from bot.ports import Queue
from bot.runbook import events as run_events
from bot.runbook.follow_up import events as e
from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.apply import apply, begin
from bot.runbook.follow_up.decide import decide
from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.follow_up.queries import Counts
from bot.runbook.refusals import Invalid
from bot.runbook.run import Run, State
from bot.views.follow_up.letters import follow_up_letters, follow_up_redraws
from bot.views.timeline import Record, walked

_log = structlog.get_logger()
Steps = list[tuple[FollowUp, e.Event]]


class UnknownFollowUp(Invalid):
    """Nothing follows that run."""

    def __init__(self, follow_up_id: str) -> None:
        super().__init__(
            f"There is no follow-up “{follow_up_id}”.", "One begins by itself when a migration is completed."
        )


class FollowUps:
    """Loads follow-ups, takes intents.  Any number may work on the same store at once."""

    def __init__(self, engine: Engine, queue: Queue) -> None:
        self._engine = engine
        self._queue = queue

    @property
    def now(self) -> Callable[[], float]:
        """The engine's own time."""
        return self._engine.now

    async def begin(self, run_id: str, counts: Counts | None) -> None:
        """Follow a completed run; nothing happens where that was begun before, or is too late."""
        run, _, record = await self._engine.read(run_id)
        now = self.now()
        if not wants_following(run, now):
            return
        event = _began(run, record, counts, now)
        made = begin(store.follow_up_id(run_id), event)
        async with self._engine.connection() as conn:
            inserted = await store.execute(
                conn, "insert_follow_up", id=made.id, target=run.plan.target, state=made.stage.value, started_at=now
            )
            if inserted:
                await self._write(conn, None, [(made, event)], head="", now=now, actor="clock")

    async def handle(self, follow_up_id: str, intent: i.Intent) -> FollowUp:
        """Decide ``intent`` on it as it is now; the follow-up afterwards.  Raises ``Refusal``, changing nothing."""
        async with self._engine.connection() as conn:
            found = await store.rows(conn, "lock_follow_up", id=follow_up_id)
            before = await store.follow_up(conn, follow_up_id) if found else None
            if before is None:
                raise UnknownFollowUp(follow_up_id)
            now = self.now()
            steps = _walk(before, decide(before, intent, now))
            if steps:
                await self._write(conn, before, steps, head=found[0][1], now=now, actor=i.actor_of(intent))
        return steps[-1][0] if steps else before

    async def load(self, follow_up_id: str) -> FollowUp:
        """As the ledger has it now; raises ``UnknownFollowUp``."""
        async with self._engine.connection() as conn:
            found = await store.follow_up(conn, follow_up_id)
        if found is None:
            raise UnknownFollowUp(follow_up_id)
        return found

    async def open(self) -> tuple[FollowUp, ...]:
        """Every one that is not over."""
        async with self._engine.connection() as conn:
            ids = [row[0] for row in await store.rows(conn, "open_follow_ups")]
        return tuple([found for each in ids if (found := await self._readable(each))])

    async def target_of(self, run_id: str) -> str:
        """The target of a run."""
        return (await self._engine.load(run_id)).plan.target

    async def later(self, found: FollowUp) -> tuple[str, bool] | None:
        """The newest migration of the target since that changed it, or is about to: its id, and is it still on?"""
        async with self._engine.connection() as conn:
            ids = [row[0] for row in await store.rows(conn, "later_runs", target=found.plan.target, id=found.run)]
        for run in [await self._engine.load(each) for each in ids]:
            if not run.plan.cleans and (not run.final or run.state in (State.COMPLETED, State.ROLLED_BACK)):
                return run.id, not run.final
        return None

    async def _readable(self, follow_up_id: str) -> FollowUp | None:
        """One that this version cannot read keeps the others from nothing."""
        try:
            return await self.load(follow_up_id)
        except ValueError as error:
            _log.error("follow_up.unreadable", follow_up=follow_up_id, why=str(error))
            return None

    async def _write(
        self, conn: store.Connection, before: FollowUp | None, steps: Steps, *, head: str, now: float, actor: str
    ) -> None:
        """The ledger, the row and the outbox, in the open transaction."""
        found = steps[-1][0]
        start = before.version if before else 0
        events = [event for _, event in steps]
        head = await store.append(conn, found.id, events, seq=start, head=head, at=now, actor=actor)
        await store.save_follow_up(conn, found, head)
        for after, event in steps:
            for letter in follow_up_letters(after, event):
                await store.put_letter(conn, letter)
        for key, payload in follow_up_redraws(found):
            await store.redraw(conn, key, payload)
        await self._queue.defer(conn, publishing(found.id))
        await conn.execute("select pg_notify(%s, %s)", (CHANGED, found.id))


def wants_following(run: Run, now: float) -> bool:
    """A completed migration, and no exercise, whose review is still to come."""
    real = not run.plan.cleans and not run.plan.exercise
    return run.state is State.COMPLETED and real and now < _review_due(run)


def _review_due(run: Run) -> float:
    return (run.ended_at or run.since) + run.plan.timing.review_after


def _began(run: Run, record: Record, counts: Counts | None, now: float) -> e.FollowUpBegan:
    """With the run's own watch as the yardstick; on-call people are asked, by name where a plan has named one."""
    watch = tuple(event.sample for _, event in walked(run.id, record.events) if isinstance(event, run_events.Sampled))
    policy = run.plan.policy
    named = {record.preparation.draft.on_call.id} if record.preparation else frozenset[str]()
    return e.FollowUpBegan(
        run=run.id,
        plan=run.plan,
        asked=tuple(sorted(named or policy.on_call or policy.owners or policy.approvers)),
        completed_at=run.ended_at or run.since,
        at=now,
        yardstick=watch,
        before=run.baseline,
        counts=counts,
    )


def _walk(found: FollowUp, events: Iterable[e.Event]) -> Steps:
    steps = []
    for event in events:
        found = apply(found, event)
        steps.append((found, event))
    return steps
