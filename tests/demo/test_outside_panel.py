"""The panel of the systems outside of the channel: what they show, and how the page shows it."""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from bot.demo import cast
from bot.demo.outside.town import Town
from bot.demo.workspace import Workspace
from bot.outside import Phase
from bot.settings import TargetsFile
from bot.wiring_outside import outside_of
from tests.demo import workspace_kit as kit
from tests.integrations.outside.samples import ALARM, CHANGE, QUIET, mail, maintenance, notice

STARTED = maintenance(Phase.IN_PROGRESS, "Maintenance in Progress\nAffected services: web")
WORDS = ("web: under maintenance", "Affected services: web", ALARM.summary, "Re: Database migration", CHANGE.summary)
_TARGET = """
[targets.casework]
dsn_env = "X"
channel = "C1"
migrations = "m"
backups = "b"
policy = { approvers = ["U1"] }
"""


@asynccontextmanager
async def told(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workspace]:
    """A workspace beside systems that were told by the bot's own adapters, configured by the demo's own lines."""
    town = Town(("web",), on_call=cast.person(cast.ON_CALL))
    await town.start()
    for name, value in town.environment.items():
        monkeypatch.setenv(name, value)
    file = TargetsFile.model_validate(tomllib.loads(_TARGET + town.toml("casework")))
    ports = outside_of(file, base=Path())["casework"]
    assert ports.status_page and ports.pager and ports.mail
    await ports.status_page.show(notice(STARTED), STARTED)
    await ports.pager.alarm(notice(ALARM), ALARM)
    await ports.pager.quiet(notice(QUIET), QUIET)
    await ports.pager.changed(notice(CHANGE), CHANGE)
    await ports.mail.send(notice(mail()), mail())
    assert ["Omar Haddad"] == [each.name for each in await ports.pager.on_call()]
    async with kit.running() as workspace:
        workspace.outside = town.shown
        yield workspace
    await town.stop()


async def test_each_system_shows_what_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And to nobody but the workspace's own page."""
    async with told(monkeypatch) as workspace, httpx.AsyncClient() as client:
        systems = (await client.get(f"{workspace.url}/ui/outside")).json()
        foreign = await client.get(f"{workspace.url}/ui/outside", headers={"Origin": "https://evil.example.com"})

    assert ["Status page", "Pager", "Mail"] == [each["name"] for each in systems]
    shown = "\n".join(line for each in systems for line in each["lines"])
    assert [] == [words for words in WORDS if words not in shown]
    assert 403 == foreign.status_code


async def test_a_workspace_without_such_systems_shows_none() -> None:
    """The page then has no button for them."""
    async with kit.running() as workspace, httpx.AsyncClient() as client:
        assert [] == (await client.get(f"{workspace.url}/ui/outside")).json()


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.xdist_group("page")
async def test_the_panel_shows_page_pager_and_mail(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind one button, as text."""
    async with told(monkeypatch) as workspace:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{workspace.url}/#as=U0ALICE")
        await page.get_by_role("button", name="Outside").click()
        for words in WORDS:
            await expect(page.locator("#panel")).to_contain_text(words)
        await context.close()
