"""``SlackChannel`` against the local workspace: what is particular to Slack."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.workspace import Channel as Room
from bot.demo.workspace import Person, Seed, Workspace
from bot.ports import Address, Attachment, Busy, Letter, Unclear
from integrations.slack.calls import SlackRefused
from integrations.slack.channel import EVENT_TYPE, SlackChannel

ROOM = "C0ENG"
SEED = Seed(
    bot=Person(id="U0BOT", name="migrate", real_name="Migrate", is_bot=True),
    users=(Person(id="U0ANA", name="ana", real_name="Ana"),),
    channels=(
        Room(id=ROOM, name="engineering", members=("U0ANA", "U0BOT")),
        Room(id="C0FAR", name="far", members=("U0ANA",)),
    ),
)


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    """A local workspace with one channel the bot is in."""
    workspace = Workspace(SEED)
    await workspace.start()
    yield workspace
    await workspace.stop()


def client(workspace: Workspace, token: str = SEED.bot_token) -> AsyncWebClient:
    """A client as the wiring makes it: it retries nothing by itself."""
    return AsyncWebClient(token=token, base_url=workspace.api_url, retry_handlers=[])


@pytest.fixture
def channel(workspace: Workspace) -> SlackChannel:
    """The adapter under test."""
    return SlackChannel(client(workspace))


def letter(text: str = "hello", *, channel: str = ROOM, number: int = 1, **payload: Any) -> Letter:
    """A letter of some run."""
    return Letter(key=f"run-1:{number}", run_id="run-1", channel=channel, payload={"text": text, **payload})


async def test_the_key_travels_as_metadata(workspace: Workspace, channel: SlackChannel) -> None:
    """A message is found again by what only the bot wrote: the key, and nothing secret."""
    await channel.post(letter(), None)

    expected = {"event_type": EVENT_TYPE, "event_payload": {"key": "run-1:1", "run": "run-1"}}
    assert expected == workspace.messages(ROOM)[0]["metadata"]


async def test_links_are_not_unfolded(workspace: Workspace, channel: SlackChannel) -> None:
    """A link in people's words does not grow into a preview."""
    await channel.post(letter(), None)
    method, arguments, _ = workspace.log[-1]

    assert method == "chat.postMessage"
    assert [str(arguments[name]).lower() for name in ("unfurl_links", "unfurl_media")] == ["false", "false"]


async def test_a_message_among_many_is_found(workspace: Workspace, channel: SlackChannel) -> None:
    """Looking goes on page by page."""
    first = await channel.post(letter(), None)
    for number in range(2, 260):
        await channel.post(letter(f"message {number}", number=number), None)

    assert await channel.find(letter(), None) == first


async def test_an_older_message_is_not_looked_for(workspace: Workspace) -> None:
    """Looking back ends somewhere, so that it stays quick in a busy channel."""
    blind = SlackChannel(client(workspace), look_back=-60.0)
    await blind.post(letter(), None)

    assert await blind.find(letter(), None) is None


async def test_a_payload_over_the_limits_is_posted_as_text(workspace: Workspace, channel: SlackChannel) -> None:
    """A message Slack would refuse is degraded and logged, never lost."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    with structlog.testing.capture_logs() as logs:
        await channel.post(letter("the words " * 500, blocks=blocks), None)

    (message,) = workspace.messages(ROOM)
    assert message["text"].startswith("the words the words")
    assert len(message["text"]) <= 4000
    assert not message.get("blocks")
    assert [each["event"] for each in logs] == ["slack.payload_degraded"]


async def test_an_update_over_the_limits_is_drawn_as_text(workspace: Workspace, channel: SlackChannel) -> None:
    """The same when a message is redrawn; its old blocks do not stay."""
    address = await channel.post(letter(blocks=[{"type": "divider"}]), None)
    await channel.update(address, {"text": "now", "blocks": [{"type": "unheard of"}]})

    (message,) = workspace.messages(ROOM)
    assert message["text"] == "now"
    assert not message.get("blocks")


async def test_a_deleted_message_is_posted_anew_once(workspace: Workspace, channel: SlackChannel) -> None:
    """Somebody deleted the card: it comes back, and a repeated attempt does not make a second one."""
    address = await channel.post(letter(), None)
    await client(workspace).chat_delete(channel=ROOM, ts=address.ts)

    again = await channel.update(address, {"text": "back"})

    assert again != address
    assert await channel.update(address, {"text": "still back"}) == again
    assert [each["text"] for each in workspace.messages(ROOM)] == ["still back"]


async def test_busy_says_for_how_long(workspace: Workspace, channel: SlackChannel) -> None:
    """429 becomes Busy with Slack's own Retry-After."""
    workspace.faults.add("chat.postMessage", "ratelimited")

    with pytest.raises(Busy) as busy:
        await channel.post(letter(), None)
    assert busy.value.seconds == 1.0


async def test_a_slow_answer_is_unclear(workspace: Workspace) -> None:
    """A time-out says nothing about what happened."""
    hasty = AsyncWebClient(token=SEED.bot_token, base_url=workspace.api_url, retry_handlers=[], timeout=1)
    workspace.faults.add("chat.postMessage", "slow", seconds=1.5)

    with pytest.raises(Unclear):
        await SlackChannel(hasty).post(letter(), None)


async def test_an_unreachable_slack_is_unclear() -> None:
    """Nobody listens there: come back later."""
    nowhere = AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:9/api/", retry_handlers=[])

    with pytest.raises(Unclear):
        await SlackChannel(nowhere).post(letter(), None)


@pytest.mark.parametrize("method", ["chat.update", "conversations.history", "pins.add"])
async def test_every_call_knows_unclear(workspace: Workspace, channel: SlackChannel, method: str) -> None:
    """A lost connection is unclear wherever it happens."""
    address = await channel.post(letter(), None)
    workspace.faults.add(method, "drop_before", times=2)  # aiohttp itself repeats a read once

    with pytest.raises(Unclear):
        await {
            "chat.update": lambda: channel.update(address, {"text": "x"}),
            "conversations.history": lambda: channel.find(letter(), None),
            "pins.add": lambda: channel.pin(address),
        }[method]()


async def test_a_refusal_says_what_to_do(workspace: Workspace) -> None:
    """What Slack will never do is told to the operator with the way out."""
    wrong = SlackChannel(client(workspace, token="xoxb-wrong"))

    with pytest.raises(SlackRefused, match=r"invalid_auth.*Set a valid bot token"):
        await wrong.post(letter(), None)


async def test_an_unknown_channel_is_refused(channel: SlackChannel) -> None:
    """A wrong channel id is a matter for the operator, not for another try."""
    with pytest.raises(SlackRefused, match="Check the channel's id"):
        await channel.post(letter(channel="C0NOWHERE"), None)


async def test_a_scheduled_message_has_no_metadata(workspace: Workspace, channel: SlackChannel) -> None:
    """Slack never posts a scheduled message that has metadata."""
    await channel.schedule(ROOM, "silent", workspace.core.clock() + 600)
    _, arguments, _ = workspace.log[-1]

    assert "metadata" not in arguments


async def test_a_pin_that_slack_refuses_is_no_failure(workspace: Workspace, channel: SlackChannel) -> None:
    """The message counts, not the pin; other errors are told."""
    with pytest.raises(SlackRefused, match="message_not_found"):
        await channel.pin(Address(channel=ROOM, ts="1.000001"))
    await channel.unpin(Address(channel=ROOM, ts="1.000001"))


REPORT = Letter(
    key="run-1:9:report", run_id="run-1", channel=ROOM, payload={"text": "the report"},
    file=Attachment(name="report.md", title="The report", text="# Hello\n"),
)  # fmt: skip


async def test_a_file_is_shared_into_the_thread(workspace: Workspace, channel: SlackChannel) -> None:
    """One message with the file under its title, in the thread and nowhere else."""
    parent = await channel.post(letter(), None)
    await channel.post(REPORT, parent)
    _, shared = workspace.messages(ROOM)

    assert (parent.ts, "the report") == (shared["thread_ts"], shared["text"])
    assert [("report.md", "The report", 8)] == [(each["name"], each["title"], each["size"]) for each in shared["files"]]
    assert await channel.find(REPORT, parent) == Address(channel=ROOM, ts=shared["ts"])


async def test_a_file_of_the_same_name_that_a_person_uploaded_is_not_ours(
    workspace: Workspace, channel: SlackChannel
) -> None:
    """Only what an app shared counts, or the report would never be posted."""
    room = workspace.core.messages.channel(ROOM)
    theirs = {"type": "message", "user": "U0ANA", "text": "", "ts": workspace.core.ids.stamp()}
    workspace.core.messages.post(room, {**theirs, "files": [{"id": "F1", "name": "report.md"}]})

    assert await SlackChannel(client(workspace), patience=0.01).find(REPORT, None) is None


async def test_an_app_that_may_not_upload_says_so_and_posts_the_words(workspace: Workspace) -> None:
    """Installed before the scope was asked for: the message is there with the way out, once."""
    workspace.core.seed = replace(workspace.core.seed, scopes=("chat:write", "channels:history"))
    channel = SlackChannel(client(workspace), patience=0.01)
    address = await channel.post(REPORT, None)

    (message,) = workspace.messages(ROOM)
    assert message["text"].startswith("the report\n(The file is not attached. Slack refused files.getUploadURLExternal")
    assert "Add the scope to the app's manifest and install it again." in message["text"]
    assert await channel.find(REPORT, None) == address


async def test_an_address_for_bytes_that_does_not_answer_is_unclear(workspace: Workspace) -> None:
    """Nothing was shared by then, so it is simply tried again."""
    channel = SlackChannel(client(workspace), patience=0.01)
    workspace.core.url = "http://127.0.0.1:9"

    with pytest.raises(Unclear, match="upload"):
        await channel.post(REPORT, None)
