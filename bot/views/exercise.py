"""What tells a game day from the real thing on every message, and its score."""

from collections.abc import Iterable

from bot.ports import Letter
from bot.runbook import exercise as x
from bot.runbook.run import Run
from bot.runbook.steps import StepName
from bot.runbook.wording import counted, one_line
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.text import escape, said

MARK = "GAME DAY – exercise on a copy"
_MOST_BLOCKS = 50  # of a message (Slack, "Reference: blocks")


def marked(run: Run, made: b.Payload) -> b.Payload:
    """The same message; of an exercise it says so before anything else, in its words and in its blocks."""
    if not run.plan.exercise or str(made["text"]).startswith(MARK):
        return made
    drawn = list(made.get("blocks", ()))
    if not drawn or len(drawn) >= _MOST_BLOCKS:
        drawn = [b.section(str(made["text"])[:2900])]
    return b.payload(f"{MARK}\n{made['text']}", [b.context(f"*{MARK}*"), *drawn])


def score_letters(run: Run, score: x.Score) -> tuple[Letter, ...]:
    """The score in the channel, and the table in its thread."""
    key = f"{run.id}:score"
    told, table = _told(run, score), list(_table(score))
    words = "\n".join(escape(line) for line in table)
    heading = f"{Glyph.INFO} What went wrong on purpose, and what became of it:"
    return (
        _letter(run, key, b.payload(told, [b.section(told)])),
        _letter(run, f"{key}:table", b.payload(f"{heading}\n{words}", [b.section(heading), b.code(table)]), thread=key),
    )


def _letter(run: Run, key: str, made: b.Payload, thread: str = "") -> Letter:
    return Letter(key=key, run_id=run.id, channel=run.plan.channel, payload=marked(run, made), thread=thread)


def _told(run: Run, score: x.Score) -> str:
    tried = [each for each in score.faults if each.points is not None]
    right = sum(each.right for each in tried)
    glyph = Glyph.DONE if score.all_noticed else Glyph.ATTENTION
    reminders = sum(each.reminders for each in score.answers)
    slowest = max((each.seconds or 0.0 for each in score.answers), default=0.0)
    lines = [
        f"{glyph} Game day over: {said(run.plan.name, 100)}",
        f"Bot: {_percent(score.bot)} – {right} of {counted(len(tried), 'fault')} noticed in time and answered rightly",
        f"People: {_percent(score.people)} – {counted(len(score.answers), 'question')},"
        f" {counted(reminders, 'reminder')}, the slowest answer after {slowest:.0f} s",
        f"Wrong people: {_refused(score.refused)}",
        "Nothing real was touched: the copy, its stand-in services and its backups are removed now.",
    ]
    return "\n".join(lines)


def _refused(count: int) -> str:
    return f"{counted(count, 'answer')} of people who may not give it refused" if count else "nobody tried"


def _percent(points: int | None) -> str:
    return "nothing to judge" if points is None else f"{points} %"


def _table(score: x.Score) -> Iterable[str]:
    for each in score.faults:
        after = "" if each.seconds is None else f" after {each.seconds:.1f} s"
        sign = "–" if each.points is None else f"{each.points} %"
        yield f"{sign:>5}  {x.TITLES[each.fault]}{after}: {one_line(each.how, 160)}"
        if each.points is not None and not each.right:
            yield f"       expected: {x.EXPECTED[each.fault]}"
    for answer in score.answers:
        yield f"{answer.points:>3} %  {_asked(answer)}"


def _asked(answer: x.Answer) -> str:
    step = "roll back" if answer.step is StepName.ANNOUNCE_ROLLBACK else answer.step.replace("_", " ")
    took = "" if answer.seconds is None else f" after {answer.seconds:.1f} s"
    called = f", {counted(answer.reminders, 'reminder')}" if answer.reminders else ""
    return f"{step}: {one_line(answer.how, 80)}{took}{called}"


def refusal(name: str, target: str, why: str) -> b.Payload:
    """There can be no game day, and why."""
    line = f"{Glyph.REFUSED} The game day of {said(name or target, 100)} on {said(target, 80)} could not begin."
    words = f"{line} {said(why, 1500)}"
    return b.payload(f"{MARK}\n{words}", [b.context(f"*{MARK}*"), b.section(words)])
