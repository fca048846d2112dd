"""The measurements of a run's watches as charts, figure by figure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.runbook import events as e
from bot.runbook.samples import Judgement, Sample
from bot.runbook.thresholds import RUNBOOK, Thresholds
from bot.views.report.document import Chart, Point
from bot.views.timeline import walked


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of a sample: how it is shown, and the threshold that people look at."""

    field: str
    title: str
    unit: str
    factor: float = 1.0
    threshold: str = ""  # its field of the thresholds

    def held_to(self, thresholds: Thresholds) -> float:
        """The number that people look at, as it is shown."""
        limit: float = getattr(thresholds, self.threshold or self.field)
        return limit * self.factor


MEASURES = (  # thresholds: the rows of runbook step 7, "Metrics to Watch", and of "Key Metrics"
    Measure(field="error_rate", title="Error rate", unit="%", factor=100, threshold="error_rate_alert"),
    Measure(field="failed_rate", title="Failed requests", unit="%", factor=100),
    Measure(field="p95_ms", title="Response time (p95)", unit="ms"),
    Measure(field="latency_ms", title="Database latency", unit="ms"),
    Measure(field="pool", title="Database connections", unit="%", factor=100),
)


def value(sample: Sample, measure: Measure) -> float | None:
    """The figure as it is shown; ``None`` where it was not measured."""
    found: float | None = getattr(sample, measure.field)
    return None if found is None else found * measure.factor


def watches(run_id: str, events: Sequence[e.Event]) -> dict[str, list[Sample]]:
    """The samples of each watch, by the title of its step; those from before the migration under their own."""
    found: dict[str, list[Sample]] = {}
    for run, event in walked(run_id, events):
        if isinstance(event, e.Sampled):
            found.setdefault(run.step.title, []).append(event.sample)
        elif isinstance(event, e.BaselineTaken):
            found.setdefault("before the migration", []).append(event.sample)
    return found


def charts(run_id: str, events: Sequence[e.Event], thresholds: Thresholds = RUNBOOK) -> tuple[Chart, ...]:
    """Every figure that was measured, watch by watch."""
    marks = tuple(_marks(events))
    return tuple(
        chart
        for title, samples in watches(run_id, events).items()
        for measure in MEASURES
        if (chart := drawn(title, samples, measure, marks, thresholds)) is not None
    )


def drawn(
    title: str,
    samples: Sequence[Sample],
    measure: Measure,
    marks: tuple[tuple[float, str], ...] = (),
    thresholds: Thresholds = RUNBOOK,
) -> Chart | None:
    """One chart, or nothing where the figure was never measured."""
    points = tuple(Point(at=each.at, value=value(each, measure)) for each in samples)
    limit = measure.held_to(thresholds)
    chart = Chart(title=f"{measure.title}, {title}", unit=measure.unit, points=points, limit=limit, marks=marks)
    return chart if chart.values else None


def _marks(events: Sequence[e.Event]) -> Iterator[tuple[float, str]]:
    """The moments at which a verdict changed for the worse."""
    for event in events:
        if isinstance(event, e.HealthJudged) and event.judgement is not Judgement.HEALTHY:
            yield event.at, str(event.judgement)
