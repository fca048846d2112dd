"""The message that asks people what now: a step that did not succeed, a hold, a hand-over; and its end."""

import textwrap

from bot.runbook import texts
from bot.runbook.paths import offered_fixes
from bot.runbook.run import Run, State
from bot.runbook.wording import duration, one_line
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.card import needed_line
from bot.views.offers import buttons, fixes, offered
from bot.views.text import escape, said


def asks(run: Run, now: float) -> b.Payload:
    """What happened, whether anything changed, who decides, and the buttons to do it with."""
    lines = [_headline(run), *_trouble(run), _changed(run, now), needed_line(run)]
    text = "\n".join(line for line in lines if line)
    named = [*(f"/migrate {verb}" for verb in offered(run)), *(f"/migrate fix {each}" for each in offered_fixes(run))]
    drawn = [b.section(text), *b.actions(fixes(run)), *b.actions(buttons(run))]
    return b.payload(f"{text}\nYou can: {', '.join(named)}.", drawn)


def settled(before: Run, after: Run) -> b.Payload:
    """The same message without its buttons, once the run goes on or elsewhere."""
    text = f"{_headline(before)}\n{Glyph.INFO} No longer waiting: {_since(after)}"
    return b.payload(text, [b.section(text)])


def in_full(run: Run) -> b.Payload:
    """What somebody took the run over for, where the message itself has no room for it; else nothing.

    The platform's way back is such a text: it is the instructions that a person goes by.
    """
    if run.state is not State.HANDED_OVER or run.keeper is None or one_line(run.keeper.reason) == run.keeper.reason:
        return {}
    heading = f"{Glyph.INFO} What {said(run.keeper.name, 80)} took the run over for, in full:"
    lines = [part for line in run.keeper.reason.splitlines() for part in textwrap.wrap(line, 120) or [""]]
    return b.payload(f"{heading}\n{said(run.keeper.reason, 1500)}", [b.section(heading), b.code(lines, 6200)])


def _since(run: Run) -> str:
    """What became of the run, in a sentence that stays true."""
    if run.state in (State.PREPARING, State.WORKING, State.WATCHING, State.ASKING):
        return f"the run goes on with “{run.step.title}”."
    if run.trouble is None and run.hold is None and run.keeper is None and not run.final:
        return "the run goes on."  # somebody has just said so, and where it comes to is not said yet
    return escape(texts.doing(run))


def _headline(run: Run) -> str:
    if run.state is State.STUCK and run.trouble:
        return f"{Glyph.FAILED} *{run.step.title}* did not succeed: {said(run.trouble.problem, 600)}"
    return f"{Glyph.HOLD} {escape(texts.doing(run))}"


def _trouble(run: Run) -> list[str]:
    if run.state is not State.STUCK or run.trouble is None:
        return []
    advice = f"*What helps:* {said(run.trouble.advice, 600)}" if run.trouble.advice else ""
    found = f"*Reference:* {said(run.trouble.reference, 80)} (in the logs)" if run.trouble.reference else ""
    return [advice, found]


def _changed(run: Run, now: float) -> str:
    down = texts.downtime(run, now)
    gone = f" (downtime {duration(down)} so far)" if down else ""
    return f"*Database:* {texts.DATABASE[run.database_state]}. *Services:* {escape(texts.services(run))}{gone}."
