"""A no, for the one person who asked: what is refused, what to do instead, who can help."""

from collections.abc import Mapping

from bot.runbook.refusals import NotReady, Refusal
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import Verb
from bot.views.text import escape, mention, said

_ROOM = 6000  # characters of one message's list (see limits.MESSAGE_TOTAL)


def refused(refusal: Refusal) -> b.Payload:
    """The message to the person; mentions in an ephemeral message notify nobody else."""
    if isinstance(refusal, NotReady):
        return _not_ready(refusal)
    people = f" {mention(refusal.people)}" if refusal.people else ""
    text = f"{Glyph.REFUSED} {said(refusal.what, 1000)} {said(refusal.next_action, 1000)}{people}"
    return b.payload(text, [b.section(text)])


def _not_ready(refusal: NotReady) -> b.Payload:
    """Exactly what is missing, line by line; what no longer fits into one message is counted."""
    head = f"{Glyph.REFUSED} {said(refusal.what, 1000)}"
    lines = [f"• {said(each, 250)}" for each in refusal.missing]
    while sum(map(len, lines)) > _ROOM:
        lines = lines[:-1]
    left = len(refusal.missing) - len(lines)
    whole = [head, *lines, *([f"… and {left} more"] if left else []), said(refusal.next_action, 1000)]
    return b.payload("\n".join(whole), [b.section(each) for each in b.packed(whole)])


def refused_modal(made: Mapping[str, object]) -> b.Payload:
    """The same in place of the modal that was sent, where no field of it could show it."""
    blocks = made.get("blocks")
    drawn = list(blocks) if isinstance(blocks, list) and blocks else [b.section(str(made.get("text", "")))]
    return b.to_read(b.modal(Verb.HELP, "Not done", "OK", drawn, ""))


def broken(reference: str) -> b.Payload:
    """Something failed that should not have; ``reference`` is found in the logs."""
    text = (
        f"{Glyph.FAILED} That did not work, and it is not your doing. Nothing was recorded; try again."
        f" If it happens again, give this reference to the owners of the bot: {escape(reference)}"
    )
    return b.payload(text, [b.section(text)])
