"""A real Chromium for the page's tests, at a fixed moment, and the small server it talks to."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from page_server import NOON, PageServer
from playwright.async_api import Browser, Page, async_playwright


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; without one CI fails and a laptop skips."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found:
        return found
    reason = "no chromium on PATH: apt-get install chromium fonts-noto-color-emoji fonts-dejavu-core"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One browser for the tests of a file; its own sandbox needs privileges that containers lack."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        await opened.close()


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
    context.set_default_timeout(8000)
    opened = await context.new_page()
    await opened.clock.set_fixed_time(NOON)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    yield opened
    await context.close()
    # A server that goes away is part of some tests, and Chromium writes that to the console too.
    assert [] == [one for one in problems if "WebSocket" not in one]
