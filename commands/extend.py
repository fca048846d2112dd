"""Extend: more time for a run whose window would not hold the rest of it."""

from bot.runbook import intents as i
from bot.runbook.refusals import Invalid, NotNow
from bot.runbook.wording import utc
from bot.views.ids import Field
from bot.views.modals import extend_modal
from commands.desk import Desk, Reply, words_after_run
from commands.parse import Request

_MOST = 1440  # minutes


async def extend(desk: Desk, request: Request) -> Reply:
    """``/migrate extend MINUTES REASON``, or the modal that asks for both.

    The new end is counted from the end that the modal was drawn for, so that sending it twice gives the time once.
    """
    run = await desk.run(request)
    end = run.window_end
    if end is None:
        raise NotNow("This run has no maintenance window.", "Nothing needs to be extended.")
    typed, _, why = words_after_run(request).partition(" ")
    minutes, reason = request.text(Field.MINUTES) or typed, request.text(Field.REASON) or why.strip()
    if not minutes or not reason:
        return Reply(modal=extend_modal(run, end))
    if not (minutes.isdigit() and 0 < int(minutes) <= _MOST):
        raise Invalid("That is no number of minutes.", f"Give whole minutes, 1 to {_MOST}: /migrate extend 30 REASON.")
    drawn_for = float(request.value.number or end)
    until = drawn_for + int(minutes) * 60
    intent = i.ExtendWindow(person=await desk.person(request, run.plan.policy), until=until, reason=reason)
    await desk.engine.handle(run.id, intent)
    return Reply(text=f"ℹ️ The window now ends {utc(until)}.", channel=run.plan.channel)
