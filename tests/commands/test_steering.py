"""Hold, resume, retry, abort, rollback, takeover, close: by command, by button, and by the modal that asks why."""

from collections.abc import Callable
from functools import partial

import pytest

from bot import ledger
from bot.runbook.run import Run, State
from bot.runbook.steps import Route
from bot.views.ids import Field, Verb
from tests.commands.office import Office, office_plan, told
from tests.commands.situations import SITUATIONS

AFTER: dict[Verb, Callable[[Run], bool]] = {
    Verb.HOLD: lambda run: run.state is State.HELD,
    Verb.ABORT: lambda run: run.route is Route.CANCEL,
    Verb.TAKEOVER: lambda run: run.state is State.HANDED_OVER,
    Verb.ROLLBACK: lambda run: run.route is Route.ROLLBACK,
    Verb.CLOSE: lambda run: run.route is Route.CLOSE,
    Verb.RESUME: lambda run: run.state is State.PREPARING,
    Verb.RETRY: lambda run: run.state is State.WORKING,
}
REASONED = (Verb.HOLD, Verb.ABORT, Verb.TAKEOVER, Verb.ROLLBACK, Verb.CLOSE)
WHY = "the backups volume <!channel> is full & *slow*"


async def _situation(office: Office, verb: Verb) -> Run:
    run = await SITUATIONS[verb](office.engine, office.driver, office_plan())
    await office.publisher.publish(run.id)
    return run


async def _changed(office: Office, run: Run, verb: Verb) -> None:
    """The run is where the verb brings it, and the ledger is whole."""
    now = await office.engine.load(run.id)
    assert AFTER[verb](now), (now.state, now.route)
    assert "is whole" in await ledger.verify(office.engine, run.id)


@pytest.mark.parametrize("verb", AFTER)
async def test_by_command(office: Office, verb: Verb) -> None:
    """``/migrate VERB WORDS`` does it at once and says so to the one who typed it."""
    run = await _situation(office, verb)
    words = " we wait" if verb in REASONED else ""
    answer = await told(office.dana, partial(office.dana.command, f"/migrate {verb}{words}"))
    assert run.id in answer
    await _changed(office, run, verb)


@pytest.mark.parametrize("verb", AFTER)
async def test_by_command_naming_the_run(office: Office, verb: Verb) -> None:
    """The run's id may stand first, for when there are several."""
    run = await _situation(office, verb)
    words = " we wait" if verb in REASONED else ""
    await told(office.dana, partial(office.dana.command, f"/migrate {verb} {run.id}{words}"))
    await _changed(office, run, verb)


@pytest.mark.parametrize("verb", REASONED)
async def test_by_button_and_modal(office: Office, verb: Verb) -> None:
    """The button asks why in a modal; the words are recorded as they were written, and ping nobody."""
    run = await _situation(office, verb)
    before = await office.record(run.id)
    assert (await office.dana.click(await office.button(office.dana, verb))).ok
    view = await office.dana.wait_view(pred=lambda found: found["callback_id"] == verb.id)
    assert before == await office.record(run.id)
    answer = await told(office.dana, partial(office.dana.submit, view, {Field.REASON.value: WHY}))
    assert run.id in answer
    await _changed(office, run, verb)
    assert WHY in await office.record(run.id)
    await office.goes_on(run.id)
    said = str([message["text"] for message in office.workspace.messages("#engineering")])
    assert "<!channel>" not in said and "&lt;!channel&gt;" in said


@pytest.mark.parametrize("verb", [Verb.RESUME, Verb.RETRY])
async def test_by_button_alone(office: Office, verb: Verb) -> None:
    """What needs no reason happens at the press."""
    run = await _situation(office, verb)
    button = await office.button(office.dana, verb)
    await told(office.dana, partial(office.dana.click, button))
    await _changed(office, run, verb)


@pytest.mark.parametrize("verb", REASONED)
async def test_a_command_without_a_reason_asks_for_it(office: Office, verb: Verb) -> None:
    """Nothing typed behind the verb opens the modal, and changes nothing."""
    run = await _situation(office, verb)
    before = await office.record(run.id)
    assert (await office.dana.command(f"/migrate {verb}")).ok
    view = await office.dana.wait_view()
    assert verb.id == view["callback_id"]
    assert before == await office.record(run.id)
    answer = await told(office.dana, partial(office.dana.submit, view, {Field.REASON.value: " \n "}))
    assert "Add a few words and send it again." in answer
    assert before == await office.record(run.id)


async def test_a_refusal_of_a_modal_is_said_in_the_modal(office: Office) -> None:
    """What was written is not lost: the modal stays open with the refusal under its field."""
    run = await _situation(office, Verb.TAKEOVER)
    lee = office.people["U0LEE0001"]
    assert (await lee.click(await office.button(lee, Verb.TAKEOVER))).ok
    view = await lee.wait_view()
    before = await office.record(run.id)
    answer = await told(lee, partial(lee.submit, view, {Field.REASON.value: "I will do it"}))
    assert "not an owner" in answer and "/migrate hold" in answer
    assert [view["id"]] == [each["id"] for each in lee.views]
    assert before == await office.record(run.id)
