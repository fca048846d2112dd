"""A window that is too short: the bot holds the run, and more time lets it go on."""

import time
from functools import partial

from bot.runbook.run import Run, State
from bot.views.ids import Field, Verb
from tests.commands.office import Office, told


async def _late(office: Office) -> Run:
    run = await office.begins(window_end=float(int(time.time()) + 600))
    run = await office.goes_on(run.id)
    assert run.state is State.HELD
    await office.publisher.publish(run.id)
    return run


async def test_more_time_by_the_modal(office: Office) -> None:
    """The button of the message that says why; sent twice, the time is given once."""
    run = await _late(office)
    button = await office.button(office.dana, Verb.EXTEND)
    assert "the window ends in" in button.message["text"]
    await office.dana.click(button)
    view = await office.dana.wait_view(pred=lambda found: found["callback_id"] == Verb.EXTEND.id)
    filled = {Field.MINUTES.value: "300", Field.REASON.value: "the load is low tonight"}
    answer = await told(office.dana, partial(office.dana.submit, view, filled))
    assert "The window now ends" in answer
    after = await office.engine.load(run.id)
    assert after.state is State.WORKING
    assert after.window_end == (run.window_end or 0) + 300 * 60


async def test_more_time_by_command(office: Office) -> None:
    run = await _late(office)
    await told(office.dana, partial(office.dana.command, "/migrate extend 300 the load is low tonight"))
    assert (await office.engine.load(run.id)).state is State.WORKING


async def test_a_run_is_not_resumed_into_a_window_that_is_too_short(office: Office) -> None:
    run = await _late(office)
    answer = await told(office.dana, partial(office.dana.command, "/migrate resume"))
    assert "/migrate extend" in answer
    assert (await office.engine.load(run.id)).state is State.HELD


async def test_what_is_no_number_of_minutes_is_said(office: Office) -> None:
    await _late(office)
    answer = await told(office.dana, partial(office.dana.command, "/migrate extend soon please"))
    assert "whole minutes" in answer


async def test_a_run_without_a_window_needs_no_more_time(office: Office) -> None:
    await office.begins()
    answer = await told(office.dana, partial(office.dana.command, "/migrate extend 30 just because"))
    assert "no maintenance window" in answer
