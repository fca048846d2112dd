"""The page at a fixed moment, and the small server it talks to."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.demo.page_server import NOON, PageServer

SOON = 60_000  # milliseconds; a machine may be slow


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    """A fresh page server."""
    made = PageServer()
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A fresh window at noon UTC on 22 Nov 2026; a script or policy error on the page fails its test."""
    context = await browser.new_context(locale="en-US", timezone_id="UTC", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SOON)
    expect.set_options(timeout=SOON)
    opened = await context.new_page()
    await opened.clock.set_fixed_time(NOON)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    yield opened
    await context.close()
    expect.set_options(timeout=None)
    # A server that goes away is part of some tests, and Chromium writes that to the console too.
    assert [] == [one for one in problems if "WebSocket" not in one]
