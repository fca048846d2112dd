"""The only reader of Slack's JSON: requests as the use cases want them.

A field of a modal is found by its element's action id, because a block may carry another name after a redraw.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.views.ids import ActionValue, Field, Verb, decode_value, verb_of

Payload = Mapping[str, Any]
_NO_VALUE = ActionValue()


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who asks what, where: a command, a press or a modal that was sent.

    ``words`` is what stood behind the command; ``value`` what the button or modal was drawn for; ``fields`` what was
    filled in (lists for multi selects); ``sent``: it is a modal's submission, and no press inside one.
    """

    verb: Verb
    user: str
    channel: str
    words: str = ""
    trigger: str = ""
    value: ActionValue = _NO_VALUE
    fields: Mapping[Field, str | tuple[str, ...]] = field(default_factory=dict)
    view_id: str = ""
    view_hash: str = ""
    sent: bool = False
    via: str = "slack"

    def text(self, name: Field) -> str:
        """A field's text; empty when it was not filled in."""
        found = self.fields.get(name, "")
        return found if isinstance(found, str) else ""

    def chosen(self, name: Field) -> tuple[str, ...]:
        """The values picked in a multi select."""
        found = self.fields.get(name, ())
        return found if isinstance(found, tuple) else ()


class UnknownVerb(ValueError):
    """What was typed is no word of ours; ``typed`` is what it was."""

    def __init__(self, typed: str) -> None:
        super().__init__(f"“{typed}” is not something I know. Type /migrate help to see what there is.")
        self.typed = typed


def command(body: Payload) -> Request:
    """A slash command: ``/migrate VERB WORDS``; nothing typed is help."""
    first, _, rest = str(body.get("text", "")).strip().partition(" ")
    typed = first.lower().replace("-", "_") or Verb.HELP.value
    if typed not in set(Verb):
        raise UnknownVerb(first)
    return Request(
        verb=Verb(typed),
        user=body["user_id"],
        channel=body["channel_id"],
        words=rest.strip(),
        trigger=body.get("trigger_id", ""),
    )


def press(body: Payload) -> Request:
    """A button, a list to pick from, or an element of a modal; raises ``BadValue`` for a value that is not ours."""
    action = body["actions"][0]
    verb = verb_of(action["action_id"])  # none: the target's select of a form, whose value is a name
    view = body.get("view") or {}
    drawn_for = action.get("value") or ((action.get("selected_option") or {}).get("value") if verb else None)
    return Request(
        verb=verb or verb_of(view.get("callback_id", "")) or Verb.START,
        user=body["user"]["id"],
        channel=(body.get("channel") or {}).get("id", ""),
        trigger=body.get("trigger_id", ""),
        value=decode_value(drawn_for) if drawn_for else ActionValue(),
        fields=dict(_fields(view)),
        view_id=view.get("id", ""),
        view_hash=view.get("hash", ""),
    )


def submission(body: Payload) -> Request:
    """A modal that was sent."""
    view = body["view"]
    metadata = view.get("private_metadata") or ""
    return Request(
        verb=verb_of(view["callback_id"]) or Verb.HELP,
        user=body["user"]["id"],
        channel="",
        trigger=body.get("trigger_id", ""),
        value=decode_value(metadata) if metadata.startswith("{") else ActionValue(),
        fields=dict(_fields(view)),
        view_id=view["id"],
        sent=True,
    )


def block_of(body: Payload, name: Field) -> str:
    """The block a field stands in now, for an error under it."""
    for block, elements in body["view"].get("state", {}).get("values", {}).items():
        if name.id in elements:
            return str(block)
    return name.value


def _fields(view: Payload) -> Iterator[tuple[Field, str | tuple[str, ...]]]:
    known = {each.id: each for each in Field}
    for elements in (view.get("state") or {}).get("values", {}).values():
        for action_id, element in elements.items():
            if action_id in known:
                yield known[action_id], _value(element)


def _value(element: Payload) -> str | tuple[str, ...]:
    if "selected_options" in element:
        return tuple(option["value"] for option in element["selected_options"] or ())
    if "selected_option" in element:
        return str((element["selected_option"] or {}).get("value", ""))
    for key in ("selected_user", "selected_date_time"):
        if key in element:
            return str(element[key] or "")
    return str(element.get("value") or "")
