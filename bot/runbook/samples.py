"""What is measured of the running system, and the answers a judgement can give.

Judging is apart from measuring: a sample is data, a verdict is a pure function of samples (``criteria``).
A number that could not be measured is ``None``; "no data" is its own verdict, never healthy.
"""

from dataclasses import dataclass
from enum import StrEnum


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
class Gap:
    """A source of metrics that should know ``figure`` (empty: anything at all) and does not, and why."""

    source: str
    figure: str = ""
    why: str = ""

    def covers(self, figure: str) -> bool:
        return self.figure in ("", figure)


@dataclass(frozen=True, kw_only=True)
class ErrorKind:
    """A kind of error in a service's log: its words without values, its SQLSTATE where it has one, and how often it
    stands in the newest lines."""

    service: str
    text: str
    count: int
    state: str = ""

    @property
    def times(self) -> str:
        return "once" if self.count == 1 else f"{self.count} times"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look at the running system; rates are fractions of 1, times milliseconds, throughput requests per minute.

    ``connection_failures`` is the share of attempts to reach the database that failed; ``broken`` names the critical
    workflows (runbook step 7) that were tried and do not work.  ``sources`` says which source a figure is from (field
    -> its name) where it is not the bot's own probe; ``gaps`` are what sources should have known.
    """

    at: float
    healthy: tuple[str, ...] = ()  # services whose health endpoint answered 200 with the runbook's JSON
    unhealthy: tuple[str, ...] = ()
    error_rate: float | None = None
    failed_rate: float | None = None
    p95_ms: float | None = None
    pool: float | None = None
    latency_ms: float | None = None
    connection_failures: float | None = None
    broken: tuple[str, ...] = ()
    throughput: float | None = None
    sources: tuple[tuple[str, str], ...] = ()
    gaps: tuple[Gap, ...] = ()
    errors: tuple[ErrorKind, ...] = ()  # in the newest lines of the services' logs
    logs_read: bool = False

    def source(self, figure: str) -> str:
        """Who measured ``figure``; empty for the bot's own probe."""
        return dict(self.sources).get(figure, "")

    @property
    def missing(self) -> bool:
        """True when nothing at all was measured: no rate, no service, no try to reach the database."""
        rates = (self.error_rate, self.failed_rate, self.connection_failures)
        return all(each is None for each in rates) and not self.healthy and not self.unhealthy and not self.broken
