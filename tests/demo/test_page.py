"""The frame of the workspace's page in a real Chromium: writing, reading, people, the line to the server."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.demo.page_server import BEN, CHANNEL, PageServer, hello, message, plain, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("page")]


async def test_a_command_typed_with_the_keyboard_is_answered_for_me_only(page: Page, server: PageServer) -> None:
    """The message box has the focus at the start, completes the command, and shows the private answer."""
    reply = message(text="*Nothing* is planned", is_ephemeral=True)
    server.answers["command"] = lambda _user, _frame: [{"type": "ephemeral", "channel": CHANNEL, "message": reply}]
    await visit(page, server)

    await page.keyboard.type("/mig")
    await expect(page.get_by_role("option", name="/migrate")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.type("status")
    await page.keyboard.press("Enter")

    sent = await server.wait_for("command")
    assert ("/migrate status", CHANNEL) == (sent["text"], sent["channel"])
    answer = page.locator(".message.only-you")
    await expect(answer.locator("strong").nth(1)).to_have_text("Nothing")
    await expect(answer).to_contain_text("Only visible to you")
    await expect(answer.locator(".app")).to_have_text("APP")
    await expect(page.locator("#announcer")).to_contain_text("Nothing")
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#composer-text")).to_have_value("/migrate status")


async def test_an_unknown_command_is_not_sent(page: Page, server: PageServer) -> None:
    """A command nobody registered is explained on the page and kept in the box."""
    await visit(page, server)

    await page.keyboard.type("/nothing here")
    await page.keyboard.press("Enter")

    await expect(page.locator(".message.notice")).to_contain_text("/nothing is not a command here")
    await expect(page.locator("#composer-text")).to_have_value("/nothing here")
    assert [] == server.received


async def test_a_mention_is_sent_as_slack_stores_it(page: Page, server: PageServer) -> None:
    """What people say is escaped, and @name becomes the person's id."""
    await visit(page, server)

    await page.keyboard.type("@migrate is 1 < 2 & so?")
    await page.keyboard.press("Enter")

    sent = await server.wait_for("say")
    assert "<@U0BOT> is 1 &lt; 2 &amp; so?" == sent["text"]


async def test_switching_the_person_reconnects_as_them(page: Page, server: PageServer) -> None:
    """The switcher works from the keyboard, is written in the address, and forgets what was private."""
    server.hello = hello([], ephemeral={CHANNEL: [message(text="for Ana", is_ephemeral=True)]})
    await visit(page, server)
    await expect(page.locator(".only-you")).to_contain_text("for Ana")
    server.hello = hello([])

    await page.get_by_label("You are acting as").focus()
    await page.keyboard.type("Ben")
    await page.keyboard.press("Enter")

    await server.wait_connected(2)
    assert ["U0ANA", BEN["id"]] == server.connected
    assert page.url.endswith("#as=U0BEN")
    await expect(page).to_have_title("# engineering – as Ben Okafor")
    await expect(page.locator(".only-you")).to_have_count(0)


async def test_a_dropped_line_comes_back_with_the_whole_state(page: Page, server: PageServer) -> None:
    """The page says that it lost the line, connects again by itself, and reads everything anew."""
    await visit(page, server)
    server.hello = hello([message(text="posted meanwhile")])

    await page.evaluate("""() => {
        window.told = [];
        new MutationObserver(() => window.told.push(document.querySelector('#bar').textContent))
            .observe(document.querySelector('#bar'), {childList: true});
    }""")
    await server.drop()
    await server.wait_connected(2)

    await expect(page.locator(".message")).to_contain_text("posted meanwhile")
    await expect(page.locator("#bar")).to_be_hidden()
    assert "Connection lost" in (await page.evaluate("window.told"))[0]
    await expect(page.locator("#composer-text")).to_be_focused()


async def test_threads_open_at_the_right_and_take_replies(page: Page, server: PageServer) -> None:
    """Replies are counted under the root, shown in the panel, and answered there."""
    root = message(text="Run 7 started")
    replies = [message(text=f"step {number}", thread_ts=root["ts"]) for number in (1, 2)]
    server.hello = hello([root, *replies])
    await visit(page, server)
    assert 1 == await page.locator("#messages .message").count()

    await page.get_by_role("button", name="2 replies").click()
    await expect(page.locator("#panel-messages .message")).to_have_count(3)
    await page.keyboard.type("looks good")
    await page.keyboard.press("Enter")

    sent = await server.wait_for("say")
    assert (root["ts"], "looks good") == (sent["thread_ts"], sent["text"])
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel")).to_be_hidden()
    await expect(page.get_by_role("button", name="2 replies")).to_be_focused()


async def test_pins_reactions_and_files_are_shown(page: Page, server: PageServer) -> None:
    """A pinned message is marked and listed; files are links; reactions are counted."""
    file = {"id": "F1", "title": "report.md", "name": "report.md", "url": "/files/F1", "size": 2048}
    card = message(text="The card", files=[file], reactions=[{"name": "eyes", "users": ["U0BEN"]}])
    server.hello = hello([card, message(text="other")], pins={CHANNEL: [card["ts"]]})
    await visit(page, server)

    await expect(page.get_by_role("link", name="report.md")).to_have_attribute("href", "/files/F1")
    await expect(page.locator(".reactions li")).to_have_text("👀 1")
    await expect(page.locator(".message.pinned .marker")).to_contain_text("Pinned")
    await page.get_by_role("button", name="1 pinned").click()
    await expect(page.locator("#panel-messages .message")).to_have_count(1)
    await server.push({"type": "pins", "channel": CHANNEL, "pins": []})
    await expect(page.locator(".message.pinned")).to_have_count(0)


async def test_a_picture_is_seen_where_it_was_posted(page: Page, server: PageServer) -> None:
    """Small, with the words for who cannot see it; a click opens it."""
    about = {"id": "F2", "title": "Measurements", "name": "m-1.png", "size": 2048, "mimetype": "image/png"}
    file = {**about, "url": "/static/icon.svg", "alt_txt": "Error rate: 3 measurements"}
    server.hello = hello([message(text="The chart", files=[file])])
    await visit(page, server)

    shown = page.get_by_role("img", name="Error rate: 3 measurements")
    await expect(shown).to_be_visible()
    await expect(page.locator("a.shown")).to_have_attribute("href", "/static/icon.svg")


async def test_new_messages_do_not_move_a_reader_who_scrolled_up(page: Page, server: PageServer) -> None:
    """Who reads old messages is offered a way down; who is at the bottom follows."""
    server.hello = hello([message(text=f"line {number}\n" * 5) for number in range(20)])
    await visit(page, server)
    top = "document.querySelector('#scroller').scrollTop"
    assert 0 < await page.evaluate(top)

    await page.evaluate(f"{top} = 0")
    await server.push({"type": "message", "channel": CHANNEL, "message": message(text="newest one")})
    await page.get_by_role("button", name="Jump to newest").click()

    await expect(page.get_by_text("newest one", exact=True)).to_be_in_viewport()
    await expect(page.locator("#newest")).to_be_hidden()
    await server.push({"type": "message", "channel": CHANNEL, "message": message(text="the very last")})
    await expect(page.get_by_text("the very last", exact=True).last).to_be_in_viewport()


async def test_a_redraw_keeps_the_focus_and_what_was_unfolded(page: Page, server: PageServer) -> None:
    """A card that is updated every second does not take the keyboard away from its reader."""
    output = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "12 MB"}]}],
    }

    def blocks(title: str) -> list[dict[str, Any]]:
        task = {"task_id": "t", "title": "Backup", "status": "complete", "output": output}
        button = {"type": "button", "action_id": "hold", "text": plain("Hold")}
        plan = {"type": "plan", "block_id": "p", "title": title, "tasks": [task]}
        return [plan, {"type": "actions", "block_id": "b", "elements": [button]}]

    card = message(blocks("Working"))
    server.hello = hello([card])
    await visit(page, server)
    await page.get_by_text("Backup").click()
    await page.get_by_role("button", name="Hold").focus()

    changed = {**card, "blocks": blocks("Still working")}
    await server.push({"type": "message_changed", "channel": CHANNEL, "message": changed})

    await expect(page.locator(".plan-title strong")).to_have_text("Still working")
    await expect(page.get_by_role("button", name="Hold")).to_be_focused()
    await expect(page.get_by_text("12 MB")).to_be_visible()


async def test_a_permalink_goes_to_its_message(page: Page, server: PageServer) -> None:
    """A link to a message of this workspace scrolls to it, here or in a page opened by the link."""
    old = message(text="the old one")
    stamp = old["ts"].replace(".", "")
    link = message(text=f"<{server.url}/archives/{CHANNEL}/p{stamp}|see there>")
    server.hello = hello([old, *[message(text=f"line {number}\n" * 5) for number in range(20)], link])
    await visit(page, server)
    sought = page.get_by_text("the old one")
    await expect(sought).not_to_be_in_viewport()

    await page.get_by_role("link", name="see there").click()

    await expect(sought).to_be_in_viewport()
    await page.goto("about:blank")
    await page.goto(f"{server.url}/#{CHANNEL}/{old['ts']}")
    await expect(sought).to_be_in_viewport()
    await expect(page.get_by_label("You are acting as")).to_have_value("U0ANA")


async def test_what_people_type_is_drawn_from_its_text(page: Page, server: PageServer) -> None:
    """A person's message carries a rich_text copy without formatting; the text has it."""
    copy = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "*1 &lt; 2*"}]}],
    }
    server.hello = hello([message([copy], text="*1 &lt; 2*", user=BEN["id"], bot_id=None)])
    await visit(page, server)

    await expect(page.locator(".content strong")).to_have_text("1 < 2")
    await expect(page.locator(".app")).to_have_count(0)
