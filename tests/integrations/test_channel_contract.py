"""One contract for every ``Channel``: nothing lost and nothing doubled, whatever happens to the answers."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.workspace import Channel as Room
from bot.demo.workspace import Person, Seed, Workspace
from bot.ports import Address, Attachment, Busy, Channel, Letter, Unclear
from bot.views.text import plain
from integrations.slack.channel import SlackChannel
from integrations.slack.console import ConsoleChannel
from tests.fakes import FakeChannel

ROOM = "C0ENG"
SEED = Seed(
    bot=Person(id="U0BOT", name="migrate", real_name="Migrate", is_bot=True),
    users=(Person(id="U0ANA", name="ana", real_name="Ana"),),
    channels=(Room(id=ROOM, name="engineering", members=("U0ANA", "U0BOT")),),
)
LETTER = Letter(
    key="run-1:2:announcement", run_id="run-1", channel=ROOM,
    payload={"text": "🚨 one &amp; only", "blocks": [{"type": "divider"}]},
)  # fmt: skip
REPORT = Letter(
    key="run-1:9:report", run_id="run-1", channel=ROOM, payload={"text": "the report"}, thread=LETTER.key,
    file=Attachment(name="investigation-run-1.md", title="Investigation", text="# What happened\n\n… ✅ & <b>\n"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A channel, the faults it can be given for posting, and what people read in it.

    ``files`` are the names and texts of the files that people can open; ``fail_file`` is a fault of an upload's call.
    """

    channel: Channel
    fail: Callable[[str], None]
    read: Callable[[], Sequence[str]]
    files: Callable[[], Sequence[tuple[str, str]]]
    fail_file: Callable[[str, str], None] = lambda method, kind: None
    faults: tuple[str, ...] = ("drop_after", "drop_before", "http_500", "ratelimited")


@pytest.fixture(params=["console", "fake", "slack"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """Each channel in turn; Slack's is a real client against the local workspace."""
    if request.param == "console":
        yield _console(tmp_path)
    elif request.param == "fake":
        yield _fake()
    else:
        workspace = Workspace(SEED)
        await workspace.start()
        yield _slack(workspace)
        await workspace.stop()


def _console(folder: Path) -> Stage:
    stream = io.StringIO()
    return Stage(
        channel=ConsoleChannel(stream, folder=folder / "reports"), fail=lambda kind: None, faults=(),
        read=lambda: [line.split("] ", 1)[1].lstrip("~↳ ") for line in stream.getvalue().splitlines()],
        files=lambda: [(file.name, file.read_text("utf-8")) for file in folder.glob("reports/*")],
    )  # fmt: skip


def _fake() -> Stage:
    fake = FakeChannel()
    return Stage(
        channel=fake,
        fail=fake.faults.append,
        read=lambda: [plain(text) for text in fake.texts(ROOM)],
        files=lambda: [(each.file.name, each.file.text) for each in fake.messages.values() if each.file],
        fail_file=lambda method, kind: fake.faults.append(kind),
    )


def _slack(workspace: Workspace) -> Stage:
    client = AsyncWebClient(token=SEED.bot_token, base_url=workspace.api_url, retry_handlers=[])
    kept = workspace.core.files

    def said() -> list[str]:
        ours = (each for each in workspace.messages(ROOM) if each.get("metadata") or each.get("files"))
        return [plain(each["text"]) for each in ours]

    return Stage(
        channel=SlackChannel(client, patience=0.1),
        fail=lambda kind: workspace.faults.add("chat.postMessage", kind),  # type: ignore[arg-type]
        read=said,
        files=lambda: [
            (file["name"], (kept[file["id"]].content or b"").decode())
            for each in workspace.messages(ROOM)
            for file in each.get("files", ())
        ],
        fail_file=workspace.faults.add,  # type: ignore[arg-type]
    )


async def deliver(channel: Channel, letter: Letter, thread: Address | None = None) -> Address:
    """As the publisher does: post; after an unclear answer look first, and post again only if it is not there."""
    for _ in range(5):
        try:
            return await channel.post(letter, thread)
        except Busy as busy:
            await asyncio.sleep(min(busy.seconds, 0.05))
        except Unclear:
            if (found := await channel.find(letter, thread)) is not None:
                return found
    raise AssertionError("The letter was not delivered in five attempts.")


async def test_a_letter_is_read_once(stage: Stage) -> None:
    """What is posted is there, once, and found again by its key."""
    address = await deliver(stage.channel, LETTER)

    assert list(stage.read()) == ["🚨 one & only"]
    assert await stage.channel.find(LETTER, None) == address


async def test_an_unposted_letter_is_not_found(stage: Stage) -> None:
    """Looking for what was never posted finds nothing."""
    await deliver(stage.channel, LETTER)
    other = Letter(key="run-1:3:announcement", run_id="run-1", channel=ROOM, payload=LETTER.payload)

    assert await stage.channel.find(other, None) is None


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "http_500", "ratelimited"])
async def test_nothing_is_lost_or_doubled(stage: Stage, kind: str) -> None:
    """Whatever happens to the first answers, the letter is there exactly once."""
    for _ in range(2 if kind in stage.faults else 0):
        stage.fail(kind)

    address = await deliver(stage.channel, LETTER)

    assert list(stage.read()) == ["🚨 one & only"]
    assert await stage.channel.find(LETTER, None) == address


async def test_nothing_is_lost_or_doubled_in_a_thread(stage: Stage) -> None:
    """The same in a thread, where replies are looked for."""
    parent = await deliver(stage.channel, LETTER)
    reply = Letter(key="run-1:3:finished", run_id="run-1", channel=ROOM, payload={"text": "done"}, thread=LETTER.key)
    if stage.faults:
        stage.fail("drop_after")

    address = await deliver(stage.channel, reply, parent)

    assert list(stage.read()) == ["🚨 one & only", "done"]
    assert await stage.channel.find(reply, parent) == address


async def test_a_message_is_redrawn_in_place(stage: Stage) -> None:
    """An update keeps the address, and people read the new words."""
    address = await deliver(stage.channel, LETTER)

    assert await stage.channel.update(address, {"text": "now two"}) == address
    assert "now two" == stage.read()[-1]
    assert await stage.channel.find(LETTER, None) == address


async def test_pinning_twice_is_pinning_once(stage: Stage) -> None:
    """Pins and their removal may be repeated."""
    address = await deliver(stage.channel, LETTER)

    assert [None] * 4 == [
        await stage.channel.pin(address),
        await stage.channel.pin(address),
        await stage.channel.unpin(address),
        await stage.channel.unpin(address),
    ]


async def test_a_scheduled_message_can_be_taken_back_twice(stage: Stage) -> None:
    """Taking back what was already posted or taken back is no error."""
    name = await stage.channel.schedule(ROOM, "the bot has gone silent", time.time() + 600)

    assert [None, None] == [await stage.channel.unschedule(ROOM, name), await stage.channel.unschedule(ROOM, name)]
    assert list(stage.read()) == []


async def test_a_forgotten_scheduled_message_is_found_by_its_words(stage: Stage) -> None:
    """What a dead process left with the channel is found again, and only that; a console keeps nothing."""
    kept = stage.channel if not isinstance(stage.channel, ConsoleChannel) else None
    name = await stage.channel.schedule(ROOM, "Run m-1 has gone silent", time.time() + 600)
    await stage.channel.schedule(ROOM, "Run m-2 has gone silent", time.time() + 600)

    assert await stage.channel.scheduled(ROOM, "m-1") == ((name,) if kept else ())


async def test_a_file_can_be_opened_as_it_was_written(stage: Stage) -> None:
    """A letter with a file brings it into the thread, byte for byte, with its words beside it."""
    assert REPORT.file is not None
    await deliver(stage.channel, REPORT, await deliver(stage.channel, LETTER))

    assert list(stage.files()) == [(REPORT.file.name, REPORT.file.text)]
    assert "the report" in list(stage.read())


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "http_500", "ratelimited"])
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_file_is_neither_lost_nor_doubled(stage: Stage, method: str, kind: str) -> None:
    """Whatever happens to the answers of an upload, the file is there exactly once."""
    parent = await deliver(stage.channel, LETTER)
    stage.fail_file(method, kind)

    await deliver(stage.channel, REPORT, parent)

    assert 1 == len(stage.files())
    assert await stage.channel.find(REPORT, parent) is not None


async def test_a_file_that_was_not_shared_is_not_found(stage: Stage) -> None:
    """Looking for a file finds no other file, nor the words of another letter."""
    parent = await deliver(stage.channel, LETTER)
    await deliver(stage.channel, REPORT, parent)
    other = replace(REPORT, key="run-1:10:report", file=Attachment(name="other.md", title="Other", text="x"))

    assert await stage.channel.find(other, parent) is None
