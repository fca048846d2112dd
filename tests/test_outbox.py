"""The outbox against a workspace in trouble: nothing lost, nothing doubled, nothing out of order."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from bot import store
from bot.demo import cast
from bot.demo.workspace import Workspace
from bot.demo.workspace.faults import FaultKind
from bot.engine import Engine
from bot.jobs.publish import Publisher
from bot.jobs.queue import register
from bot.ports import Attachment, Letter
from bot.runbook.run import State
from bot.settings import SlackSettings
from bot.wiring import slack_client
from integrations.slack.channel import SlackChannel
from tests.kit import Backstage, backstage, plan, ready
from tests.posted import KEYS, key_of
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
                query = f"select {KEYS}, payload ->> 'text', posted >= wanted from letters order by seq"
                rows = await (await conn.execute(query.encode())).fetchall()
            if all(done for _, _, done in rows):
                return [(key, text) for key, text, _ in rows]
            await asyncio.sleep(0.05)


def _shown(workspace: Workspace) -> list[tuple[str, str]]:
    """What stands in the channel and its threads, oldest first."""
    return [(key_of(message), message["text"]) for message in workspace.messages(cast.ENGINEERING)]


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
    card = next(m for m in workspace.messages(cast.ENGINEERING) if key_of(m).endswith(":card"))
    assert [card["ts"]] == workspace.core.messages.pins[cast.ENGINEERING]


async def test_what_was_said_in_a_thread_is_in_that_thread(dsn: str, workspace: Workspace) -> None:
    """A thread's letter waits for the message it answers, whatever happens to that one."""
    async with staffed(dsn, _channel(workspace)) as engine:
        workspace.faults.add("chat.postMessage", "drop_after", times=3)
        run = await engine.start(plan(channel=cast.ENGINEERING))
        await approve_all(engine, run.id)
        await _delivered(engine)
    messages = workspace.messages(cast.ENGINEERING)
    card = next(message for message in messages if key_of(message) == f"{run.id}:card")
    finished = [m for m in messages if key_of(m).endswith(":finished")]
    assert len(finished) >= 7
    assert {card["ts"]} == {message.get("thread_ts") for message in finished}


FILE = Attachment(name="investigation-m-1.md", title="Investigation of run m-1", text="# Everything\n")


async def _with_a_file(stage: Backstage) -> Letter:
    """A run's card, and a report in its thread that waits to be delivered."""
    run = await stage.engine.start(plan(channel=cast.ENGINEERING))
    letter = Letter(
        key=f"{run.id}:report", run_id=run.id, channel=cast.ENGINEERING, payload={"text": "the report"},
        thread=f"{run.id}:card", file=FILE,
    )  # fmt: skip
    async with stage.engine.connection() as conn:
        await store.put_letter(conn, letter)
    return letter


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "http_500", "ratelimited"])
async def test_a_file_arrives_once_and_is_never_redrawn(dsn: str, workspace: Workspace, kind: FaultKind) -> None:
    """Every call of an upload goes wrong once; a redraw of its letter changes nothing and posts nothing."""
    async with backstage(dsn) as stage:
        register(stage.jobs, {name: _nothing for name in ("drive", "publish", "tick", "deadman")})
        letter = await _with_a_file(stage)
        for method in ("files.getUploadURLExternal", "files.completeUploadExternal"):
            workspace.faults.add(method, kind)
        publisher = Publisher(stage.engine, _channel(workspace))
        await publisher.publish(letter.run_id)
        async with stage.engine.connection() as conn:
            assert 1 == await store.redraw(conn, letter.key, {"text": "something else"})
        await publisher.publish(letter.run_id)
        async with stage.engine.connection() as conn:
            assert [] == await store.waiting_letters(conn, letter.run_id)
    card, shared = workspace.messages(cast.ENGINEERING)
    assert (card["ts"], "the report") == (shared["thread_ts"], shared["text"])
    assert [FILE.name] == [file["name"] for file in shared["files"]]


async def _nothing(**_: object) -> None:
    """A job that somebody else does."""


async def test_a_store_made_before_files_keeps_its_letters_and_takes_them_after_a_release(
    dsn: str, workspace: Workspace
) -> None:
    """The new columns are added to what is there; what waited goes on waiting."""
    async with backstage(dsn) as stage:
        register(stage.jobs, {name: _nothing for name in ("drive", "publish", "tick", "deadman")})
        old = await stage.engine.start(plan(channel=cast.ENGINEERING, target="billing"))
        async with stage.engine.connection() as conn:
            for column in ("file_name", "file_title", "file_text"):
                await conn.execute(f"alter table letters drop column {column}")
        await ready(dsn)
        letter = await _with_a_file(stage)
        async with stage.engine.connection() as conn:
            (card,) = await store.waiting_letters(conn, old.id)
            found = await store.letter(conn, letter.key)
        assert card.letter.file is None
        assert found is not None and letter == found.letter
