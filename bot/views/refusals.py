"""A no, for the one person who asked: what is refused, what to do instead, who can help."""

from bot.runbook.refusals import Refusal
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.text import escape, mention, said


def refused(refusal: Refusal) -> b.Payload:
    """The message to the person; mentions in an ephemeral message notify nobody else."""
    people = f" {mention(refusal.people)}" if refusal.people else ""
    text = f"{Glyph.REFUSED} {said(refusal.what, 1000)} {said(refusal.next_action, 1000)}{people}"
    return b.payload(text, [b.section(text)])


def broken(reference: str) -> b.Payload:
    """Something failed that should not have; ``reference`` is found in the logs."""
    text = (
        f"{Glyph.FAILED} That did not work, and it is not your doing. Nothing was recorded; try again."
        f" If it happens again, give this reference to the owners of the bot: {escape(reference)}"
    )
    return b.payload(text, [b.section(text)])
