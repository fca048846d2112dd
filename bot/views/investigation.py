"""The investigation that opens when a run has gone back: what there is to do, and in its thread all that is known."""

from collections.abc import Sequence

from bot.runbook.run import Run
from bot.runbook.steps import StepName
from bot.runbook.wording import one_line
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.report.content import TO_DO
from bot.views.text import mention, said
from bot.views.timeline import Record, failure, timeline

_SHOWN, _WIDEST = 6000, 300


def opened(run: Run) -> b.Payload:
    """The message in the channel: the runbook's four items, and who is called to them."""
    policy = run.plan.policy
    called = mention(policy.owners or policy.approvers)
    title = f"Investigation: {said(run.plan.name, 100)} (run {said(run.id, 60)})"
    items = "\n".join(f"• {each}" for each in TO_DO)
    rest = "In this thread: the timeline, what failed, the last lines of the logs, and the whole report as a file."
    words = f"{called} The migration of {said(run.plan.target, 80)} was rolled back. What is left to do:\n{items}"
    drawn = [b.header(f"{Glyph.ATTENTION} {title}"), b.section(words), b.context(rest)]
    return b.payload(f"{Glyph.ATTENTION} {title}\n{words}\n{rest}", drawn)


def thread(run: Run, record: Record) -> dict[str, b.Payload]:
    """What stands in its thread before the report, by the last part of its key."""
    moments = [each.line for each in timeline(run.id, record.events)]
    logs = _newest(record.logs)
    return {
        "timeline": _boxed("Every step that was finished, and what came between", moments),
        "failed": _boxed("What failed, and what the schema was", _failed(run, record)),
        "logs": _boxed(f"The last {len(logs)} of the run's log lines", logs),
    }


def _newest(lines: Sequence[str]) -> list[str]:
    """As many of the last lines as fit into one message."""
    kept: list[str] = []
    room = _SHOWN
    for line in reversed(lines):
        room -= min(len(line), _WIDEST) + 1
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]


def _failed(run: Run, record: Record) -> list[str]:
    failed, _ = failure(record.events)
    lines = [f"Reason: {one_line(run.reason, 600)}"]
    if failed is not None and failed.criterion is not None:
        lines.append(f"Rollback criterion: {failed.criterion}")
    if failed is not None:
        lines.append(f"Problem: {one_line(failed.problem, 1000)}")
    for step, heading in (
        (StepName.VERIFY, "The schema as the migration left it:"),
        (StepName.VERIFY_BACK, "The schema after the way back:"),
    ):
        done = run.result(step)
        if done is not None and done.evidence:
            lines += [heading, *(f"  {one_line(each)}" for each in done.evidence)]
    return lines


def _boxed(heading: str, lines: Sequence[str]) -> b.Payload:
    """Lines exactly as they are, and the first of them as text."""
    head = f"{Glyph.INFO} {heading}:"
    text = "\n".join([head, *(said(line, 200) for line in lines[:15])])
    return b.payload(text, [b.section(f"*{head}*"), b.code(lines or ["Nothing."], _SHOWN, widest=_WIDEST)])
