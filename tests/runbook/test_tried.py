"""Checks by hand: who is asked when, what their word does, and what it never does."""

from dataclasses import replace

import pytest

from bot.runbook import intents as i
from bot.runbook.criteria import Criterion
from bot.runbook.manual import ManualCheck, Moment
from bot.runbook.refusals import AlreadyAnswered, Invalid, NotAsked, NotNow, ReasonNeeded
from bot.runbook.run import State
from bot.runbook.steps import Route
from bot.runbook.timers import TimerKind
from bot.runbook.tried import asked_now, findings, said_of, unanswered
from tests.script import ANA, BEN, PASSER_BY, PLAN, Script, good

CHECK = ManualCheck(name="log in", ask="Log in as a clerk.", people=frozenset({PASSER_BY.id}))


def script() -> Script:
    return Script(plan=replace(PLAN, manual=(CHECK,)))


def say(told: Script, *, works: bool, note: str = "a blank page", who: object = PASSER_BY) -> Script:
    return told.say(i.AnswerCheck(person=who, check="log in", works=works, note=note))  # type: ignore[arg-type]


def test_it_is_asked_before_the_first_change_and_while_it_is_watched() -> None:
    """And at no other time."""
    told = script()
    assert Moment.BEFORE is asked_now(told.run)
    told.until("apply")
    assert asked_now(told.run) is None
    told.until("monitor")
    assert Moment.AFTER is asked_now(told.run)
    with pytest.raises(NotNow, match="Nobody is asked for that now"):
        say(script().until("apply"), works=True)


def test_the_watch_does_not_end_before_somebody_has_tried_it() -> None:
    """However healthy everything is; the first measurement after the answer ends it."""
    told = script().until("monitor")
    while told.now < told.run.since + 2 * told.plan.timing.monitor_for:
        told.sample(good)
    assert State.WATCHING is told.run.state

    say(told, works=True).sample(good)

    assert "announce_complete" == told.run.step.name
    assert "log in: works, says Passer-by" in told.run.done[-1].evidence


def test_what_is_broken_asks_for_the_way_back_and_never_goes_it() -> None:
    """Runbook: critical functionality broken. With automatic rollback on, one word is still no proof."""
    told = Script(plan=replace(PLAN, manual=(CHECK,), auto_rollback=True)).until("monitor")

    say(told, works=False)

    run = told.run
    assert (Route.ROLLBACK, State.PREPARING) == (run.route, run.state)
    assert run.reason.startswith(f"{Criterion.CRITICAL}: “log in” does not work, says Passer-by: a blank page")
    assert run.breach is None
    told.ask()
    assert State.ASKING is told.run.state


def test_what_was_broken_before_is_not_blamed_on_the_migration() -> None:
    """It is recorded, and the watch goes on and ends."""
    told = say(script(), works=False, note="broken for weeks").until("monitor")
    say(told, works=False)
    assert State.WATCHING is told.run.state
    assert "announce_complete" == told.watch().run.step.name


def test_who_may_answer() -> None:
    """The people who were asked, and those who steer; nobody else."""
    say(script(), works=True, who=ANA)
    with pytest.raises(NotAsked) as refused:
        say(script(), works=True, who=replace(PASSER_BY, id="U0OTHER"))
    assert CHECK.people == refused.value.people


def test_bad_answers_are_refused_with_what_to_do() -> None:
    """No such check, no words, the same again."""
    with pytest.raises(Invalid, match="no check “printing”"):
        script().say(i.AnswerCheck(person=BEN, check="printing", works=True))
    with pytest.raises(ReasonNeeded):
        say(script(), works=False, note=" ")
    with pytest.raises(AlreadyAnswered):
        say(say(script(), works=True), works=True)


def test_an_answer_may_be_taken_back() -> None:
    """The newest counts: what worked at first may break within the half hour."""
    told = say(script().until("monitor"), works=True)
    assert () == unanswered(told.run, Moment.AFTER) and ("log in: works, says Passer-by",) == findings(told.run)
    say(told, works=False)
    assert told.run.route is Route.ROLLBACK


def test_each_watch_asks_anew() -> None:
    """After a hold the services are watched from the beginning, and so is what only people can try."""
    told = say(script().until("monitor"), works=True).tick(TimerKind.STATUS)
    told.say(i.RollBack(person=ANA, reason="not sure")).ask().reject()
    told.say(i.Resume(person=ANA))
    assert State.WATCHING is told.run.state
    assert said_of(told.run, "log in", Moment.AFTER) is None
