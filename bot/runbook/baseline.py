"""How the services were before the migration, and what that means for the numbers they are held against afterwards.

A service that had 6 % errors before is not blamed on the migration; a doubling is.  So a number that was passed
already before, or almost, gives way to twice the figure of then; every other number stays as it is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bot.runbook.samples import Sample
from bot.runbook.thresholds import Thresholds

MOST = 20  # measurements that are kept, the newest: ten minutes of them at one in 30 s
NEARLY = 0.9  # of a limit: a rate of few requests is coarse, and its median may lie just below what it truly is
FEWEST = 3  # from so many on a median is more than chance


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The medians of the measurements before the first change; rates are fractions of 1, times milliseconds."""

    measurements: int
    error_rate: float | None = None
    failed_rate: float | None = None
    connection_failures: float | None = None
    p95_ms: float | None = None
    pool: float | None = None
    latency_ms: float | None = None
    throughput: float | None = None
    broken: tuple[str, ...] = ()  # workflows that did not work in most of them

    def figure(self, name: str) -> float | None:
        """The median of one figure; ``None`` where it was measured too seldom."""
        found: float | None = getattr(self, name, None)
        return found


NOTHING = Baseline(measurements=0)


def kept(samples: Sequence[Sample], another: Sample) -> tuple[Sample, ...]:
    """The newest measurements, never more than ``MOST``."""
    return (*samples, another)[-MOST:]


def baseline_of(samples: Sequence[Sample]) -> Baseline:
    """What was usual: a median, so that one bad moment before excuses nothing afterwards."""
    return Baseline(
        measurements=len(samples),
        error_rate=_usual(each.error_rate for each in samples),
        failed_rate=_usual(each.failed_rate for each in samples),
        connection_failures=_usual(each.connection_failures for each in samples),
        p95_ms=_usual(each.p95_ms for each in samples),
        pool=_usual(each.pool for each in samples),
        latency_ms=_usual(each.latency_ms for each in samples),
        throughput=_usual(each.throughput for each in samples),
        broken=_mostly(each.broken for each in samples),
    )


def _mostly(named: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """What is named in more than half of them."""
    listed = list(named)
    counted = Counter(name for names in listed for name in set(names))
    return tuple(sorted(name for name, count in counted.items() if 2 * count > len(listed)))


def _usual(measured: Iterable[float | None]) -> float | None:
    values = [each for each in measured if each is not None]
    return median(values) if len(values) >= FEWEST else None


def in_force(own: Thresholds, before: Baseline) -> Thresholds:
    """The thresholds of a watch, given how it was before."""
    return replace(
        own,
        error_rate=_raised(own.error_rate, before.error_rate, _twice_the_share),
        failed_rate=_raised(own.failed_rate, before.failed_rate, _twice_the_share),
        connection_failures=_raised(own.connection_failures, before.connection_failures, _twice_the_share, from_=1.0),
        error_rate_alert=_raised(own.error_rate_alert, before.error_rate, _twice_the_share),
        p95_ms=_raised(own.p95_ms, before.p95_ms, _twice, from_=1.0),
        pool=_raised(own.pool, before.pool, _twice_the_share, from_=1.0),
        latency_ms=_raised(own.latency_ms, before.latency_ms, _twice, from_=1.0),
    )


def _raised(limit: float, before: float | None, grown: Callable[[float], float], *, from_: float = NEARLY) -> float:
    return limit if before is None or before <= from_ * limit else max(limit, grown(before))


def _twice(before: float) -> float:
    return 2 * before


def _twice_the_share(before: float) -> float:
    """Twice as many, or half of those that were well lost: of 60 % nothing can be doubled, and 80 % is worse enough."""
    return min(2 * before, (1 + before) / 2)


def compared(sample: Sample, before: Baseline) -> str:
    """What the figures are now beside what they were, for people; empty where nothing can be compared."""
    pairs = [
        (name, before.figure(figure), value, text)
        for figure, name, text in (
            ("error_rate", "error rate", "{:.1%}"),
            ("p95_ms", "p95", "{:.0f} ms"),
            ("latency_ms", "database latency", "{:.0f} ms"),
        )
        if (value := getattr(sample, figure)) is not None
    ]
    told = [f"{name} {text.format(then)} → {text.format(now)}" for name, then, now, text in pairs if then is not None]
    return f" Before and now: {', '.join(told)}." if told else ""
