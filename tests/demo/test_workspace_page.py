"""The page on the real workspace server, in a real Chromium, with a real Bolt app behind."""

import pytest
from playwright.async_api import Browser, expect

from tests.demo import workspace_kit as kit
from tests.demo.workspace_kit import bolt, connected

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("page")]


async def test_a_command_typed_on_the_page_is_answered_by_bolt(browser: Browser) -> None:
    """The served page, under its policy, sends a command through Socket Mode and shows the answer."""
    async with kit.running() as workspace:
        app = bolt(workspace)

        @app.command("/migrate")
        async def handle(ack, body):
            await ack(f"hello {body['text']}")

        async with connected(workspace, app):
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(f"{workspace.url}/#as=U0ALICE")
            await expect(page.locator("#place-title")).to_have_text("# engineering")
            await page.keyboard.type("/migrate status")
            await page.keyboard.press("Enter")
            await expect(page.locator(".message.only-you")).to_contain_text("hello status")
            await context.close()
