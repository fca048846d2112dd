"""A step fails, a worker dies, a measurement never comes."""

import pytest

from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.run import Database, State
from bot.runbook.steps import Route, StepName
from bot.runbook.timers import TimerKind
from tests.runbook.play import kinds, play


def test_failing_sql_leaves_nothing_and_services_come_back() -> None:
    """The migration failed and proved that nothing changed: abort restarts services and says so."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.fail(database=Database.UNTOUCHED)
    assert (State.STUCK, True) == (a.run.state, a.run.services_down)
    a.people(i.Abort, "owner", reason="the file is wrong")
    run = a.to_the_end()

    assert State.RETURNED == run.state
    assert [StepName.RESTART_SERVICES, StepName.ANNOUNCE_STOPPED] == [each.step for each in run.done[-2:]]


def test_an_unknown_outcome_cannot_be_walked_away_from() -> None:
    """As long as a change may be in, ending is refused; trying again or going back is offered."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.fail()
    with pytest.raises(r.WouldLeaveUndone):
        a.people(i.Abort, "owner", reason="enough")
    told = a.people(i.RollBack, "owner", reason="enough")

    assert Database.UNKNOWN == a.run.database_state
    assert ["RollbackAsked", "Entered"] == kinds(told)


def test_a_second_try_is_asked_for_anew() -> None:
    """Retry does not reuse the old approval."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.fail(database=Database.UNTOUCHED)
    a.people(i.Retry, "anna")

    assert (State.PREPARING, None, 0) == (a.run.state, a.run.grant, a.run.attempt)


def test_a_dead_worker_is_replaced_and_no_longer_believed() -> None:
    """The next attempt takes the claim; what the first one says after that is stale."""
    a = play().until(StepName.BACKUP)
    a.grant()
    a.begin()
    lost = a.run.claim or 0
    a.begin()

    with pytest.raises(r.Stale):
        a.say(i.Finish(claim=lost))
    assert 2 == a.run.attempt
    assert ["StepFinished", "Entered"] == kinds(a.finish())


def test_a_worker_that_slept_through_a_step_is_not_believed() -> None:
    """It describes or begins the step it knew; the run is at another one that looks just the same to it."""
    a = play().until(StepName.VERIFY)
    a.people(i.RollBack, "owner", reason="wrong data")
    a.do()
    late = i.Begin(attempt=1, digest=a.digest, step=a.run.step.name)
    a.do()

    assert StepName.GO_BACK == a.run.step.name
    with pytest.raises(r.Stale):
        a.say(late)


def test_a_lost_job_is_noticed() -> None:
    """The kick changes nothing by itself: the engine queues the job again."""
    a = play()
    run = a.run

    assert () == a.tick(TimerKind.KICK)
    assert run == a.run


def test_a_step_that_cannot_be_described_is_not_asked_for() -> None:
    """The target does not answer: people are told, with the reference for the logs."""
    a = play().until(StepName.BACKUP)
    a.say(i.CannotAsk(number=1, problem="no answer", advice="start it", reference="E-1"))

    assert State.STUCK == a.run.state
    assert a.run.trouble is not None and "E-1" == a.run.trouble.reference


def test_failing_while_a_rollback_is_wanted_goes_back_at_once() -> None:
    """Nobody is asked what now: somebody with authority has said it already."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    assert ["RollbackAsked"] == kinds(a.people(i.RollBack, "owner", reason="wrong file"))
    told = a.fail()

    assert ["StepFailed", "Entered"] == kinds(told)
    assert Route.ROLLBACK == a.run.route


def test_a_person_can_take_the_run_into_their_hands_and_close_it() -> None:
    """Everything the bot cannot do ends with a name and a sentence."""
    a = play().until(StepName.VERIFY)
    a.begin()
    a.fail()
    a.people(i.TakeOver, "oncall", note="I restore by hand")
    with pytest.raises(r.NotTheKeeper):
        a.people(i.Close, "outsider", note="looks done")
    a.people(i.Close, "oncall", note="restored and checked")
    run = a.to_the_end()

    assert State.CLOSED == run.state
    assert "Oncall: restored and checked" == run.reason
    assert run.keeper is not None and "oncall" == run.keeper.person


def test_a_run_given_back_asks_before_it_goes_on() -> None:
    """After a hand-over nothing approved before counts."""
    a = play().until(StepName.APPLY)
    a.ask()
    a.people(i.TakeOver, "owner", note="let me look")
    with pytest.raises(r.NotNow):
        a.people(i.TakeOver, "owner", note="let me look")
    a.people(i.Resume, "owner")

    assert State.PREPARING == a.run.state
    assert a.run.keeper is None
