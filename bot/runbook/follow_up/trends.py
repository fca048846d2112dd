"""Is it getting worse?  A pure judgement over slow measurements, held against the run's own watch.

Runbook "Extended Monitoring (24 hours)": error rates trending up, performance degradation, slow queries.  A trend is
*worse* by its level (the middle of the newest half hour) or by creeping (a rise over two hours that chance does not
make); it is *calm* when three in four of the newest two hours are well below that and nothing rises.  In between
nothing is said, so that nothing flaps.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import ceil, sqrt
from statistics import median

from bot.runbook.samples import Sample

NEWEST = 6  # measurements whose middle is "now": half an hour at the default pace
LONG = 24  # measurements in which creeping is looked for: two hours
_ENOUGH = 3  # measurements of the run's watch that make a yardstick
_RAISE, _CALM = 1.5, 1.25  # times the yardstick, plus the least that matters, or half of it
_CHANCE = 3.0  # standard deviations of the Mann-Kendall statistic: one in 740 by chance
_AGAIN = 2  # measurements in a row in which a service does not answer
_SILENT = 3  # measurements in a row that bring nothing


class Trend(StrEnum):
    """What may get worse."""

    ERRORS = "error rate"
    P95 = "response time (p95)"
    LATENCY = "database latency"
    SERVICES = "services"
    DATA = "measurements"


class Course(StrEnum):
    """Which way it goes."""

    WORSE = "worse"
    CALM = "calm"
    OPEN = "open"  # neither, or not known


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One trend with the reason in words."""

    trend: Trend
    course: Course
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class _Figure:
    """``least`` is the smallest difference that matters, ``limit`` the runbook's alert ("Key Metrics")."""

    trend: Trend
    value: Callable[[Sample], float | None]
    least: float
    limit: float
    words: str


_FIGURES = (  # least: half of the 1 %, a tenth of the 500 ms and of the 100 ms of runbook step 7 and "Key Metrics"
    _Figure(trend=Trend.ERRORS, value=lambda s: s.error_rate, least=0.005, limit=0.05, words="{:.2%}"),
    _Figure(trend=Trend.P95, value=lambda s: s.p95_ms, least=50.0, limit=1000.0, words="{:.0f} ms"),
    _Figure(trend=Trend.LATENCY, value=lambda s: s.latency_ms, least=10.0, limit=100.0, words="{:.0f} ms"),
)


def findings(yardstick: Sequence[Sample], samples: Sequence[Sample]) -> tuple[Finding, ...]:
    """Every trend, held against ``yardstick`` (the run's own watch); ``samples`` are since, oldest first."""
    return (*(_figure(each, yardstick, samples) for each in _FIGURES), _services(samples), _data(samples))


def _figure(figure: _Figure, yardstick: Sequence[Sample], samples: Sequence[Sample]) -> Finding:
    base = _measured(figure, yardstick)
    newest = _measured(figure, samples[-NEWEST:])
    if len(base) < _ENOUGH or len(newest) < NEWEST:
        return Finding(trend=figure.trend, course=Course.OPEN)
    before, now = median(base), median(newest)
    course, how = _course(figure, before, now, _measured(figure, samples[-LONG:]))
    figures = f"{figure.words.format(now)} in the newest {NEWEST} measurements, {figure.words.format(before)} in the"
    return Finding(trend=figure.trend, course=course, reason=f"{how}: {figures} watch of the run")


def _course(figure: _Figure, before: float, now: float, recent: Sequence[float]) -> tuple[Course, str]:
    if now > figure.limit >= before:
        return Course.WORSE, f"over {figure.words.format(figure.limit)}"
    if now > before * _RAISE + figure.least:
        return Course.WORSE, "well above"
    rise, much = _rise(recent), max(before * (_RAISE - 1), figure.least)
    if rise > much and _upward(recent):
        return Course.WORSE, "trending up"
    if _most_of(recent) < before * _CALM + figure.least / 2 and rise < much / 4:
        return Course.CALM, "as before"
    return Course.OPEN, "somewhat above"


def _measured(figure: _Figure, samples: Sequence[Sample]) -> list[float]:
    return [value for each in samples if (value := figure.value(each)) is not None]


def _rise(values: Sequence[float]) -> float:
    """By how much the line through them rises (Theil-Sen: the middle of all slopes), from the first to the last."""
    if len(values) < LONG:
        return 0.0
    slopes = [(later - earlier) / (j - i) for (i, earlier), (j, later) in combinations(enumerate(values), 2)]
    return median(slopes) * (len(values) - 1)


def _most_of(values: Sequence[float]) -> float:
    """What three in four of them are at most."""
    return sorted(values)[ceil(0.75 * len(values)) - 1]


def _upward(values: Sequence[float]) -> bool:
    """Mann-Kendall: are later values higher than earlier ones more often than chance has it?"""
    n = len(values)
    score = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    return score > _CHANCE * sqrt(n * (n - 1) * (2 * n + 5) / 18)


def _services(samples: Sequence[Sample]) -> Finding:
    """A service that does not answer, or a workflow that does not work, twice in a row: once may be the network."""
    newest = samples[-_AGAIN:]
    if len(newest) < _AGAIN or any(each.missing for each in newest):
        return Finding(trend=Trend.SERVICES, course=Course.OPEN)
    ill = [set((*each.unhealthy, *each.broken)) for each in newest]
    if still := set.intersection(*ill):
        names = ", ".join(sorted(still))
        return Finding(trend=Trend.SERVICES, course=Course.WORSE, reason=f"not as it should be: {names}")
    if not any(ill):
        return Finding(trend=Trend.SERVICES, course=Course.CALM, reason="every service answers")
    return Finding(trend=Trend.SERVICES, course=Course.OPEN)


def _data(samples: Sequence[Sample]) -> Finding:
    """Silence is not health."""
    newest = samples[-_SILENT:]
    if len(newest) == _SILENT and all(each.missing for each in newest):
        reason = f"{_SILENT} in a row have brought nothing"
        return Finding(trend=Trend.DATA, course=Course.WORSE, reason=reason)
    if newest and not newest[-1].missing:
        return Finding(trend=Trend.DATA, course=Course.CALM, reason="they come in again")
    return Finding(trend=Trend.DATA, course=Course.OPEN)


def worse(found: Sequence[Finding], known: frozenset[Trend]) -> Iterator[Finding]:
    """What is worse and not yet known to be."""
    return (each for each in found if each.course is Course.WORSE and each.trend not in known)


def calmed(found: Sequence[Finding], known: frozenset[Trend]) -> Iterator[Finding]:
    """What was worse and is calm again."""
    return (each for each in found if each.course is Course.CALM and each.trend in known)
