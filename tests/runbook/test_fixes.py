"""What may help a failed step: on offer only where it was proposed, and asked for anew."""

import pytest

from bot.runbook import intents as i
from bot.runbook.criteria import Criterion
from bot.runbook.fixes import MEANING, TITLES, Fix
from bot.runbook.paths import offered_fixes
from bot.runbook.refusals import NotAnOwner, NotNow
from bot.runbook.run import Database, State
from bot.runbook.steps import Route, StepName
from bot.runbook.texts import downtime
from tests.script import EVA, PASSER_BY, Script, slow
from tests.scripted_beside import STORIES, failed_with, restarted


def test_another_way_is_described_and_asked_for_anew() -> None:
    """Whoever approved the first way has approved nothing of the second."""
    script = failed_with(Script().until("apply"), Fix.LONGER)
    assert (Fix.LONGER,) == offered_fixes(script.run)

    run = script.say(i.Retry(person=EVA, fix=Fix.LONGER)).run

    assert (State.PREPARING, StepName.APPLY, None) == (run.state, run.step.name, run.grant)
    assert ((Fix.LONGER,), ()) == (run.fixes, run.proposed)


def test_what_was_not_proposed_is_refused() -> None:
    """Also where something else was, and where nothing has failed."""
    script = failed_with(Script().until("apply"), Fix.LONGER)
    with pytest.raises(NotNow, match="not on offer"):
        script.say(i.Retry(person=EVA, fix=Fix.WHEN_FREE))
    with pytest.raises(NotNow, match="No step is waiting"):
        Script().until("apply").say(i.Retry(person=EVA, fix=Fix.LONGER))


def test_only_who_steers_may_choose() -> None:
    """Like every other retry."""
    script = failed_with(Script().until("apply"), Fix.LONGER)
    with pytest.raises(NotAnOwner):
        script.say(i.Retry(person=PASSER_BY, fix=Fix.LONGER))


def test_a_proposal_outlives_the_way_back_that_its_failure_opened() -> None:
    """A met criterion asks for the way back at once; who declines that may still take what was proposed."""
    script = failed_with(Script().until("apply"), Fix.VALIDATE_LATER, criterion=Criterion.SQL_ERROR)
    assert script.run.route is Route.ROLLBACK
    assert () == offered_fixes(script.run)

    script.ask().reject()

    assert (State.HELD, (Fix.VALIDATE_LATER,)) == (script.run.state, offered_fixes(script.run))
    run = script.say(i.Retry(person=EVA, fix=Fix.VALIDATE_LATER)).run
    assert (Route.FORWARD, State.PREPARING, StepName.APPLY) == (run.route, run.state, run.step.name)


def test_services_that_are_ill_arerestarted_and_watched_from_the_beginning() -> None:
    """Asked for first; while it lasts they are down, and that time is downtime, too."""
    script = Script().until("monitor").watch(slow)
    assert (State.STUCK, (Fix.RESTART,)) == (script.run.state, offered_fixes(script.run))
    before = script.run.down_seconds

    script.say(i.Retry(person=EVA, fix=Fix.RESTART))
    assert StepName.RESTART_SERVICES is script.run.step.name
    script.start_step()
    assert script.run.services_down
    script.finish_step()

    assert not script.run.services_down and script.run.step.name is StepName.MONITOR
    assert script.run.samples == ()
    assert script.run.down_seconds - before == script.pace
    assert downtime(script.run, script.now) == script.run.down_seconds


def test_a_restart_that_was_asked_for_ends_the_run_well() -> None:
    """To its end, by the same rules."""
    assert State.COMPLETED is restarted(Script()).run.state
    assert Database.CHANGED is STORIES["mended"](Script()).run.database_state


def test_every_fix_says_what_it_is_and_what_it_means() -> None:
    """A button's label, and the words before it counts."""
    assert set(Fix) == set(TITLES) == set(MEANING)
    assert all(len(each) <= 75 for each in TITLES.values()) and all(len(each) <= 300 for each in MEANING.values())
