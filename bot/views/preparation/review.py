"""The review: the SQL itself, every file of it, before anybody can say that they have reviewed it."""

from collections.abc import Iterator, Sequence

from bot.runbook.digest import short
from bot.runbook.preparation.preparation import EVIDENCE_LENGTH, Preparation
from bot.runbook.wording import counted
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Field, Verb, encode_value
from bot.views.limits import view_problems
from bot.views.preparation import parts
from bot.views.text import said

Texts = Sequence[tuple[str, str]]
_BOX = 2800  # characters of one box, below the 3000 of Slack's text objects
_MOST = 80  # boxes; a modal has 100 blocks


def review_modal(p: Preparation, texts: Texts, *, may_review: bool = True) -> b.Payload:
    """The SQL of the plan as the bot has read it; sending it says that it was reviewed.

    ``may_review`` is false for whoever wrote the plan: they can read it here, and no more.
    """
    rooms = (_MOST, 40, 20, 10)
    return next(each for room in rooms if not view_problems(each := _modal(p, texts, room, may_review=may_review)))


def _modal(p: Preparation, texts: Texts, room: int, *, may_review: bool) -> b.Payload:
    boxes, cut = _boxes(texts, room)
    value = encode_value(ActionValue(run=p.id, digest=p.files))
    note = {"type": "plain_text_input", "max_length": EVIDENCE_LENGTH, "multiline": True}
    own = f"{Glyph.INFO} You wrote this plan: another developer reviews it."
    end = b.field(Field.NOTE, "Note", note, hint="What you looked at; may stay empty.", optional=True)
    drawn = [b.section(_head(p, texts)), *_risky(p), *_missing(cut), *boxes, end if may_review else b.section(own)]
    made = b.modal(Verb.REVIEW, "Review the SQL", "Reviewed", drawn, value)
    return made if may_review else b.to_read(made)


def _head(p: Preparation, texts: Texts) -> str:
    plan = p.draft.plan
    return (
        f"*{said(plan.name, 75)}* on {said(plan.target, 80)}: {counted(len(texts), 'file')},"
        f" digest {short(p.files)}. What you see here is what would run; if a file changes, your review falls away."
    )


def _risky(p: Preparation) -> list[b.Block]:
    """What the bot found dangerous, before the SQL itself."""
    lines = parts.risk(p, 12)
    return [b.section("\n".join((f"*Risk level:* {lines[0]}", *lines[1:])))]


def _missing(cut: Sequence[str]) -> list[b.Block]:
    """What does not fit into a modal is said, and stands in the thread."""
    if not cut:
        return []
    names = ", ".join(parts.cut([said(each, 80) for each in cut], 15))
    return [b.section(f"{Glyph.ATTENTION} Not all of it fits here. Read the rest in the plan's thread: {names}")]


def _boxes(texts: Texts, room: int) -> tuple[list[b.Block], list[str]]:
    """As many boxes as there is room for, and the names of the files that are not whole."""
    drawn: list[b.Block] = []
    cut: list[str] = []
    for name, body in texts:
        chunks = list(_chunks(body))
        fitting = chunks[: max(0, room - len(drawn) - 1)]
        if len(fitting) < len(chunks):
            cut.append(name)
        if fitting:
            drawn += [b.section(f"*{said(name, 200)}*"), *(_box(each) for each in fitting)]
    return drawn, cut


def _chunks(body: str) -> Iterator[str]:
    """The text in pieces of at most ``_BOX`` characters, cut at line ends where there are any."""
    rest = body.replace("\x00", "�").strip("\n") or "-- (empty)"
    while len(rest) > _BOX:
        at = rest.rfind("\n", 1, _BOX)
        at = at if at > 0 else _BOX
        yield rest[:at]
        rest = rest[at:].removeprefix("\n")
    if rest:
        yield rest


def _box(text: str) -> b.Block:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}],
    }
