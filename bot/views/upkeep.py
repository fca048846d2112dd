"""Tables without statistics: said with a button that gathers them."""

from bot.runbook.run import Run
from bot.runbook.steps import StepName
from bot.runbook.upkeep import without_statistics
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Verb
from bot.views.text import said


def analyze_key(run: Run) -> str:
    """The key of the message that offers it; a later verification offers anew."""
    verified = run.result(StepName.VERIFY)
    return f"{run.id}:analyze:{int((verified.ended_at if verified else 0.0) * 1000)}"


def analyze_offered(run: Run) -> b.Payload:
    """What has none, what that means, and the button until somebody has pressed it."""
    tables = ", ".join(said(each, 80) for each in without_statistics(run)[:10])
    if run.analyzed:
        text = f"{Glyph.INFO} ANALYZE of {tables} has ended; what came of it stands below."
    elif run.analyzing:
        text = f"{Glyph.INFO} ANALYZE of {tables} is under way."
    else:
        text = (
            f"{Glyph.ATTENTION} There are no statistics of {tables}, as after a rewrite: until ANALYZE, plans for them"
            " are guesses. It reads a sample of the rows and lets others read and write."
        )
    button = b.button(Verb.ANALYZE, "Run ANALYZE", ActionValue(run=run.id), style="primary")
    drawn = [] if run.analyzing or run.analyzed or run.final else b.actions([button])
    return b.payload(text, [b.section(text), *drawn])
