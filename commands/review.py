"""The 48-hour review: was there a spike in support tickets, and what became of the anomalies."""

from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.follow_up import FollowUp, Stage
from bot.runbook.refusals import Invalid, NotNow
from bot.views.follow_up.review import note_modal
from bot.views.ids import Field, Verb
from bot.views.text import escape
from commands.desk import Desk, Reply, UseCase
from commands.parse import Request


async def no_spike(desk: Desk, request: Request) -> Reply:
    """By the button, or ``/migrate no-spike [RUN] [NOTE]``."""
    found, note = await _asked(desk, request)
    person = await desk.person(request, found.plan.policy)
    return _said(await desk.follow_ups.handle(found.id, i.AnswerTickets(person=person, spike=False, note=note)))


def noted(verb: Verb) -> UseCase:
    """``/migrate spike [RUN] NOTE`` and ``/migrate anomalies [RUN] NOTE``; without a note, a modal asks for it."""

    async def use_case(desk: Desk, request: Request) -> Reply:
        found, note = await _asked(desk, request)
        if not note:
            return Reply(modal=note_modal(found, verb))
        person = await desk.person(request, found.plan.policy)
        intent: i.Intent = i.NoteAnomalies(person=person, note=note)
        if verb is Verb.SPIKE:
            intent = i.AnswerTickets(person=person, spike=True, note=note)
        return _said(await desk.follow_ups.handle(found.id, intent))

    return use_case


async def _asked(desk: Desk, request: Request) -> tuple[FollowUp, str]:
    """The follow-up that is meant, and the words behind it."""
    first, _, rest = request.words.partition(" ")
    named = request.value.run or (first if first.startswith(("f-", "m-")) else "")
    words = request.text(Field.NOTE) or (rest.strip() if named and not request.value.run else request.words)
    if named:
        return await desk.follow_ups.load(named if named.startswith("f-") else f"f-{named}"), words
    waiting = [each for each in await desk.follow_ups.open() if each.stage is Stage.REVIEWING]
    if not waiting:
        raise NotNow("No review waits for an answer.", "One is posted 48 hours after a migration, by itself.")
    if len(waiting) > 1:
        raise Invalid(f"More than one review waits: {', '.join(each.run for each in waiting)}.", "Name the run first.")
    return waiting[0], words


def _said(found: FollowUp) -> Reply:
    rest = " The review is closed." if found.final else ""
    return Reply(text=f"✅ Recorded for {escape(found.plan.name)} ({found.run}).{rest}", channel=found.plan.channel)
