"""What people tried by hand: by the buttons, or ``/migrate works CHECK`` and ``/migrate broken CHECK: WHAT``."""

from dataclasses import replace

from bot.runbook import intents as i
from bot.runbook.people import Person
from bot.runbook.refusals import Invalid
from bot.runbook.run import Run
from bot.views.ids import Field
from bot.views.manual import broken_modal
from bot.views.text import escape
from commands.desk import Desk, Reply, words_after_run
from commands.parse import Request


async def works(desk: Desk, request: Request) -> Reply:
    """It works."""
    run = await desk.run(request)
    check, _ = _check(run, request)
    person = await _person(desk, request, run)
    await desk.engine.handle(run.id, i.AnswerCheck(person=person, check=check, works=True))
    return Reply(text=f"✅ Recorded: “{escape(check)}” works.", channel=run.plan.channel)


async def broken(desk: Desk, request: Request) -> Reply:
    """It does not: what was seen is typed behind the command, or asked for in a modal."""
    run = await desk.run(request)
    check, typed = _check(run, request)
    note = request.text(Field.REASON) or typed
    if not note:
        return Reply(modal=broken_modal(run, check))
    person = await _person(desk, request, run)
    await desk.engine.handle(run.id, i.AnswerCheck(person=person, check=check, works=False, note=note))
    return Reply(text=f"❌ Recorded: “{escape(check)}” does not work.", channel=run.plan.channel)


async def _person(desk: Desk, request: Request, run: Run) -> Person:
    """Who asks; their groups are looked up among those that are asked, too."""
    asked = frozenset[str]().union(*(each.people for each in run.plan.manual))
    return await desk.person(request, replace(run.plan.policy, on_call=run.plan.policy.on_call | asked))


def _check(run: Run, request: Request) -> tuple[str, str]:
    """The check that is meant, and the words behind its name."""
    if request.value.digest:
        return request.value.digest, ""
    typed = words_after_run(request)
    by_length = sorted(run.plan.manual, key=lambda each: -len(each.name))
    for each in by_length:
        if typed.casefold().startswith(each.name.casefold()):
            return each.name, typed[len(each.name) :].lstrip(" :,-")
    names = ", ".join(each.name for each in run.plan.manual)
    raise Invalid(
        "Which one was tried is not clear.",
        f"Name one of: {names}." if names else "Nothing of this run is tried by hand.",
    )
