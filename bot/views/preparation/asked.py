"""The messages that call for a second person, and what the bot says when what was shown no longer counts."""

from bot.runbook.drill import DrillReport, Measured
from bot.runbook.preparation import events as e
from bot.runbook.preparation.checklist import LINES, Waiver
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.rungs import TITLES
from bot.runbook.wording import duration
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Verb
from bot.views.preparation import parts
from bot.views.text import mention, moment, said


def waiver_key(p: Preparation, waiver: Waiver) -> str:
    """The key of the message that asks the second person."""
    return f"{p.id}:waiver:{waiver.item}:{waiver.at * 1000:.0f}"


def waiver(p: Preparation, asked: Waiver) -> b.Payload:
    """An item shall be set aside: somebody else has to agree; drawn again when they have."""
    item, plan = LINES[asked.item].text, p.draft.plan
    what = f"“{item}” for “{said(plan.name, 75)}” on {said(plan.target, 80)}"
    why = f"{said(asked.name, 80)}: {said(asked.reason, 500)}"
    now = p.waiver(asked.item)
    if now is not None and now.agreed and now.at == asked.at:
        text = f"{Glyph.DONE} {said(now.second_name, 80)} agreed {moment(now.second_at)} to waive {what}.\n{why}"
        return b.payload(text, [b.section(text)])
    if now is None or now.at != asked.at or p.final:
        text = f"{Glyph.INFO} Waiving {what} is no longer asked for.\n{why}"
        return b.payload(text, [b.section(text)])
    called = (plan.policy.approvers | plan.policy.owners) - {asked.person}
    text = f"{Glyph.ATTENTION} {mention(called)} Does one of you agree to waive {what}?\n{why}"
    sure = b.confirm("Agree to the waiver?", "The item does not count; your name stands beside it.", "Agree")
    value = ActionValue(run=p.id, number=int(asked.at), digest=asked.item.value)
    buttons = [
        b.button(Verb.AGREE, "Agree", value, style="primary", confirm=sure),
        b.button(Verb.CHECKLIST, "Checklist…", ActionValue(run=p.id)),
    ]
    return b.payload(text, [b.section(text), *b.actions(buttons)])


def fell_back(p: Preparation, event: e.FellBack) -> b.Payload:
    """Which items fell back and why, and which files it was."""
    plan, names = p.draft.plan, _names(event.changed)
    head = f"{Glyph.ATTENTION} {_called(p, event)}“{said(plan.name, 75)}” on {said(plan.target, 80)}: {event.reason}."
    lines = [f"Changed: {said(', '.join(names), 600)}; the difference is in the plan's thread."] if names else []
    if event.items:
        lines += ["No longer shown:", *(f"• {LINES[each].text}" for each in event.items)]
    if event.answers:
        lines.append(f"The Go of {said(', '.join(event.answers), 300)} no longer counts; it is asked for anew.")
    if event.drill:
        lines.append("The rehearsal was of the files before; it no longer counts.")
    text = "\n".join((head, *lines))
    return b.payload(text, [b.section(each) for each in b.packed([head, *lines])])


def _names(difference: tuple[str, ...]) -> list[str]:
    """The files named by the heads of a unified difference."""
    marks = ("+++ now: ", "--- was: ")
    found = [line.removeprefix(mark).strip() for line in difference for mark in marks if line.startswith(mark)]
    return list(dict.fromkeys(found))


def _called(p: Preparation, event: e.FellBack) -> str:
    """Those whose word fell, and whoever executes."""
    names = {each.id for each in p.draft.team if each.name in event.answers}
    return f"{mention(names | {p.draft.executor.id, p.author})} "


def drill_ended(p: Preparation, event: e.DrillEnded) -> b.Payload:
    """The figures of a rehearsal: every statement, WAL, size, DOWN, the ways back."""
    report = event.report
    if report is None:
        return _one(f"{Glyph.FAILED} There was no rehearsal: {said(event.problem, 600)}")
    if not report.ok:
        head = f"{Glyph.FAILED} The rehearsal on {said(report.source, 100) or 'a copy'} failed: "
        return _boxed(head + said(report.problem, 600), [*_statements(report), *report.notes])
    head = f"{Glyph.DONE} Rehearsed on {said(report.source, 100) or 'a copy'}: {parts.figures(report)}."
    return _boxed(head, [*_statements(report), *_whole(report), *report.notes])


def _statements(report: DrillReport) -> list[str]:
    return [_statement(each) for each in report.statements]


def _statement(each: Measured) -> str:
    lock = f", {each.lock} on {each.relation}" if each.lock else ""
    rewrote = f", rewrites {', '.join(each.rewrote)}" if each.rewrote else ""
    return f"{each.seconds:8.2f} s  {each.file}:{each.line} {each.head}{lock}{rewrote}, WAL {parts.size(each.wal)}"


def _whole(report: DrillReport) -> list[str]:
    """What is about the rehearsal as a whole."""
    grown = report.size_after - report.size_before
    lines = [
        f"{report.apply_seconds:8.2f} s  the whole migration, WAL {parts.size(report.wal)}",
        f"Size: {parts.size(report.size_before)} before, {parts.size(report.size_after)} after ({parts.size(grown)})",
        f"The copy took {duration(report.copy_seconds)}",
        *(f"Verified: {each}" for each in report.verified),
    ]
    if report.backup_seconds is not None:
        lines.append(f"Backup: {report.backup_seconds:.1f} s")
    if report.down_seconds is not None:
        lines.append(f"DOWN: {report.down_seconds:.2f} s, the schema is as before")
    elif report.down_problem:
        lines.append(f"DOWN: {report.down_problem}")
    for each in report.back:
        took = f"{each.seconds:.2f} s" if each.seconds is not None else f"not possible: {each.problem}"
        lines.append(f"{TITLES[each.rung]}: {took}")
    return lines


def _boxed(head: str, lines: list[str]) -> b.Payload:
    text = "\n".join((head, *(f"• {said(each, 200)}" for each in lines[:20])))
    return b.payload(text, [b.section(head), *([b.code(lines, 5500)] if lines else [])])


def _one(text: str) -> b.Payload:
    return b.payload(text, [b.section(text)])
