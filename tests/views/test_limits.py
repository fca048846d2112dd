"""Slack's limits, one case a row: what is just allowed passes, what is just beyond does not."""

import json
from typing import Any

import pytest

from bot.views.limit_tables import BLOCKS
from bot.views.limits import LimitProblem, message_problems, problems, view_problems


def plain(text: str = "x") -> dict[str, Any]:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> dict[str, Any]:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def option(text: str = "x", value: str = "v", **more: Any) -> dict[str, Any]:
    """An option."""
    return {"text": plain(text), "value": value, **more}


def section(**more: Any) -> dict[str, Any]:
    """A section with text."""
    return {"type": "section", "text": mrkdwn(), **more}


def button(**more: Any) -> dict[str, Any]:
    """A button."""
    return {"type": "button", "text": plain(), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    """An actions block."""
    return {"type": "actions", "elements": list(elements)}


def entry(element: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An input block."""
    return {"type": "input", "label": plain(), "element": element, **more}


def confirm(**more: Any) -> dict[str, Any]:
    """A button that asks first."""
    asks = {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **more}
    return actions(button(confirm=asks))


def task(**more: Any) -> dict[str, Any]:
    """A task card."""
    return {"type": "task_card", "task_id": "1", "title": "x", "status": "pending", **more}


def rich(*parts: dict[str, Any]) -> dict[str, Any]:
    """A rich_text block of one section."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(parts)}]}


def table(rows: int = 1, cells: int = 1) -> dict[str, Any]:
    """A table."""
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * cells] * rows}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A modal."""
    return {"type": "modal", "title": plain(), "blocks": list(blocks) or [section()], **more}


FINE = [
    section(fields=[mrkdwn()] * 10),
    section(accessory=button(style="danger", value="v" * 2000, url="u" * 3000)),
    {"type": "header", "text": plain("x" * 150), "level": 2},
    {"type": "context", "elements": [mrkdwn(), {"type": "image", "image_url": "u", "alt_text": "a"}]},
    actions(*[button(action_id=f"a{n}") for n in range(25)]),
    confirm(style="danger"),
    actions({"type": "overflow", "action_id": "o", "options": [option()] * 5}),
    actions({"type": "static_select", "options": [option()] * 100, "placeholder": plain()}),
    actions({"type": "datetimepicker", "initial_date_time": 1_800_000_000}),
    {"type": "divider"},
    {"type": "plan", "title": "Plan", "tasks": [{**task(), "details": rich({"type": "text", "text": "x"})}]},
    task(sources=[{"type": "url", "url": "https://x.example", "text": "x"}]),
    {**table(100, 20), "column_settings": [{"align": "right", "is_wrapped": True}, None]},
    {"type": "markdown", "text": "x" * 9000},
    rich({"type": "text", "text": "x"}, {"type": "date", "timestamp": 1, "format": "{date}"}),
    {"type": "container", "title": plain(), "child_blocks": [section()]},
    {"type": "data_visualization", "title": "t", "chart": {"type": "line", "series": [{"data": [1]}]}},
    {"type": "data_table", "caption": "c", "rows": [[{"type": "raw_text", "text": "x"}]] * 2},
    {"type": "carousel", "elements": [{"type": "card", "title": mrkdwn()}]},
    {"type": "context_actions", "elements": [{"type": "icon_button", "icon": "trash", "text": plain()}]},
    {"type": "image", "image_url": "u", "alt_text": "a", "title": plain()},
    {
        "type": "video",
        "alt_text": "a",
        "title": plain(),
        "thumbnail_url": "u",
        "video_url": "u",
        "author_name": "x" * 50,
    },
]


@pytest.mark.parametrize("block", FINE, ids=lambda b: str(b["type"]))
def test_what_slack_takes_is_no_problem(block: dict[str, Any]) -> None:
    """Blocks at their limits pass, in a message."""
    assert message_problems({"text": "x", "blocks": [block]}) == ()


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "nonsense"}, "/type", "unsupported type: nonsense"),
    ({}, "/type", "unsupported type: None"),
    ({"type": "section"}, "", "missing required field: text or fields"),
    (section(text=mrkdwn("")), "/text/text", "must be more than 0 characters"),
    (section(text=mrkdwn("x" * 3001)), "/text/text", "must be less than 3001 characters"),
    (section(text="x"), "/text", "must be an object"),
    (section(text={"type": "html", "text": "x"}), "/text/type", "must be one of: plain_text, mrkdwn"),
    (section(colour="red"), "", "invalid additional property: colour"),
    (section(fields=[mrkdwn()] * 11), "/fields", "no more than 10 items allowed"),
    (section(fields=[mrkdwn("x" * 2001)]), "/fields/0/text", "must be less than 2001 characters"),
    (section(block_id="b" * 256), "/block_id", "must be less than 256 characters"),
    ({"type": "header", "text": plain("x" * 151)}, "/text/text", "must be less than 151 characters"),
    ({"type": "header", "text": mrkdwn()}, "/text/type", "must be one of: plain_text"),
    ({"type": "context", "elements": []}, "/elements", "no fewer than 1 items allowed"),
    ({"type": "context", "elements": [mrkdwn()] * 11}, "/elements", "no more than 10 items allowed"),
    ({"type": "context", "elements": [mrkdwn("x" * 3001)]}, "/elements/0/text", "must be less than 3001 characters"),
    (actions(), "/elements", "no fewer than 1 items allowed"),
    (actions(*[button()] * 26), "/elements", "no more than 25 items allowed"),
    (
        actions(button(action_id="a"), button(action_id="a")),
        "",
        "action_id 'a' is used 2 times; it must be unique here",
    ),
    (actions(button(text=plain("x" * 76))), "/elements/0/text/text", "must be less than 76 characters"),
    (actions(button(value="v" * 2001)), "/elements/0/value", "must be less than 2001 characters"),
    (actions(button(url="u" * 3001)), "/elements/0/url", "must be less than 3001 characters"),
    (actions(button(style="blue")), "/elements/0/style", "must be one of: primary, danger"),
    (actions(button(action_id="a" * 256)), "/elements/0/action_id", "must be less than 256 characters"),
    (
        actions(button(accessibility_label="a" * 76)),
        "/elements/0/accessibility_label",
        "must be less than 76 characters",
    ),
    (actions({"type": "plain_text_input"}), "/elements/0", "unsupported type: plain_text_input"),
    (confirm(title=plain("x" * 101)), "/elements/0/confirm/title/text", "must be less than 101 characters"),
    (confirm(text=plain("x" * 301)), "/elements/0/confirm/text/text", "must be less than 301 characters"),
    (confirm(confirm=plain("x" * 31)), "/elements/0/confirm/confirm/text", "must be less than 31 characters"),
    (confirm(deny=plain("x" * 31)), "/elements/0/confirm/deny/text", "must be less than 31 characters"),
    (confirm(deny=None), "/elements/0/confirm", "missing required field: deny"),
    (actions({"type": "static_select"}), "/elements/0", "missing required field: options or option_groups"),
    (
        actions({"type": "static_select", "options": [option()] * 101}),
        "/elements/0/options",
        "no more than 100 items allowed",
    ),
    (
        actions({"type": "static_select", "options": [option("x" * 76)]}),
        "/elements/0/options/0/text/text",
        "must be less than 76 characters",
    ),
    (
        actions({"type": "static_select", "options": [option(value="v" * 151)]}),
        "/elements/0/options/0/value",
        "must be less than 151 characters",
    ),
    (
        actions({"type": "static_select", "options": [option(description=plain("x" * 76))]}),
        "/elements/0/options/0/description/text",
        "must be less than 76 characters",
    ),
    (
        actions({"type": "static_select", "options": [option()], "placeholder": plain("x" * 151)}),
        "/elements/0/placeholder/text",
        "must be less than 151 characters",
    ),
    (
        actions({"type": "overflow", "options": [option()] * 6}),
        "/elements/0/options",
        "no more than 5 items allowed",
    ),
    (
        actions({"type": "radio_buttons", "options": [option()] * 11}),
        "/elements/0/options",
        "no more than 10 items allowed",
    ),
    (
        actions({"type": "checkboxes", "options": [option()] * 11}),
        "/elements/0/options",
        "no more than 10 items allowed",
    ),
    (
        entry({"type": "plain_text_input", "max_length": 3001}),
        "/element/max_length",
        "must be a number from 1 to 3000",
    ),
    (entry({"type": "plain_text_input"}, hint=plain("x" * 2001)), "/hint/text", "must be less than 2001 characters"),
    (entry({"type": "plain_text_input"}, label=plain("x" * 2001)), "/label/text", "must be less than 2001 characters"),
    (
        entry({"type": "number_input", "is_decimal_allowed": False}),
        "/element/type",
        "unsupported type: number_input (not on a message surface)",
    ),
    ({"type": "alert", "text": plain()}, "/type", "unsupported type: alert (not on a message surface)"),
    ({"type": "file"}, "/type", "unsupported type: file"),
    ({"type": "image", "alt_text": "a"}, "", "missing required field: image_url or slack_file"),
    ({"type": "image", "image_url": "u" * 3001, "alt_text": "a"}, "/image_url", "must be less than 3001 characters"),
    ({"type": "image", "image_url": "u", "alt_text": "a" * 2001}, "/alt_text", "must be less than 2001 characters"),
    ({"type": "markdown", "text": ""}, "/text", "must be more than 0 characters"),
    (task(status="skipped"), "/status", "must be one of: pending, in_progress, complete, error"),
    (
        {"type": "plan", "title": "p", "tasks": [{**task(), "status": "done"}]},
        "/tasks/0/status",
        "must be one of: pending, in_progress, complete, error",
    ),
    ({"type": "plan", "tasks": [task()]}, "", "missing required field: title"),
    (task(details=mrkdwn()), "/details", "unsupported type: mrkdwn"),
    (table(rows=101), "/rows", "no more than 100 items allowed"),
    (table(cells=21), "/rows/0", "no more than 20 items allowed"),
    ({**table(), "column_settings": [None] * 21}, "/column_settings", "no more than 20 items allowed"),
    (rich({"type": "text", "text": ""}), "/elements/0/elements/0/text", "must be more than 0 characters"),
    (rich({"type": "shout"}), "/elements/0/elements/0", "unsupported type: shout"),
    (
        {"type": "container", "title": plain(), "child_blocks": [section()] * 11},
        "/child_blocks",
        "no more than 10 items allowed",
    ),
    (
        {"type": "data_visualization", "title": "t" * 51, "chart": {"type": "pie"}},
        "/title",
        "must be less than 51 characters",
    ),
    ({"type": "carousel", "elements": []}, "/elements", "no fewer than 1 items allowed"),
]


@pytest.mark.parametrize(("block", "pointer", "message"), BAD, ids=[f"{b.get('type')}{p}: {m}"[:60] for b, p, m in BAD])
def test_what_slack_refuses_is_named(block: dict[str, Any], pointer: str, message: str) -> None:
    """A broken limit is named, with the pointer to it."""
    where = "/blocks/0"
    assert LimitProblem(pointer=where + pointer, message=message) in problems([block], surface="message")


def test_every_block_type_has_a_case() -> None:
    """No block type is in the table without a case that passes here (alert and input stand with modals)."""
    assert {b["type"] for b in FINE} | {"alert", "input"} == set(BLOCKS) - {"card"}


@pytest.mark.parametrize(
    ("payload", "pointer", "part"),
    [
        ({}, "/text", "a message needs text"),
        ({"text": "x" * 4001}, "/text", "less than 4001"),
        ({"text": "x", "blocks": [section()] * 51}, "/blocks", "no more than 50"),
        ({"text": "x", "attachments": [{}] * 101}, "/attachments", "no more than 100"),
        ({"text": "x", "blocks": [section(text=mrkdwn("y" * 2600))] * 4}, "/blocks", "keep it to 10000"),
        (
            {"text": "x", "blocks": [{"type": "plan", "title": "p", "tasks": [task()]}] * 2},
            "/blocks",
            "more than 1 plan",
        ),
        ({"text": "x", "blocks": [table(), table()]}, "/blocks", "more than 1 table"),
        ({"text": "x", "blocks": [{"type": "markdown", "text": "y" * 6001}] * 2}, "/blocks", "less than 12001"),
        ({"text": "x", "blocks": [section(block_id="b")] * 2}, "/blocks", "block_id 'b' is used 2 times"),
        ({"text": "x", "metadata": {"event_payload": {}}}, "/metadata", "event_type"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "/metadata", "event_payload"),
        (
            {"text": "x", "metadata": {"event_type": "a", "event_payload": {"b": {"c": 1}}}},
            "/metadata/event_payload/b",
            "must be flat",
        ),
        ({"text": "x", "attachments": [{"blocks": [{"type": "z"}]}]}, "/attachments/0/blocks/0/type", "unsupported"),
    ],
)
def test_a_whole_message_has_limits_too(payload: dict[str, Any], pointer: str, part: str) -> None:
    """Counts and sums over a whole message are held."""
    found = message_problems(payload)

    assert pointer in [p.pointer for p in found if part in p.message]


def test_the_same_action_in_different_blocks_is_fine() -> None:
    """An action_id is unique within its block only: a list may have the same button on every row."""
    rows = [section(accessory=button(action_id="migrate.status", value=str(n))) for n in range(3)]

    assert problems(rows, surface="home") == ()


@pytest.mark.parametrize(
    ("view", "pointer", "part"),
    [
        (modal(title=plain("x" * 25)), "/view/title/text", "less than 25"),
        (modal(submit=plain("x" * 25)), "/view/submit/text", "less than 25"),
        (modal(close=plain("x" * 25)), "/view/close/text", "less than 25"),
        (modal(private_metadata="x" * 3001), "/view/private_metadata", "less than 3001"),
        (modal(callback_id="x" * 256), "/view/callback_id", "less than 256"),
        (modal(external_id="x" * 256), "/view/external_id", "less than 256"),
        (modal(*[section()] * 101), "/view/blocks", "no more than 100"),
        ({"type": "home", "blocks": []}, "/view/blocks", "no fewer than 1"),
        ({"type": "modal", "blocks": [section()]}, "/view", "missing required field: title"),
        (modal(entry({"type": "plain_text_input"})), "/view", "missing required field: submit"),
        (modal({"type": "plan", "title": "p", "tasks": [task()]}), "/view/blocks/0/type", "not on a modal surface"),
        ({"type": "home", "blocks": [{"type": "alert", "text": plain()}]}, "/view/blocks/0/type", "not on a home"),
        ({"type": "page", "blocks": [section()]}, "/view/type", "must be one of"),
        (modal(*[section(text=mrkdwn("é" * 3000))] * 50), "/view", "250 kB"),
    ],
)
def test_views_have_limits_of_their_own(view: dict[str, Any], pointer: str, part: str) -> None:
    """Titles, metadata, counts, size and surfaces of modals and Home are held."""
    found = view_problems(view)

    assert pointer in [p.pointer for p in found if part in p.message], json.dumps([str(p) for p in found])[:500]


def test_a_full_form_is_fine() -> None:
    """Every input element the bot uses passes in a modal with a submit button."""
    elements: list[dict[str, Any]] = [
        {"type": "plain_text_input", "multiline": True, "max_length": 3000, "placeholder": plain()},
        {"type": "number_input", "is_decimal_allowed": False, "min_value": "1"},
        {"type": "static_select", "options": [option()], "initial_option": option()},
        {"type": "multi_users_select", "max_selected_items": 3},
        {"type": "checkboxes", "options": [option()] * 10},
        {"type": "radio_buttons", "options": [option()], "initial_option": option()},
        {"type": "datepicker", "initial_date": "2026-11-22"},
        {"type": "timepicker", "initial_time": "12:00"},
        {"type": "datetimepicker"},
    ]
    blocks = [entry({**e, "action_id": "v"}, block_id=f"b{n}") for n, e in enumerate(elements)]
    alert = {"type": "alert", "text": mrkdwn(), "level": "warning"}

    assert view_problems(modal(alert, *blocks, submit=plain())) == ()
