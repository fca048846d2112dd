"""A migration by the book, with and without downtime."""

import pytest

from bot.runbook import intents as i
from bot.runbook.run import Database, State
from bot.runbook.steps import Route, StepName
from tests.runbook.play import kinds, play

BOOK = [
    StepName.ANNOUNCE_START,
    StepName.BACKUP,
    StepName.STOP_SERVICES,
    StepName.APPLY,
    StepName.VERIFY,
    StepName.RESTART_SERVICES,
    StepName.MONITOR,
    StepName.ANNOUNCE_COMPLETE,
]


def test_the_eight_steps_are_done_in_the_order_of_the_book() -> None:
    """Announce, back up, stop, apply, verify, restart, watch, announce; then it is over."""
    run = play().to_the_end()

    assert State.COMPLETED == run.state
    assert BOOK == [each.step for each in run.done]
    assert Database.CHANGED == run.database_state
    assert not run.services_down


def test_without_downtime_services_are_left_alone() -> None:
    """Runbook step 3: stopping and restarting fall away for a zero-downtime migration."""
    run = play(downtime=False).to_the_end()

    assert [each for each in BOOK if "services" not in each] == [each.step for each in run.done]
    assert run.down_at is None and run.up_at is None


def test_downtime_is_measured_from_the_ledger() -> None:
    """The clock of the downtime runs from the stop's beginning to the restart's proof."""
    run = play().to_the_end()
    stopped, restarted = run.result(StepName.STOP_SERVICES), run.result(StepName.RESTART_SERVICES)

    assert stopped is not None and restarted is not None
    assert (stopped.began_at, restarted.ended_at) == (run.down_at, run.up_at)
    assert restarted.ended_at - restarted.began_at == restarted.seconds


def test_exactly_the_destructive_steps_are_asked_for() -> None:
    """Five of the eight change nothing or only talk; the others wait for people, each time."""
    a = play()
    a.to_the_end()
    asked = [each.question.step for each in a.events if kinds([each]) == ["Asked"]]

    assert [StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES] == asked


def test_facts_of_a_step_are_found_by_later_steps() -> None:
    """What the backup wrote down is there for the way back; what nobody wrote is absent."""
    a = play().until(StepName.BACKUP)
    a.grant()
    a.begin()
    a.finish(folder="/backups/m-1")

    assert "/backups/m-1" == a.run.fact(StepName.BACKUP, "folder")
    assert a.run.fact(StepName.BACKUP, "colour") is None
    assert a.run.fact(StepName.APPLY, "folder") is None


@pytest.mark.parametrize("risk", ["low", "high"])
def test_the_gravest_approvals_are_typed(risk: str) -> None:
    """Applying at high risk wants the database's name typed; at low risk a click is enough."""
    a = play(risk=risk).until(StepName.APPLY)
    a.ask()

    assert a.run.question is not None
    assert {"low": None, "high": "casework_production"}[risk] == a.run.question.word


def test_a_rollback_is_always_typed_also_when_asked_again() -> None:
    """The rollback's one question is grave; a covered step that must be asked anew is just as grave."""
    a = play().until(StepName.VERIFY)
    a.people(i.RollBack, "owner", reason="wrong data")
    a.ask()
    word = a.run.question and a.run.question.word
    a.approve()
    a.begin()
    a.finish()
    a.begin()
    a.fail()
    a.people(i.Retry, "owner")
    a.ask()

    assert "casework_production" == word
    assert a.run.question is not None and word == a.run.question.word
    assert (Route.ROLLBACK, StepName.STOP_SERVICES) == (a.run.route, a.run.step.name)


def test_a_rollback_goes_all_the_way_back() -> None:
    """Announce, stop, go back, verify, restart, announce: one question, then everything is as before."""
    a = play().until(StepName.MONITOR)
    a.people(i.RollBack, "owner", reason="wrong data")
    a.grant()
    before = len([each for each in a.events if kinds([each]) == ["Asked"]])
    run = a.to_the_end()

    assert State.ROLLED_BACK == run.state
    assert Database.UNTOUCHED == run.database_state
    assert not run.services_down
    assert before == len([each for each in a.events if kinds([each]) == ["Asked"]])
