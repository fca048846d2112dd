"""Every Block Kit block and element as the workspace's page draws it in a real Chromium."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.demo.page_server import CHANNEL, NOON, PageServer, drawn, mrkdwn, option, plain, rich, section, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("page")]

TASKS = [
    {"task_id": "1", "title": "Announce", "status": "complete", "output": rich({"type": "text", "text": "posted"})},
    {"task_id": "2", "title": "Backup", "status": "in_progress", "details": rich({"type": "text", "text": "42 %"})},
    {"task_id": "3", "title": "Stop services", "status": "pending"},
    {
        "task_id": "4",
        "title": "Apply",
        "status": "error",
        "output": rich({"type": "text", "text": "lock timeout"}),
        "sources": [{"type": "url", "url": "https://example.com/log", "text": "the log"}],
    },
]


async def test_sections_headers_context_and_images(page: Page, server: PageServer) -> None:
    """Text blocks carry their parts: fields, accessory, small print, picture with its alternative text."""
    icon = {"type": "image", "image_url": "/static/icon.svg", "alt_text": "an icon"}
    content = await drawn(
        page,
        server,
        {"type": "header", "text": plain("Run 7 :rocket:")},
        section("*Orders*", fields=[mrkdwn("*Risk*\nlow"), plain("*raw*")], accessory=icon),
        {"type": "divider"},
        {"type": "context", "elements": [icon, mrkdwn("by <@U0BEN>")]},
        {"type": "image", "title": plain("Latency"), **icon},
    )

    await expect(content.get_by_role("heading", name="Run 7 rocket")).to_be_visible()
    await expect(content.locator(".fields > div")).to_have_text(["Risklow", "*raw*"])
    await expect(content.locator(".accessory img")).to_have_attribute("alt", "an icon")
    await expect(content.locator(".block-divider hr")).to_have_count(1)
    await expect(content.locator(".block-context span").first).to_have_text("by @Ben Okafor")
    await expect(content.locator("figcaption")).to_have_text("Latency")
    assert await content.locator(".picture").evaluate("one => one.naturalWidth") > 0


async def test_a_table(page: Page, server: PageServer) -> None:
    """The first row is the head; numbers stand at the right; cells may be rich text."""
    rows = [
        [{"type": "raw_text", "text": "Table"}, {"type": "raw_text", "text": "Rows"}],
        [
            rich({"type": "text", "text": "orders", "style": {"bold": True}}),
            {"type": "raw_number", "value": 5000, "text": "5,000"},
        ],
    ]
    content = await drawn(page, server, {"type": "table", "rows": rows})

    await expect(content.get_by_role("columnheader")).to_have_text(["Table", "Rows"])
    await expect(content.locator("td strong")).to_have_text("orders")
    await expect(content.locator("td.align-right")).to_have_text("5,000")


async def test_a_plan_with_its_task_cards(page: Page, server: PageServer) -> None:
    """Each task says its state to eyes and to screen readers; what runs or failed is unfolded."""
    content = await drawn(page, server, {"type": "plan", "title": "Steps", "tasks": TASKS})

    await expect(content.locator(".plan-title")).to_have_text("Steps")
    await expect(content.locator(".plan .task-head .for-readers")).to_have_text(
        ["Complete: ", "In progress: ", "Pending: ", "Error: "], use_inner_text=False
    )
    await expect(content.get_by_text("42 %")).to_be_visible()
    await expect(content.get_by_text("posted")).not_to_be_visible()
    await content.get_by_text("Announce").click()
    await expect(content.get_by_text("posted")).to_be_visible()
    await expect(content.get_by_role("link", name="the log")).to_be_visible()
    spin = content.locator(".mark-in_progress")
    assert await spin.evaluate("one => getComputedStyle(one).animationName") == "turn"
    await page.emulate_media(reduced_motion="reduce")
    assert await spin.evaluate("one => getComputedStyle(one).animationName") == "none"


async def test_task_card_alert_container_and_context_actions(page: Page, server: PageServer) -> None:
    """The newer blocks are drawn, and a collapsed container opens."""
    button = {"type": "icon_button", "action_id": "i", "icon": "trash", "text": plain("Remove")}
    content = await drawn(
        page,
        server,
        {**TASKS[1], "type": "task_card"},
        {"type": "alert", "level": "warning", "text": mrkdwn("*Long* lock")},
        {
            "type": "container",
            "title": plain("More"),
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [section("inside")],
        },
        {"type": "context_actions", "block_id": "c", "elements": [button]},
    )

    await expect(content.locator(".block-task_card .task-title")).to_have_text("Backup")
    await expect(content.locator(".alert-warning")).to_contain_text("Long lock")
    await expect(content.get_by_text("inside")).not_to_be_visible()
    await content.get_by_text("More", exact=True).click()
    await expect(content.get_by_text("inside")).to_be_visible()
    await expect(content.get_by_role("button", name="Remove")).to_be_visible()


async def test_what_cannot_be_drawn_says_so(page: Page, server: PageServer) -> None:
    """An unknown block, element or rich text part is named and the rest is drawn."""
    content = await drawn(
        page,
        server,
        {"type": "hologram"},
        {"type": "actions", "block_id": "b", "elements": [{"type": "dial", "action_id": "d"}]},
        rich({"type": "smell"}),
        section("and then"),
    )

    await expect(content.locator(".unsupported")).to_have_text(
        ["unsupported block: hologram", "unsupported element: dial", "unsupported rich text: smell"]
    )
    await expect(content.get_by_text("and then")).to_be_visible()


FIELDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "plain_text_input", "multiline": True, "initial_value": "a\nb"}, {"value": "a\nb"}),
    ({"type": "email_text_input", "initial_value": "a@b.c"}, {"value": "a@b.c"}),
    ({"type": "url_text_input", "initial_value": "https://b.c"}, {"value": "https://b.c"}),
    ({"type": "number_input", "is_decimal_allowed": False, "initial_value": "7"}, {"value": "7"}),
    (
        {
            "type": "static_select",
            "option_groups": [{"label": plain("G"), "options": [option("a")]}],
            "initial_option": option("a"),
        },
        {"selected_option": option("a")},
    ),
    (
        {"type": "multi_static_select", "options": [option("a"), option("b")], "initial_options": [option("b")]},
        {"selected_options": [option("b")]},
    ),
    (
        {"type": "radio_buttons", "options": [option("a"), option("b")], "initial_option": option("b")},
        {"selected_option": option("b")},
    ),
    (
        {"type": "checkboxes", "options": [option("a")], "initial_options": [option("a")]},
        {"selected_options": [option("a")]},
    ),
    ({"type": "users_select", "initial_user": "U0BEN"}, {"selected_user": "U0BEN"}),
    ({"type": "multi_users_select", "initial_users": ["U0ANA"]}, {"selected_users": ["U0ANA"]}),
    ({"type": "conversations_select", "initial_conversation": CHANNEL}, {"selected_conversation": CHANNEL}),
    ({"type": "channels_select", "initial_channel": CHANNEL}, {"selected_channel": CHANNEL}),
    ({"type": "datepicker", "initial_date": "2026-11-22"}, {"selected_date": "2026-11-22"}),
    ({"type": "timepicker", "initial_time": "14:30"}, {"selected_time": "14:30"}),
    ({"type": "datetimepicker", "initial_date_time": NOON}, {"selected_date_time": NOON}),
]


async def test_every_input_element_starts_with_its_initial_value(page: Page, server: PageServer) -> None:
    """Each element of a modal is named by its label and, left alone, submits its initial value."""
    blocks = [
        {
            "type": "input",
            "block_id": f"b{number}",
            "label": plain(f"Field {number}."),
            "element": {**one, "action_id": "v"},
        }
        for number, (one, _) in enumerate(FIELDS)
    ]
    view = {"id": "V1", "title": plain("All"), "submit": plain("Send"), "blocks": blocks}
    await visit(page, server)
    await server.push({"type": "view", "action": "open", "view": view})

    for number in range(len(FIELDS)):
        await expect(page.locator("#modal").get_by_label(f"Field {number}.").first).to_be_visible()
    await page.locator("#modal").get_by_role("button", name="Send").click()

    sent = await server.wait_for("submit")
    expected = {f"b{number}": {"v": {"type": one["type"], **value}} for number, (one, value) in enumerate(FIELDS)}
    assert expected == sent["values"]


async def test_an_overflow_menu_sends_its_option(page: Page, server: PageServer) -> None:
    """The menu opens and closes from the keyboard and its choice is an action."""
    menu = {"type": "overflow", "action_id": "more", "options": [option("logs"), option("hold")]}
    content = await drawn(page, server, section("Run", accessory=menu))

    await content.get_by_label("More actions").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    assert option("hold") == (await server.wait_for("click"))["selected_option"]
    await expect(content.get_by_label("More actions")).to_be_focused()
