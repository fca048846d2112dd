"""Block Kit as the server keeps it: ids it makes up, and the state each input element holds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class StateShape:
    """How an element's value travels: its key in `state.values`, and its field for a first value."""

    key: str
    initial: str
    empty: Any = None


SHAPES: Final[Mapping[str, StateShape]] = {
    "plain_text_input": StateShape(key="value", initial="initial_value"),
    "number_input": StateShape(key="value", initial="initial_value"),
    "email_text_input": StateShape(key="value", initial="initial_value"),
    "url_text_input": StateShape(key="value", initial="initial_value"),
    "rich_text_input": StateShape(key="rich_text_value", initial="initial_value"),
    "static_select": StateShape(key="selected_option", initial="initial_option"),
    "external_select": StateShape(key="selected_option", initial="initial_option"),
    "radio_buttons": StateShape(key="selected_option", initial="initial_option"),
    "multi_static_select": StateShape(key="selected_options", initial="initial_options", empty=()),
    "multi_external_select": StateShape(key="selected_options", initial="initial_options", empty=()),
    "checkboxes": StateShape(key="selected_options", initial="initial_options", empty=()),
    "users_select": StateShape(key="selected_user", initial="initial_user"),
    "multi_users_select": StateShape(key="selected_users", initial="initial_users", empty=()),
    "channels_select": StateShape(key="selected_channel", initial="initial_channel"),
    "multi_channels_select": StateShape(key="selected_channels", initial="initial_channels", empty=()),
    "conversations_select": StateShape(key="selected_conversation", initial="initial_conversation"),
    "multi_conversations_select": StateShape(key="selected_conversations", initial="initial_conversations", empty=()),
    "datepicker": StateShape(key="selected_date", initial="initial_date"),
    "timepicker": StateShape(key="selected_time", initial="initial_time"),
    "datetimepicker": StateShape(key="selected_date_time", initial="initial_date_time"),
    "file_input": StateShape(key="files", initial="initial_files", empty=()),
}
"""Elements with a state (docs.slack.dev/reference/views, `state.values`)."""

_ACTING: Final = frozenset({*SHAPES, "button", "overflow", "workflow_button", "icon_button"})


def settle(blocks: Sequence[Mapping[str, Any]], new_id: Callable[[], str]) -> list[Json]:
    """Copy blocks as Slack stores them: every block and acting element has an id, text its defaults."""
    settled = [_settle(block, new_id) for block in blocks]
    return [block if block.get("block_id") else {**block, "block_id": new_id()} for block in settled]


def _settle(value: Any, new_id: Callable[[], str]) -> Any:
    if isinstance(value, Mapping):
        copy = {name: _settle(inner, new_id) for name, inner in value.items()}
        return {**_defaults(copy, new_id), **copy}
    if isinstance(value, list | tuple):
        return [_settle(inner, new_id) for inner in value]
    return value


def _defaults(part: Mapping[str, Any], new_id: Callable[[], str]) -> Json:
    kind = part.get("type")
    if kind == "plain_text":
        return {"emoji": True}
    if kind == "mrkdwn":
        return {"verbatim": False}
    if kind in _ACTING and not part.get("action_id"):
        return {"action_id": new_id()}
    return {}


def elements(blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every acting element with the block that holds it, in reading order."""
    for block in blocks:
        for element in _parts(block):
            if element.get("type") in _ACTING:
                yield block, element
        yield from elements(block.get("child_blocks") or ())
        yield from elements([b for b in block.get("elements") or () if b.get("type") == "card"])


def _parts(block: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    single = [block[name] for name in ("element", "accessory") if isinstance(block.get(name), Mapping)]
    return [*(block.get("elements") or ()), *(block.get("actions") or ()), *single]


def find(blocks: Sequence[Mapping[str, Any]], block_id: str | None, action_id: str | None) -> Mapping[str, Any] | None:
    """The element a person touched, if it is there now."""
    for block, element in elements(blocks):
        if block.get("block_id") == block_id and element.get("action_id") == action_id:
            return element
    return None


def state_values(blocks: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> Json:
    """`state.values` of these blocks: what a person `given`, else what each element started with."""
    values: Json = {}
    for block, element in elements(blocks):
        if (shape := SHAPES.get(element["type"])) is None:
            continue
        block_id, action_id = block["block_id"], element["action_id"]
        first = {shape.key: element.get(shape.initial, _empty(shape))}
        told = (given.get(block_id) or {}).get(action_id) or first
        values.setdefault(block_id, {})[action_id] = {"type": element["type"], **told}
    return values


def _empty(shape: StateShape) -> Any:
    return list(shape.empty) if shape.empty is not None else None


def missing(blocks: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, str]:
    """Required inputs without a value; Slack's own client says so before it asks the app."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block.get("type") != "input" or block.get("optional"):
            continue
        element = block["element"]
        told = values.get(block["block_id"], {}).get(element["action_id"], {})
        shape = SHAPES.get(element["type"])
        if shape is not None and told.get(shape.key) in (None, "", []):
            errors[block["block_id"]] = "Please complete this required field."
    return errors
