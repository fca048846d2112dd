"""What the workspace sends, key by key against what Slack was recorded to send.

`shape_*` and `api_shape_*` list every known key (so ours must be among them); the other files are single
recordings (so what they have, ours must have too, but for the exceptions below).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.workspace import Channel, Person, Seed, UserGroup, Workspace
from bot.demo.workspace.player import Player

Json = dict[str, Any]
BODIES = {"blocks", "files", "state", "icons", "event_payload"}
"""Not looked into: Block Kit itself, what people entered, what the app stored, and what the shapes prune."""

OTHER_TYPE = {
    "/is_enterprise_install": "slash: a form field, so text ('false') on the wire; the shape has Java's boolean",
}
NOT_OURS = {
    "/team/enterprise_id": "recorded on Enterprise Grid; the demo is a single workspace",
    "/team/enterprise_name": "recorded on Enterprise Grid",
    "/enterprise_id": "recorded on Enterprise Grid",
    "/authed_users": "replaced by authorizations in 2020",
}
EXTRA = {
    "/response_urls": "in every recorded view_submission and view_closed, only missing in the Java union",
}

BUTTON = {
    "type": "button",
    "action_id": "go",
    "text": {"type": "plain_text", "text": "Go"},
    "value": "v",
    "style": "danger",
    "confirm": {
        "title": {"type": "plain_text", "text": "Sure?"},
        "text": {"type": "plain_text", "text": "Really?"},
        "confirm": {"type": "plain_text", "text": "Yes"},
        "deny": {"type": "plain_text", "text": "No"},
    },
}
ACTIONS = {"type": "actions", "elements": [BUTTON]}
INPUT = {
    "type": "input",
    "block_id": "b",
    "label": {"type": "plain_text", "text": "Name"},
    "element": {"type": "plain_text_input", "action_id": "v"},
}
MODAL = {
    "type": "modal",
    "callback_id": "form",
    "private_metadata": "x",
    "notify_on_close": True,
    "title": {"type": "plain_text", "text": "Form"},
    "submit": {"type": "plain_text", "text": "Save"},
    "close": {"type": "plain_text", "text": "Cancel"},
    "blocks": [INPUT],
}
SEED = Seed(
    bot=Person(id="U0BOT", name="migrate", real_name="Migrate", is_bot=True),
    users=(Person(id="U0ALICE", name="alice", real_name="Alice Able"),),
    channels=(Channel(id="C0ENG", name="engineering", members=("U0ALICE", "U0BOT")),),
    usergroups=(UserGroup(id="S0DBA", handle="dba", users=("U0ALICE",)),),
)


@asynccontextmanager
async def wire(workspace: Workspace, client: AsyncWebClient) -> AsyncIterator[list[Json]]:
    """A bare Socket Mode connection that acks and keeps every frame."""
    opened = await client.apps_connections_open(app_token=SEED.app_token)
    frames: list[Json] = []
    async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as socket:
        frames.append(await socket.receive_json())

        async def read() -> None:
            async for message in socket:
                frames.append(message.json())
                await socket.send_json({"envelope_id": frames[-1]["envelope_id"]})

        reader = asyncio.create_task(read())
        yield frames
        reader.cancel()


@pytest.fixture
async def frames(facts: Path) -> AsyncIterator[Mapping[str, Json]]:
    """One frame of every kind the workspace sends, by name, as they came over the wire."""
    workspace = Workspace(SEED)
    await workspace.start()
    client = AsyncWebClient(token=SEED.bot_token, base_url=workspace.api_url)
    try:
        async with wire(workspace, client) as seen, Player(workspace.url, "U0ALICE") as alice:
            await act(workspace, client, alice)
            yield named(seen)
    finally:
        await workspace.stop()


async def act(workspace: Workspace, client: AsyncWebClient, alice: Player) -> None:
    """Do everything that makes a frame."""
    await alice.command("/migrate start")
    meta = {"event_type": "step", "event_payload": {"run": "r"}}
    await client.chat_postMessage(channel="C0ENG", text="public", blocks=[ACTIONS], metadata=meta)
    await alice.click(await alice.wait_button("go", pred=lambda b: b.message["text"] == "public"))
    await client.chat_postEphemeral(channel="C0ENG", user="U0ALICE", text="private", blocks=[ACTIONS])
    await alice.click(await alice.wait_button("go", pred=lambda b: b.message["text"] == "private"))
    await client.views_publish(user_id="U0ALICE", view={"type": "home", "blocks": [ACTIONS]})
    home = await alice.wait_home()
    await alice.view_action(home, home["blocks"][0]["block_id"], "go")
    for end in (lambda view: alice.submit(view, {"b": "x"}), alice.close_view):
        await client.views_open(trigger_id=workspace.core.tickets.trigger("U0ALICE"), view=MODAL)
        await end(await alice.wait_view())
    await alice.say("<@U0BOT> status")
    await alice.open_home()


def named(seen: list[Json]) -> dict[str, Json]:
    """Frames by what they are."""
    return {name(frame): frame for frame in seen}


def name(frame: Json) -> str:
    """What a frame is."""
    if "payload" not in frame:
        return str(frame["type"])
    payload = frame["payload"]
    kind = (payload.get("command") and "slash") or payload.get("event", payload)["type"]
    if kind != "block_actions":
        return str(kind)
    where = "home" if "view" in payload else "ephemeral" if payload["container"]["is_ephemeral"] else "message"
    return f"block_actions_{where}"


def keys(value: Any, path: str = "") -> dict[str, str]:
    """Every path of a JSON value with its type; the elements of a list are taken together."""
    if isinstance(value, Mapping):
        found = {path: "object"} if path else {}
        for key, inner in value.items():
            found |= {f"{path}/{key}": "body"} if key in BODIES else keys(inner, f"{path}/{key}")
        return found
    if isinstance(value, list):
        found = {path: "array"}
        for inner in value:
            found |= {k: t for k, t in keys(inner, f"{path}[]").items() if k != f"{path}[]"}
        return found
    names = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}
    return {path: names[type(value)]}


def strangers(ours: Any, known: Any) -> list[str]:
    """Paths of ours that Slack was never seen to send, or with another type."""
    mine, theirs = keys(ours), keys(known)
    bad = []
    for path, kind in mine.items():
        if path in EXTRA or path in OTHER_TYPE or kind == "body":
            continue
        expected = theirs.get(path)
        if expected is None and not pruned(path, theirs):
            bad.append(f"{path}: unknown")
        elif expected is not None and len({kind, expected} - {"null", "body"}) > 1 and not pruned(path, theirs):
            bad.append(f"{path}: {kind}, not {expected}")
    return bad


def pruned(path: str, theirs: Mapping[str, str]) -> bool:
    """Whether the shape stops above this path: a body, a null, or an object without keys."""
    parents = [path[:i] for i, c in enumerate(path) if c in "/[" and i]
    return any(theirs.get(p) in ("body", "null") for p in parents)


def absent(ours: Any, recorded: Any) -> list[str]:
    """Paths of a recording that ours lacks."""
    mine = keys(ours)
    return [path for path in keys(recorded) if path not in mine and path not in NOT_OURS and not pruned(path, mine)]


def load(facts: Path, file: str) -> Json:
    """A payload file."""
    loaded: Json = json.loads((facts / "slack" / "payloads" / f"{file}.json").read_text())
    return loaded


SHAPES = {
    "slash": "shape_slash_command",
    "block_actions_message": "shape_block_actions",
    "block_actions_ephemeral": "shape_block_actions",
    "block_actions_home": "shape_block_actions",
    "view_submission": "shape_view_submission",
    "view_closed": "shape_view_closed",
    "app_mention": "shape_app_mention",
    "app_home_opened": "shape_app_home_opened",
}
RECORDED = {
    "slash": ["socket_slash_commands", "socket_bolt_slash_commands", "socket_sdk_slash_commands_command"],
    "block_actions_message": ["socket_interactive_block_actions_message_button"],
    "block_actions_ephemeral": ["block_actions_ephemeral_message_button", "block_actions_message_state"],
    "block_actions_home": ["block_actions_home_button_confirm_danger"],
    "view_submission": ["view_submission"],
    "view_closed": ["view_closed"],
    "app_mention": ["socket_events_api_app_mention", "event_callback_app_mention"],
    "hello": ["socket_hello"],
}


@pytest.mark.parametrize("kind", SHAPES)
async def test_every_key_we_send_is_one_slack_sends(facts: Path, frames: Mapping[str, Json], kind: str) -> None:
    """No frame has a key, or a type, that Slack's payloads were never seen with."""
    assert strangers(frames[kind]["payload"], load(facts, SHAPES[kind])) == []


@pytest.mark.parametrize(("kind", "file"), [(k, f) for k, files in RECORDED.items() for f in files])
async def test_what_slack_was_recorded_to_send_we_send(
    facts: Path, frames: Mapping[str, Json], kind: str, file: str
) -> None:
    """Every key of a recording is in our frame of that kind, the envelope included where it was recorded."""
    recorded, ours = load(facts, file), frames[kind]
    if "payload" not in recorded and kind != "hello":
        ours = ours["payload"]

    assert absent(ours, recorded) == []


async def test_every_exception_is_still_needed(facts: Path, frames: Mapping[str, Json]) -> None:
    """An exception that no payload needs any more is to be taken out of the lists above."""
    ours = {path for frame in frames.values() for path in keys(frame.get("payload", frame))}
    known = {kind: keys(load(facts, shape)) for kind, shape in SHAPES.items()}
    recorded = {path for files in RECORDED.values() for file in files for path in keys(load(facts, file))}
    extra = {p for kind in SHAPES for p in keys(frames[kind]["payload"]) if p not in known[kind]}
    slash = keys(frames["slash"]["payload"])
    other = {p for p, kind in slash.items() if known["slash"].get(p) != kind}

    assert set(NOT_OURS) - (recorded - ours) == set()
    assert set(EXTRA) - extra == set()
    assert set(OTHER_TYPE) - other == set()


async def test_envelopes_say_whether_an_answer_may_come(frames: Mapping[str, Json]) -> None:
    """Commands and submissions may be answered in the ack; clicks and events may not."""
    answerable = {kind for kind, frame in frames.items() if frame.get("accepts_response_payload")}

    assert answerable == {"slash", "view_submission"}


def test_the_comparison_sees_a_difference() -> None:
    """An unknown key, another type and a missing key are each found."""
    known = {"a": "", "b": {"c": 1}, "d": [{"e": ""}]}

    assert strangers({"z": 1}, known) == ["/z: unknown"]
    assert strangers({"b": {"c": "1"}}, known) == ["/b/c: string, not number"]
    assert strangers({"d": [{"f": 1}]}, known) == ["/d[]/f: unknown"]
    assert absent({"a": ""}, known) == ["/b", "/b/c", "/d", "/d[]/e"]


@pytest.fixture
async def answers(facts: Path) -> AsyncIterator[Mapping[str, Json]]:
    """The answer of every Web API method that has a recorded shape."""
    workspace = Workspace(SEED)
    await workspace.start()
    try:
        yield await ask_everything(workspace)
    finally:
        await workspace.stop()


async def ask_everything(workspace: Workspace) -> dict[str, Json]:
    """Call each method once, as the SDK does."""
    client, given = AsyncWebClient(token=SEED.bot_token, base_url=workspace.api_url), {}
    given["auth.test"] = await client.auth_test()
    given["apps.connections.open"] = await client.apps_connections_open(app_token=SEED.app_token)
    meta = {"event_type": "step", "event_payload": {}}
    posted = await client.chat_postMessage(channel="C0ENG", text="x", blocks=[ACTIONS], metadata=meta)
    ts, at = posted["ts"], {"channel": "C0ENG"}
    given["chat.postMessage"] = posted
    given["chat.update"] = await client.chat_update(**at, ts=ts, text="y")
    given["chat.postEphemeral"] = await client.chat_postEphemeral(**at, user="U0ALICE", text="x")
    soon = int(workspace.core.clock()) + 3600
    given["chat.scheduleMessage"] = await client.chat_scheduleMessage(**at, text="x", post_at=soon)
    given["chat.getPermalink"] = await client.chat_getPermalink(**at, message_ts=ts)
    given["conversations.info"] = await client.conversations_info(**at, include_num_members=True)
    given["conversations.members"] = await client.conversations_members(**at)
    given["conversations.open"] = await client.conversations_open(users="U0ALICE", return_im=True)
    given["pins.add"] = await client.pins_add(**at, timestamp=ts)
    given["reactions.add"] = await client.reactions_add(**at, timestamp=ts, name="eyes")
    given["users.info"] = await client.users_info(user="U0ALICE")
    given["usergroups.users.list"] = await client.usergroups_users_list(usergroup="S0DBA")
    upload = await client.files_getUploadURLExternal(filename="a.log", length=1)
    given["files.getUploadURLExternal"] = upload
    async with aiohttp.ClientSession() as session, session.post(upload["upload_url"], data=b"x"):
        done = await client.files_completeUploadExternal(files=[{"id": upload["file_id"]}], channel_id="C0ENG")
    given["files.completeUploadExternal"] = done
    trigger = workspace.core.tickets.trigger("U0ALICE")
    given["views.open"] = await client.views_open(trigger_id=trigger, view=MODAL)
    view_id = given["views.open"]["view"]["id"]
    given["views.update"] = await client.views_update(view_id=view_id, view=MODAL)
    home = {"type": "home", "blocks": [ACTIONS]}
    given["views.publish"] = await client.views_publish(user_id="U0ALICE", view=home)
    return {method: answer.data for method, answer in given.items()}


async def test_every_answer_has_only_keys_slack_answers_with(facts: Path, answers: Mapping[str, Json]) -> None:
    """Each Web API answer stays within the keys and types Slack was seen to answer with."""
    files = {p.stem.removeprefix("api_shape_") for p in (facts / "slack" / "payloads").glob("api_shape_*.json")}
    found = {method: strangers(answer, load(facts, f"api_shape_{method}")) for method, answer in answers.items()}

    assert files == set(answers)
    assert {method: bad for method, bad in found.items() if bad} == {}
