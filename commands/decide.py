"""Before the start: rehearse, and say Go or No-go."""

from bot.runbook.preparation import intents as i
from bot.views.ids import Field
from bot.views.preparation.forms import no_go_modal
from bot.views.text import escape
from commands.desk import Desk, Reply, words_after_id
from commands.gameday import gameday, wanted
from commands.parse import Request


async def drill(desk: Desk, request: Request) -> Reply:
    """Rehearse on a copy, now; with ``--faults`` as a game day."""
    if wanted(request):
        return await gameday(desk, request)
    found = await desk.plan(request)
    person = await desk.person(request, found.draft.plan.policy)
    await desk.planner.handle(found.id, i.AskDrill(person=person))
    words = f"ℹ️ {escape(found.draft.plan.name)} is rehearsed on a copy; the figures come in the plan's thread."
    return Reply(text=words, channel=found.draft.plan.channel)


async def go(desk: Desk, request: Request) -> Reply:
    """Go, to the plan as it is now."""
    found = await desk.plan(request)
    person = await desk.person(request, found.draft.plan.policy)
    await desk.planner.handle(found.id, i.SayGo(person=person, go=True))
    return Reply(text=f"✅ Recorded: Go for {escape(found.draft.plan.name)}.", channel=found.draft.plan.channel)


async def no_go(desk: Desk, request: Request) -> Reply:
    """No-go with a reason: asked for in a modal, or typed behind ``/migrate no-go``."""
    found = await desk.plan(request)
    reason = request.text(Field.REASON) or words_after_id(request)
    if not reason:
        return Reply(modal=no_go_modal(found))
    person = await desk.person(request, found.draft.plan.policy)
    await desk.planner.handle(found.id, i.SayGo(person=person, go=False, reason=reason))
    return Reply(text=f"⛔ Recorded: No-go for {escape(found.draft.plan.name)}.", channel=found.draft.plan.channel)
