"""The outbox against a workspace in trouble: nothing lost, nothing doubled, nothing out of order."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from bot.demo import cast
from bot.demo.workspace import Workspace
from bot.demo.workspace.faults import FaultKind
from bot.engine import Engine
from bot.runbook.run import State
from bot.settings import SlackSettings
from bot.wiring import slack_client
from integrations.slack.channel import SlackChannel
from tests.kit import plan, ready
from tests.staff import approve_all, staffed


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    """A workspace that answers as it should, until a test says otherwise."""
    made = Workspace(cast.seed())
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


def _channel(workspace: Workspace) -> SlackChannel:
    seed = workspace.core.seed
    return SlackChannel(slack_client(SlackSettings(bot_token=seed.bot_token, base_url=workspace.api_url)))


async def _delivered(engine: Engine) -> list[tuple[str, str]]:
    """Every letter's key and text, in the order of writing, once all are delivered in their last form."""
    async with asyncio.timeout(60):
        while True:
            async with engine.connection() as conn:
                query = "select key, payload ->> 'text', posted >= wanted from letters order by seq"
                rows = await (await conn.execute(query)).fetchall()
            if all(done for _, _, done in rows):
                return [(key, text) for key, text, _ in rows]
            await asyncio.sleep(0.05)


def _shown(workspace: Workspace) -> list[tuple[str, str]]:
    """What stands in the channel and its threads, oldest first."""
    return [
        (message["metadata"]["event_payload"]["key"], message["text"])
        for message in workspace.messages(cast.ENGINEERING)
    ]


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "http_500", "ratelimited"])
async def test_every_letter_arrives_once_and_in_order(dsn: str, workspace: Workspace, kind: FaultKind) -> None:
    """A whole run while every kind of call goes wrong now and then."""
    async with staffed(dsn, _channel(workspace)) as engine:
        for method in ("chat.postMessage", "chat.update", "pins.add"):
            workspace.faults.add(method, kind)
        run = await engine.start(plan(channel=cast.ENGINEERING))
        await _delivered(engine)
        for method in ("chat.postMessage", "conversations.history", "chat.update"):
            workspace.faults.add(method, kind)
        done = await approve_all(engine, run.id)
        letters = await _delivered(engine)
    assert State.COMPLETED is done.state
    shown = _shown(workspace)
    assert {1} == set(Counter(key for key, _ in shown).values())
    assert [key for key, _ in letters] == [key for key, _ in shown]
    assert dict(letters) == dict(shown)
    card = next(
        m for m in workspace.messages(cast.ENGINEERING) if m["metadata"]["event_payload"]["key"].endswith(":card")
    )
    assert [card["ts"]] == workspace.core.messages.pins[cast.ENGINEERING]


async def test_what_was_said_in_a_thread_is_in_that_thread(dsn: str, workspace: Workspace) -> None:
    """A thread's letter waits for the message it answers, whatever happens to that one."""
    async with staffed(dsn, _channel(workspace)) as engine:
        workspace.faults.add("chat.postMessage", "drop_after", times=3)
        run = await engine.start(plan(channel=cast.ENGINEERING))
        await approve_all(engine, run.id)
        await _delivered(engine)
    messages = workspace.messages(cast.ENGINEERING)
    card = next(message for message in messages if message["metadata"]["event_payload"]["key"] == f"{run.id}:card")
    finished = [m for m in messages if m["metadata"]["event_payload"]["key"].endswith(":finished")]
    assert len(finished) >= 7
    assert {card["ts"]} == {message.get("thread_ts") for message in finished}
