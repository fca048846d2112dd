"""Slack's limits as tables: every block a bot may send, field by field.

Numbers are from docs.slack.dev/reference/block-kit (blocks); elements are in their own table.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.views.limit_checks import (
    Check,
    Fields,
    Problems,
    by_type,
    fields,
    flag,
    items,
    nullable,
    number,
    one_of,
    plain,
    problem,
    string,
    text,
)
from bot.views.limit_elements import ELEMENTS

_COMMON: Final[Fields] = {"type*": None, "block_id": string(255)}
_IMAGE: Final[Fields] = {
    **_COMMON,
    "image_url": string(3000, 1),
    "alt_text*": string(2000, 1),
    "title": plain(2000),
    "slack_file": None,
}
_SHORT: Final = ("button", "workflow_button", "feedback_buttons", "icon_button", "overflow")
_INPUTS: Final = {kind: check for kind, check in ELEMENTS.items() if kind not in _SHORT}
_TEXT_ONLY: Final = frozenset(
    {
        "plain_text_input",
        "number_input",
        "email_text_input",
        "url_text_input",
        "rich_text_input",
        "file_input",
    }
)
_BUTTONS: Final = {k: c for k, c in ELEMENTS.items() if k not in _TEXT_ONLY}
_TEXTS: Final = {"plain_text": plain(3000), "mrkdwn": text(3000)}

_RUN: Final[Fields] = {"type*": None, "style": None, "text": string(12000, 1)}
_INLINE: Final = {
    "text": fields({**_RUN, "text*": string(12000, 1)}),
    "link": fields({**_RUN, "url*": string(3000, 1), "unsafe": None}),
    "user": fields({**_RUN, "user_id*": None}),
    "usergroup": fields({**_RUN, "usergroup_id*": None}),
    "channel": fields({**_RUN, "channel_id*": None}),
    "date": fields({**_RUN, "timestamp*": None, "format*": None, "url": None, "fallback": None}),
    "emoji": fields({**_RUN, "name*": None, "unicode": None, "url": None, "display_url": None}),
    "broadcast": fields({**_RUN, "range*": one_of("here", "channel", "everyone")}),
    "color": fields({**_RUN, "value*": None}),
}
_SPAN: Final[Fields] = {"type*": None, "border": None, "elements*": items(0, 1000, by_type(_INLINE))}
_SECTION: Final = fields(_SPAN)
_RICH_PARTS: Final = {
    "rich_text_section": _SECTION,
    "rich_text_quote": _SECTION,
    "rich_text_preformatted": fields({**_SPAN, "language": None}),
    "rich_text_list": fields(
        {
            "type*": None,
            "border": None,
            "indent": number(0, 8),
            "offset": None,
            "style*": one_of("bullet", "ordered"),
            "elements*": items(1, 1000, by_type({"rich_text_section": _SECTION})),
        }
    ),
}
_RICH: Final = fields({**_COMMON, "elements*": items(1, 1000, by_type(_RICH_PARTS))})
_RICH_TEXT: Final = by_type({"rich_text": _RICH})
_SOURCE: Final = fields({"type*": one_of("url"), "url*": string(3000, 1), "text*": string(3000, 1)})
_TASK_FIELDS: Final[Fields] = {
    "task_id*": string(255, 1),
    "title*": string(3000, 1),
    "status": one_of("pending", "in_progress", "complete", "error"),
    "details": _RICH_TEXT,
    "output": _RICH_TEXT,
    "sources": items(0, 100, _SOURCE),
    "block_id": string(255),
}
_TASK: Final = fields({"type": one_of("task_card"), **_TASK_FIELDS})
_RAW: Final[Fields] = {"type*": None, "text": string(10000), "value": None}
_CELLS: Final = {"raw_text": fields(_RAW), "raw_number": fields(_RAW)}
_ROW: Final = items(1, 20, by_type({**_CELLS, "rich_text": _RICH}))
_SETTING: Final = fields({"align": one_of("left", "center", "right"), "is_wrapped": flag})
_CARD: Final = fields(
    {
        **_COMMON,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "actions": items(0, 2, by_type(ELEMENTS)),
        "icon": None,
        "hero_image": None,
        "subtext": None,
        "slack_icon": None,
    }
)


def _chart(value: Any, pointer: str) -> Problems:
    """Hold a chart to its kinds, 6 series or segments, 20 points each (/blocks/data-visualization)."""
    if not isinstance(value, Mapping):
        yield problem(pointer, "must be an object")
        return
    yield from one_of("line", "bar", "area", "pie")(value.get("type"), f"{pointer}/type")
    for name in ("series", "segments"):
        if name in value:
            yield from items(1, 6)(value[name], f"{pointer}/{name}")
    for index, series in enumerate(value.get("series") or ()):
        if isinstance(series, Mapping):
            yield from items(0, 20)(series.get("data", ()), f"{pointer}/series/{index}/data")


_BASIC: Final[Mapping[str, Check]] = {
    "actions": fields({**_COMMON, "elements*": items(1, 25, by_type(_BUTTONS))}),
    "alert": fields(
        {
            **_COMMON,
            "text*": text(3000),
            "level": one_of("default", "info", "warning", "error", "success"),
        }
    ),
    "card": _CARD,
    "carousel": fields({**_COMMON, "elements*": items(1, 10, by_type({"card": _CARD}))}),
    "context": fields({**_COMMON, "elements*": items(1, 10, by_type({**_TEXTS, "image": fields(_IMAGE)}))}),
    "context_actions": fields({**_COMMON, "elements*": items(1, 5, by_type({k: ELEMENTS[k] for k in _SHORT[2:4]}))}),
    "data_table": fields(
        {
            **_COMMON,
            "caption*": string(3000, 1),
            "rows*": items(2, 101, items(1, 20, by_type(_CELLS))),
            "page_size": number(1, 100),
            "row_header_column_index": number(0, 19),
        }
    ),
    "data_visualization": fields({**_COMMON, "title*": string(50, 1), "chart*": _chart}),
    "divider": fields(_COMMON),
    "header": fields({**_COMMON, "text*": plain(150), "level": number(1, 4)}),
    "image": fields(_IMAGE),
    "input": fields(
        {
            **_COMMON,
            "label*": plain(2000),
            "element*": by_type(_INPUTS),
            "hint": plain(2000),
            "optional": flag,
            "dispatch_action": flag,
        }
    ),
    "markdown": fields({**_COMMON, "text*": string(12000, 1)}),
    "plan": fields({**_COMMON, "title*": string(3000, 1), "tasks": items(1, 50, _TASK)}),
    "rich_text": _RICH,
    "section": fields(
        {
            **_COMMON,
            "text": text(3000),
            "fields": items(1, 10, text(2000)),
            "accessory": by_type({**_BUTTONS, "image": fields(_IMAGE)}),
            "expand": flag,
        }
    ),
    "table": fields(
        {**_COMMON, "rows*": items(1, 100, _ROW), "column_settings": items(0, 20, nullable(_SETTING))},
    ),
    "task_card": fields({"type*": None, **_TASK_FIELDS}),
    "video": fields(
        {
            **_COMMON,
            "alt_text*": string(2000, 1),
            "title*": plain(200),
            "title_url": string(3000),
            "author_name": string(50),
            "description": plain(200),
            "provider_name": string(50),
            "provider_icon_url": string(3000),
            "thumbnail_url*": string(3000, 1),
            "video_url*": string(3000, 1),
        }
    ),
}
_CHILDREN: Final = frozenset(
    ["actions", "context", "divider", "header", "image", "input", "rich_text", "section", "table", "video"]
)


def _container(value: Any, pointer: str) -> Problems:
    """Hold a container: a title of either kind and 1 to 10 child blocks of the kinds it may hold."""
    yield from fields(
        {
            **_COMMON,
            "title": text(150),
            "rich_text_title": _RICH_TEXT,
            "child_blocks*": items(1, 10, by_type({k: c for k, c in _BASIC.items() if k in _CHILDREN})),
            "width": one_of("narrow", "standard", "wide", "full"),
            "is_collapsible": flag,
            "default_collapsed": flag,
            "has_header_divider": flag,
        }
    )(value, pointer)


BLOCKS: Final[Mapping[str, Check]] = {**_BASIC, "container": _container}
