"""The door for plans, as ``bot.engine`` is for runs: an intent comes in, one transaction makes it true or refuses it.

A plan has its own ledger and letters under its own id.  It becomes a run in one transaction: either both say so, or
neither.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

import psycopg
import structlog

from bot import store
from bot.engine import CHANGED, Engine, new_id
from bot.errands import notifying, proving, publishing, rehearsing
from bot.outbox import put_notice
from bot.outside import Media, no_media
from bot.ports import Queue
from bot.runbook.people import Person
from bot.runbook.preparation import events as e
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.apply import apply, begin
from bot.runbook.preparation.decide import decide, settle_start
from bot.runbook.preparation.decide_people import check_draft, check_window, may_steer
from bot.runbook.preparation.preparation import Draft, Moment, Preparation, Stage, Window
from bot.runbook.preparation.timers import PlanTimer
from bot.runbook.refusals import Invalid
from bot.runbook.run import Run
from bot.runbook.wording import moment
from bot.views.preparation.letters import plan_letters, plan_redraws
from bot.views.preparation.mails import plan_notices

_log = structlog.get_logger()
Steps = list[tuple[Preparation, e.Event]]
Allowed = Callable[[str, Window], Awaitable[None]]
_LEARNT_FROM = 50  # runs, newest first
_LOOKS = {each.value for each in (Moment.FINAL_CHECK, Moment.GO_NO_GO, PlanTimer.PROVE, PlanTimer.KICK)}


async def at_any_time(_target: str, _window: Window) -> None:
    """Nothing is frozen."""


class UnknownPlan(Invalid):
    """No plan has that id."""

    def __init__(self, plan_id: str) -> None:
        super().__init__(f"There is no plan “{plan_id}”.", "Type /migrate plan list to see the plans there are.")


class WindowTaken(Invalid):
    """Two plans of one target at the same time."""

    def __init__(self, other: Preparation) -> None:
        window = other.draft.window
        super().__init__(
            f"{other.draft.plan.target} has another plan then: {other.draft.plan.name} ({other.id}),"
            f" {moment(window.start, window.zone)} to {moment(window.end, window.zone)}.",
            "Choose another window, or postpone or cancel that plan.",
        )


class Planner:
    """Loads plans, takes intents.  Any number may work on the same store at once."""

    def __init__(
        self,
        engine: Engine,
        queue: Queue,
        templates: Mapping[str, str] | None = None,
        require_allowed: Allowed = at_any_time,
        media: Media = no_media,
    ) -> None:
        """``templates``: target -> its own text for the announcement at T-24h.  ``require_allowed(target, window)``
        raises the refusal where nothing is to be changed then."""
        self._engine = engine
        self._queue = queue
        self._known: dict[str, Preparation] = {}
        self._templates = templates or {}
        self._require_allowed = require_allowed
        self._media = media

    @property
    def now(self) -> Callable[[], float]:
        """The engine's own time."""
        return self._engine.now

    async def plan(self, draft: Draft, person: Person) -> Preparation:
        """Begin a plan; raises a refusal for a window that is past, or taken."""
        now = self.now()
        check_draft(draft)
        check_window(draft.window, now)
        event = e.Planned(draft=draft, author=person.id, author_name=person.name, at=now)
        made = begin(new_id("p"), event)
        may_steer(made, person)
        await self._require_allowed(draft.plan.target, draft.window)
        async with self._engine.connection() as conn:
            await self._require_free(conn, made, draft.window)
            await store.execute(
                conn, "insert_plan", id=made.id, target=draft.plan.target, state=made.stage.value, started_at=now
            )
            await self._write(conn, None, [(made, event)], head="", now=now, actor=person.id)
            await self._queue.defer(conn, proving(made))
        return made

    async def handle(self, plan_id: str, intent: i.Intent) -> Preparation:
        """Decide ``intent`` on the plan as it is now; the plan afterwards.  Raises ``Refusal``, changing nothing."""
        self._engine.checkpoint("intent", type(intent).__name__)
        if isinstance(intent, i.Postpone):
            await self._require_allowed((await self.load(plan_id)).draft.plan.target, intent.window)
        async with self._engine.connection() as conn:
            before, head = await self._locked(conn, plan_id)
            now = self.now()
            events = decide(before, intent, now)
            if isinstance(intent, i.Postpone):
                await self._require_free(conn, before, intent.window)
            steps = _walk(before, events)
            if steps:
                await self._write(conn, before, steps, head=head, now=now, actor=i.actor_of(intent))
            await self._queue_work(conn, steps[-1][0] if steps else before, events, intent)
            self._engine.checkpoint("commit", " ".join(type(each).__name__ for each in events))
        return steps[-1][0] if steps else before

    async def begin_run(self, plan_id: str) -> Preparation:
        """After the last look: the run begins, or what is missing is said; ``Stale`` where no start is waited for."""
        try:
            return await self._begin(plan_id)
        except psycopg.errors.UniqueViolation:
            busy = await self._engine.busy((await self.load(plan_id)).draft.plan.target)
            return await self.refuse_start(plan_id, str(busy))

    async def _begin(self, plan_id: str) -> Preparation:
        run_id, history = new_id(), await self.history(plan_id)
        async with self._engine.connection() as conn:
            before, head = await self._locked(conn, plan_id)
            now = self.now()
            steps = _walk(before, settle_start(before, run_id, now))
            if steps[-1][0].stage is Stage.STARTED:
                await self._engine.start_in(conn, before.to_run(history), run_id)
            await self._write(conn, before, steps, head=head, now=now, actor="worker")
        return steps[-1][0]

    async def history(self, plan_id: str) -> tuple[Run, ...]:
        """Past runs of the plan's target, which its estimates learn from."""
        target = (await self.load(plan_id)).draft.plan.target
        recent = [run for run in await self._engine.recent(_LEARNT_FROM) if not run.plan.exercise]
        return tuple(run for run in recent if run.plan.target == target)

    async def busy(self, plan: Preparation) -> bool:
        """Is a run of the plan's target active?"""
        async with self._engine.connection() as conn:
            return bool(await store.rows(conn, "active_on", target=plan.draft.plan.target))

    async def refuse_start(self, plan_id: str, why: str) -> Preparation:
        """A start that cannot be: said, and the plan is open again."""
        async with self._engine.connection() as conn:
            before, head = await self._locked(conn, plan_id)
            if before.stage is not Stage.STARTING:
                return before
            now = self.now()
            steps = _walk(before, (e.StartRefused(missing=(why,), at=now),))
            await self._write(conn, before, steps, head=head, now=now, actor="worker")
        return steps[-1][0]

    async def load(self, plan_id: str) -> Preparation:
        """The plan as the ledger has it now; raises ``UnknownPlan``."""
        async with self._engine.connection() as conn:
            return await self._replayed(conn, plan_id)

    async def open(self) -> tuple[Preparation, ...]:
        """Every plan that waits for its start, the next one first."""
        async with self._engine.connection() as conn:
            ids = [row[0] for row in await store.rows(conn, "open_plans")]
        found = [plan for each in ids if (plan := await self._readable(each))]
        return tuple(sorted(found, key=lambda each: each.draft.window.start))

    async def recent(self, limit: int = 20) -> tuple[Preparation, ...]:
        """The newest plans first."""
        async with self._engine.connection() as conn:
            ids = [row[0] for row in await store.rows(conn, "recent_plans", limit=limit)]
        return tuple([plan for each in ids if (plan := await self._readable(each))])

    async def _readable(self, plan_id: str) -> Preparation | None:
        """One plan that this version cannot read keeps the others from nothing."""
        try:
            return await self.load(plan_id)
        except ValueError as error:
            _log.error("plan.unreadable", plan=plan_id, why=str(error))
            return None

    async def texts(self, plan_id: str) -> tuple[tuple[str, str], ...]:
        """The files of a plan (name, SQL) as last read, in the order they are run."""
        plan = await self.load(plan_id)
        async with self._engine.connection() as conn:
            return await _texts(conn, plan)

    async def keep_texts(self, plan_id: str, files: str, texts: Iterable[tuple[str, str]]) -> None:
        """Keep what was read under its digest, for the reviewers and the next difference."""
        async with self._engine.connection() as conn:
            for name, body in texts:
                await store.execute(conn, "put_attachment", run_id=plan_id, step=_folder(files), name=name, body=body)

    async def _require_free(self, conn: store.Connection, plan: Preparation, window: Window) -> None:
        target = plan.draft.plan.target
        await store.rows(conn, "lock_target", target=target)
        for (other,) in await store.rows(conn, "open_plans_of", target=target):
            if other != plan.id and _overlap(window, (found := await self._replayed(conn, other)).draft.window):
                raise WindowTaken(found)

    async def _locked(self, conn: store.Connection, plan_id: str) -> tuple[Preparation, str]:
        found = await store.rows(conn, "lock_plan", id=plan_id)
        if not found:
            raise UnknownPlan(plan_id)
        return await self._replayed(conn, plan_id), found[0][1]

    async def _replayed(self, conn: store.Connection, plan_id: str) -> Preparation:
        """What is known of the plan already, and what has happened since.

        Replayed before anything is written in the same transaction, so that only what is committed is remembered.
        """
        known = self._known.get(plan_id)
        plan = known
        for entry in await store.plan_entries(conn, plan_id, after=known.version if known else 0):
            event = entry.plan_event
            if plan is not None:
                plan = apply(plan, event)
            elif isinstance(event, e.Planned):
                plan = begin(plan_id, event)
        if plan is None:
            raise UnknownPlan(plan_id)
        self._remember(plan)
        return plan

    def _remember(self, plan: Preparation) -> None:
        """Spare the next replay; a plan that is over is not worth the memory."""
        self._known[plan.id] = plan
        if plan.final:
            del self._known[plan.id]

    async def _write(
        self, conn: store.Connection, before: Preparation | None, steps: Steps, *, head: str, now: float, actor: str
    ) -> None:
        """The ledger, the plan's row and the outbox, in the open transaction."""
        plan = steps[-1][0]
        start = before.version if before else 0
        events = [event for _, event in steps]
        head = await store.append(conn, plan.id, events, seq=start, head=head, at=now, actor=actor)
        await store.save_plan(conn, plan, head)
        template = self._templates.get(plan.draft.plan.target, "")
        for after, event in steps:
            read = await _texts(conn, after) if isinstance(event, e.Proved) else ()
            for letter in plan_letters(before, after, event, now=now, head=head, template=template, read=read):
                await store.put_letter(conn, letter)
            for key, payload in plan_redraws(before, after, event, now=now, head=head):
                await store.redraw(conn, key, payload)
            await self._tell_outside(conn, before, after, event, now)
            before = after
        await self._queue.defer(conn, publishing(plan.id))
        await conn.execute("select pg_notify(%s, %s)", (CHANGED, plan.id))

    async def _tell_outside(
        self, conn: store.Connection, before: Preparation | None, after: Preparation, event: e.Event, now: float
    ) -> None:
        target = after.draft.plan.target
        template = self._templates.get(target, "")
        for notice in plan_notices(before, after, event, self._media(target), now=now, template=template):
            await put_notice(conn, notice, at=now)
            await self._queue.defer(conn, notifying(after.id, notice.medium))

    async def _queue_work(
        self, conn: store.Connection, plan: Preparation, events: Iterable[e.Event], intent: i.Intent
    ) -> None:
        """What the bot has to do itself after this."""
        looks = isinstance(intent, i.PlanTick) and intent.kind in _LOOKS
        if looks or any(isinstance(each, e.Edited | e.Postponed | e.StartAsked) for each in events):
            await self._queue.defer(conn, proving(plan))
        if any(isinstance(each, e.DrillAsked) for each in events):
            await self._queue.defer(conn, rehearsing(plan))


async def _texts(conn: store.Connection, plan: Preparation) -> tuple[tuple[str, str], ...]:
    found = dict(await store.rows(conn, "attachments", run_id=plan.id, step=_folder(plan.files)))
    order = (*plan.draft.plan.migrations, *plan.draft.plan.down)
    return tuple((name, found[name]) for name in order if name in found)


def _walk(plan: Preparation, events: Iterable[e.Event]) -> Steps:
    steps = []
    for event in events:
        plan = apply(plan, event)
        steps.append((plan, event))
    return steps


def _overlap(one: Window, other: Window) -> bool:
    return one.start < other.end and other.start < one.end


def _folder(files: str) -> str:
    """Where the texts of one digest are kept."""
    return f"sql:{files[:16]}"
