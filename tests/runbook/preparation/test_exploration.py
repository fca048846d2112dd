"""Every reachable state of a small plan, every intent in it, by everybody: what starts was ready to start.

The plan is small in what can change: one item of each kind (a person's, the bot's, the review), two versions of the
files, a window that can be moved once, a team of one.  Everything else is shown to be true from the beginning.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bot.runbook import refusals as r
from bot.runbook.codec import decode_plan, encode
from bot.runbook.preparation import events as e
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.apply import apply
from bot.runbook.preparation.checklist import Item, Tick
from bot.runbook.preparation.decide import decide, settle_start
from bot.runbook.preparation.fall_back import fold
from bot.runbook.preparation.preparation import Member, Preparation, Stage, Window
from bot.runbook.preparation.standing import status
from bot.runbook.preparation.timers import plan_timers
from tests.runbook.preparation.people import (
    ALEX,
    DANA,
    DAY,
    GUEST,
    PEOPLES,
    POLICY,
    PRIYA,
    SAM,
    T0,
    draft,
    drilled,
    planned,
    proofs,
)

LATER = Window(start=T0 + DAY, end=T0 + DAY + 7200)
TEAM = (DANA,)
CHANGING = (Item.SUITE, Item.REVIEW, Item.ACCESS)
STEERING = {DANA.id, ALEX.id, PRIYA.id}
SETTLE = "settle"  # what the job says after its last look
Said = i.Intent | str


@dataclass
class Memory:
    """What an onlooker knows who only hears the events: who vouched for what, and of which files and hour."""

    files: str = ""
    window: float = T0
    suite: tuple[str, str] | None = None  # person, files
    read: set[tuple[str, str]] = field(default_factory=set)
    review: tuple[str, str] | None = None
    access: bool = True
    waived: tuple[str, str] | None = None  # first and second person
    asked: str = ""
    go: dict[str, tuple[object, ...]] = field(default_factory=dict)

    def hears(self, event: e.Event) -> None:
        match event:
            case e.Proved(files=files, proofs=found):
                self.files = files
                self.access = next((bool(each.ok) for each in found if each.item is Item.ACCESS), self.access)
            case e.Postponed(window=window):
                self.window = window.start
            case e.Ticked(ticks=ticks):
                for each in ticks:
                    self._ticked(each)
            case e.Unticked(item=Item.SUITE):
                self.suite = None
            case e.SqlShown(person=person, files=files):
                self.read.add((person, files))
            case e.WaiverAsked(waiver=waiver):
                self.asked, self.waived = waiver.person, None
            case e.WaiverAgreed(person=person):
                self.waived = (self.asked, person)
            case e.Answered(answer=answer):
                self.go[answer.person] = (answer.go, self.files, self.window, self._sets_aside)

    def _ticked(self, tick: Tick) -> None:
        if tick.item is Item.SUITE:
            self.suite = (tick.person, self.files)
        if tick.item is Item.REVIEW:
            self.review = (tick.person, self.files)

    @property
    def _sets_aside(self) -> bool:
        """Whether the waiver is about anything now: a Go is to the plan with it, or without it."""
        return self.waived is not None and not self.access

    def ready(self) -> None:
        """Whether a run may begin, by this memory alone."""
        assert self.suite is not None and self.suite[1] == self.files
        assert self.review is not None and self.review[1] == self.files
        assert self.review[0] != DANA.id and self.review in self.read
        assert self.access or (self.waived and self.waived[0] != self.waived[1])
        assert {self.go.get(each.id) for each in TEAM} == {(True, self.files, self.window, self._sets_aside)}


@dataclass(frozen=True, kw_only=True)
class Node:
    plan: Preparation
    now: float
    path: tuple[e.Event, ...]


def beginning() -> Node:
    """Everything is shown but what the walk is about; it is the last half hour."""
    team = {"executor": Member(id=DANA.id, name="Dana"), "on_call": Member(id=DANA.id, name="Dana")}
    made = planned(of=draft(**team, backup_support=Member(id=DANA.id, name="Dana"), rehearse=False))
    others = tuple(each for each in PEOPLES if each is not Item.SUITE)
    p, events = made, []
    for intent, now in (
        (proofs(made, "f1", T0 - 2 * DAY), T0 - 2 * DAY),
        (i.DrillEnds(report=drilled("f1")), T0 - 2 * DAY),
        (i.TickItems(person=DANA, items=others, evidence="seen"), T0 - 2 * DAY),
        (i.PlanTick(kind="T-24h", due=T0 - DAY), T0 - DAY),
        (i.PlanTick(kind="T-1h", due=T0 - 3600), T0 - 3600),
        (i.PlanTick(kind="T-30m", due=T0 - 1800), T0 - 1800),
    ):
        found = decide(p, intent, now)
        p, events = fold(p, found), [*events, *found]
    return Node(plan=p, now=T0 - 1800, path=tuple(events))


def offers(p: Preparation, now: float) -> Iterator[tuple[Said, float]]:
    """What people, workers and the clock could say now, right and wrong."""
    yield i.TickItems(person=DANA, items=(Item.ACCESS, Item.REVIEW), evidence="sure"), now
    for who in (DANA, SAM):
        yield i.TickItems(person=who, items=(Item.SUITE,), evidence="https://ci/1"), now
        yield i.Review(person=who, files=p.files), now
    for who in (SAM, GUEST):
        yield i.ReadSql(person=who, files=p.files), now
    for who in (PRIYA, ALEX, SAM):
        yield i.AgreeToWaiver(person=who, item=Item.ACCESS), now
    for who in (PRIYA, SAM):
        yield i.Waive(person=who, item=Item.ACCESS, reason="known"), now
        yield i.Untick(person=who, item=Item.SUITE, reason="another branch"), now
    for who in (DANA, SAM):
        yield i.SayGo(person=who, go=True), now
        yield i.SayGo(person=who, go=False, reason="no"), now
        yield i.AskStart(person=who), now
        if p.stage is Stage.MISSED:
            yield i.Postpone(person=who, window=LATER, reason="incident"), now
    yield i.CancelPlan(person=DANA, reason="not needed"), now
    for starts in (True, False):
        yield replace(proofs(p, "f1", now), starts=starts), now
        yield replace(proofs(p, "f1", now, access=False), starts=starts), now
    yield proofs(p, "f2", now), now
    yield SETTLE, now
    for timer in sorted(each for each in plan_timers(p) if each.kind != "prove")[:1]:
        yield i.PlanTick(kind=timer.kind, due=timer.due), max(now, timer.due)
    yield i.PlanTick(kind="T-0", due=-1.0), now


def seen(p: Preparation, now: float) -> tuple[object, ...]:
    """What tells two states apart."""
    window = p.draft.window
    return (
        p.stage, p.files, tuple(status(p, each).standing for each in CHANGING), len(p.came), window.start,
        window.start <= now < window.end, now >= window.end,
        tuple((p.answer(each.id) and p.answer(each.id).go) for each in TEAM),  # type: ignore[union-attr]
        frozenset(p.readers), tuple((each.person, bool(each.second)) for each in p.waivers),
        tuple((each.item, each.basis) for each in p.ticks if each.item in CHANGING),
    )  # fmt: skip


def said(p: Preparation, what: Said, now: float) -> tuple[e.Event, ...]:
    return settle_start(p, "m-1", now) if isinstance(what, str) else decide(p, what, now)


def allowed(what: Said) -> bool:
    """May this person do that at all?  By the cast's own table."""
    person = getattr(what, "person", None)
    if person is None:
        return True
    if isinstance(what, i.ReadSql | i.Review):
        return person is not GUEST
    if isinstance(what, i.AgreeToWaiver):
        return person.id in POLICY.approvers | POLICY.owners
    if isinstance(what, i.SayGo):
        return person in TEAM
    return person.id in STEERING


def test_what_starts_was_ready_in_every_reachable_state(capsys: object) -> None:
    first = beginning()
    known, waiting, transitions, begun, kinds = {seen(first.plan, first.now)}, deque([first]), 0, 0, set[str]()
    while waiting:
        node = waiting.popleft()
        for what, at in offers(node.plan, node.now):
            transitions += 1
            try:
                events = said(node.plan, what, at)
            except r.Refusal as refusal:
                assert refusal.next_action
                continue
            assert allowed(what), what
            after = fold(node.plan, events)
            kinds |= {type(each).__name__ for each in events}
            assert not node.plan.final, "a final plan never moves"
            assert after.final or plan_timers(after), "something is due for every plan that is not final"
            if after.stage is Stage.STARTED:
                begun += 1
                memory = Memory()
                for event in (*node.path, *events):
                    memory.hears(event)
                memory.ready()
                assert after.draft.window.start <= at < after.draft.window.end
                assert node.plan.stage is Stage.STARTING
            key = seen(after, at)
            if key not in known:
                known.add(key)
                if len(known) % 20 == 0:
                    _replays(after, (*node.path, *events))
                waiting.append(Node(plan=after, now=at, path=(*node.path, *events)))
    assert begun > 10
    assert {"RunBegan", "StartRefused", "PlanMissed", "FellBack", "WaiverAgreed", "Postponed"} <= kinds
    assert len(known) > 1000
    print(f"plans: {len(known):,} states, {transitions:,} transitions, {begun:,} starts")


def _replays(p: Preparation, path: tuple[e.Event, ...]) -> None:
    """The ledger's events, through JSON and back, give the same plan."""
    again = beginning_of(p)
    for event in path:
        again = apply(again, decode_plan(*encode(event)))
    assert again == p


def beginning_of(p: Preparation) -> Preparation:
    team = {"executor": Member(id=DANA.id, name="Dana"), "on_call": Member(id=DANA.id, name="Dana")}
    made = planned(of=draft(**team, backup_support=Member(id=DANA.id, name="Dana"), rehearse=False))
    assert made.id == p.id
    return made
