"""The 48-hour review: runbook "Metrics Review (48 hours post-migration)", as far as the bot can answer it."""

from collections.abc import Callable, Sequence
from statistics import median

from bot.runbook.follow_up.follow_up import Compared, FollowUp, Review
from bot.runbook.follow_up.queries import Counts, became_slower, incomparable, overall
from bot.runbook.samples import Sample

#: Word for word, in the runbook's order.
BOXES = (
    "Compare error rates pre/post migration",
    "Compare response times pre/post migration",
    "Review database query performance",
    "Analyze any spike in support tickets",
    "Document any anomalies",
)
_MOST = 10  # statements that are listed


def review(f: FollowUp, counts: Counts) -> Review:
    """Before against after; what cannot be compared says why."""
    before = f.before or f.yardstick
    why = incomparable(f.counts, counts)
    then, now = (None, None) if why or f.counts is None else overall(f.counts, counts)
    slower = () if why or f.counts is None else became_slower(f.counts, counts)[:_MOST]
    grown = tuple(f"{each.text} takes {each.after_ms:.0f} ms, before {each.before_ms:.0f} ms" for each in slower)
    return Review(
        errors=_compared("Error rate", "%", before, f.samples, lambda s: _percent(s.error_rate)),
        times=_compared("Response time (p95)", "ms", before, f.samples, lambda s: s.p95_ms),
        queries=Compared(what="Mean time of a statement", unit="ms", before=then, after=now),
        yardstick="measured before the migration" if f.before else "the run's own watch, right after the restart",
        why_no_queries=why,
        slower=slower,
        anomalies=(*f.anomalies, *grown),
    )


def _compared(
    what: str,
    unit: str,
    before: Sequence[Sample],
    after: Sequence[Sample],
    value: Callable[[Sample], float | None],
) -> Compared:
    return Compared(what=what, unit=unit, before=_middle(before, value), after=_middle(after, value))


def _middle(samples: Sequence[Sample], value: Callable[[Sample], float | None]) -> float | None:
    found = [each for sample in samples if (each := value(sample)) is not None]
    return median(found) if found else None


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100
