"""Anyone may stop the run before its next step; only those who steer it let it go on."""

import pytest

from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.run import Database, State
from bot.runbook.steps import Route, StepName
from bot.runbook.timers import TimerKind
from tests.runbook.play import kinds, play


def test_an_outsider_stops_the_run_between_approval_and_step() -> None:
    """Approved and not begun: the cord still stops it, and the approval is spent."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.people(i.PullCord, "outsider", reason="the disk is full")
    told = a.begin()

    assert ["Held"] == kinds(told)
    assert (State.HELD, None) == (a.run.state, a.run.grant)


def test_a_running_step_ends_before_the_hold() -> None:
    """Pulled while the backup runs, it takes effect at the backup's end."""
    a = play().until(StepName.BACKUP)
    a.grant()
    a.begin()
    assert ["HoldAsked"] == kinds(a.people(i.PullCord, "outsider", reason="wait"))
    told = a.finish()

    assert ["StepFinished", "Entered", "Held"] == kinds(told)
    assert StepName.STOP_SERVICES == a.run.step.name


def test_only_those_who_steer_resume() -> None:
    """An outsider and a guest are refused; an owner lets it go on, under the normal approval."""
    a = play().until(StepName.APPLY)
    a.people(i.PullCord, "outsider", reason="wait")
    for who, refusal in (("outsider", r.NotAnOwner), ("guest", r.NotAMember)):
        with pytest.raises(refusal):
            a.people(i.Resume, who)
    a.people(i.Resume, "owner")

    assert State.PREPARING == a.run.state


def test_a_hold_without_an_answer_is_repeated() -> None:
    """The nudge fires again and again."""
    a = play().until(StepName.APPLY)
    a.people(i.PullCord, "outsider", reason="wait")
    a.tick(TimerKind.NUDGE)
    first = a.run.nudged_at
    a.tick(TimerKind.NUDGE)

    assert a.run.nudged_at - first == a.run.plan.timing.nudge_every


def test_a_step_that_pauses_has_changed_nothing() -> None:
    """Waiting for a lock, the migration stopped by itself: the run can still be aborted."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.people(i.PullCord, "outsider", reason="lock")
    a.say(i.Pause(claim=a.run.claim or 0))
    assert (State.HELD, Database.UNTOUCHED) == (a.run.state, a.run.database_state)
    a.people(i.Abort, "owner", reason="too busy")

    assert Route.RETURN == a.run.route


def test_a_pause_nobody_asked_for_is_the_bots_own_hold() -> None:
    """A step may stop by itself: people see who holds, and resume as always."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.say(i.Pause(claim=a.run.claim or 0))

    assert a.run.hold is not None and "the bot" == a.run.hold.name


def test_a_pause_on_the_way_to_a_rollback_goes_back() -> None:
    """The rollback that was asked for while the step ran is not forgotten at its pause."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.people(i.RollBack, "owner", reason="lock")
    a.say(i.Pause(claim=a.run.claim or 0))

    assert (Route.ROLLBACK, "") == (a.run.route, a.run.rollback_wanted)


def test_a_hold_outlives_a_void() -> None:
    """Pulled while a step ran whose worker died and whose files then changed: people are not asked over it."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.people(i.PullCord, "outsider", reason="wait")
    a.digest = "e" * 64
    told = a.begin()

    assert ["Voided", "Held"] == kinds(told)
    assert Database.UNKNOWN == a.run.database_state


def test_the_way_back_is_not_held_up() -> None:
    """There the brake is the question; the cord would only prolong the downtime."""
    a = play().until(StepName.VERIFY)
    a.people(i.RollBack, "owner", reason="wrong data")

    with pytest.raises(r.NotNow):
        a.people(i.PullCord, "outsider", reason="wait")


def test_a_granted_step_that_has_not_begun_can_be_left_at_once() -> None:
    """No worker holds it, so nothing has to be waited for."""
    a = play().until(StepName.APPLY)
    a.grant()
    told = a.people(i.RollBack, "owner", reason="changed my mind")
    assert ["RollbackAsked", "Entered"] == kinds(told)

    b = play().until(StepName.APPLY)
    b.grant()
    b.people(i.Abort, "owner", reason="changed my mind")
    assert Route.RETURN == b.run.route
