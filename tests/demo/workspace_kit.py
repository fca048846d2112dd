"""A small company on the local workspace, and a real Bolt app connected to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.workspace import Channel, Person, Seed, UserGroup, Workspace

GENERAL = "C0ENG"
PEOPLE = (
    Person(id="U0ALICE", name="alice", real_name="Alice Able"),
    Person(id="U0BOB", name="bob", real_name="Bob Baker"),
    Person(id="U0GUEST", name="guest", real_name="Gail Guest", is_restricted=True),
    Person(id="U0STRANGE", name="stranger", real_name="Sam Strange", is_stranger=True, team_id="T0OTHER"),
)
SEED = Seed(
    bot=Person(id="U0BOT", name="migrate", real_name="Migrate", is_bot=True),
    users=PEOPLE,
    channels=(
        Channel(id=GENERAL, name="engineering", members=("U0ALICE", "U0BOB", "U0STRANGE", "U0BOT")),
        Channel(id="C0OTHER", name="other", members=("U0GUEST",)),
        Channel(id="G0SECRET", name="secret", members=("U0ALICE",), is_private=True),
    ),
    usergroups=(UserGroup(id="S0DBA", handle="dba", users=("U0ALICE", "U0BOB")),),
)


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def running(seed: Seed = SEED, **settings: Any) -> AsyncIterator[Workspace]:
    """A workspace that listens, until the block ends."""
    workspace = Workspace(seed, **settings)
    await workspace.start()
    try:
        yield workspace
    finally:
        await workspace.stop()


@pytest.fixture
async def workspaces() -> AsyncIterator[Callable[..., Awaitable[Workspace]]]:
    """Start workspaces; all are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def start(seed: Seed = SEED, **settings: Any) -> Workspace:
            return await stack.enter_async_context(running(seed, **settings))

        yield start


@pytest.fixture
async def workspace(workspaces: Callable[..., Awaitable[Workspace]]) -> Workspace:
    """A workspace with everything at Slack's own settings."""
    return await workspaces()


@pytest.fixture
def clock() -> Clock:
    """A clock at 2027-01-15."""
    return Clock()


def web_client(workspace: Workspace, token: str = SEED.bot_token) -> AsyncWebClient:
    """The SDK's own client, without retries, so that faults are seen."""
    return AsyncWebClient(token=token, base_url=workspace.api_url, retry_handlers=[])


@pytest.fixture
def client(workspace: Workspace) -> AsyncWebClient:
    """The bot's Web API client."""
    return web_client(workspace)


def bolt(workspace: Workspace) -> AsyncApp:
    """A Bolt app that talks to this workspace."""
    return AsyncApp(client=web_client(workspace), signing_secret=SEED.signing_secret, process_before_response=True)


@asynccontextmanager
async def connected(workspace: Workspace, app: AsyncApp, links: int = 1) -> AsyncIterator[None]:
    """The app on Socket Mode, over as many connections as asked for."""
    handlers = [AsyncSocketModeHandler(app, SEED.app_token) for _ in range(links)]
    try:
        await asyncio.gather(*(handler.connect_async() for handler in handlers))
        await workspace.wait_connected(links, 10)
        yield
    finally:
        await asyncio.gather(*(handler.close_async() for handler in handlers))
