"""Approving and rejecting, by button, by modal and by typing; what does not count says so and changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest

from bot import ledger
from bot.demo import cast
from bot.demo.workspace.player import Done, Player
from bot.runbook import intents as i
from bot.runbook.digest import short
from bot.runbook.people import Policy
from bot.runbook.run import Question, Risk, Run, State
from bot.runbook.steps import Route, StepName
from bot.views.ids import Field, Verb
from tests.commands.office import ALEX, DANA, POLICY, STRANGER, Office, office_plan, told
from tests.commands.situations import approved


def _asked(run: Run) -> Question:
    assert run.question is not None
    return run.question


async def _unchanged(office: Office, run: Run, person: Player, action: Callable[[], Awaitable[Done]]) -> str:
    """What the person is told; the ledger is the same before and after."""
    before = await office.record(run.id)
    answer = await told(person, action)
    assert before == await office.record(run.id)
    return answer


async def test_the_button_approves_and_the_step_is_done(office: Office) -> None:
    """The manifest's scopes are enough for a start, an approval and everything that is posted on the way."""
    run = await office.begins()
    answer = await told(office.alex, partial(office.alex.click, await office.button(office.alex, Verb.APPROVE)))
    assert "quorum is complete" in answer
    after = await office.goes_on(run.id)
    assert (State.ASKING, StepName.STOP_SERVICES, 1) == (
        after.state,
        after.step.name,
        office.steps[StepName.BACKUP].runs,
    )
    assert [] == [entry for entry in office.workspace.log if not entry[2].get("ok")]


async def test_of_two_approvals_the_first_waits_and_the_second_completes(office: Office) -> None:
    """With a quorum of two each approver is told where the count stands."""
    run = await office.begins(policy=_quorum(2))
    first = await told(office.alex, partial(office.alex.click, await office.button(office.alex, Verb.APPROVE)))
    assert "1 of 2 approvals" in first
    assert State.ASKING is (await office.engine.load(run.id)).state
    second = await told(office.priya, partial(office.priya.click, await office.button(office.priya, Verb.APPROVE)))
    assert "quorum is complete" in second
    assert State.WORKING is (await office.engine.load(run.id)).state


def _quorum(number: int) -> Policy:
    return replace(POLICY, quorum=number)


async def test_the_digest_typed_approves_exactly_that(office: Office) -> None:
    """``/migrate approve DIGEST``: eight characters of what is open."""
    run = await office.begins()
    digest = short(_asked(run).digest)
    answer = await told(office.alex, partial(office.alex.command, f"/migrate approve {digest}"))
    assert "quorum is complete" in answer
    assert State.WORKING is (await office.engine.load(run.id)).state


@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "first eight characters"), ("abc", "first eight characters"), ("00000000", "not the digest")],
)
async def test_a_digest_that_is_missing_short_or_another_approves_nothing(
    office: Office, typed: str, says: str
) -> None:
    """A typed yes names what it is a yes to."""
    run = await office.begins()
    answer = await _unchanged(
        office, run, office.alex, partial(office.alex.command, f"/migrate approve {typed}".strip())
    )
    assert says in answer and "/migrate" in answer


async def _grave(office: Office) -> Run:
    """A high-risk run whose migration is asked for: its approval is typed."""
    run = await office.begins(risk=Risk.HIGH)
    for _ in range(2):
        await approved(office.engine, run)
        run = await office.goes_on(run.id)
    assert (StepName.APPLY, "casework_prod") == (run.step.name, _asked(run).word)
    return run


async def test_the_gravest_step_is_approved_by_typing_the_databases_name(office: Office) -> None:
    """The button opens a modal; another word is refused in it, the right one counts."""
    run = await _grave(office)
    button = await office.button(office.alex, Verb.APPROVE, number=_asked(run).number)
    assert (await office.alex.click(button)).ok
    view = await office.alex.wait_view(pred=lambda found: found["callback_id"] == Verb.APPROVE.id)
    wrong = partial(office.alex.submit, view, {Field.WORD.value: "casework"})
    refused = await _unchanged(office, run, office.alex, wrong)
    assert "casework_prod" in refused and "type it exactly" in refused
    answer = await told(office.alex, partial(office.alex.submit, view, {Field.WORD.value: "casework_prod"}))
    assert "quorum is complete" in answer
    assert State.WORKING is (await office.engine.load(run.id)).state


async def test_digest_and_word_may_be_typed_together(office: Office) -> None:
    """``/migrate approve DIGEST WORD``; the digest alone is not enough there."""
    run = await _grave(office)
    line = f"/migrate approve {short(_asked(run).digest)}"
    refused = await _unchanged(office, run, office.alex, partial(office.alex.command, line))
    assert "casework_prod" in refused
    await told(office.alex, partial(office.alex.command, f"{line} casework_prod"))
    assert State.WORKING is (await office.engine.load(run.id)).state


async def test_no_by_button_and_modal_ends_a_run_that_touched_nothing(office: Office) -> None:
    """The reason is asked for, recorded and announced."""
    run = await office.begins()
    assert (await office.priya.click(await office.button(office.priya, Verb.REJECT))).ok
    view = await office.priya.wait_view()
    await told(office.priya, partial(office.priya.submit, view, {Field.REASON.value: "not on a Friday"}))
    after = await office.goes_on(run.id)
    assert (State.CANCELLED, Route.CANCEL) == (after.state, after.route)
    assert any("not on a Friday" in message["text"] for message in office.dana.messages())


async def test_no_by_command(office: Office) -> None:
    """``/migrate reject REASON``; without a reason the modal asks for it."""
    run = await office.begins()
    assert (await office.alex.command("/migrate reject")).ok
    assert Verb.REJECT.id == (await office.alex.wait_view())["callback_id"]
    await told(office.alex, partial(office.alex.command, "/migrate reject the disk is full"))
    assert Route.CANCEL is (await office.engine.load(run.id)).route


@pytest.mark.parametrize(
    ("user", "says"),
    [
        (cast.OUTSIDER, "You are not an approver of casework"),
        (cast.GUEST, "Guests"),
        (STRANGER, "people of other organisations"),
        (cast.STARTER, "You are not an approver of casework"),
    ],
    ids=["outsider", "guest", "stranger", "starter"],
)
@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.REJECT])
async def test_who_may_not_answer_is_told_and_nothing_changes(office: Office, verb: Verb, user: str, says: str) -> None:
    """Authority is judged at every press, on the server; a starter may say no, but not yes."""
    if verb is Verb.REJECT and user == cast.STARTER:
        says = "Recorded"
    run = await office.begins()
    person = office.people[user]
    before = await office.record(run.id)
    button = await office.button(person, verb)
    if verb is Verb.APPROVE:
        answer = await told(person, partial(person.click, button))
    else:
        assert (await person.click(button)).ok
        answer = await told(person, partial(person.submit, await person.wait_view(), {Field.REASON.value: "no"}))
    assert says in answer
    assert (before == await office.record(run.id)) is (says != "Recorded")
    assert any(word in answer for word in ("Ask ", "/migrate hold", "Recorded"))


async def test_an_approver_who_started_it_does_not_approve_it(office: Office) -> None:
    """Four eyes: the starter's own yes does not count."""
    run = await office.begins(starter=ALEX.id, starter_name="alex")
    button = await office.button(office.alex, Verb.APPROVE)
    answer = await _unchanged(office, run, office.alex, partial(office.alex.click, button))
    assert "You planned, started or took over this migration" in answer and "Ask another approver" in answer


async def test_a_double_click_counts_once(office: Office) -> None:
    """The same person's second press is answered, by either sentence, and is no second approval."""
    run = await office.begins(policy=_quorum(2))
    button = await office.button(office.alex, Verb.APPROVE)
    await asyncio.gather(office.alex.click(button), office.alex.click(button))
    answer = await _unchanged(office, run, office.alex, partial(office.alex.click, button))
    assert "You have already approved this" in answer and "another approver" in answer
    assert 1 == len(_asked(await office.engine.load(run.id)).approvals)


async def test_a_press_on_an_answered_question_changes_nothing(office: Office) -> None:
    """Priya's screen still shows the button that Alex has just pressed."""
    run = await office.begins()
    old = await office.button(office.priya, Verb.APPROVE)
    await told(office.alex, partial(office.alex.click, old))
    answer = await _unchanged(office, run, office.priya, partial(office.priya.click, old))
    assert "no longer open" in answer and "/migrate status" in answer


async def _asked_anew(office: Office, run: Run) -> None:
    """The question is withdrawn and asked again; no message is redrawn yet."""
    await office.engine.handle(run.id, i.PullCord(person=DANA, reason="wait"))
    await office.engine.handle(run.id, i.Resume(person=DANA))
    await office.driver.drive(run.id)


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.REJECT])
async def test_a_press_on_a_question_that_was_asked_anew_changes_nothing(office: Office, verb: Verb) -> None:
    """The old button names the old question, and answers no other."""
    run = await office.begins()
    old = await office.button(office.alex, verb)
    asked = _asked(run)
    await _asked_anew(office, run)
    again = _asked(await office.engine.load(run.id))
    assert asked.number + 1 == again.number
    answer = await _unchanged(office, run, office.alex, partial(office.alex.click, old))
    assert "no longer open" in answer and "/migrate status" in answer


async def test_a_modal_sent_after_its_question_was_replaced_changes_nothing(office: Office) -> None:
    """A no that was being written answers the question it was written for."""
    run = await office.begins()
    assert (await office.alex.click(await office.button(office.alex, Verb.REJECT))).ok
    view = await office.alex.wait_view()
    await _asked_anew(office, run)
    answer = await _unchanged(office, run, office.alex, partial(office.alex.submit, view, {Field.REASON.value: "no"}))
    assert "no longer open" in answer


LATE = (Verb.APPROVE, Verb.REJECT, Verb.HOLD, Verb.ABORT, Verb.TAKEOVER)


@pytest.mark.parametrize("verb", LATE)
async def test_a_press_after_the_end_changes_nothing(office: Office, verb: Verb) -> None:
    """A final run never moves again, whatever an old message still offers."""
    run = await office.begins()
    old = await office.button(office.alex, verb)
    await office.engine.handle(run.id, i.Abort(person=DANA, reason="enough"))
    await office.driver.drive(run.id)
    assert (await office.engine.load(run.id)).final
    before = await office.record(run.id)
    if verb in (Verb.APPROVE, Verb.REJECT):
        answer = await told(office.alex, partial(office.alex.click, old))
    else:
        assert (await office.alex.click(old)).ok
        view = await office.alex.wait_view()
        answer = await told(office.alex, partial(office.alex.submit, view, {Field.REASON.value: "late"}))
    assert before == await office.record(run.id)
    assert "ended" in answer or "No question is open" in answer
    assert "/migrate" in answer
    assert "is whole" in await ledger.verify(office.engine, run.id)


@pytest.mark.parametrize("line", ["approve 12345678", "reject no", "hold why", "resume", "retry", "rollback why"])
async def test_a_command_when_nothing_is_active_says_what_to_do(office: Office, line: str) -> None:
    """No run, nothing to answer."""
    answer = await told(office.alex, partial(office.alex.command, f"/migrate {line}"))
    assert "No migration is active" in answer and "/migrate start" in answer
    assert () == await office.engine.recent()


async def test_with_two_runs_a_command_must_name_one(office: Office) -> None:
    """The bot never guesses which migration is meant."""
    first = await office.begins()
    second = await office.engine.start(office_plan(target="billing", database="billing_prod"))
    answer = await _unchanged(office, first, office.alex, partial(office.alex.command, "/migrate hold why"))
    assert first.id in answer and second.id in answer and "Name the run first" in answer
    await told(office.alex, partial(office.alex.command, f"/migrate hold {first.id} why"))
    assert State.HELD is (await office.engine.load(first.id)).state


async def test_a_run_that_does_not_exist_is_said(office: Office) -> None:
    """A mistyped id is a refusal, not an error."""
    answer = await told(office.alex, partial(office.alex.command, "/migrate status m-nowhere"))
    assert "m-nowhere" in answer and "/migrate history" in answer
