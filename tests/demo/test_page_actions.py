"""What a person can do on the workspace's page: buttons, menus, modals, the Home tab."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.demo.page_server import BOT, CHANNEL, NOON, PageServer, hello, message, mrkdwn, option, plain, section, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("page")]


VIEW: dict[str, Any] = {
    "id": "V1",
    "type": "modal",
    "title": plain("Plan a migration"),
    "submit": plain("Plan"),
    "close": plain("Never mind"),
    "blocks": [
        {
            "type": "input",
            "block_id": "title",
            "label": plain("Title"),
            "hint": plain("What people will read"),
            "element": {"type": "plain_text_input", "action_id": "v"},
        },
        {
            "type": "input",
            "block_id": "risk",
            "label": plain("Risk"),
            "element": {
                "type": "static_select",
                "action_id": "v",
                "options": [option("low"), option("high")],
                "initial_option": option("low"),
            },
        },
        {
            "type": "input",
            "block_id": "when",
            "label": plain("When"),
            "element": {"type": "datetimepicker", "action_id": "v", "initial_date_time": NOON},
        },
        {
            "type": "input",
            "block_id": "who",
            "optional": True,
            "label": plain("Who"),
            "element": {"type": "users_select", "action_id": "v"},
        },
        {
            "type": "input",
            "block_id": "done",
            "optional": True,
            "label": plain("Done"),
            "element": {"type": "checkboxes", "action_id": "v", "options": [option("backup"), option("review")]},
        },
    ],
}


async def test_a_modal_shows_the_errors_and_sends_what_was_entered(page: Page, server: PageServer) -> None:
    """Errors stand under their input and are read with it; the corrected form closes the modal."""

    def answer(_user: str, frame: dict[str, Any]) -> list[dict[str, Any]]:
        if frame["values"]["title"]["v"]["value"] == "Orders":
            return [{"type": "view", "action": "close", "view_id": "V1"}]
        return [{"type": "view_errors", "view_id": "V1", "errors": {"title": "That title is taken"}}]

    server.answers["submit"] = answer
    await visit(page, server)
    await server.push({"type": "view", "action": "open", "view": VIEW})

    title = page.get_by_label("Title")
    await expect(title).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(title).to_have_accessible_description("What people will read Please complete this required field.")
    await page.keyboard.type("Used")
    await page.get_by_label("Risk").select_option(label="High")
    await page.get_by_label("Review").check()
    await page.get_by_role("button", name="Plan", exact=True).click()
    await expect(title).to_have_accessible_description("What people will read That title is taken")
    await expect(title).to_be_focused()
    await expect(title).to_have_attribute("aria-invalid", "true")
    await expect(title).to_have_value("Used")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("Orders")
    await page.keyboard.press("Enter")
    await expect(page.locator("#modal")).not_to_be_visible()

    sent = await server.wait_for("submit", 2)
    assert {
        "title": {"v": {"type": "plain_text_input", "value": "Orders"}},
        "risk": {"v": {"type": "static_select", "selected_option": option("high")}},
        "when": {"v": {"type": "datetimepicker", "selected_date_time": NOON}},
        "who": {"v": {"type": "users_select", "selected_user": None}},
        "done": {"v": {"type": "checkboxes", "selected_options": [option("review")]}},
    } == sent["values"]


async def test_modals_stack_and_escape_closes_the_top_one(page: Page, server: PageServer) -> None:
    """Escape closes one view, tells the server, and brings back what was entered below."""
    await visit(page, server)
    await server.push({"type": "view", "action": "open", "view": VIEW})
    await expect(page.get_by_label("Title")).to_be_focused()
    await page.keyboard.type("Half written")
    await server.push({"type": "view", "action": "push", "view": {**VIEW, "id": "V2", "title": plain("More")}})
    await expect(page.get_by_role("dialog", name="More")).to_be_visible()

    await page.keyboard.press("Escape")

    await expect(page.get_by_role("dialog", name="Plan a migration")).to_be_visible()
    await expect(page.get_by_label("Title")).to_have_value("Half written")
    assert "V2" == (await server.wait_for("close"))["view_id"]
    await page.keyboard.press("Escape")
    await expect(page.locator("#modal")).not_to_be_visible()
    await expect(page.locator("#composer-text")).to_be_focused()


async def test_an_update_keeps_what_was_entered(page: Page, server: PageServer) -> None:
    """views.update redraws the modal without losing the text in blocks that stay."""
    await visit(page, server)
    await server.push({"type": "view", "action": "open", "view": VIEW})
    await expect(page.get_by_label("Title")).to_be_focused()
    await page.keyboard.type("Kept")

    await server.push({"type": "view", "action": "update", "view": {**VIEW, "title": plain("Renamed")}})

    await expect(page.get_by_role("dialog", name="Renamed")).to_be_visible()
    await expect(page.get_by_label("Title")).to_have_value("Kept")


def approval() -> dict[str, Any]:
    """A message with a dangerous button that asks first."""
    confirm = {
        "title": plain("Roll back?"),
        "text": mrkdwn("This loses *3* orders"),
        "confirm": plain("Roll back"),
        "deny": plain("Keep"),
        "style": "danger",
    }
    button = {"type": "button", "action_id": "migrate.rollback", "text": plain("Roll back…"), "value": "run:7"}
    elements = [{**button, "style": "danger", "confirm": confirm}]
    return message([{"type": "actions", "block_id": "ask", "elements": elements}], text="Roll back?")


async def test_a_dangerous_button_asks_first_by_keyboard(page: Page, server: PageServer) -> None:
    """No click is sent until the question is answered with yes; Escape means no and gives the focus back."""
    card = approval()
    server.hello = hello([card])
    changed = {**card, "blocks": [section("Rolled back")], "edited": {"user": BOT["id"], "ts": card["ts"]}}
    server.answers["click"] = lambda _user, _frame: [
        {"type": "message_changed", "channel": CHANNEL, "message": changed}
    ]
    await visit(page, server)
    button = page.get_by_role("button", name="Roll back…")

    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alertdialog", name="Roll back?")).to_be_visible()
    await expect(page.get_by_role("button", name="Keep")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    assert [] == server.received
    await page.keyboard.press("Enter")
    for _ in range(3):  # the focus goes round inside the dialog: yes, no, yes
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Roll back", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")

    sent = await server.wait_for("click")
    assert ("ask", "migrate.rollback", "run:7", card["ts"]) == tuple(
        sent[key] for key in ("block_id", "action_id", "value", "ts")
    )
    await expect(page.locator(".message").last).to_contain_text("Rolled back")
    await expect(page.locator(".edited")).to_have_text("(edited)")


async def test_a_click_nobody_answers_is_marked(page: Page, server: PageServer) -> None:
    """A button whose app did not acknowledge carries a warning."""
    server.refuse["click"] = "operation_timeout"
    button = {"type": "button", "action_id": "a", "text": plain("Go")}
    server.hello = hello([message([{"type": "actions", "block_id": "b", "elements": [button]}])])
    await visit(page, server)

    await page.get_by_role("button", name="Go").click()

    await expect(page.get_by_role("button", name="Go")).to_have_attribute(
        "title", "This did not work: operation_timeout"
    )


async def test_a_menu_in_a_message_sends_its_choice_and_all_values(page: Page, server: PageServer) -> None:
    """A select dispatches the option, with the state of every field of the message."""
    select = {"type": "static_select", "action_id": "pick", "options": [option("low"), option("high")]}
    date = {"type": "datepicker", "action_id": "day", "initial_date": "2026-11-22"}
    server.hello = hello([message([{"type": "actions", "block_id": "b", "elements": [select, date]}])])
    await visit(page, server)

    await page.get_by_label("pick").select_option(label="High")

    sent = await server.wait_for("click")
    assert option("high") == sent["selected_option"]
    assert "2026-11-22" == sent["state"]["b"]["day"]["selected_date"]


async def test_the_home_tab_is_asked_for_and_its_buttons_act(page: Page, server: PageServer) -> None:
    """Opening Home tells the server; a button in it is an action of that view."""
    button = {"type": "button", "action_id": "go", "text": plain("Plan one"), "value": "x"}
    view = {"id": "VH", "type": "home", "blocks": [{"type": "actions", "block_id": "h", "elements": [button]}]}
    server.answers["open_home"] = lambda _user, _frame: [{"type": "home", "view": view}]
    await visit(page, server)

    await page.get_by_role("button", name="Migrate – Home").click()
    await page.get_by_role("button", name="Plan one").click()

    sent = await server.wait_for("view_action")
    assert ("VH", "h", "go", "x") == tuple(sent[key] for key in ("view_id", "block_id", "action_id", "value"))


async def test_an_open_modal_survives_a_lost_line(page: Page, server: PageServer) -> None:
    """The server says which modals are open, and what was entered is still there."""
    await visit(page, server)
    await server.push({"type": "view", "action": "open", "view": VIEW})
    await expect(page.get_by_label("Title")).to_be_focused()
    await page.keyboard.type("Orders")
    server.hello = hello([], views=[VIEW])

    await server.drop()
    await server.wait_connected(2)
    await expect(page.locator("#bar")).to_be_hidden()
    await page.keyboard.press("Enter")

    assert "Orders" == (await server.wait_for("submit"))["values"]["title"]["v"]["value"]
