"""A watch as a picture: which figures it shows, and what is to be seen in words for who cannot see it."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from bot.ports import Attachment
from bot.runbook.run import Run
from bot.runbook.steps import StepName
from bot.views.report.charts import in_words
from bot.views.report.document import Chart, Point
from bot.views.report.measured import MEASURES, value

_MOMENTS = {StepName.STOP_SERVICES: "stopped", StepName.APPLY: "applied", StepName.RESTART_SERVICES: "restarted"}


def chart_file(run: Run, name: str) -> Attachment:
    """The file of a watch's measurements, those from before the migration in front; no text where nothing is known."""
    found = charts_of(run)
    title = f"Measurements of {run.plan.name}, “{run.step.title}”"
    alt = " ".join(f"{each.title}: {in_words(each)}" for each in found)
    text = json.dumps([asdict(each) for each in found], ensure_ascii=False) if found else ""
    return Attachment(name=name, title=title, text=text, alt=alt)


def charts_of(run: Run) -> tuple[Chart, ...]:
    """One for each figure that was measured, with the run's moments."""
    marks = tuple(_moments(run))
    found = []
    for measure in MEASURES:
        before = [Point(at=each.at, value=value(each, measure)) for each in run.baseline]
        hole = [Point(at=before[-1].at, value=None)] if before else []
        after = [Point(at=each.at, value=value(each, measure)) for each in run.samples]
        chart = Chart(
            title=measure.title,
            unit=measure.unit,
            points=(*before, *hole, *after),
            limit=measure.held_to(run.plan.thresholds),
            marks=marks,
        )
        if any(each.value is not None for each in after):
            found.append(chart)
    return tuple(found)


def _moments(run: Run) -> Iterator[tuple[float, str]]:
    for each in run.done:
        if each.step in _MOMENTS:
            yield each.ended_at, _MOMENTS[each.step]
