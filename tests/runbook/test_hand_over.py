"""Handing a run over: two people's word, and nobody approves what they have had in hand."""

import pytest

from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.apply import begin, fold
from bot.runbook.decide import decide
from bot.runbook.run import Run
from tests.runbook.cast import DIGEST, load, person, plan, started

CORE = load()


def _asking(quorum: int = 2, **more: object) -> Run:
    """A run whose backup is asked for."""
    run = begin("m-1", started(CORE, plan(CORE, quorum=quorum, risk="low", **more)))
    run = _after(run, i.Begin(attempt=1))
    run = _after(run, i.Finish(claim=run.claim or 0))
    return _after(run, i.Ask(number=1, digest=DIGEST, inputs=(), lines=("pg_dump",)))


def _after(run: Run, intent: i.Intent) -> Run:
    return fold(run, decide(run, intent, 1.0))


def _offered(run: Run, to: str) -> Run:
    return _after(run, i.OfferHandover(person=person(CORE, "starter"), to=person(CORE, to)))


def _yes(run: Run, name: str) -> Run:
    return _after(run, i.Approve(person=person(CORE, name), number=1, digest=DIGEST))


def test_what_the_receiver_approved_is_void_and_they_approve_nothing_more() -> None:
    """Otherwise it would be their own approval of their own run."""
    run = _after(_offered(_yes(_asking(), "anna"), "anna"), i.AcceptHandover(person=person(CORE, "anna")))
    assert run.question is not None and () == run.question.approvals
    assert ("anna", "Anna") == (run.executor, run.executor_name)
    with pytest.raises(r.SelfApproval):
        _yes(run, "anna")


def test_who_started_it_does_not_approve_after_handing_it_over() -> None:
    """Two people cannot pass a run back and forth and approve what they began."""
    run = _after(_offered(_asking(), "owner"), i.AcceptHandover(person=person(CORE, "owner")))
    with pytest.raises(r.SelfApproval):
        _yes(run, "starter")


def test_it_takes_both() -> None:
    """Until the receiver accepts it stays where it is, and nobody accepts for them."""
    run = _offered(_asking(), "owner")
    assert "starter" == run.executor
    with pytest.raises(r.NotTheKeeper):
        _after(run, i.AcceptHandover(person=person(CORE, "anna")))


@pytest.mark.parametrize(("to", "refusal"), [("outsider", r.NotAnOwner), ("guest", r.NotAMember)])
def test_the_receiver_must_be_able_to_start_it(to: str, refusal: type[r.Refusal]) -> None:
    """Separation of duties is looked at anew, at the offer and at its acceptance."""
    with pytest.raises(refusal):
        _offered(_asking(), to)


def test_who_approved_what_is_being_done_takes_it_when_that_has_ended() -> None:
    """A grant that works is not turned into one's own."""
    run = _yes(_offered(_asking(quorum=1), "anna"), "anna")
    with pytest.raises(r.StepRunning):
        _after(run, i.AcceptHandover(person=person(CORE, "anna")))
