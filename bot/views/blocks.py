"""Small builders of Block Kit JSON (plain dicts) and the closed set of glyphs.

Text given to a builder is already escaped mrkdwn (``bot.views.text``); rich text is taken as it is, because
Slack never reads it as markup.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from bot.views.ids import ActionValue, Field, Verb, encode_value
from bot.views.text import clip

Block = dict[str, Any]
Payload = dict[str, Any]

_SECTION, _FIELD, _HEADER, _CODE, _LABEL = 3000, 2000, 150, 2400, 75
_TEXT = 4000  # chat.update refuses more (msg_too_long)


class Glyph(StrEnum):
    """Every sign the bot uses, and its one meaning.  Never alone: words say the same."""

    ALERT = "🚨"  # maintenance or a rollback begins (the runbook's own)
    DONE = "✅"  # it is done and shown to be true
    REFUSED = "⛔"  # the bot did not do what was asked
    FAILED = "❌"  # a step did not succeed, or a no was given
    ATTENTION = "⚠️"  # somebody has to look or to answer
    INFO = "ℹ️"  # for information
    HOLD = "⏸"  # stopped by people; nothing happens before they decide


def payload(text: str, blocks: Sequence[Block] = ()) -> Payload:
    """A message: the whole content as text for screen readers and old clients, and its blocks."""
    return {"text": clip(text, _TEXT), "blocks": list(blocks)} if blocks else {"text": clip(text, _TEXT)}


def mrkdwn(text: str, limit: int = _SECTION) -> Block:
    """A mrkdwn text object that is never empty and never links what people wrote."""
    return {"type": "mrkdwn", "text": clip(text, limit) or "–", "verbatim": True}


def words(text: str, limit: int) -> Block:
    """A plain_text object."""
    return {"type": "plain_text", "text": clip(text, limit) or "–", "emoji": True}


def header(text: str) -> Block:
    return {"type": "header", "text": words(text, _HEADER)}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def facts(pairs: Iterable[tuple[str, str]]) -> list[Block]:
    """Named values, two in a row, at most ten to a section."""
    fields = [mrkdwn(f"*{name}*\n{value}", _FIELD) for name, value in pairs]
    return [{"type": "section", "fields": fields[start : start + 10]} for start in range(0, len(fields), 10)]


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text) for text in texts]}


def divider() -> Block:
    return {"type": "divider"}


def actions(buttons: Sequence[Block]) -> list[Block]:
    """A row of buttons; nothing at all when there is none.

    The same buttons keep the same name, so that a redraw under somebody's finger does not take the button away.
    """
    if not buttons:
        return []
    drawn_for = "".join(f"{each['action_id']}{_values(each)}" for each in buttons)
    name = hashlib.sha256(drawn_for.encode()).hexdigest()[:16]
    return [{"type": "actions", "block_id": f"actions-{name}", "elements": list(buttons)}]


def _values(element: Block) -> str:
    return str(element.get("value", "")) + "".join(each["value"] for each in element.get("options", ()))


def rich(text: str) -> Block:
    """A rich_text block holding ``text`` literally."""
    section_ = {"type": "rich_text_section", "elements": [{"type": "text", "text": text or "–"}]}
    return {"type": "rich_text", "elements": [section_]}


def code(lines: Iterable[str], limit: int = _CODE, *, widest: int = 300) -> Block:
    """Lines exactly as they are, in a preformatted box; what does not fit is said to be missing."""
    kept, room, missing = [], limit, 0
    for line in lines:
        short = line if len(line) <= widest else line[: widest - 1] + "…"
        if missing or len(short) + 1 > room:
            missing += 1
            continue
        kept.append(short)
        room -= len(short) + 1
    if missing:
        kept.append(f"… and {missing} more lines, kept in the record")
    box = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "\n".join(kept) or "–"}]}
    return {"type": "rich_text", "elements": [box]}


def button(
    verb: Verb,
    label: str,
    value: ActionValue,
    *,
    style: str = "",
    confirm: Mapping[str, Any] | None = None,
    which: str = "",
) -> Block:
    """A button whose id is the verb and whose value says what it was drawn for; ``which``: of several in one row."""
    made: Block = {
        "type": "button",
        "action_id": f"{verb.id}.{which}" if which else verb.id,
        "text": words(label, _LABEL),
        "value": encode_value(value),
    }
    return made | ({"style": style} if style else {}) | ({"confirm": dict(confirm)} if confirm else {})


def select(verb: Verb, placeholder: str, options: Sequence[Block], sure: Mapping[str, Any]) -> Block:
    """A list to pick one thing from; its id is the verb, and each option's value says what it was drawn for."""
    return {
        "type": "static_select",
        "action_id": verb.id,
        "placeholder": words(placeholder, 150),
        "options": list(options),
        "confirm": dict(sure),
    }


def confirm(title: str, text: str, yes: str, *, danger: bool = False) -> Block:
    """The question before a click counts."""
    made = {
        "title": words(title, 100),
        "text": mrkdwn(text, 300),
        "confirm": words(yes, 30),
        "deny": words("Not yet", 30),
    }
    return made | {"style": "danger" if danger else "primary"}


def option(label: str, value: str) -> Block:
    return {"text": words(label, _LABEL), "value": value}


def field(
    name: Field,
    label: str,
    element: Block,
    *,
    hint: str = "",
    block_id: str = "",
    live: bool = False,
    optional: bool = False,
) -> Block:
    """An input block of a modal; ``live``: a change is sent at once."""
    made: Block = {
        "type": "input",
        "block_id": block_id or name.value,
        "label": words(label, 2000),
        "element": {"action_id": name.id, **element},
    }
    more = {"hint": words(hint, 2000) if hint else None, "dispatch_action": live, "optional": optional}
    return made | {key: value for key, value in more.items() if value}


def modal(verb: Verb, title: str, submit: str, blocks: Sequence[Block], metadata: str) -> Payload:
    """A modal; its ``callback_id`` is the verb, its ``private_metadata`` comes back with the submission."""
    return {
        "type": "modal",
        "callback_id": verb.id,
        "title": words(title, 24),
        "submit": words(submit, 24),
        "close": words("Cancel", 24),
        "private_metadata": metadata,
        "blocks": list(blocks),
    }


def to_read(view: Payload) -> Payload:
    """The same modal with nothing to send."""
    return {name: part for name, part in view.items() if name != "submit"} | {"close": words("Close", 24)}


def packed(lines: Iterable[str], room: int = 2900) -> list[str]:
    """Lines joined into as few texts as hold them, each of at most ``room`` characters."""
    made: list[str] = []
    for line in (clip(each, room) for each in lines):
        if made and len(made[-1]) + len(line) < room:
            made[-1] += f"\n{line}"
        else:
            made.append(line)
    return made
