"""What a watch measures, as people read it on the card and in the status updates."""

from dataclasses import replace

from bot.runbook.run import Run
from bot.runbook.samples import Sample
from bot.views.card import card
from bot.views.figures import figures
from bot.views.notices import status
from tests.integrations.picture.test_picture import watch


def rising() -> Run:
    """The response time creeps up over its threshold; errors stay where they are; the pool is not measured."""
    return watch(*(Sample(at=1500.0 + 30 * n, error_rate=0.012, p95_ms=400.0 + 60 * n) for n in range(14)))


def test_value_threshold_and_trend() -> None:
    """Against five minutes ago, and beside what was usual before the migration."""
    assert (
        "Error rate 1.2 %, threshold 5 %, → steady; before the migration 1 %",
        "⚠️ Response time (p95) 1180 ms, threshold 1000 ms, ↗ up from 580 ms; before the migration 200 ms",
    ) == figures(rising())


def test_the_first_measurement_has_no_trend() -> None:
    run = rising()
    assert figures(replace(run, samples=run.samples[:1]))[0].startswith(
        "Error rate 1.2 %, threshold 5 %, first measurement"
    )


def test_a_source_is_named() -> None:
    """And what people wrote as its name is only text."""
    run = rising()
    named = replace(run.samples[-1], sources=(("p95_ms", "New <Relic>"),))
    (_, line) = figures(replace(run, samples=(*run.samples[:-1], named)))
    assert "1180 ms (New &lt;Relic&gt;), threshold 1000 ms, ↗ up" in line


def test_card_and_status_show_them() -> None:
    """In the blocks, and in the words for screen readers."""
    run = rising()
    for shown in (card(run, 1900.0), status(run, 1900.0, "")):
        assert "Response time (p95) 1180 ms, threshold 1000 ms" in str(shown["text"])
        assert "Response time (p95) 1180 ms, threshold 1000 ms" in str(shown["blocks"])


def test_outside_of_a_watch_there_are_none() -> None:
    assert () == figures(replace(rising(), samples=()))
