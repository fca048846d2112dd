"""What the database's statements cost, as its own statistics have it, and how that changed.

A *count* is cumulative (``pg_stat_statements``); the difference of two of them is what happened in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

SLOW_MS = 1000.0  # mean; runbook step 7 has >1000ms for a whole response: one statement that takes that is slow
TWICE = 2.0  # times its mean from before: a statement that became worth a look
_LEAST_MS = 10.0  # below that, twice as long is still nothing that people feel
_ENOUGH = 20  # calls on both sides


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One normalised statement since the statistics began; ``text`` has no values in it."""

    id: str
    text: str
    calls: int
    total_ms: float

    @property
    def mean_ms(self) -> float:
        return self.total_ms / self.calls if self.calls else 0.0


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Every statement at one moment; ``why`` says why there is none.  ``since``: when the statistics began."""

    at: float
    statements: tuple[Counted, ...] = ()
    since: str = ""
    why: str = ""
    known: bool = field(default=True)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One statement's mean before and after, in milliseconds."""

    id: str
    text: str
    before_ms: float
    after_ms: float
    calls: int

    @property
    def factor(self) -> float:
        return self.after_ms / self.before_ms if self.before_ms else float("inf")


def between(earlier: Counts, later: Counts) -> Iterator[Counted]:
    """What was run between two counts; nothing where they cannot be compared."""
    if not earlier.known or not later.known or earlier.since != later.since:
        return
    before = {each.id: each for each in earlier.statements}
    for each in later.statements:
        known = before.get(each.id)
        calls, total = each.calls - (known.calls if known else 0), each.total_ms - (known.total_ms if known else 0.0)
        if calls > 0 and total >= 0:
            yield Counted(id=each.id, text=each.text, calls=calls, total_ms=total)


def slow(counted: Iterator[Counted] | tuple[Counted, ...]) -> tuple[Counted, ...]:
    """Those that took longer than ``SLOW_MS`` on average, the slowest first."""
    return tuple(sorted((each for each in counted if each.mean_ms > SLOW_MS), key=lambda each: -each.mean_ms))


def became_slower(before: Counts, after: Counts) -> tuple[Change, ...]:
    """Statements that take at least twice their time from before, with enough calls on both sides; worst first."""
    known = {each.id: each for each in before.statements if each.calls >= _ENOUGH}
    found = [
        Change(id=each.id, text=each.text, before_ms=known[each.id].mean_ms, after_ms=each.mean_ms, calls=each.calls)
        for each in between(before, after)
        if each.id in known and each.calls >= _ENOUGH
    ]
    worse = (each for each in found if each.factor >= TWICE and each.after_ms >= _LEAST_MS)
    return tuple(sorted(worse, key=lambda each: -each.factor))


def overall(before: Counts, after: Counts) -> tuple[float | None, float | None]:
    """The mean of all statements in milliseconds, before and after; ``None`` where it is not known."""
    then = _mean(before.statements) if before.known else None
    return then, _mean(tuple(between(before, after)))


def _mean(counted: tuple[Counted, ...]) -> float | None:
    calls = sum(each.calls for each in counted)
    return sum(each.total_ms for each in counted) / calls if calls else None


def incomparable(before: Counts | None, after: Counts) -> str:
    """Why the two cannot be compared; empty if they can."""
    if before is None or not before.known:
        return (before.why if before else "") or "Nothing was counted when the watching began."
    if not after.known:
        return after.why or "The database could not be asked."
    if before.since != after.since:
        return "The server's statistics were reset in between."
    return ""
