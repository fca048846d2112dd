"""What the card's thread says of an event, in one line."""

from bot.runbook import events as e
from bot.runbook import texts
from bot.runbook.digest import short
from bot.runbook.fixes import MEANING
from bot.runbook.fixes import TITLES as FIXES
from bot.runbook.run import Question, Run
from bot.runbook.rungs import TITLES, Rung
from bot.runbook.steps import StepName, route_steps
from bot.runbook.wording import duration, utc
from bot.views.blocks import Glyph
from bot.views.question import title
from bot.views.text import said


def line(run: Run, event: e.Event) -> str:
    """The line of an event that changed ``run`` into what it is; empty for those that are shown elsewhere."""
    match event:
        case e.Approved(approval=yes) if run.question and len(run.question.approvals) < run.quorum:
            count = f"{len(run.question.approvals)} of {run.quorum}"
            what = title(run, run.question)
            return f"{Glyph.DONE} {said(yes.name, 80)} approved “{what}” ({count}), digest {short(yes.digest)}."
        case e.Rejected(step=step, name=name, reason=reason):
            return f"{Glyph.FAILED} {said(name, 80)} rejected “{step_title(run, step)}”: {said(reason)}"
        case e.Voided(step=step, reason=reason):
            return f"{Glyph.INFO} “{step_title(run, step)}” is described and asked for anew: {said(reason)}."
        case e.StepBegan(step=step, attempt=attempt):
            return f"{Glyph.INFO} “{step_title(run, step)}” began{f', attempt {attempt}' if attempt > 1 else ''}."
        case e.HoldAsked(hold=hold):
            when = f"when “{run.step.title}” ends"
            return f"{Glyph.HOLD} {said(hold.name, 80)} holds the run; it stops {when}: {said(hold.reason)}"
        case e.CancelApproved(digest=digest, approval=yes):
            return f"{Glyph.DONE} {said(yes.name, 80)} approved cancelling session {said(digest, 60)}."
        case e.WaitingAccepted(digest=digest, name=name):
            return f"{Glyph.INFO} {said(name, 80)} lets the migration wait for session {said(digest, 60)}."
        case e.DatabaseNoted(lines=lines):
            return "\n".join(f"{Glyph.INFO} Seen while watching: {said(each, 400)}" for each in lines[:10])
        case e.AnalyzeAsked(name=name):
            return f"{Glyph.INFO} {said(name, 80)} lets the bot gather statistics."
        case e.AnalyzeEnded(lines=lines):
            return f"{Glyph.INFO} Statistics: {said('; '.join(lines), 900)}"
        case e.CheckAnswered(answer=answer):
            word = "works" if answer.works else f"does not work: {said(answer.note)}"
            return f"{Glyph.INFO} {said(answer.name, 80)} tried “{said(answer.check, 80)}” {answer.moment}: {word}"
        case e.Ended(at=at):
            return f"{Glyph.INFO} The run is over: {texts.place(run)}, after {duration(texts.elapsed(run, at))}."
    return _steered(run, event)


def _steered(run: Run, event: e.Event) -> str:
    """Where somebody wants the run to go."""
    match event:
        case e.Retried(name=name, fix=fix) if fix is not None:
            return f"{Glyph.INFO} {said(name, 80)} chose “{FIXES[fix]}”. {MEANING[fix]}"
        case e.Retried(name=name):
            return f"{Glyph.INFO} {said(name, 80)} has “{run.step.title}” tried again."
        case e.Aborted(name=name, reason=reason):
            return f"{Glyph.INFO} {said(name, 80)} aborted the run: {said(reason)}"
        case e.RollbackAsked(person="", reason=reason):
            return f"{Glyph.ATTENTION} The bot asks for the way back: {said(reason, 600)}"
        case e.RollbackAsked(name=name, reason=reason):
            return f"{Glyph.ATTENTION} {said(name, 80)} asked to roll back: {said(reason)}"
        case e.WindowExtended(name=name, until=until, reason=reason):
            return f"{Glyph.INFO} {said(name, 80)} extended the window until {utc(until)}: {said(reason)}"
        case e.RungPicked(name=name, rung=rung):
            then = "they go it by hand" if rung is Rung.PLATFORM else "it is described and asked for anew"
            return f"{Glyph.INFO} {said(name, 80)} picked another way back, “{TITLES[rung]}”: {then}."
    return ""


def granted(run: Run, asked: Question) -> str:
    """The last approval and the licence it completed, in one line."""
    names = ", ".join(said(each.name, 80) for each in asked.approvals[:20])
    signed = run.plan.envelope is not None and asked.step is StepName.APPLY
    also = " The rollback envelope is signed with it." if signed else ""
    return f"{Glyph.DONE} “{title(run, asked)}” is approved by {names}, digest {short(asked.digest)}.{also}"


def step_title(run: Run, name: StepName) -> str:
    """The title of a step, on whichever route it stands."""
    plan, before = run.plan, run.left[0] if run.left else run.route
    steps = (*run.steps, *route_steps(plan.runbook, before, downtime=True, standby=plan.standby))
    return next((step.title for step in steps if step.name is name), name.replace("_", " "))
