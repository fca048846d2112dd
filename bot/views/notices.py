"""The plain messages of a run: announcements, evidence, updates, reminders, verdicts over the services."""

from collections.abc import Sequence

from bot.runbook import events as e
from bot.runbook import texts
from bot.runbook.digest import short
from bot.runbook.run import Question, Run
from bot.runbook.samples import Judgement
from bot.runbook.steps import StepName
from bot.runbook.wording import duration, utc
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.card import needed_line
from bot.views.figures import figures
from bot.views.lines import step_title
from bot.views.question import title, until
from bot.views.text import escape, mention, moment, said


def announced(run: Run, words: str, step: StepName) -> b.Payload:
    """The words as they are; the start says its time in each reader's own zone as well."""
    marked = escape(words.replace("`", "ˋ"))
    own = f" · expected completion in your time: {moment(texts.expected_end(run), '{date_short_pretty} {time}')}"
    note = f"{said(run.plan.name, 100)} on {said(run.plan.target, 80)}{own if step is StepName.ANNOUNCE_START else ''}"
    waived = f"Waived beforehand: {said('; '.join(run.plan.waived), 900)}" if run.plan.waived else ""
    return b.payload(marked, [b.section(marked), b.context(note, *([waived] if waived else []))])


def evidence(run: Run, event: e.StepFinished, head: str) -> b.Payload:
    """What a finished step leaves in the thread."""
    took = duration(event.at - event.began_at)
    record = f" · record {short(head)}" if head else ""
    line = f"{Glyph.DONE} “{step_title(run, event.step)}” is done after {took}{record}."
    lines = "\n".join(f"• {said(each)}" for each in event.evidence[:20])
    boxed = [b.code(event.evidence, 5000)] if event.evidence else []
    return b.payload(f"{line}\n{lines}", [b.section(line), *boxed])


def sql(asked: Question, name: str, body: str) -> b.Payload:
    """One of the texts behind a question, as it will be run."""
    heading = f"{Glyph.INFO} {said(name, 120)}, what digest {short(asked.digest)} covers:"
    return b.payload(f"{heading}\n{said(body, 1500)}", [b.section(heading), b.code(body.splitlines(), 6200)])


def status(run: Run, now: float, head: str) -> b.Payload:
    """The update; where people are needed, its line about them calls them."""
    lines = escape(texts.status(run, now, head)).splitlines()
    call = needed_line(run).replace("*Needed:*", "Needed:", 1)
    marked = "\n".join(call if call and line.startswith("Needed: ") else line for line in lines)
    watched = "\n".join(f"• {each}" for each in figures(run))
    parts = [part for part in (marked, watched) if part]
    return b.payload("\n".join(parts), [b.section(part) for part in parts])


def reminder(run: Run, asked: Question, level: int) -> b.Payload:
    """Calling ever more people: those who can answer, then whom the policy names for that level."""
    called = texts.needed(run) if level <= 1 else run.plan.policy.mention(level - 1)
    line = (
        f"{Glyph.ATTENTION} {mention(called)} “{title(run, asked)}” still waits for approval,"
        f" {len(asked.approvals)} of {run.quorum} so far; open until {until(asked)}."
    )
    return b.payload(line.replace(until(asked), utc(asked.expires_at)), [b.section(line)])


def worry(run: Run, reason: str) -> b.Payload:
    """Something about the services that people should look at."""
    called = mention(run.plan.policy.owners | run.plan.policy.on_call or run.plan.policy.approvers)
    return one_section(f"{Glyph.ATTENTION} {called} The services need a look (alert): {said(reason)}")


def verdict(judgement: Judgement, reason: str) -> str:
    """A judgement that calls nobody: all is well, nothing is known, or the breach that is told of right after."""
    sign = Glyph.DONE if judgement is Judgement.HEALTHY else Glyph.ATTENTION
    return f"{sign} The services are judged {judgement}: {said(reason)}"


def predicted(lines: Sequence[str]) -> b.Payload:
    """What was foretold against what it took, line by line."""
    head = f"{Glyph.INFO} Predicted against actual:"
    return b.payload("\n".join([head, *(said(each) for each in lines)]), [b.section(head), b.code(lines)])


def one_section(text: str) -> b.Payload:
    """A message of one paragraph."""
    return b.payload(text, [b.section(text)])
