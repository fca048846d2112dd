"""Rates over a watch: what is known of them at each moment, and for how long they are too high."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.runbook.baseline import NOTHING, Baseline
from bot.runbook.samples import Sample
from bot.runbook.thresholds import Thresholds

Values = Sequence[tuple[float, float | None]]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One rate over the whole watch: its values, and who measured the newest.  ``figure`` is its field in a sample."""

    figure: str
    name: str
    limit: float
    values: Values
    source: str = ""
    before: float | None = None  # what was usual before the migration

    @property
    def newest(self) -> str:
        """The newest value that there is, for people."""
        value = next((value for _, value in reversed(self.values) if value is not None), 0.0)
        before = "" if self.before is None else f"; before the migration {self.before:.1%}"
        return f"{value:.1%}{f', {self.source}' if self.source else ''}{before}"


def rates_of(samples: Sequence[Sample], thresholds: Thresholds, before: Baseline = NOTHING) -> tuple[Rate, ...]:
    """The rates that can mean a breach when they last, in the runbook's order; the last one has no limit: any is."""
    down = [(each.at, None if each.missing else float(bool(each.unhealthy))) for each in samples]
    measured = (
        _rate("error_rate", "Error rate", samples, thresholds.error_rate),
        _rate("failed_rate", "Failed requests", samples, thresholds.failed_rate),
        _rate("connection_failures", "Database connection failures", samples, thresholds.connection_failures),
    )
    return (
        *(replace(each, before=before.figure(each.figure)) for each in measured),
        Rate(figure="unhealthy", name="Unhealthy services", limit=0.0, values=down),
    )


def error_rates(samples: Sequence[Sample]) -> Values:
    """The error rate alone, as measured."""
    return [(each.at, each.error_rate) for each in samples]


def _rate(figure: str, name: str, samples: Sequence[Sample], limit: float) -> Rate:
    values, source = tuple(_known(samples, figure, limit)), samples[-1].source(figure)
    return Rate(figure=figure, name=name, limit=limit, values=values, source=source)


def _known(samples: Sequence[Sample], figure: str, limit: float) -> Iterator[tuple[float, float | None]]:
    """The values of a figure.  Who said that it is too high and says nothing more is not overruled by the others: as
    long as that source is silent, a lower value of another one is no evidence that all is well again."""
    accuser = ""
    for each in samples:
        value: float | None = getattr(each, figure)
        if value is not None and value > limit:
            accuser = each.source(figure)
        elif accuser and any(gap.source == accuser and gap.covers(figure) for gap in each.gaps):
            value = None
        elif value is not None:
            accuser = ""
        yield each.at, value


def seconds_over(values: Values, limit: float, *, max_gap: float, holes: bool = False) -> float:
    """How long the newest unbroken stretch over ``limit`` has lasted; 0 if the newest value is not over it.

    A measurement that is missing breaks it, unless ``holes`` are passed over.
    """
    end = begin = None
    for at, value in reversed(values):
        if value is None and holes:
            continue
        if value is None or value <= limit or (begin is not None and begin - at > max_gap):
            break
        begin = at
        end = at if end is None else end
    return 0.0 if begin is None or end is None else end - begin
