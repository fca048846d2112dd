"""One follow-up: what is watched after a completed run, what was seen, and what people said of it.

It is what ``apply`` makes of its ledger's events, never stored as such.  Times are POSIX seconds.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.runbook.follow_up.queries import Change, Counted, Counts
from bot.runbook.follow_up.trends import Trend
from bot.runbook.run import Plan
from bot.runbook.samples import Sample

SELDOM = 6  # after the 24 hours the pace is that many times slower, until the review


class Stage(StrEnum):
    """Where a follow-up stands.  ``STAGES`` below says, for each, what moves it on."""

    WATCHING = "watching"
    REVIEWING = "reviewing"
    CLOSED = "closed"
    OVERTAKEN = "overtaken"


STAGES: dict[Stage, str] = {
    Stage.WATCHING: "looks, the end of the 24 hours and the review are timers derived from the ledger",
    Stage.REVIEWING: "the nudge timer asks again, and closes it when nobody has answered",
    Stage.CLOSED: "final: it was said",
    Stage.OVERTAKEN: "final: another migration of the target has changed what would be compared",
}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One figure before and after; ``None`` where it was not measured."""

    what: str
    unit: str
    before: float | None
    after: float | None

    @property
    def words(self) -> str:
        """Both, and by how much it changed."""
        if self.before is None or self.after is None:
            missing = "before" if self.before is None else "after"
            return f"{self.what}: cannot be compared, nothing was measured {missing}"
        share = f" ({self.after / self.before - 1:+.0%})".replace("%", " %") if self.before >= 0.01 else ""
        return f"{self.what}: {self.before:.3g} {self.unit} before, {self.after:.3g} {self.unit} after{share}"


@dataclass(frozen=True, kw_only=True)
class Review:
    """The 48-hour review: runbook "Metrics Review (48 hours post-migration)"."""

    errors: Compared
    times: Compared
    queries: Compared
    yardstick: str  # what "before" is
    why_no_queries: str = ""
    slower: tuple[Change, ...] = ()
    anomalies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a named person said; ``spike`` of support tickets, where that was the question."""

    person: str
    name: str
    at: float
    note: str = ""
    spike: bool = False


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Where the follow-up of one run stands.  ``version`` counts its events."""

    id: str
    run: str
    plan: Plan
    asked: tuple[str, ...]  # who is asked about support tickets: ids of people or groups
    version: int
    stage: Stage
    completed_at: float
    since: float
    yardstick: tuple[Sample, ...] = ()  # the run's own watch
    before: tuple[Sample, ...] = ()  # measured before the migration, where that was done
    counts: Counts | None = None  # of the database's statements, when the watching began
    samples: tuple[Sample, ...] = ()
    looked_at: float = 0.0  # the last slot that was taken care of
    slow: frozenset[str] = frozenset()  # ids of slow statements that are no news
    raised: frozenset[Trend] = frozenset()
    anomalies: tuple[str, ...] = ()  # everything that was raised, in words
    day_over: bool = False
    review: Review | None = None
    tickets: Said | None = None
    note: Said | None = None
    nudges: int = 0
    nudged_at: float = 0.0
    reason: str = ""
    ended_at: float | None = None

    @property
    def final(self) -> bool:
        return self.stage in (Stage.CLOSED, Stage.OVERTAKEN)

    @property
    def day_ends(self) -> float:
        """When the runbook's 24 hours are over."""
        return self.completed_at + self.plan.timing.follow_for

    @property
    def review_due(self) -> float:
        """Runbook: 48 hours post-migration."""
        return self.completed_at + self.plan.timing.review_after

    @property
    def pace(self) -> float:
        """Seconds until the next look."""
        every = self.plan.timing.follow_every
        return every * SELDOM if self.day_over else every

    @property
    def wants_note(self) -> bool:
        """Is there something that a person has to say a word about?"""
        spike = self.tickets is not None and self.tickets.spike
        return self.note is None and (bool(self.review and self.review.anomalies) or spike)


def new_slow(follow_up: FollowUp, found: tuple[Counted, ...]) -> tuple[Counted, ...]:
    """Slow statements that nobody was told of."""
    return tuple(each for each in found if each.id not in follow_up.slow)
