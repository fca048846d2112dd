"""The first person who tries it: the demo as ``make demo`` starts it, worked by hand in a real browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from bot.demo import cast
from bot.demo.stage import Stage, set_up
from tests.conftest import short_folder

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("demo")]

DONE = "Database migration completed successfully"
SPEED = 120.0  # the 30 minutes of watching pass in 15 seconds
SOON = 45_000  # milliseconds the real work of a step may take on a busy machine
STEPS = (
    "Create pre-migration backup",
    "Stop services",
    "Apply database migration",
    "Restart services",
)
ANSWERS = {
    "help": "/migrate takeover",
    "status": "Case priority: completed",
    "history": "Case priority on casework: completed",
    "logs": "pg_dump ended with code 0",
    "strat": "“strat” is not something I know. Type /migrate help",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(browser: Browser) -> AsyncIterator[Stage]:
    """The whole demo, once for this file."""
    with short_folder() as folder:
        async with set_up(folder, speed=SPEED, quorum=1, fresh=True) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, stage: Stage) -> AsyncIterator[Page]:
    """The printed link, opened as dana; a script error on the page fails its test."""
    context = await browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SOON)
    expect.set_options(timeout=SOON)
    opened = await context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    await opened.goto(f"{stage.workspace.url}/#as={cast.STARTER}")
    await expect(opened.locator("#place-title")).to_have_text("# engineering")
    yield opened
    expect.set_options(timeout=None)
    await context.close()
    assert [] == problems


async def test_a_newcomer_migrates_the_database(page: Page) -> None:
    """Typing /migrate start, filling in the form and approving four steps leads to the ✅.

    Who may not approve is told so; the card, the commands that only look, and App Home tell of the run afterwards.
    """
    await expect(page.locator(".beginning")).to_contain_text("/migrate")
    await _type(page, "/migrate start")
    await _fill_in(page)

    await _become(page, cast.OUTSIDER)
    await _approve(page, STEPS[0])
    await expect(_whispers(page).last).to_contain_text("⛔ You are not an approver of casework")
    await expect(_question(page, STEPS[0])).to_be_visible()

    await _become(page, cast.FIRST_APPROVER)
    for step in STEPS:
        await _approve(page, step)
        await expect(_question(page, step)).to_have_count(0)

    await expect(page.locator(".message", has_text=f"✅ {DONE}")).to_be_visible(timeout=SOON)
    card = page.locator(".message.pinned")
    await expect(card.get_by_role("heading", name="✅ Case priority: completed")).to_be_visible()
    await expect(card.locator(".task-complete")).to_have_count(9)
    await expect(card.get_by_role("button", name="Logs")).to_be_visible()
    await _ask_around(page)
    await _look_at_home(page)


async def _ask_around(page: Page) -> None:
    """Looking works after the run as well, is answered to the one who asked, and a slip of the finger gets a hint."""
    for words, answer in ANSWERS.items():
        before = await _whispers(page).count()
        await _type(page, f"/migrate {words}")
        await expect(_whispers(page)).to_have_count(before + 1)
        await expect(_whispers(page).last).to_contain_text(answer)


async def _look_at_home(page: Page) -> None:
    """App Home tells of the run that is over."""
    await page.get_by_role("button", name="Migrate – Home").click()

    home = page.locator("#home")
    await expect(home).to_contain_text("No migration is running.")
    await expect(home).to_contain_text("✅ Case priority on casework: completed")
    await expect(home).to_contain_text("by Dana Ruiz")


async def _type(page: Page, text: str) -> None:
    await page.locator("#composer-text").focus()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def _fill_in(page: Page) -> None:
    """The start form, by its labels."""
    form = page.get_by_role("dialog", name="Start a migration")
    await form.get_by_label("Name", exact=True).fill("Case priority")
    await form.get_by_label("Purpose").fill("Urgent cases are seen first")
    await form.get_by_label("001_add_case_priority.sql").check()
    await form.get_by_role("button", name="Start").click()
    await expect(form).to_be_hidden()


async def _become(page: Page, person: str) -> None:
    await page.get_by_label("You are acting as").select_option(person)
    await expect(page.locator(".person", has_text="you")).to_have_count(1)


def _question(page: Page, step: str) -> Locator:
    """The open question about a step; once answered it has another heading."""
    return page.locator(".message", has=page.get_by_role("heading", name=f"Approval needed: {step}"))


async def _approve(page: Page, step: str) -> None:
    """Press Approve, and again in the dialog that asks whether one is sure."""
    await _question(page, step).get_by_role("button", name="Approve", exact=True).click()
    sure = page.get_by_role("alertdialog", name="Approve this step?")
    await expect(sure).to_contain_text("exactly as shown")
    await sure.get_by_role("button", name="Approve").click()


def _whispers(page: Page) -> Locator:
    return page.locator("#messages .message.only-you")
