"""Somebody says no."""

from dataclasses import replace

import pytest

from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.run import Database, State
from bot.runbook.steps import Route, StepName
from bot.runbook.timers import TimerKind, timers
from tests.runbook.cast import DIGEST
from tests.runbook.play import kinds, play


def test_a_no_before_anything_is_touched_ends_the_run() -> None:
    """Declining the backup cancels: it is announced that nothing was changed."""
    a = play().until(StepName.BACKUP)
    a.ask()
    a.reject("boris", "wrong week")
    run = a.to_the_end()

    assert State.CANCELLED == run.state
    assert "Declined by Boris: wrong week" == run.reason
    assert Database.UNTOUCHED == run.database_state
    assert StepName.ANNOUNCE_CANCELLED == run.done[-1].step


def test_a_no_while_services_are_down_asks_what_now() -> None:
    """Declining to apply does not leave services down silently: people must choose, and abort brings them back."""
    a = play().until(StepName.APPLY)
    a.ask()
    a.reject()
    assert State.STUCK == a.run.state
    a.people(i.Abort, "owner", reason="another day")
    run = a.to_the_end()

    assert State.RETURNED == run.state
    assert not run.services_down


def test_a_declined_rollback_waits_where_it_was_left() -> None:
    """The run stands before the step it had come to, on hold by the one who said no, until somebody resumes."""
    a = play().until(StepName.MONITOR)
    a.people(i.RollBack, "owner", reason="numbers look odd")
    a.ask()
    a.reject("anna", "the numbers are fine")

    assert (State.HELD, Route.FORWARD, StepName.MONITOR) == (a.run.state, a.run.route, a.run.step.name)
    assert a.run.hold is not None and "anna" == a.run.hold.person
    a.people(i.Resume, "owner")
    assert State.COMPLETED == a.to_the_end().state


def test_a_finished_step_is_not_repeated_after_a_declined_rollback() -> None:
    """Asked for while APPLY ran and declined after it: the run goes on with what comes next."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.people(i.RollBack, "owner", reason="numbers look odd")
    a.finish()
    a.ask()
    a.reject()
    a.people(i.Resume, "owner")

    assert (Route.FORWARD, StepName.VERIFY) == (a.run.route, a.run.step.name)


def test_half_a_rollback_cannot_be_declined_away() -> None:
    """Once the way back has begun, a no to a step of it makes the run stuck there, not forward again."""
    a = play().until(StepName.VERIFY)
    a.people(i.RollBack, "owner", reason="wrong data")
    a.do()
    a.digest = "e" * 64
    a.begin()
    a.ask()
    a.reject()

    assert (State.STUCK, Route.ROLLBACK) == (a.run.state, a.run.route)


def test_a_no_needs_a_reason() -> None:
    """A no is recorded with the words people will read."""
    a = play().until(StepName.BACKUP)
    a.ask()
    with pytest.raises(r.ReasonNeeded):
        a.reject("anna", "  ")


def test_an_unanswered_question_is_repeated_louder_then_asked_anew() -> None:
    """Reminders climb from the approvers to the on-call; at its end the question is described again."""
    a = play().until(StepName.BACKUP)
    a.ask()
    policy = a.run.plan.policy
    a.tick(TimerKind.REMIND)
    assert a.run.question is not None and 1 == a.run.question.reminded
    assert TimerKind.REMIND not in {timer.kind for timer in timers(a.run)}
    told = a.tick(TimerKind.EXPIRE)

    assert ["Voided"] == kinds(told)
    assert State.PREPARING == a.run.state
    assert policy.approvers < policy.mention(1) < policy.mention(2) == policy.mention(9)


def test_a_yes_after_the_end_of_the_question_is_too_late() -> None:
    """A question's life is judged at the click, whether or not the clock came by."""
    a = play().until(StepName.BACKUP)
    a.ask()
    with pytest.raises(r.Stale):
        a.approve(after=1001.0)


def test_an_approval_that_is_not_used_goes_stale() -> None:
    """Approved, but no worker for longer than a grant lives: the step is asked for anew."""
    a = play().until(StepName.BACKUP)
    a.grant()
    told = a.begin(after=501.0)

    assert (e.Voided(step=StepName.BACKUP, reason="the approval was not used in time", at=a.now),) == told


def test_a_step_without_a_grant_does_not_begin() -> None:
    """Should a licence ever be missing, the first promise stands by itself."""
    a = play().until(StepName.BACKUP)
    a.grant()
    a.run = replace(a.run, grant=None)
    told = a.say(i.Begin(attempt=1, digest=DIGEST))

    assert ["Voided"] == kinds(told)
