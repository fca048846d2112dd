"""The chart of a watch: what it shows, how large it is, and that what was not measured is not drawn."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from bot.runbook.people import Policy
from bot.runbook.run import Done, Plan, Run, State
from bot.runbook.samples import Sample
from bot.runbook.steps import Route, StepName
from bot.runbook.thresholds import Thresholds
from bot.views.charted import chart_file, charts_of
from integrations.picture.draw import GAP, HEAD, PANEL, WIDTH, draw

LINE = (18, 100, 163)


def watch(*samples: Sample) -> Run:
    """Twenty minutes after the stop, with what was measured before it and since the restart."""
    plan = Plan(
        target="casework", database="d", name="Case <priority>", purpose="p", migrations=("a.sql",), starter="U",
        starter_name="Dana", channel="C", policy=Policy(approvers=frozenset()),
    )  # fmt: skip
    moments = ((StepName.STOP_SERVICES, 900.0), (StepName.APPLY, 1200.0), (StepName.RESTART_SERVICES, 1440.0))
    done = tuple(Done(step=step, began_at=at - 10, ended_at=at) for step, at in moments)
    before = tuple(Sample(at=600.0 + 30 * number, error_rate=0.01, p95_ms=200.0) for number in range(5))
    return Run(
        id="m-1", plan=plan, version=9, state=State.WATCHING, route=Route.FORWARD, position=7, started_at=0.0,
        since=1500.0, baseline=before, samples=samples, done=done,
    )  # fmt: skip


SAMPLES = tuple(Sample(at=1500.0 + 30 * number, error_rate=0.02, p95_ms=400.0) for number in range(20))


def seen(run: Run) -> Image.Image:
    return Image.open(io.BytesIO(draw(chart_file(run, "m-1-9.png")))).convert("RGB")


def blue(image: Image.Image) -> int:
    """How many pixels are of the line's colour, or nearly."""
    return sum(
        count
        for count, colour in image.getcolors(1 << 24) or ()
        if isinstance(colour, tuple) and all(abs(a - b) < 40 for a, b in zip(colour, LINE, strict=True))
    )


def test_each_figure_that_was_measured_has_its_panel() -> None:
    """Two of the five were, so they stand side by side; the paper is white in light and dark."""
    image = seen(watch(*SAMPLES))
    assert (WIDTH, HEAD + PANEL + GAP) == image.size
    assert (255, 255, 255) == image.getpixel((2, 2))
    assert ["Error rate", "Response time (p95)"] == [each.title for each in charts_of(watch(*SAMPLES))]


def test_a_hole_is_not_drawn() -> None:
    """Without half of the measurements there is about half of the line."""
    holed = tuple(each if number < 5 else Sample(at=each.at) for number, each in enumerate(SAMPLES))
    assert 0 < blue(seen(watch(*holed))) < 0.6 * blue(seen(watch(*SAMPLES)))


def test_it_says_in_words_what_is_to_be_seen() -> None:
    """For who cannot see it, with the target's own threshold."""
    run = watch(*SAMPLES)
    own = replace(run, plan=replace(run.plan, thresholds=Thresholds(p95_ms=300.0)))
    assert "last 400 ms; threshold 300 ms, exceeded 20 times" in chart_file(own, "x.png").alt
    assert "Measurements of Case <priority>, “" in chart_file(own, "x.png").title


def test_the_runs_moments_are_marked() -> None:
    """So that people see what followed upon what."""
    (first, *_) = charts_of(watch(*SAMPLES))
    assert ((900.0, "stopped"), (1200.0, "applied"), (1440.0, "restarted")) == first.marks


@pytest.mark.parametrize("samples", [(), (Sample(at=1500.0),)], ids=["none", "a gap"])
def test_of_nothing_there_is_no_picture(samples: tuple[Sample, ...]) -> None:
    assert "" == chart_file(watch(*samples), "x.png").text


def test_a_single_measurement_is_a_dot() -> None:
    assert blue(seen(watch(SAMPLES[0]))) > 0
