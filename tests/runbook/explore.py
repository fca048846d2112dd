"""Exhaustive breadth-first walk over every reachable state of a run: every intent in every state, twice.

States are told apart by what can still matter; absolute times, ids and counters are dropped, so the space is finite.
"""

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tests.runbook.cast import DESTRUCTIVE, Core, person, plan, started
from tests.runbook.invariants import INVARIANTS, Invariant, i6_replay
from tests.runbook.move import Broken, Memory, Move, remember
from tests.runbook.offers import TICK, offers
from tests.runbook.seen import seen_as, spoken, standing

#: Every kind of plan; self-approval, which only widens who may say yes, in the largest and the smallest of them.
EVERY: tuple[dict[str, Any], ...] = (
    *(
        {"downtime": downtime, "quorum": quorum, "risk": risk}
        for downtime, quorum, risk in product((True, False), (2, 1), ("high", "low"))
    ),
    {"downtime": True, "quorum": 2, "risk": "high", "self_approval": True},
    {"downtime": False, "quorum": 1, "risk": "low", "self_approval": True},
)
FULL = os.environ.get("MIGRATE_BOT_CAMPAIGN") == "full"
#: For the gate: every pair of terms in one plan at least, and self-approval; ``MIGRATE_BOT_CAMPAIGN=full`` walks all.
PLANS = EVERY if FULL else (EVERY[0], EVERY[3], EVERY[5], EVERY[6], EVERY[9])
#: Plans with one thing more, each in its smallest form.
MORE: tuple[dict[str, Any], ...] = tuple(
    {"quorum": 1, "risk": "low", **more}
    for more in (
        {"window_end": 4800.0},  # first, because what breaks time is met in it at once
        {"auto_rollback": True, "standby": "template"},
        {"envelope": True, "standby": "restore"},
        {"envelope": True, "quorum": 2},
        {"rollback_deadline": 60.0},
        {"cleans": "m-0", "downtime": False},
        {"preparation": "p-1", "quorum": 2, "downtime": False},
        {"manual": True, "auto_rollback": True, "downtime": False},
        {"exercise": True, "downtime": False},
    )
)
#: Plans whose migration may turn out to destroy something: its extra approval can be had, and cannot.
DESTROYING: tuple[dict[str, Any], ...] = (
    {"migrations": DESTRUCTIVE, "quorum": 1, "risk": "medium"},
    {"migrations": DESTRUCTIVE, "quorum": 2, "risk": "low", "downtime": False},
)
#: The one in which a run changes hands (see ``offers``).
PREPARED = next(each for each in MORE if "preparation" in each)
#: The one in which what failed is tried in other ways, too.
FIXABLE = next(each for each in MORE if "rollback_deadline" in each)
#: The one in which the database is looked after.
KEPT_UP = next(each for each in MORE if "exercise" in each)
#: The one in which people are asked to try something by hand.
MANUAL = next(each for each in MORE if "manual" in each)


@dataclass(frozen=True, kw_only=True)
class Node:
    """One state as it was first reached, and how."""

    run: Any
    now: float
    memory: Memory
    parent: int | None = None
    intent: Any = None
    events: tuple[Any, ...] = ()


class Violation(AssertionError):
    """A promise was broken; ``trace`` is the shortest way there."""

    def __init__(self, invariant: str, words: str, trace: str) -> None:
        super().__init__(f"{invariant}: {words}\n{trace}")
        self.invariant = invariant


@dataclass
class Exploration:
    """A walk through one plan's states, and what was seen on the way."""

    core: Core
    start: Any
    invariants: tuple[Invariant, ...] = ()
    nodes: list[Node] = field(default_factory=list)
    edges: list[set[int]] = field(default_factory=list)
    transitions: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refusals: dict[str, Any] = field(default_factory=dict)  # one specimen of each class
    kinds: set[str] = field(default_factory=set)  # every kind of event that happened
    _seen: dict[Any, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.invariants = (*INVARIANTS, i2_said_twice, *SLOW)

    def walk(self) -> "Exploration":
        """Visit everything; raises ``Violation`` at the first broken promise."""
        waiting = deque([self.begin()])
        while waiting:
            index = waiting.popleft()
            self._offers_way_back(index)
            for intent, at in offers(self.core, self.nodes[index].run, self.nodes[index].now):
                known = len(self.nodes)
                self.attempt(index, intent, at)
                waiting.extend(range(known, len(self.nodes)))
        self._services_return()
        return self

    def begin(self) -> int:
        """The run as it was started: the first state."""
        run = self.core.apply.begin("m-1", started(self.core, self.start))
        return self._visit(Node(run=run, now=0.0, memory=Memory()))

    def attempt(self, index: int, intent: Any, at: float) -> int | None:
        """Say ``intent`` in a state and hold what comes of it to every promise; the state reached, if any."""
        node, core = self.nodes[index], self.core
        self.transitions += 1
        try:
            events = core.decide.decide(node.run, intent, at) if intent else ()
        except core.r.Refusal as refusal:
            self.refused[type(refusal).__name__] += 1
            self.refusals.setdefault(type(refusal).__name__, refusal)
            return None
        after = core.apply.fold(node.run, events)
        memory = remember(core, node.memory, events)
        self.kinds.update(type(each).__name__ for each in events)
        step = Node(run=after, now=at, memory=memory, parent=index, intent=intent, events=events)
        known = len(self.nodes)
        reached = self._visit(step)
        self.edges[index].add(reached)
        if intent:
            self._hold(step, node, new=len(self.nodes) > known)
        return reached

    def _hold(self, step: Node, node: Node, *, new: bool) -> None:
        move = Move(
            core=self.core, before=node.run, intent=step.intent, events=step.events, after=step.run, now=step.now,
            recalled=node.memory, remembered=step.memory,
        )  # fmt: skip
        for invariant in self.invariants if new else self.invariants[: -len(SLOW)]:
            try:
                invariant(move)
            except Broken as broken:
                raise Violation(invariant.__name__, str(broken), self.trace(step)) from broken

    def _visit(self, node: Node) -> int:
        key = seen_as(node.run, node.now, node.memory)
        if key not in self._seen:
            self._seen[key] = len(self.nodes)
            self.nodes.append(node)
            self.edges.append(set())
        return self._seen[key]

    def _offers_way_back(self, index: int) -> None:
        """I7: from every state after the backup an owner is heard who wants to go back."""
        node = self.nodes[index]
        due = node.run.backed_up and node.run.route in ("forward", "return") and not node.run.final
        if not due or node.run.rollback_wanted:
            return
        intent = self.core.i.RollBack(person=person(self.core, "owner"), reason="wrong data")
        try:
            self.core.decide.decide(node.run, intent, node.now + TICK)
        except self.core.r.Refusal as refusal:
            raise Violation("i7_offered", str(refusal), self.trace(node)) from refusal

    def _services_return(self) -> None:
        """I4: from every state with services down there is a way to have them up, or in a named person's hands."""
        good = [index for index, node in enumerate(self.nodes) if safe(node.run)]
        reaching, back = set(good), backwards(self.edges)
        waiting = deque(good)
        while waiting:
            for index in back[waiting.popleft()] - reaching:
                reaching.add(index)
                waiting.append(index)
        for index, node in enumerate(self.nodes):
            if index not in reaching:
                raise Violation("i4_services_return", "services stay down", self.trace(node))

    def trace(self, node: Node | None) -> str:
        """The shortest way to ``node``, a line for each intent."""
        lines: list[str] = []
        while node is not None and node.parent is not None:
            told = ", ".join(type(each).__name__ for each in node.events)
            lines.append(f"  {spoken(node.intent)} -> {told or '-'} [{standing(node.run)}]")
            node = self.nodes[node.parent]
        return "\n".join(reversed(lines))

    def path(self, node: Node) -> list[Any]:
        """Every event on the way to ``node``, oldest first."""
        events: list[Any] = []
        while node.parent is not None:
            events[:0] = node.events
            node = self.nodes[node.parent]
        return events


def i2_said_twice(move: Move) -> None:
    """The same intent a second time changes nothing and says so."""
    try:
        again = move.core.decide.decide(move.after, move.intent, move.now + TICK)
    except move.core.r.Refusal:
        return
    noted = all(type(each).__name__ == "WaitingAccepted" for each in again)
    if not noted:
        raise Broken(f"said twice, done twice: {again}")


def i5_over_is_over(move: Move) -> None:
    """Nothing that can be said moves a final run."""
    if not move.after.final:
        return
    for intent, at in offers(move.core, move.after, move.now):
        try:
            move.core.decide.decide(move.after, intent, at)
        except move.core.r.AlreadyFinal:
            continue
        except move.core.r.Refusal as refusal:
            raise Broken(f"a final run has something else to say: {refusal}") from refusal
        raise Broken(f"a final run listened to {intent}")


SLOW = (i5_over_is_over, i6_replay)  # held on the moves that come to a new state


def safe(run: Any) -> bool:
    """Services are up, or a named person holds the run."""
    return not run.services_down or run.state in ("handed_over", "closed")


def backwards(edges: list[set[int]]) -> list[set[int]]:
    """The same edges, the other way round."""
    found: list[set[int]] = [set() for _ in edges]
    for index, ways in enumerate(edges):
        for to in ways:
            found[to].add(index)
    return found


def explore(core: Core, plans: Iterable[dict[str, Any]] = (*PLANS, *MORE, *DESTROYING)) -> Iterator[Exploration]:
    """Walk through every plan in turn."""
    for each in plans:
        yield Exploration(core=core, start=plan(core, **each)).walk()
