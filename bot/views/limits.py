"""Slack's limits on what we post, checked before Slack does: pure, table-driven, no SDK.

Slack checks all of them and its SDK only some (plain dicts not at all), so a card that grew too long would
fail in the middle of a migration. Numbers: docs.slack.dev/reference (block-kit, views, methods/chat.postMessage).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from bot.views.limit_checks import LimitProblem, Problems, length, plain, problem
from bot.views.limit_tables import BLOCKS

__all__ = ["LimitProblem", "Surface", "message_problems", "problems", "view_problems"]

Surface = Literal["message", "modal", "home"]

MESSAGE_TEXT: Final = 4000
"""Characters of `text`: recommended by chat.postMessage, enforced by chat.update (`msg_too_long`)."""
MESSAGE_TOTAL: Final = 10_000
"""Characters of all blocks together: `msg_blocks_too_long` has been seen from 11,341 on."""
_VIEW_BYTES: Final = 250_000
_ALL: Final = frozenset({"message", "modal", "home"})
_BLOCK_COUNT: Final = {"message": 50, "modal": 100, "home": 100}
_SURFACES: Final[Mapping[str, frozenset[str]]] = {
    "alert": frozenset({"modal"}),
    "carousel": frozenset({"message", "home"}),
    "container": frozenset({"message"}),
    "context_actions": frozenset({"message"}),
    "data_table": frozenset({"message", "home"}),
    "data_visualization": frozenset({"message"}),
    "markdown": frozenset({"message"}),
    "plan": frozenset({"message"}),
    "table": frozenset({"message", "home"}),
    "task_card": frozenset({"message"}),
    "file_input": frozenset({"modal"}),
    "email_text_input": frozenset({"modal"}),
    "url_text_input": frozenset({"modal"}),
    "number_input": frozenset({"modal"}),
    "rich_text_input": frozenset({"modal", "home"}),
    "datetimepicker": frozenset({"message", "modal"}),
    "workflow_button": frozenset({"message"}),
}
"""Blocks and elements that Slack does not draw everywhere (docs.slack.dev/blocks.json)."""
_EITHER: Final[Mapping[str, tuple[str, str]]] = {
    "section": ("text", "fields"),
    "image": ("image_url", "slack_file"),
    "static_select": ("options", "option_groups"),
    "multi_static_select": ("options", "option_groups"),
    "container": ("title", "rich_text_title"),
}
"""Things that need at least one of two fields."""
_PER_MESSAGE: Final = (
    (("plan",), 1),
    (("table", "data_table"), 1),
    (("data_visualization",), 2),
)
_PROSE: Final = frozenset({"text", "title", "caption", "alt_text", "fallback"})


def problems(blocks: Sequence[Mapping[str, Any]], *, surface: Surface) -> tuple[LimitProblem, ...]:
    """Everything Slack would refuse in these blocks on this surface; an unknown block type is a problem."""
    return tuple(_block_list(blocks, surface, "/blocks"))


def message_problems(payload: Mapping[str, Any]) -> tuple[LimitProblem, ...]:
    """Everything Slack would refuse in a message: `text`, `blocks`, `attachments`, `metadata`.

    `payload` has the shape of chat.postMessage's arguments; fields it does not hold are not looked at.
    """
    return tuple(_message(payload))


def view_problems(view: Mapping[str, Any]) -> tuple[LimitProblem, ...]:
    """Everything Slack would refuse in a modal or Home view (views.open, push, update, publish)."""
    return tuple(_view(view))


def _message(payload: Mapping[str, Any]) -> Problems:
    blocks, attachments = payload.get("blocks") or (), payload.get("attachments") or ()
    text = payload.get("text") or ""
    yield from length(text, "/text", 0, MESSAGE_TEXT)
    if not (text or blocks or attachments):
        yield problem("/text", "a message needs text, for screen readers and notifications too")
    yield from _block_list(blocks, "message", "/blocks")
    yield from _totals(blocks)
    if len(attachments) > 100:
        yield problem("/attachments", "no more than 100 items allowed")
    for index, attachment in enumerate(attachments):
        yield from _block_list(attachment.get("blocks") or (), "message", f"/attachments/{index}/blocks")
    yield from _metadata(payload.get("metadata"))


def _view(view: Mapping[str, Any]) -> Problems:
    kind, blocks = view.get("type"), view.get("blocks") or ()
    if kind not in ("modal", "home"):
        yield problem("/view/type", "must be one of: modal, home")
        return
    for name, high in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        yield from length(view.get(name) or "", f"/view/{name}", 0, high)
    for name in ("title", "submit", "close"):
        if view.get(name) is not None:
            yield from plain(24)(view[name], f"/view/{name}")
    if kind == "modal":
        yield from _modal(view, blocks)
    if not blocks:
        yield problem("/view/blocks", "no fewer than 1 items allowed")
    yield from _block_list(blocks, "modal" if kind == "modal" else "home", "/view/blocks")
    if len(json.dumps(view, ensure_ascii=False).encode()) > _VIEW_BYTES:
        yield problem("/view", "must be less than 250 kB")


def _modal(view: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> Problems:
    if view.get("title") is None:
        yield problem("/view", "missing required field: title")
    if view.get("submit") is None and any(b.get("type") == "input" for b in blocks):
        yield problem("/view", "missing required field: submit (the modal has an input)")


def _block_list(blocks: Sequence[Mapping[str, Any]], surface: Surface, pointer: str) -> Problems:
    if len(blocks) > (most := _BLOCK_COUNT[surface]):
        yield problem(pointer, f"no more than {most} items allowed")
    for index, block in enumerate(blocks):
        yield from _block(block, surface, f"{pointer}/{index}")
    yield from _duplicates(pointer, "block_id", [block.get("block_id") for block in blocks])


def _block(block: Mapping[str, Any], surface: Surface, pointer: str) -> Problems:
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in BLOCKS:
        yield problem(f"{pointer}/type", f"unsupported type: {kind}")
        return
    yield from BLOCKS[kind](block, pointer)
    for where, part in _typed(block, pointer):
        yield from _part(part, surface, where)
    actions = [part.get("action_id") for _, part in _typed(block, pointer)]
    yield from _duplicates(pointer, "action_id", actions)


def _part(part: Mapping[str, Any], surface: Surface, pointer: str) -> Problems:
    kind = str(part["type"])
    if surface not in _SURFACES.get(kind, _ALL):
        yield problem(f"{pointer}/type", f"unsupported type: {kind} (not on a {surface} surface)")
    if (either := _EITHER.get(kind)) and all(part.get(name) is None for name in either):
        yield problem(pointer, f"missing required field: {' or '.join(either)}")


def _typed(value: Any, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object with a `type`, however deep, with its pointer."""
    if isinstance(value, Mapping):
        if "type" in value:
            yield pointer, value
        for name, inner in value.items():
            yield from _typed(inner, f"{pointer}/{name}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, inner in enumerate(value):
            yield from _typed(inner, f"{pointer}/{index}")


def _duplicates(pointer: str, name: str, found: Sequence[object]) -> Problems:
    for value, times in Counter(item for item in found if item).items():
        if times > 1:
            yield problem(pointer, f"{name} {value!r} is used {times} times; it must be unique here")


def _totals(blocks: Sequence[Mapping[str, Any]]) -> Problems:
    kinds = Counter(part["type"] for block in blocks for _, part in _typed(block, ""))
    for names, most in _PER_MESSAGE:
        if sum(kinds[name] for name in names) > most:
            yield problem("/blocks", f"cannot have more than {most} {' or '.join(names)} block")
    markdown = sum(len(str(b.get("text", ""))) for b in blocks if b.get("type") == "markdown")
    if markdown > 12_000:
        yield problem("/blocks", "all markdown blocks together must be less than 12001 characters")
    if (total := _prose(blocks)) > MESSAGE_TOTAL:
        yield problem("/blocks", f"all text together is {total} characters; keep it to {MESSAGE_TOTAL}")


def _prose(value: Any) -> int:
    """Characters of everything a reader sees."""
    if isinstance(value, Mapping):
        return sum(
            len(inner) if isinstance(inner, str) and name in _PROSE else _prose(inner) for name, inner in value.items()
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(_prose(inner) for inner in value)
    return 0


def _metadata(metadata: Any) -> Problems:
    """Metadata is an event type and a flat payload (/messaging/message-metadata)."""
    if metadata is None:
        return
    if not isinstance(metadata, Mapping) or not metadata.get("event_type"):
        yield problem("/metadata", "missing required field: event_type")
        return
    payload = metadata.get("event_payload")
    if not isinstance(payload, Mapping):
        yield problem("/metadata", "missing required field: event_payload")
        return
    for name, value in payload.items():
        inner = value if isinstance(value, list) else [value]
        if any(isinstance(item, Mapping | list) for item in inner):
            yield problem(f"/metadata/event_payload/{name}", "must be flat: no objects inside")
