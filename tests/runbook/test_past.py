"""Which runs are asked for, and what they say together."""

from dataclasses import replace

import pytest

from bot.runbook.expected import Expected
from bot.runbook.past import Wanted, figures, wanted
from bot.runbook.refusals import Invalid
from bot.runbook.steps import StepName
from bot.views.still import still_possible
from tests.script import PLAN
from tests.scripted import STORIES, Script

NOW = 1_795_000_000.0
TARGETS = ("casework", "billing")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", Wanted()),
        ("casework", Wanted(target="casework")),
        ("target=gone", Wanted(target="gone")),
        ("rolled_back billing", Wanted(target="billing", state="rolled_back")),
        ("state=completed 30d", Wanted(state="completed", since=NOW - 30 * 86400)),
        ("since=2026-01-31", Wanted(since=1_769_817_600.0)),
    ],
)
def test_words_are_targets_states_and_times(words: str, found: Wanted) -> None:
    """In any order, bare or with their names."""
    assert found == wanted(words, TARGETS, NOW)


@pytest.mark.parametrize("words", ["nowhere", "state=great", "since=yesterday", "30", "casework when=now"])
def test_another_word_is_refused_with_an_example(words: str) -> None:
    """Never taken for "all"."""
    with pytest.raises(Invalid, match="is no target, state or time"):
        wanted(words, TARGETS, NOW)


def test_figures_count_what_was_tried() -> None:
    """Not what ended before anything was touched, nor clean-ups, nor exercises, nor what still goes on."""
    foreseen = (Expected(step=StepName.APPLY, seconds=30.0, basis="measured"),)
    happy = STORIES["happy"](Script(plan=replace(PLAN, expected=foreseen))).run
    back = STORIES["breach"](Script()).run
    others = [STORIES[name](Script()).run for name in ("declined", "cleanup", "blocked")]
    others[2] = replace(others[2], plan=replace(others[2].plan, exercise=True))
    success, down, off = figures((happy, back, *others, Script().run), NOW)
    assert "Success: 1 of 2 migrations (50%)" == success
    assert down.startswith("Downtime: ") and down.endswith("on average")
    assert "Estimates: past estimates were off by 100% on average (1 step)" == off
    assert () == figures(others, NOW)


def test_a_completed_run_says_what_can_still_be_done() -> None:
    """The DOWN script as a migration, the standby copy, the backup; and that nothing is free."""
    script = STORIES["standby"](Script(plan=replace(PLAN, down=("001.down.sql",))))
    text = still_possible(script.run)
    assert "1. Plan the DOWN script as a migration of its own" in text and "001.down.sql" in text
    assert "Everything written since is at stake" in text
    assert "nothing of this run is kept" in still_possible(STORIES["zero downtime"](Script()).run)
