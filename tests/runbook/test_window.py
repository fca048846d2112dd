"""Window arithmetic: what does not fit is not begun, people give more time or abort, and estimates say their basis."""

from dataclasses import replace

import pytest

from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.drill import BackTime, DrillReport
from bot.runbook.estimates import error, expected, percentile, way_back
from bot.runbook.expected import Expected
from bot.runbook.run import Done, State
from bot.runbook.rungs import Rung
from bot.runbook.steps import StepName
from bot.runbook.window import remaining, too_late
from tests.runbook.cast import DIGEST, person
from tests.runbook.play import CORE, Play, play


def late(**settings: object) -> Play:
    """A run whose first step is about to begin, in a window that the rest and the way back do not fit."""
    a = play(**{"window_end": 2000.0, **settings})
    a.begin()
    return a


def test_a_step_that_would_not_end_in_time_is_not_begun() -> None:
    a = late()
    assert a.run.state is State.HELD
    assert a.run.hold is not None
    assert a.run.hold.window
    assert "going back 31 minutes, but the window ends in" in a.run.hold.reason


def test_a_resume_does_not_make_time() -> None:
    a = late()
    with pytest.raises(r.NotNow, match="extend"):
        a.people(i.Resume, "owner")


def test_an_extension_lets_it_go_on_and_counts_once() -> None:
    a = late()
    extend = i.ExtendWindow(person=person(CORE, "owner"), until=9000.0, reason="the load is low")
    a.say(extend)
    assert (a.run.state, a.run.window_end) == (State.WORKING, 9000.0)
    with pytest.raises(r.Stale):
        a.say(extend)


def test_too_short_an_extension_keeps_it_held() -> None:
    a = late()
    a.say(i.ExtendWindow(person=person(CORE, "owner"), until=2100.0, reason="a little"))
    assert a.run.state is State.HELD


def test_an_extension_has_its_limits() -> None:
    a = late()
    for until, refusal in ((1.0, r.Stale), (10 * 86400.0, r.Invalid)):
        with pytest.raises(refusal):
            a.say(i.ExtendWindow(person=person(CORE, "owner"), until=until, reason="more"))
    with pytest.raises(r.ReasonNeeded):
        a.say(i.ExtendWindow(person=person(CORE, "owner"), until=9000.0, reason=" "))
    with pytest.raises(r.NotAnOwner):
        a.say(i.ExtendWindow(person=person(CORE, "outsider"), until=9000.0, reason="more"))
    with pytest.raises(r.NotNow):
        play().say(i.ExtendWindow(person=person(CORE, "owner"), until=9000.0, reason="more"))


def test_an_approval_that_came_too_late_begins_nothing() -> None:
    a = play(window_end=4800.0).until(StepName.BACKUP)
    a.grant()
    a.now = 2000.0
    a.say(i.Begin(attempt=1, digest=DIGEST))
    assert a.run.state is State.HELD
    assert a.run.grant is None


def test_once_the_migration_is_in_nothing_is_held_for_time() -> None:
    a = play(window_end=4800.0).until(StepName.VERIFY)
    assert too_late(a.run, 5000.0) == ""


def test_a_deadline_shorter_than_the_way_back_is_said_before_the_start() -> None:
    a = late(window_end=9000.0, rollback_deadline=60.0)
    assert a.run.hold is not None
    assert "longer than the rollback deadline of 1 minute" in a.run.hold.reason


def test_measured_times_replace_the_runbooks() -> None:
    drill = DrillReport(
        at=0.0,
        ok=True,
        files="f",
        apply_seconds=10.0,
        backup_seconds=20.0,
        back=(BackTime(rung=Rung.SWITCH, seconds=0.2), BackTime(rung=Rung.RESTORE, seconds=40.0)),
    )
    plan = replace(play().run.plan, drill=drill)
    times = {each.step: (each.seconds, each.basis) for each in expected(plan, ())}
    assert times[StepName.APPLY] == (15.0, "measured on a copy, times 1.5")
    assert times[StepName.BACKUP][0] == 30.0
    assert times[StepName.VERIFY] == (300.0, "the runbook")
    assert way_back(drill) == (60.0, "restore measured on a copy, times 1.5")
    assert way_back(None) is None


def test_past_runs_teach_the_estimates_and_show_their_error() -> None:
    def past(seconds: float) -> object:
        done = Done(step=StepName.VERIFY, began_at=0.0, ended_at=seconds)
        guess = (Expected(step=StepName.VERIFY, seconds=20.0, basis="x"),)
        run = play().run
        return replace(run, state=State.COMPLETED, done=(done,), plan=replace(run.plan, expected=guess))

    history = [past(each) for each in (10.0, 30.0, 20.0)]
    times = {each.step: (each.seconds, each.basis) for each in expected(play().run.plan, history)}  # type: ignore[arg-type]
    assert times[StepName.VERIFY] == (36.0, "the last 3 runs, nine of ten")
    assert error(history) == "past estimates were off by 33% on average (3 steps)"  # type: ignore[arg-type]
    assert error(()) == ""


def test_the_percentile_is_by_nearest_rank() -> None:
    assert percentile([float(each) for each in range(1, 11)]) == 9.0
    assert percentile([2.0, 1.0]) == 2.4


def test_what_remains_shrinks_step_by_step() -> None:
    first, later = play(window_end=1e6), play(window_end=1e6).until(StepName.APPLY)
    assert remaining(first.run) > remaining(later.run) > 0
