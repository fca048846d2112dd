"""The runbook's rollback criteria as pure verdicts, each in the runbook's own words, and the judgement of a watch.

Two levels, as the runbook has them: an *alert* asks people to look ("Monitoring and Alerting"), a *breach* is one of
the six "Rollback Criteria".  What must last has its window: a spike is not an outage, and a gap is not evidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from bot.runbook.baseline import NOTHING, Baseline, compared, in_force
from bot.runbook.rates import Rate, error_rates, rates_of, seconds_over
from bot.runbook.samples import Judgement, Sample, Verdict
from bot.runbook.thresholds import RUNBOOK, Thresholds

CLOCK_SLACK = 5.0  # seconds between two samples that are never held against anybody
BROKEN_TWICE = 2  # measurements in a row in which a critical workflow fails: one may be the network's fault


class Criterion(StrEnum):
    """Runbook "Rollback Criteria", word for word: any one of them says *initiate rollback immediately*.

    The last one is a row of step 7's own table, whose action is *initiate rollback*, too.
    """

    SQL_ERROR = "Migration fails to apply (SQL error)"
    SCHEMA = "Database schema in inconsistent state"
    ERROR_RATE = "Application error rate >10% for >5 minutes"
    CONNECTIONS = "Database connection failures >5% for >5 minutes"
    INTEGRITY = "Data integrity violations detected"
    CRITICAL = "Critical functionality broken (user login, case creation, etc.)"
    FAILED = "Failed requests >5% for >5 minutes"


@dataclass(frozen=True, kw_only=True)
class Health:
    """The verdict over a period: the judgement, why, and which criterion is met if it is a breach."""

    judgement: Judgement
    reason: str
    criterion: Criterion | None = None


def sql_error(state: str, text: str) -> Verdict:
    """Did the SQL itself fail?  A lock that was not had, or a connection that was lost, says nothing of it."""
    waits = state in ("55P03", "57014", "40P01", "40001") or state[:2] in ("08", "53", "57", "58")
    if not state or waits:
        return Verdict(ok=True, reason="No statement of the migration failed by itself.")
    return Verdict(ok=False, reason=f"ERROR {state}: {text}")


def schema(before: str, after: str, now: str) -> Verdict:
    """Is the schema's fingerprint the one before or the one after?  Anything else is neither, hence inconsistent."""
    if now == before:
        return Verdict(ok=True, reason="The schema is the one before the migration.")
    if after and now == after:
        return Verdict(ok=True, reason="The schema is the one after the migration.")
    known = f"before {before[:12]}…, after {after[:12]}…" if after else f"before {before[:12]}…, after not known"
    return Verdict(ok=False, reason=f"The schema's fingerprint {now[:12]}… is neither of the known ones ({known}).")


def integrity(violations: Sequence[str]) -> Verdict:
    """Are there rows that break a rule?"""
    if not violations:
        return Verdict(ok=True, reason="No violation was found.")
    return Verdict(ok=False, reason="; ".join(violations))


def judge(
    samples: Sequence[Sample],
    *,
    now: float,
    sustained_for: float,
    sample_every: float,
    since: float | None = None,
    thresholds: Thresholds = RUNBOOK,
    before: Baseline = NOTHING,
) -> Health:
    """Hold the samples of a watch, which began at ``since``, against the runbook's thresholds, or the target's own.

    What was over a threshold already ``before`` the migration must have doubled to count.

    A rate must stay over its threshold for longer than ``sustained_for`` seconds, with no gap of more than three
    sampling intervals, to count; a service that does not answer as healthy for as long is broken functionality.
    """
    if not samples or now - samples[-1].at > 3 * sample_every + sustained_for or samples[-1].missing:
        return _no_data("No measurement of the services is coming in.")
    thresholds = in_force(thresholds, before)
    rates = rates_of(samples, thresholds, before)
    windows = {"sustained_for": sustained_for, "max_gap": 3 * sample_every}
    if breach := next(_breaches(samples, rates, frozenset(before.broken), **windows), None):
        return breach
    moments = [*([] if since is None else [since]), *(each.at for each in samples)]
    gap = max((later - earlier for earlier, later in pairwise(moments)), default=0.0)
    if gap > max(sustained_for + 3 * sample_every, CLOCK_SLACK):
        return _no_data(f"For {gap:.0f} s nothing was measured, so what happened then is not known.")
    if lost := _no_longer_measured(rates, now=samples[-1].at, max_gap=sustained_for + 3 * sample_every):
        return _no_data(lost)
    if unproven := _over_with_holes(rates, sustained_for=sustained_for, max_gap=sustained_for + 3 * sample_every):
        return _no_data(unproven)
    return _alerts(samples, thresholds, before, sustained_for=sustained_for, max_gap=3 * sample_every)


def settled(
    samples: Sequence[Sample],
    health: Health,
    *,
    sustained_for: float,
    thresholds: Thresholds = RUNBOOK,
    before: Baseline = NOTHING,
) -> bool:
    """Can a watch end on this verdict?  On a passing alert, yes: one slow answer is not an outage.  Not on a service
    that does not answer as healthy or a workflow that does not work, and not without data."""
    broken = set(samples[-1].broken) - set(before.broken)
    if health.judgement is not Judgement.ALERT or samples[-1].unhealthy or broken:
        return health.judgement is Judgement.HEALTHY
    thresholds = in_force(thresholds, before)
    alerts = [(each.at, float(bool(worth_a_look(each, thresholds, before)))) for each in samples]
    lasted = seconds_over(alerts, 0.0, max_gap=sustained_for)
    high = seconds_over(error_rates(samples), thresholds.error_rate_alert, max_gap=sustained_for)
    return max(lasted, high) <= sustained_for


def undecided(samples: Sequence[Sample], thresholds: Thresholds = RUNBOOK, before: Baseline = NOTHING) -> str:
    """Which rate is over its limit now, but not for long enough to be a breach; a watch does not end on that."""
    return _spike(rates_of(samples, in_force(thresholds, before), before))


def _spike(rates: Sequence[Rate]) -> str:
    for rate in rates:
        _, now = rate.values[-1]
        if rate.limit and now is not None and now > rate.limit:
            return f"{rate.name} {now:.1%} now, over {_share(rate.limit)}; it counts when it lasts."
    return ""


_CRITERIA = {
    "error_rate": Criterion.ERROR_RATE,
    "failed_rate": Criterion.FAILED,
    "connection_failures": Criterion.CONNECTIONS,
    "unhealthy": Criterion.CRITICAL,
}


def _breaches(
    samples: Sequence[Sample], rates: Sequence[Rate], known: frozenset[str], *, sustained_for: float, max_gap: float
) -> Iterator[Health]:
    """``known``: the workflows that did not work before the migration either, so that it did not break them."""
    newest = samples[-1]
    recent = samples[-BROKEN_TWICE:]
    together = all(later.at - earlier.at <= max_gap for earlier, later in pairwise(recent))
    still = set(newest.broken).intersection(*(each.broken for each in recent)) - known
    if still and together and len(recent) == BROKEN_TWICE:
        names = ", ".join(sorted(still))
        yield _breach(Criterion.CRITICAL, f"does not work in {BROKEN_TWICE} measurements in a row: {names}.")
    for rate in rates:
        lasted = seconds_over(rate.values, rate.limit, max_gap=max_gap)
        if lasted <= sustained_for:
            continue
        if not rate.limit:
            yield _breach(_CRITERIA[rate.figure], f"{rate.name} for {lasted:.0f} s: {', '.join(newest.unhealthy)}.")
        else:
            yield _breach(
                _CRITERIA[rate.figure], f"{rate.name} over {_share(rate.limit)} for {lasted:.0f} s (now {rate.newest})."
            )


def _share(limit: float) -> str:
    """10% and 7.5%: a number of one's own may be finer than the runbook's."""
    return f"{limit * 100:.4g}%"


def _breach(criterion: Criterion, figures: str) -> Health:
    return Health(judgement=Judgement.BREACH, reason=figures[0].upper() + figures[1:], criterion=criterion)


def _no_data(reason: str) -> Health:
    return Health(judgement=Judgement.NO_DATA, reason=reason)


def _no_longer_measured(rates: Sequence[Rate], *, now: float, max_gap: float) -> str:
    """A rate that was measured in this watch and is no longer: its window cannot be judged either way."""
    for rate in rates:
        measured = [at for at, value in rate.values if value is not None]
        if rate.limit and measured and now - measured[-1] > max_gap:
            return f"{rate.name} has not been measured for {now - measured[-1]:.0f} s."
    return ""


def _over_with_holes(rates: Sequence[Rate], *, sustained_for: float, max_gap: float) -> str:
    """All that was measured in a window is over the limit, but not all was measured, or not often enough: neither one
    nor the other."""
    for rate in rates:
        lasted = seconds_over(rate.values, rate.limit, max_gap=max_gap, holes=True)
        if lasted > sustained_for:
            return (
                f"{rate.name} was over {_share(rate.limit)} whenever it was measured for {lasted:.0f} s,"
                " but not all was measured."
            )
    return ""


def _alerts(
    samples: Sequence[Sample], thresholds: Thresholds, before: Baseline, *, sustained_for: float, max_gap: float
) -> Health:
    """The rows of the runbook's tables that are worth a look, and no reason to turn back by themselves."""
    sample = samples[-1]
    found = worth_a_look(sample, thresholds, before)
    high = seconds_over(error_rates(samples), thresholds.error_rate_alert, max_gap=max_gap)
    if high > sustained_for:
        found.append(f"error rate over {_share(thresholds.error_rate_alert)} for {high:.0f} s")
    if found:
        reason = "; ".join(found)
        return Health(judgement=Judgement.ALERT, reason=reason[0].upper() + reason[1:] + ".")
    if spike := _spike(rates_of(samples, thresholds, before)):
        return Health(judgement=Judgement.HEALTHY, reason=spike)
    return Health(judgement=Judgement.HEALTHY, reason=f"{_all_is_well(sample, before)}{_silent(sample)}")


def _all_is_well(sample: Sample, before: Baseline) -> str:
    if sample.error_rate is None and sample.failed_rate is None:
        answers = "Health endpoints answer" if sample.healthy else "The database answers"
        return f"{answers}; no request has been counted yet, so rates are not known."
    return f"All measured values are within the runbook's numbers.{compared(sample, before)}"


def _silent(sample: Sample) -> str:
    """Each source that does not say all it should, once."""
    names = sorted({each.source for each in sample.gaps})
    return f" Not all is known from {', '.join(names)}." if names else ""


def worth_a_look(sample: Sample, thresholds: Thresholds = RUNBOOK, before: Baseline = NOTHING) -> list[str]:
    """What of one sample people should look at, with who measured it; what did not work before is known already."""
    found = [f"{name} does not answer as healthy" for name in sample.unhealthy]
    found += [f"{name} does not work" for name in sample.broken if name not in before.broken]
    for figure, text, limit in (
        ("p95_ms", "p95 response time {:.0f} ms, threshold {:.0f} ms", thresholds.p95_ms),
        ("latency_ms", "database latency {:.0f} ms, threshold {:.0f} ms", thresholds.latency_ms),
        ("pool", "connection pool {:.0%} used, threshold {:.0%}", thresholds.pool),
    ):
        value: float | None = getattr(sample, figure)
        if value is not None and value > limit:
            source = sample.source(figure)
            found.append(text.format(value, limit) + (f" ({source})" if source else ""))
    return found
