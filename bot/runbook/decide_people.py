"""What people may ask of a run, and what comes of it.  Authority is judged here, at every click."""

from dataclasses import replace

from bot.runbook import authority
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.fixes import Fix
from bot.runbook.paths import Events, again, enter, offered_fixes, pause, restart_position, way_out
from bot.runbook.people import Approval, Person
from bot.runbook.run import Database, Hold, Question, Run, State
from bot.runbook.rungs import Rung
from bot.runbook.steps import Route, StepName
from bot.runbook.window import too_late

LONGEST_EXTENSION = 86400.0  # seconds
_LOOK = "Type /migrate status to see where the run stands."


def decide(run: Run, intent: i.ByPerson, now: float) -> Events:
    """What a person's intent makes happen; raises a ``Refusal`` otherwise."""
    match intent:
        case i.Approve():
            return approve(run, intent, now)
        case i.Reject():
            return reject(run, intent, now)
        case i.PullCord():
            return pull_cord(run, intent, now)
        case i.Resume():
            return resume(run, intent, now)
        case i.Retry():
            return retry(run, intent, now)
        case i.Abort():
            return abort(run, intent, now)
        case i.RollBack():
            return roll_back(run, intent, now)
        case i.PickRung():
            return pick_rung(run, intent, now)
        case i.ExtendWindow():
            return extend_window(run, intent, now)
        case i.TakeOver():
            return take_over(run, intent, now)
        case i.Close():
            return close(run, intent, now)
        case i.ApproveCancel():
            return approve_cancel(run, intent, now)
        case i.KeepWaiting():
            return keep_waiting(run, intent, now)


def approve(run: Run, intent: i.Approve, now: float) -> Events:
    """One yes; the quorum's last yes grants the step."""
    question = _open_question(run, intent.number)
    if intent.digest != question.digest:
        raise r.DigestChanged(
            "What would run is no longer what this button showed.",
            "Look at the newest question and answer that.",
        )
    authority.approver(run, intent.person, question.approvals)
    if question.word is not None and intent.word.strip() != question.word:
        raise r.WrongWord(
            f"This step is approved by typing the name of the database, “{question.word}”.",
            "Press Approve again and type it exactly.",
        )
    if now > question.expires_at:
        raise r.Stale("This question has expired.", "It is being asked anew; answer the newest one.")
    approval = Approval(person=intent.person.id, name=intent.person.name, at=now, digest=intent.digest, via=intent.via)
    approved = e.Approved(number=question.number, approval=approval)
    if len(question.approvals) + 1 < run.quorum:
        return (approved,)
    return (approved, e.Granted(step=question.step, digest=question.digest, at=now))


def reject(run: Run, intent: i.Reject, now: float) -> Events:
    """A no: nothing touched ends the run, a declined rollback returns and waits, anything else asks what now."""
    question = _open_question(run, intent.number)
    authority.decliner(run, intent.person)
    reason = _reason(intent.reason, "A no is recorded with a reason.")
    rejected = e.Rejected(
        number=question.number,
        step=question.step,
        person=intent.person.id,
        name=intent.person.name,
        reason=reason,
        at=now,
    )
    return (rejected, *_after_no(run, intent.person, f"{intent.person.name}: {reason}", now))


def _after_no(run: Run, person: Person, why: str, now: float) -> Events:
    if run.step.name is StepName.ANNOUNCE_ROLLBACK and run.left is not None:
        declined = f"The rollback was declined by {why}"
        hold = Hold(person=person.id, name=person.name, reason=declined, at=now)
        return (enter(run, *run.left, now, declined), *pause(run, hold, now))
    untouched = run.database_state is Database.UNTOUCHED and not run.services_down
    if run.route in (Route.FORWARD, Route.CLEANUP) and untouched:
        return (enter(run, Route.CANCEL, 0, now, f"Declined by {why}"),)
    return (e.StepFailed(step=run.step.name, problem=f"Declined by {why}", at=now),)


def pull_cord(run: Run, intent: i.PullCord, now: float) -> Events:
    """Anyone may stop a run before its next step; what already runs ends first."""
    authority.member(intent.person)
    hold = Hold(
        person=intent.person.id,
        name=intent.person.name,
        reason=_reason(intent.reason, "A hold needs a reason."),
        at=now,
    )
    if run.route is not Route.FORWARD:
        raise r.NotNow("Only the migration itself is held up, not this.", "An approver can say no to its questions.")
    if run.position + 1 == len(run.steps):
        raise r.NotNow("The last step is under way; there is nothing left to hold.", _LOOK)
    if run.state in (State.HELD, State.STUCK, State.HANDED_OVER) or run.hold:
        raise r.NotNow("The run is already waiting for people; nothing happens before they decide.", _LOOK)
    if run.state in (State.WORKING, State.WATCHING):
        return (e.HoldAsked(hold=hold),)
    return (e.Held(hold=hold, at=now),)


def resume(run: Run, intent: i.Resume, now: float) -> Events:
    """An owner lets a held or handed-over run go on, from the step it stood before."""
    if run.state is State.HELD:
        authority.steerer(run, intent.person)
        if late := too_late(run, now):
            raise r.NotNow(f"{late}.", "Type /migrate extend to give it more time, or /migrate abort.")
    elif run.state is State.HANDED_OVER:
        authority.keeper(run, intent.person)
    else:
        raise r.NotNow("The run is not on hold.", _LOOK)
    return (e.Resumed(person=intent.person.id, name=intent.person.name, at=now), again(run, now))


def retry(run: Run, intent: i.Retry, now: float) -> Events:
    """Try the failed step again, as it was or in a way that was offered; a destructive one is asked for anew."""
    if run.state is not State.STUCK and not (intent.fix and run.state is State.HELD):
        raise r.NotNow("No step is waiting to be tried again.", _LOOK)
    authority.steerer(run, intent.person)
    if intent.fix is not None and intent.fix not in offered_fixes(run):
        raise r.NotNow("That is not on offer for what has failed.", "Choose from the buttons of the newest message.")
    retried = e.Retried(person=intent.person.id, name=intent.person.name, at=now, fix=intent.fix)
    restart = restart_position(run) if intent.fix is Fix.RESTART else None
    return (retried, again(run, now) if restart is None else enter(run, run.route, restart, now))


def abort(run: Run, intent: i.Abort, now: float) -> Events:
    """End without the migration; services that were stopped come back first."""
    authority.steerer(run, intent.person)
    route = way_out(run)
    reason = _reason(intent.reason, "An abort is recorded with a reason.")
    aborted = e.Aborted(person=intent.person.id, name=intent.person.name, reason=reason, at=now)
    return (aborted, enter(run, route, 0, now, f"Aborted by {intent.person.name}: {reason}"))


def roll_back(run: Run, intent: i.RollBack, now: float) -> Events:
    """Go back: asked at once, or at the end of a running step that cannot be cut short."""
    authority.steerer(run, intent.person)
    if run.route in (Route.ROLLBACK, Route.CLOSE) or run.rollback_wanted:
        raise r.NotNow("The run is already on its way back, or being closed.", _LOOK)
    if not run.backed_up:
        raise r.NotNow("There is no backup yet, and nothing to go back from.", "Type /migrate abort to end the run.")
    reason = _reason(intent.reason, "A rollback is recorded with a reason.")
    asked = e.RollbackAsked(person=intent.person.id, name=intent.person.name, reason=reason, at=now)
    if run.claim is not None and not run.step.interruptible:
        return (asked,)
    return (asked, enter(run, Route.ROLLBACK, 0, now, reason))


def pick_rung(run: Run, intent: i.PickRung, now: float) -> Events:
    """Another way back than the recommended one is asked for anew; whoever picks the platform's goes it by hand."""
    question = _open_question(run, intent.number)
    authority.steerer(run, intent.person)
    option = next((each for each in question.options if each.rung is intent.rung), None)
    if option is None or not option.possible:
        why = option.why if option else "this question has no such choice"
        raise r.RungImpossible(f"That way back is not possible now: {why}.", "Choose another one of the question's.")
    if option.rung is question.rung:
        raise r.AlreadyAnswered("That is the way the question asks for already.", "Approve or reject it.")
    person = intent.person
    picked = e.RungPicked(rung=option.rung, person=person.id, name=person.name, at=now)
    if option.rung is not Rung.PLATFORM:
        return (picked,)
    note = f"{option.title}: {option.basis}"
    return (picked, e.HandedOver(keeper=Hold(person=person.id, name=person.name, reason=note, at=now), at=now))


def extend_window(run: Run, intent: i.ExtendWindow, now: float) -> Events:
    """More time, by somebody who may steer; a run that was held for the want of it goes on."""
    authority.steerer(run, intent.person)
    end = run.window_end
    if end is None or run.route is not Route.FORWARD:
        raise r.NotNow("Nothing of this run waits for the end of a window.", _LOOK)
    if intent.until <= max(end, now):
        raise r.Stale("The window is open until then already, or that moment has passed.", "Give it a later end.")
    if intent.until - now > LONGEST_EXTENSION:
        raise r.Invalid("A window is not extended by more than a day.", "Abort, and plan another one.")
    reason = _reason(intent.reason, "An extension is recorded with a reason.")
    person = intent.person
    extended = e.WindowExtended(until=intent.until, person=person.id, name=person.name, reason=reason, at=now)
    after = replace(run, extended=intent.until)
    if run.state is State.HELD and run.hold and run.hold.window and not too_late(after, now):
        return (extended, e.Resumed(person=person.id, name=person.name, at=now), again(run, now))
    return (extended,)


def take_over(run: Run, intent: i.TakeOver, now: float) -> Events:
    """A named person takes the run into their hands; the bot does nothing more until they say."""
    authority.steerer(run, intent.person)
    if run.state in (State.WORKING, State.PREPARING):
        raise r.StepRunning(
            "The bot is in the middle of a step.",
            "Take over when it has ended; before the way back, /migrate hold makes the run stop there.",
        )
    if run.route is Route.CLOSE:
        raise r.NotNow("The run is being closed.", _LOOK)
    if run.keeper is not None and run.keeper.person == intent.person.id:
        raise r.NotNow("The run is already in your hands.", "Type /migrate resume to give it back to the bot.")
    note = _reason(intent.note, "A hand-over needs a note on what you are going to do.")
    keeper = Hold(person=intent.person.id, name=intent.person.name, reason=note, at=now)
    return (e.HandedOver(keeper=keeper, at=now),)


def close(run: Run, intent: i.Close, now: float) -> Events:
    """The keeper says how it ended; their words are announced."""
    if run.state is not State.HANDED_OVER:
        raise r.NotNow("The run is not in anybody's hands.", "Take it over first.")
    authority.keeper(run, intent.person)
    note = _reason(intent.note, "Closing by hand needs a sentence on how it ended.")
    return (enter(run, Route.CLOSE, 0, now, f"{intent.person.name}: {note}"),)


def approve_cancel(run: Run, intent: i.ApproveCancel, now: float) -> Events:
    """One yes to cancelling a session that blocks the migration."""
    blocker = next((each for each in run.blockers if each.digest == intent.digest), None)
    if blocker is None:
        raise r.Stale("That session no longer blocks the migration.", "Nothing needs to be done.")
    if blocker.granted:
        raise r.AlreadyAnswered("Cancelling that session is already approved.", "The bot is doing it.")
    authority.approver(run, intent.person, blocker.approvals)
    approval = Approval(person=intent.person.id, name=intent.person.name, at=now, digest=intent.digest)
    granted = len(blocker.approvals) + 1 >= run.plan.policy.quorum
    return (e.CancelApproved(digest=intent.digest, approval=approval, granted=granted),)


def keep_waiting(run: Run, intent: i.KeepWaiting, now: float) -> Events:
    """Somebody saw the blocker and lets the migration wait."""
    authority.member(intent.person)
    blocker = next((each for each in run.blockers if each.digest == intent.digest), None)
    if blocker is None:
        raise r.Stale("That session no longer blocks the migration.", "Nothing needs to be done.")
    if intent.person.id in blocker.awaited_by:
        raise r.AlreadyAnswered("You have already let it wait.", "It goes on waiting, within its limits.")
    person: Person = intent.person
    return (e.WaitingAccepted(digest=intent.digest, person=person.id, name=person.name, at=now),)


def _open_question(run: Run, number: int) -> Question:
    if run.question is None or run.question.number != number:
        raise r.AlreadyAnswered("This question is no longer open: it was answered, replaced or withdrawn.", _LOOK)
    return run.question


def _reason(text: str, needed: str) -> str:
    if not text.strip():
        raise r.ReasonNeeded(needed, "Add a few words and send it again.")
    return text.strip()
