"""The approval message: exactly what is asked, and what became of it."""

from bot.runbook import events as e
from bot.runbook import texts
from bot.runbook.digest import short
from bot.runbook.people import Approval
from bot.runbook.run import Licence, Question, Run
from bot.runbook.rungs import TITLES
from bot.runbook.steps import Step, StepName
from bot.runbook.wording import counted, utc
from bot.views import blocks as b
from bot.views import danger, ways
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Verb
from bot.views.offers import offered
from bot.views.text import escape, mention, moment, said

_WHEN = "{date_short_pretty} {time}"


def question(run: Run, *, worst: str = "") -> b.Payload:
    """The open question of ``run``; ``worst`` says how long it may take."""
    asked = _asked(run)
    value = ActionValue(run=run.id, number=asked.number, digest=asked.digest)
    drawn = [
        b.header(f"{Glyph.ATTENTION} Approval needed: {title(run, asked)}"),
        b.section(_who(run, asked)),
        *(b.section(line) for line in before_all(run, asked)),
        *b.facts(_facts(run, asked, worst)),
        b.section("*Exactly this will be done:*"),
        b.code(asked.lines, 1200 if asked.options else 2000),
        *_changed(asked),
        *(b.section(line) for line in _consequences(run, asked)),
        *([b.context("The SQL itself is in the thread of this message.")] if asked.texts else []),
        *_answers(asked),
        *b.actions(_buttons(run, asked, value)),
        *ways.picking(run, asked),
    ]
    return b.payload(_in_words(run, asked, worst), drawn)


def answered(before: Run, event: e.Event) -> b.Payload:
    """The question of ``before`` after ``event`` closed it: no buttons, who said what when."""
    asked = _asked(before)
    verdict = _verdict(event)
    drawn = [
        b.section(f"*{title(before, asked)}*: {verdict}"),
        *_answers(asked),
        b.code(asked.lines, 1200),
        b.context(f"Question {asked.number} of run {said(before.id, 60)} · digest {short(asked.digest)}"),
    ]
    yes = "".join(f"\nApproved by {said(each.name, 80)} at {utc(each.at)}." for each in asked.approvals)
    return b.payload(f"{title(before, asked)}: {verdict}{yes}\nDigest {short(asked.digest)}.", drawn)


def title(run: Run, asked: Question) -> str:
    """The step that is asked for; one approval covers the whole way back."""
    return "Roll back the migration" if asked.step is StepName.ANNOUNCE_ROLLBACK else escape(_step(run, asked).title)


def until(asked: Question) -> str:
    """Until when the question stands."""
    return moment(asked.expires_at, _WHEN)


_UNDO = {
    StepName.BACKUP: "nothing is changed by it; the run can be aborted.",
    StepName.STOP_SERVICES: "the services are started again.",
    StepName.APPLY: "the run can be rolled back to the backup; what is written after the backup would be lost.",
    StepName.RESTART_SERVICES: "the services can be stopped again, and the run rolled back.",
    StepName.ANNOUNCE_ROLLBACK: "the database as it is now is kept, and the run can be taken over by hand.",
}


def before_all(run: Run, asked: Question) -> list[str]:
    """What people must have read before everything else: why it goes back and how; what is gone for good."""
    return [*ways.why_and_which(run, asked), *danger.one_more(run, asked), *danger.statements(asked.dangers)]


def _undo(asked: Question) -> str:
    """The step's own words, or ours for a question that came without any."""
    return said(asked.undo, 500) if asked.undo else _UNDO.get(asked.step, "the run can be taken over by hand.")


def _consequences(run: Run, asked: Question) -> list[str]:
    """What else there is to weigh: going back, the point of no return, what is agreed to beside it."""
    no_return = f"*Point of no return:* {said(asked.no_return, 400)}" if asked.no_return else ""
    lines = [ways.others(asked), f"*If it goes wrong:* {_undo(asked)}", no_return, *ways.consent(run, asked)]
    return [line for line in lines if line]


def _asked(run: Run) -> Question:
    if run.question is None:
        raise ValueError("The run has no open question to draw.")
    return run.question


def _step(run: Run, asked: Question) -> Step:
    return next((step for step in run.steps if step.name is asked.step), run.step)


def _who(run: Run, asked: Question) -> str:
    given, quorum = len(asked.approvals), run.quorum
    lines = [
        f"{mention(texts.needed(run)) or 'An approver'}: please approve or reject.",
        f"*{given} of {counted(quorum, 'approval')}* so far · open until {until(asked)}, then it is asked anew.",
    ]
    if asked.word is not None:
        lines.append(f"To approve, the name of the database (“{said(asked.word, 80)}”) is typed.")
    return "\n".join(lines)


def _facts(run: Run, asked: Question, worst: str) -> list[tuple[str, str]]:
    plan = run.plan
    found = [
        ("On", f"{said(plan.target, 80)} (database {said(plan.database, 80)})"),
        ("Where we are", escape(texts.place(run))),
        ("Expected time", _expected(run, asked)),
        ("At worst", said(worst, 200)) if worst else None,
        ("Risk", danger.level(run)),
        ("Services", escape(texts.services(run))),
        ("Started by", f"{mention({plan.starter})}, who {'may' if plan.policy.self_approval else 'cannot'} approve it"),
        ("Digest", short(asked.digest)),
    ]
    return [each for each in found if each is not None]


def _expected(run: Run, asked: Question) -> str:
    """What is known of the way back, or the runbook's minutes of everything this one answer covers."""
    minutes = sum(step.minutes for step in run.steps if step.asked_by is asked.step)
    return ways.expected(asked, f"{counted(minutes, 'minute')} by the runbook")


def _changed(asked: Question) -> list[b.Block]:
    if not asked.diff:
        return []
    return [b.section(f"*{Glyph.ATTENTION} What changed since it was asked before:*"), b.code(asked.diff, 1200)]


def _answers(asked: Question) -> list[b.Block]:
    if not asked.approvals:
        return []
    return [b.context("Approved by " + ", ".join(_yes(each) for each in asked.approvals[:20]))]


def _yes(approval: Approval) -> str:
    return f"{mention({approval.person})} {moment(approval.at, _WHEN)}"


def _buttons(run: Run, asked: Question, value: ActionValue) -> list[b.Block]:
    sure = f"{title(run, asked)} on {said(run.plan.target, 60)}, exactly as shown (digest {short(asked.digest)})."
    if run.plan.envelope is not None and asked.step is StepName.APPLY:
        sure += " The rollback envelope is signed with it."
    ask = None if asked.word is not None else b.confirm("Approve this step?", sure, "Approve")
    drawn = [
        b.button(Verb.APPROVE, "Approve" if asked.word is None else "Approve…", value, style="primary", confirm=ask),
        b.button(Verb.REJECT, "Reject…", value, style="danger"),
    ]
    return [*drawn, b.button(Verb.HOLD, "Hold…", value)] if Verb.HOLD in offered(run) else drawn


def _verdict(event: e.Event) -> str:
    match event:
        case e.Granted(by=Licence.PEOPLE, at=at):
            return f"{Glyph.DONE} approved {moment(at, _WHEN)}."
        case e.Granted(why=why, at=at):
            return f"{Glyph.ALERT} begun without asking {moment(at, _WHEN)}: {said(why)}."
        case e.RungPicked(name=name, rung=rung):
            return f"{Glyph.INFO} withdrawn: {said(name, 80)} wants another way, “{TITLES[rung]}”."
        case e.Rejected(name=name, reason=reason, at=at):
            return f"{Glyph.FAILED} rejected by {said(name, 80)} {moment(at, _WHEN)}: {said(reason)}"
        case e.Voided(reason=reason):
            return f"{Glyph.INFO} no longer open: {said(reason)}. It is asked anew; answer the newest question."
        case e.Held(hold=hold):
            return f"{Glyph.HOLD} put on hold by {said(hold.name, 80)}: {said(hold.reason)}. It is asked anew later."
        case e.HandedOver(keeper=keeper):
            return f"{Glyph.HOLD} withdrawn: {said(keeper.name, 80)} took the run over."
        case e.Aborted(name=name, reason=reason):
            return f"{Glyph.FAILED} withdrawn: {said(name, 80)} aborted the run: {said(reason)}"
    return f"{Glyph.INFO} withdrawn: the run went another way."


def _in_words(run: Run, asked: Question, worst: str) -> str:
    plan, given = run.plan, len(asked.approvals)
    how = f"type the name of the database, {said(asked.word, 80)}" if asked.word is not None else "press Approve"
    exact = "\n".join(f"• {said(line, 200)}" for line in asked.lines[:8])
    changed = "".join(f"\nChanged: {said(line, 200)}" for line in asked.diff[:4])
    which = "".join(f"{line}\n" for line in before_all(run, asked)).replace("*", "")
    weighed = "\n".join(line for line in (*_consequences(run, asked), ways.typed(asked)) if line).replace("*", "")
    return (
        f"{Glyph.ATTENTION} Approval needed: {title(run, asked)} on {said(plan.target, 80)}."
        f" {mention(texts.needed(run))} please {how}, or reject; {given} of {run.quorum} so far,"
        f" open until {utc(asked.expires_at)}.\n{which}"
        f"Expected time {_expected(run, asked)}{f', at worst {said(worst, 200)}' if worst else ''}."
        f" Services: {escape(texts.services(run))}. Digest {short(asked.digest)}.\n"
        f"{weighed}\n"
        f"Exactly this will be done:\n{exact}{changed}"
    )
