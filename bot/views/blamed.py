"""What speaks for the migration as the cause, and what against it, as people read it before they decide."""

from bot.runbook.run import Run
from bot.views.text import said


def blamed(run: Run) -> list[str]:
    """A paragraph for each side that has something to say."""
    sides = (("Speaks for the migration as the cause", run.speaks_for), ("Speaks against it", run.speaks_against))
    return [f"*{head}:*\n" + "\n".join(f"• {said(each, 300)}" for each in lines) for head, lines in sides if lines]
