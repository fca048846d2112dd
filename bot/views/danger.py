"""What is shown of a migration's risk: its level, its dangerous statements, and why it needs one approval more."""

from collections.abc import Sequence

from bot.runbook.run import Question, Run
from bot.runbook.wording import counted
from bot.views.blocks import Glyph
from bot.views.text import said

_SHOWN, _WIDE = 5, 120  # reasons for the approval more, and characters of each
_NAMED, _SHORT = 10, 130  # dangerous statements that are named one by one, and characters of each


def level(run: Run) -> str:
    """The higher of what people said and what the bot found, with the other one where they differ."""
    found, planned = run.risk_found, run.plan.risk
    if found is None or found == planned:
        return str(run.risk)
    return f"{run.risk} (the plan said {planned})" if run.risk == found else f"{run.risk} (the bot found {found})"


def one_more(run: Run, asked: Question) -> list[str]:
    """Why this question needs more approvals than others do; nothing where it does not."""
    more = asked.quorum - run.plan.policy.quorum
    if more <= 0 or not asked.destroys:
        return []
    why = _listed(asked.destroys, _SHOWN, _WIDE)
    return [f"{Glyph.ATTENTION} *{counted(more, 'more approval')} than usual because:* {why}"]


def statements(dangers: Sequence[str]) -> list[str]:
    """Every dangerous statement in short, a line each; nothing where there is none."""
    if not dangers:
        return []
    lines = [f"• {said(each, _SHORT)}" for each in dangers[:_NAMED]]
    left = len(dangers) - _NAMED
    more = [f"• and {left} more: read the SQL in the thread of the question"] if left > 0 else []
    return ["\n".join([f"*{counted(len(dangers), 'dangerous statement')}:*", *lines, *more])]


def _listed(things: Sequence[str], most: int, widest: int) -> str:
    shown = "; ".join(said(each, widest) for each in things[:most])
    return shown if len(things) <= most else f"{shown}; and {len(things) - most} more"
