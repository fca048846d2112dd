"""The numbers that measurements are held against: the runbook's, unless a target has its own."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What is too much; rates are fractions of 1, times milliseconds.  All of them mean *more than*.

    Three of the rates last (``Timing.sustained_for``) before the runbook says to roll back:

    - ``error_rate``: "Rollback Criteria": application error rate >10% for >5 minutes
    - ``failed_rate``: step 7, "Metrics to Watch": failed requests >5% for >5 minutes
    - ``connection_failures``: "Rollback Criteria": database connection failures >5% for >5 minutes

    The others ask people to look:

    - ``error_rate_alert``: "Key Metrics": error rate >5% for >5 min
    - ``p95_ms``: step 7 and "Key Metrics": response time (p95) >1000ms
    - ``pool``: step 7 and "Key Metrics": database connections >90% pool
    - ``latency_ms``: "Key Metrics": database latency >100ms p95
    """

    error_rate: float = 0.10
    failed_rate: float = 0.05
    connection_failures: float = 0.05
    error_rate_alert: float = 0.05
    p95_ms: float = 1000.0
    pool: float = 0.90
    latency_ms: float = 100.0


RUNBOOK = Thresholds()
