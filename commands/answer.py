"""Approve, reject, and pick another way back: answers to exactly what was shown, and to a session that blocks."""

from bot.runbook import intents as i
from bot.runbook.digest import short
from bot.runbook.refusals import AlreadyAnswered, DigestChanged, Invalid, NotNow
from bot.runbook.run import Question, Run, State
from bot.runbook.rungs import TITLES, Rung
from bot.views.ids import Field
from bot.views.modals import reject_modal, word_modal
from commands.desk import Desk, Reply, words_after_run
from commands.gameday import counted
from commands.parse import Request

_LOOK = "Type /migrate status to see where the run stands."


async def approve(desk: Desk, request: Request) -> Reply:
    """Yes: by the button, by the modal that asks for the word, or by ``/migrate approve DIGEST [WORD]``."""
    run = await desk.run(request)
    if not request.value.run:
        return await _approve_typed(desk, request, run)
    word = request.text(Field.WORD)
    question = run.question
    if question is not None and question.number == request.value.number and question.word and not word:
        return Reply(modal=word_modal(run, question))
    return await _yes(desk, request, run, request.value.number, request.value.digest, word)


async def _approve_typed(desk: Desk, request: Request, run: Run) -> Reply:
    digest, _, word = words_after_run(request).partition(" ")
    question = _open(run)
    if len(digest) < 8:
        raise Invalid(
            "An approval names what it approves: the first eight characters of the digest.",
            f"Look at it, then type /migrate approve {short(question.digest)}.",
        )
    if not question.digest.startswith(digest):
        raise DigestChanged("That is not the digest of the open question.", _LOOK)
    return await _yes(desk, request, run, question.number, question.digest, word.strip())


async def _yes(desk: Desk, request: Request, run: Run, number: int, digest: str, word: str) -> Reply:
    person = await desk.person(request, run.plan.policy)
    intent = i.Approve(person=person, number=number, digest=digest, word=word, via=request.via)
    after = await counted(desk, run, desk.engine.handle(run.id, intent))
    if after.question is not None and after.question.number == number:
        given = len(after.question.approvals)
        said = f"✅ Recorded: {given} of {after.quorum} approvals. It waits for another approver."
    else:
        said = "✅ Recorded. The quorum is complete; the step begins."
    return Reply(text=said, channel=run.plan.channel)


async def reject(desk: Desk, request: Request) -> Reply:
    """No, with a reason: asked for in a modal, or typed behind ``/migrate reject``."""
    run = await desk.run(request)
    reason = request.text(Field.REASON) or words_after_run(request)
    number = request.value.number or _open(run).number
    if not reason:
        asked = _open(run)
        if asked.number != number:
            raise AlreadyAnswered("This question is no longer open: it was answered, replaced or withdrawn.", _LOOK)
        return Reply(modal=reject_modal(run, asked))
    person = await desk.person(request, run.plan.policy)
    await counted(desk, run, desk.engine.handle(run.id, i.Reject(person=person, number=number, reason=reason)))
    return Reply(text="⛔ Recorded: the step does not begin.", channel=run.plan.channel)


async def rung(desk: Desk, request: Request) -> Reply:
    """Another way back than the question asks for: picked in its list, or ``/migrate rung RUNG``."""
    run = await desk.run(request)
    number, wanted = request.value.number, request.value.digest
    if not request.value.run:
        asked = _open(run)
        number, wanted = asked.number, words_after_run(request).lower()
        if not asked.options:
            raise NotNow("The open question is not about a way back.", "Type /migrate rollback REASON to ask for one.")
    if wanted not in set(Rung):
        names = ", ".join(each.rung for each in run.question.options if each.possible) if run.question else ""
        raise Invalid(f"“{wanted}” is no way back.", f"Type /migrate rung and one of: {names or ', '.join(Rung)}.")
    person = await desk.person(request, run.plan.policy)
    after = await desk.engine.handle(run.id, i.PickRung(person=person, number=number, rung=Rung(wanted)))
    if after.state is State.HANDED_OVER:
        words = "ℹ️ The run is in your hands now; how to go back on the platform stands in the channel."
        return Reply(text=words, channel=run.plan.channel)
    return Reply(text=f"ℹ️ “{TITLES[Rung(wanted)]}” is described and asked for anew.", channel=run.plan.channel)


async def cancel_blocker(desk: Desk, request: Request) -> Reply:
    """Yes to cancelling the session that keeps the migration waiting."""
    run = await desk.run(request)
    person = await desk.person(request, run.plan.policy)
    await desk.engine.handle(run.id, i.ApproveCancel(person=person, digest=request.value.digest))
    return Reply(text="✅ Recorded: the session is cancelled once enough approvers said so.")


async def keep_waiting(desk: Desk, request: Request) -> Reply:
    """Seen; the migration goes on waiting."""
    run = await desk.run(request)
    person = await desk.person(request, run.plan.policy)
    await desk.engine.handle(run.id, i.KeepWaiting(person=person, digest=request.value.digest))
    return Reply(text="ℹ️ Noted. The migration goes on waiting, within its limits.")


def _open(run: Run) -> Question:
    if run.question is None:
        raise AlreadyAnswered("No question is open.", _LOOK)
    return run.question
