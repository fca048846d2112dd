"""What a watch measures, figure by figure: value, threshold and trend, for the card and the status updates."""

from collections.abc import Iterator

from bot.runbook.baseline import baseline_of, in_force
from bot.runbook.blame import new_kinds
from bot.runbook.run import Run, State
from bot.views.report.charts import shown
from bot.views.report.measured import MEASURES, Measure, value
from bot.views.text import said

_STEADY = 0.2  # of the earlier value: less than that is no trend
_KINDS = 3  # of error, the most frequent
_SMALL = {"%": 0.5, "ms": 10.0}  # nor is less than that, in the unit that is shown


def figures(run: Run) -> tuple[str, ...]:
    """A line for each figure that the newest measurement has; none outside of a watch."""
    if run.state is not State.WATCHING or not run.samples:
        return ()
    return (*_lines(run), *_errors(run))


def _lines(run: Run) -> Iterator[str]:
    newest, before = run.samples[-1], baseline_of(run.baseline)
    limits = in_force(run.plan.thresholds, before)
    for measure in MEASURES:
        now = value(newest, measure)
        if now is None:
            continue
        limit = measure.held_to(limits)
        sign = "⚠️ " if now > limit else ""
        usual = before.figure(measure.field)
        then = "" if usual is None else f"; before the migration {shown(usual * measure.factor, measure.unit)}"
        source = f" ({said(newest.source(measure.field), 60)})" if newest.source(measure.field) else ""
        yield (
            f"{sign}{measure.title} {shown(now, measure.unit)}{source}, threshold {shown(limit, measure.unit)},"
            f" {_trend(run, measure, now)}{then}"
        )


def _errors(run: Run) -> Iterator[str]:
    """What the services' logs have only since the restart, by kind."""
    for each in new_kinds(run)[:_KINDS]:
        state = f" ({each.state})" if each.state and each.state not in each.text else ""
        yield f"⚠️ New kind of error in {said(each.service, 60)}, {each.times}: {said(each.text, 200)}{state}"


def _trend(run: Run, measure: Measure, now: float) -> str:
    """Against the measurement of five minutes ago (the runbook's window), or the first one of the watch."""
    newest, window = run.samples[-1].at, run.plan.timing.sustained_for
    earlier = [
        found for each in run.samples[:-1] if (found := value(each, measure)) is not None and each.at <= newest - window
    ] or [found for each in run.samples[:1] if (found := value(each, measure)) is not None]
    if not earlier or len(run.samples) == 1:
        return "first measurement"
    moved = now - earlier[-1]
    if abs(moved) <= max(_STEADY * earlier[-1], _SMALL[measure.unit]):
        return "→ steady"
    return f"{'↗ up' if moved > 0 else '↘ down'} from {shown(earlier[-1], measure.unit)}"
