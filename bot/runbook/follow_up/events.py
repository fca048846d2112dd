"""What happened after a run.  Past tense; the ledger keeps these like those of a run."""

from dataclasses import dataclass

from bot.runbook.follow_up.follow_up import Review, Said
from bot.runbook.follow_up.queries import Counted, Counts
from bot.runbook.follow_up.trends import Trend
from bot.runbook.run import Plan
from bot.runbook.samples import Sample


@dataclass(frozen=True, kw_only=True)
class FollowUpBegan:
    """The run is completed; ``yardstick`` is its own watch, ``before`` was measured before the migration."""

    run: str
    plan: Plan
    asked: tuple[str, ...]
    completed_at: float
    at: float
    yardstick: tuple[Sample, ...] = ()
    before: tuple[Sample, ...] = ()
    counts: Counts | None = None


@dataclass(frozen=True, kw_only=True)
class LookTaken:
    sample: Sample
    at: float


@dataclass(frozen=True, kw_only=True)
class LookSkipped:
    """Another run is on: what is measured now says nothing about this one."""

    why: str
    at: float


@dataclass(frozen=True, kw_only=True)
class TrendRaised:
    trend: Trend
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class TrendCalmed:
    trend: Trend
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class SlowSeen:
    """Statements that are slow and were not known to be."""

    statements: tuple[Counted, ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class DayEnded:
    at: float


@dataclass(frozen=True, kw_only=True)
class ReviewPosted:
    review: Review
    at: float


@dataclass(frozen=True, kw_only=True)
class TicketsAnswered:
    said: Said


@dataclass(frozen=True, kw_only=True)
class AnomaliesNoted:
    said: Said


@dataclass(frozen=True, kw_only=True)
class FollowUpNudged:
    at: float


@dataclass(frozen=True, kw_only=True)
class FollowUpClosed:
    """``reason`` in one sentence; ``answered``: nothing was left open."""

    reason: str
    at: float
    answered: bool = True


@dataclass(frozen=True, kw_only=True)
class FollowUpOvertaken:
    """Another migration of the target was completed, or went back."""

    by: str
    at: float


Event = (
    FollowUpBegan
    | LookTaken
    | LookSkipped
    | TrendRaised
    | TrendCalmed
    | SlowSeen
    | DayEnded
    | ReviewPosted
    | TicketsAnswered
    | AnomaliesNoted
    | FollowUpNudged
    | FollowUpClosed
    | FollowUpOvertaken
)
