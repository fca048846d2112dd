"""Hold, resume, retry, abort, roll back, take over, close: who steers a run, and with what reason."""

from collections.abc import Callable, Mapping

from bot.runbook import intents as i
from bot.runbook.fixes import TITLES, Fix
from bot.runbook.paths import offered_fixes
from bot.runbook.people import Person
from bot.runbook.refusals import Invalid
from bot.runbook.run import Run, State
from bot.views import modals
from bot.views.ids import Field, Verb
from bot.views.still import still_possible
from bot.views.text import escape
from commands.desk import Desk, Reply, UseCase, words_after_run
from commands.parse import Request

_Made = Callable[[Person, str], i.ByPerson]

#: Verb -> the intent made of a person and a reason, and what is answered when it was taken.
_REASONED: dict[Verb, tuple[_Made, str]] = {
    Verb.HOLD: (lambda who, why: i.PullCord(person=who, reason=why), "⏸ Held: nothing begins before an owner resumes."),
    Verb.ABORT: (lambda who, why: i.Abort(person=who, reason=why), "⛔ Aborted: the run is ending."),
    Verb.ROLLBACK: (
        lambda who, why: i.RollBack(person=who, reason=why),
        "⚠️ Rollback asked for: it now needs approval.",
    ),
    Verb.TAKEOVER: (lambda who, why: i.TakeOver(person=who, note=why), "ℹ️ It is in your hands now."),
    Verb.CLOSE: (lambda who, why: i.Close(person=who, note=why), "ℹ️ Closed with your words."),
}

_PLAIN: dict[Verb, tuple[Callable[[Person], i.ByPerson | i.AskAnalyze], str]] = {
    Verb.ANALYZE: (lambda who: i.AskAnalyze(person=who), "ℹ️ The statistics are being gathered."),
    Verb.RESUME: (lambda who: i.Resume(person=who), "ℹ️ Resumed."),
    Verb.RETRY: (lambda who: i.Retry(person=who), "ℹ️ The step is tried again."),
}

_MODALS: dict[Verb, Callable[[Run], Mapping[str, object]]] = {
    Verb.HOLD: modals.hold_modal,
    Verb.ABORT: modals.abort_modal,
    Verb.ROLLBACK: modals.rollback_modal,
    Verb.TAKEOVER: modals.takeover_modal,
    Verb.CLOSE: modals.close_modal,
}


def reasoned(verb: Verb) -> UseCase:
    """A use case that needs a reason: typed behind the command, or asked for in a modal."""

    async def use_case(desk: Desk, request: Request) -> Reply:
        run = await desk.run(request)
        if verb is Verb.ROLLBACK and run.state is State.COMPLETED:
            return Reply(text=still_possible(run))
        reason = request.text(Field.REASON) or words_after_run(request)
        if not reason:
            return Reply(modal=_MODALS[verb](run))
        make, answer = _REASONED[verb]
        await desk.engine.handle(run.id, make(await desk.person(request, run.plan.policy), reason))
        return _said(answer, run)

    return use_case


def plain(verb: Verb) -> UseCase:
    """A use case that needs no reason."""

    async def use_case(desk: Desk, request: Request) -> Reply:
        run = await desk.run(request)
        make, answer = _PLAIN[verb]
        await desk.engine.handle(run.id, make(await desk.person(request, run.plan.policy)))
        return _said(answer, run)

    return use_case


async def fix(desk: Desk, request: Request) -> Reply:
    """Another way for the step that failed: its button, or ``/migrate fix FIX``."""
    run = await desk.run(request)
    wanted = request.value.digest or words_after_run(request).lower().replace("-", "_")
    if wanted not in set(Fix):
        there = ", ".join(offered_fixes(run))
        remedy = f"Type /migrate fix and one of: {there}." if there else "Nothing is on offer now; see /migrate status."
        raise Invalid(f"“{wanted}” is nothing that I can do about it.", remedy)
    person = await desk.person(request, run.plan.policy)
    await desk.engine.handle(run.id, i.Retry(person=person, fix=Fix(wanted)))
    return _said(f"ℹ️ {TITLES[Fix(wanted)]}: it is described and asked for.", run)


def _said(answer: str, run: Run) -> Reply:
    return Reply(text=f"{answer} ({escape(run.plan.name)}, {run.id})", channel=run.plan.channel)
