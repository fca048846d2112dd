"""What is measured after the restart, and the runbook's numbers to hold it against (runbook step 7).

Judging is apart from measuring: a sample is data, a verdict is a pure function of samples.
A number that could not be measured is ``None``; "no data" is its own verdict, never healthy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

ERROR_RATE_ROLLBACK = 0.10  # runbook step 7: error rate >10% for >5 minutes: initiate rollback
FAILED_ROLLBACK = 0.05  # runbook step 7: failed requests >5% for >5 minutes: initiate rollback
P95_ALERT_MS = 1000.0  # runbook step 7: response time (p95) >1000ms: investigate
POOL_ALERT = 0.90  # runbook step 7: database connections >90% pool utilization
LATENCY_ALERT_MS = 100.0  # runbook "Key Metrics": database latency >100ms p95


CLOCK_SLACK = 5.0  # seconds between two samples that are never held against anybody


class Judgement(StrEnum):
    """The four answers a period of samples can give."""

    HEALTHY = "healthy"
    ALERT = "alert"  # people should look
    BREACH = "breach"  # the runbook says: roll back
    NO_DATA = "no data"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A judgement with its reason in the words people will read."""

    ok: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look at the running system; rates are fractions of 1, times milliseconds."""

    at: float
    healthy: tuple[str, ...] = ()  # services whose health endpoint answered 200 with the runbook's JSON
    unhealthy: tuple[str, ...] = ()
    error_rate: float | None = None
    failed_rate: float | None = None
    p95_ms: float | None = None
    pool: float | None = None
    latency_ms: float | None = None

    @property
    def missing(self) -> bool:
        """True when nothing at all was measured of the requests."""
        return self.error_rate is None and self.failed_rate is None and not self.healthy and not self.unhealthy


@dataclass(frozen=True, kw_only=True)
class Health:
    """The verdict over a period: the judgement, and why."""

    judgement: Judgement
    reason: str


def judge(samples: Sequence[Sample], *, now: float, sustained_for: float, sample_every: float) -> Health:
    """Hold the newest samples against the runbook's thresholds.

    A rate must stay over its threshold for the whole of ``sustained_for`` seconds, with no gap of more than
    three sampling intervals, to count as a breach: a spike is not an outage, and a gap is not evidence.  A service
    that does not answer as healthy for as long counts as the runbook's "critical functionality broken".
    """
    if not samples or now - samples[-1].at > 3 * sample_every + sustained_for or samples[-1].missing:
        return Health(judgement=Judgement.NO_DATA, reason="No measurement of the services is coming in.")
    gap = max((later.at - earlier.at for earlier, later in pairwise(samples)), default=0.0)
    for name, limit, values in (
        ("Error rate", ERROR_RATE_ROLLBACK, [(s.at, s.error_rate) for s in samples]),
        ("Failed requests", FAILED_ROLLBACK, [(s.at, s.failed_rate) for s in samples]),
        ("Unhealthy services", 0.0, [(s.at, float(bool(s.unhealthy))) for s in samples]),
    ):
        lasted = _seconds_over(values, limit, max_gap=3 * sample_every)
        if lasted > sustained_for:
            return Health(judgement=Judgement.BREACH, reason=_breach(name, limit, lasted, samples[-1], values[-1][1]))
    if gap > max(sustained_for + 3 * sample_every, CLOCK_SLACK):
        reason = f"For {gap:.0f} s nothing was measured, so what happened then is not known."
        return Health(judgement=Judgement.NO_DATA, reason=reason)
    return _alerts(samples[-1])


def settled(samples: Sequence[Sample], health: Health, *, sustained_for: float) -> bool:
    """Can a watch end on this verdict?  On a passing alert, yes: one slow answer is not an outage.  Not on a service
    that does not answer as healthy, and not without data."""
    if health.judgement is not Judgement.ALERT or samples[-1].unhealthy:
        return health.judgement is Judgement.HEALTHY
    alerts = [(each.at, float(_alerts(each).judgement is Judgement.ALERT)) for each in samples]
    return _seconds_over(alerts, 0.0, max_gap=sustained_for) <= sustained_for


def _alerts(sample: Sample) -> Health:
    """The single-sample rows of the runbook's table: worth a look, no reason to turn back by themselves."""
    found = [f"{name} does not answer as healthy" for name in sample.unhealthy]
    for text, value, limit in (
        ("p95 response time {:.0f} ms, threshold 1000 ms", sample.p95_ms, P95_ALERT_MS),
        ("database latency {:.0f} ms, threshold 100 ms", sample.latency_ms, LATENCY_ALERT_MS),
    ):
        if value is not None and value > limit:
            found.append(text.format(value))
    if sample.pool is not None and sample.pool > POOL_ALERT:
        found.append(f"connection pool {sample.pool:.0%} used, threshold 90%")
    if found:
        return Health(judgement=Judgement.ALERT, reason="; ".join(found).capitalize() + ".")
    if sample.error_rate is None and sample.failed_rate is None:
        reason = "Health endpoints answer; no request has been counted yet, so rates are not known."
        return Health(judgement=Judgement.HEALTHY, reason=reason)
    return Health(judgement=Judgement.HEALTHY, reason="All measured values are within the runbook's numbers.")


def _breach(name: str, limit: float, lasted: float, sample: Sample, value: float | None) -> str:
    if not limit:
        return f"{name} for {lasted:.0f} s: {', '.join(sample.unhealthy)}."
    return f"{name} over {limit:.0%} for {lasted:.0f} s (now {value or 0:.1%})."


def _seconds_over(values: Sequence[tuple[float, float | None]], limit: float, *, max_gap: float) -> float:
    """How long the newest unbroken stretch over ``limit`` has lasted; 0 if the newest value is not over it."""
    end = begin = None
    for at, value in reversed(values):
        if value is None:  # not measured: neither for nor against, as long as the gap stays short
            continue
        if value <= limit or (begin is not None and begin - at > max_gap):
            break
        begin = at
        end = at if end is None else end
    return 0.0 if begin is None or end is None else end - begin
