"""Every no: to whom, when, and what to do instead."""

import pytest

from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.steps import StepName
from tests.runbook.cast import DIGEST, person
from tests.runbook.offers import blocker
from tests.runbook.play import CORE, Play, play


def asking(**settings: object) -> Play:
    a = play(**settings).until(StepName.APPLY)
    a.ask()
    return a


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("guest", r.NotAMember),
        ("stranger", r.NotAMember),
        ("leaver", r.NotAMember),
        ("outsider", r.NotAnApprover),
        ("owner", r.NotAnApprover),
        ("oncall", r.NotAnApprover),
        ("starter", r.SelfApproval),
    ],
)
def test_who_may_not_approve(who: str, refusal: type[r.Refusal]) -> None:
    """Neither the approvers' group nor having started the run nor owning the target is enough."""
    with pytest.raises(refusal) as caught:
        asking().approve(who)

    assert caught.value.next_action


def test_the_starter_approves_where_the_policy_says_so() -> None:
    """Self-approval is a setting of the target, off by default."""
    a = asking(self_approval=True)
    a.approve("starter")

    assert a.run.grant is not None and "starter" == a.run.grant.approvals[0].person


def test_the_same_person_is_one_person() -> None:
    """Two clicks of one approver are one approval; the refusal names who else can help."""
    a = asking(quorum=2)
    a.approve("anna")
    with pytest.raises(r.AlreadyApproved) as caught:
        a.approve("anna")

    assert frozenset({"starter", "group"}) == caught.value.people


def test_a_late_click_is_told_that_it_was_late() -> None:
    """The second approver of a quorum of one changes nothing and hears so."""
    a = asking()
    number = a.run.asked
    a.approve("anna")
    with pytest.raises(r.AlreadyAnswered):
        a.say(i.Approve(person=person(CORE, "boris"), number=number, digest=DIGEST))


def test_the_wrong_word_is_said_which_word() -> None:
    """The refusal repeats what has to be typed."""
    with pytest.raises(r.WrongWord, match="casework_production"):
        asking(risk="high").approve(word="casework")


def test_a_running_step_cannot_be_aborted() -> None:
    """Stopping services is not cut in half; holding is offered instead."""
    a = play().until(StepName.STOP_SERVICES)
    a.grant()
    a.begin()
    with pytest.raises(r.StepRunning, match="/migrate hold"):
        a.people(i.Abort, "owner", reason="stop")


def test_a_backup_may_be_cut_short() -> None:
    """Nothing is lost by half a backup: the run can be ended while it is made, and its worker is not believed."""
    a = play().until(StepName.BACKUP)
    a.grant()
    a.begin()
    claim = a.run.claim or 0
    a.people(i.Abort, "starter", reason="stop")
    with pytest.raises(r.Stale):
        a.say(i.Finish(claim=claim))


def test_a_rollback_cannot_be_aborted() -> None:
    """Half a way back is no place to end."""
    a = play().until(StepName.VERIFY)
    a.people(i.RollBack, "owner", reason="wrong data")
    with pytest.raises(r.WouldLeaveUndone):
        a.people(i.Abort, "owner", reason="stop")


def test_without_a_backup_there_is_no_way_back() -> None:
    """Before the backup the way out is abort, and the refusal says so."""
    with pytest.raises(r.NotNow, match="/migrate abort"):
        play().people(i.RollBack, "owner", reason="stop")


def test_a_final_run_hears_nothing() -> None:
    """Whatever is said to it, the answer is that it is over and how to begin another."""
    a = play()
    a.to_the_end()
    with pytest.raises(r.AlreadyFinal, match="/migrate start"):
        a.people(i.RollBack, "owner", reason="wrong data")


def test_who_may_not_decline() -> None:
    """The on-call steers, but a no to what is asked is for approvers, owners and the starter."""
    with pytest.raises(r.NotAnApprover, match="/migrate hold"):
        asking().reject("oncall")


def test_a_rollback_is_asked_for_once() -> None:
    """Who asks again while a step still runs hears that it is on its way."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.people(i.RollBack, "owner", reason="wrong file")
    with pytest.raises(r.NotNow):
        a.people(i.RollBack, "anna", reason="wrong file")


def test_a_closing_run_is_not_taken_over_again() -> None:
    """Its keeper has said how it ended; what is left is to announce it."""
    a = play().until(StepName.APPLY)
    a.people(i.PullCord, "outsider", reason="wait")
    a.people(i.TakeOver, "anna", note="by hand")
    a.people(i.Close, "anna", note="done")
    a.begin()
    a.fail()
    for who in ("anna", "owner"):
        with pytest.raises(r.NotNow, match="being closed"):
            a.people(i.TakeOver, who, note="by hand")


def test_a_handed_over_run_is_closed_by_its_keeper() -> None:
    """Also when they no longer belong to those who steer; a guest never does."""
    a = play().until(StepName.APPLY)
    a.people(i.PullCord, "outsider", reason="wait")
    a.people(i.TakeOver, "anna", note="by hand")
    with pytest.raises(r.NotAMember):
        a.people(i.Close, "guest", note="done")
    with pytest.raises(r.NotTheKeeper) as caught:
        a.people(i.Resume, "outsider")

    assert frozenset({"owner", "anna"}) == caught.value.people


def blocked(**settings: object) -> Play:
    a = play(**settings).until(StepName.APPLY)
    a.grant()
    a.begin()
    a.say(i.SeeBlockers(claim=a.run.claim or 0, blockers=(blocker(CORE),)))
    return a


def test_cancelling_a_blocker_needs_the_quorum_too() -> None:
    """One yes of two is not enough; the second grants it; a third is told."""
    a = blocked(quorum=2)
    a.people(i.ApproveCancel, "anna", digest="7@noon")
    assert not a.run.blockers[0].granted
    a.people(i.ApproveCancel, "boris", digest="7@noon")
    assert a.run.blockers[0].granted
    with pytest.raises(r.AlreadyAnswered):
        a.people(i.ApproveCancel, "boris", digest="7@noon")


def test_what_was_approved_for_a_blocker_stays_while_it_is_there() -> None:
    """Seeing it again with another one keeps its approval; when it is gone, a click on it is stale."""
    a = blocked(quorum=2)
    a.people(i.ApproveCancel, "anna", digest="7@noon")
    first = a.run.blockers[0]
    second = CORE.run.Blocker(pid=8, started="one", application="x", user="ana", age_seconds=1.0, query="SELECT")
    a.say(i.SeeBlockers(claim=a.run.claim or 0, blockers=(first, second)))
    assert 1 == len(a.run.blockers[0].approvals)
    a.people(i.ApproveCancel, "anna", digest="8@one")
    assert [1, 1] == [len(each.approvals) for each in a.run.blockers]
    a.people(i.KeepWaiting, "outsider", digest="8@one")
    a.say(i.SeeBlockers(claim=a.run.claim or 0, blockers=()))

    for intent in (i.ApproveCancel, i.KeepWaiting):
        with pytest.raises(r.Stale):
            a.people(intent, "anna", digest="7@noon")
