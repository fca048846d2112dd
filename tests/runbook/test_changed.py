"""What would run is not what was approved."""

import pytest

from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.digest import changes, digest_of, inputs_of, short
from bot.runbook.run import State
from bot.runbook.steps import StepName
from tests.runbook.cast import OTHER, person
from tests.runbook.play import CORE, kinds, play


def test_a_file_edited_after_the_approval_is_asked_for_anew() -> None:
    """The worker finds other bytes than were approved: the approval is void and the step described again."""
    a = play(quorum=2).until(StepName.APPLY)
    a.grant()
    a.digest = "e" * 64
    assert ["Voided"] == kinds(a.begin())
    assert (State.PREPARING, None) == (a.run.state, a.run.grant)
    a.grant()

    assert ["StepBegan"] == kinds(a.begin())
    assert a.run.grant is not None and "e" * 64 == a.run.grant.digest


def test_approvals_are_not_carried_over_to_the_new_question() -> None:
    """Both people are asked again, for what will run now."""
    a = play(quorum=2).until(StepName.APPLY)
    a.grant()
    a.digest = "e" * 64
    a.begin()
    a.ask()
    assert ["Approved"] == kinds(a.approve("anna"))

    assert ["Approved", "Granted"] == kinds(a.approve("boris"))


def test_a_button_drawn_for_other_bytes_does_not_count() -> None:
    """The click carries the digest it was drawn with; another one is refused and nothing recorded."""
    a = play().until(StepName.APPLY)
    a.ask()
    before = a.run
    with pytest.raises(r.DigestChanged):
        a.say(i.Approve(person=person(CORE, "anna"), number=a.run.asked, digest=OTHER))

    assert before == a.run


def test_a_change_found_by_the_second_worker_is_asked_for_too() -> None:
    """The first worker died, then the file was edited: recovery does not run what nobody saw."""
    a = play().until(StepName.APPLY)
    a.grant()
    a.begin()
    a.digest = "e" * 64

    assert ["Voided"] == kinds(a.begin())
    assert (0, None, ()) == (a.run.attempt, a.run.claim, a.run.blockers)


def test_the_digest_covers_every_input_in_any_order() -> None:
    """The same inputs give the same digest, any other value another one."""
    one = inputs_of({"sql": "CREATE", "role": "app"})

    assert digest_of(one) == digest_of(tuple(reversed(one)))
    assert digest_of(one) != digest_of(inputs_of({"sql": "CREATE ", "role": "app"}))
    assert digest_of(one).startswith(short(digest_of(one)))


def test_what_changed_is_said_name_by_name() -> None:
    """Changed, added and removed inputs are all told; what stayed is not."""
    before = inputs_of({"role": "app", "sql": "1", "old": "x"})
    now = inputs_of({"role": "app", "sql": "2", "new": "y"})

    assert ["new: absent → y", "old: x → absent", "sql: 1 → 2"] == list(changes(before, now))
