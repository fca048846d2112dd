"""The workspace's Web API, asked by the real slack_sdk client."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.demo.workspace.player import Player
from tests.demo import workspace_kit as kit
from tests.demo.workspace_kit import GENERAL, SEED, bolt, connected, web_client

workspaces, workspace, client, clock = kit.workspaces, kit.workspace, kit.client, kit.clock
VIEW = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Look"},
    "blocks": [{"type": "divider"}],
}
META = {"event_type": "step", "event_payload": {"run": "r1", "seq": 3}}


async def refusal(call) -> str:
    """The error word of a call that is refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_who_asks_is_checked_before_what_is_asked(workspace, client):
    """No token, a wrong one, the wrong kind, and an unknown method each have their own word."""
    assert await refusal(web_client(workspace, "").auth_test()) == "not_authed"
    assert await refusal(web_client(workspace, "xoxb-other").auth_test()) == "invalid_auth"
    assert await refusal(web_client(workspace, SEED.app_token).auth_test()) == "not_allowed_token_type"
    assert await refusal(client.api_call("chat.shout")) == "unknown_method"
    assert SEED.bot.id == (await client.auth_test())["user_id"]


async def test_a_message_can_be_found_again_by_its_metadata(workspace, client):
    """History gives metadata only when asked, newest first, and none from threads."""
    first = await client.chat_postMessage(channel=GENERAL, text="one", metadata=META)
    await client.chat_postMessage(channel=GENERAL, text="reply", thread_ts=first["ts"])
    second = await client.chat_postMessage(channel="#engineering", text="two")

    bare = (await client.conversations_history(channel=GENERAL))["messages"]
    full = (await client.conversations_history(channel=GENERAL, include_all_metadata=True))["messages"]
    later = (await client.conversations_history(channel=GENERAL, oldest=first["ts"]))["messages"]
    paged = await client.conversations_history(channel=GENERAL, limit=1)
    rest = await client.conversations_history(
        channel=GENERAL, limit=1, cursor=paged["response_metadata"]["next_cursor"]
    )
    thread = (await client.conversations_replies(channel=GENERAL, ts=first["ts"]))["messages"]

    assert [second["ts"], first["ts"]] == [m["ts"] for m in bare]
    assert "metadata" not in bare[1]
    assert full[1]["metadata"] == META
    assert [second["ts"]] == [m["ts"] for m in later]
    assert [second["ts"], first["ts"]] == [paged["messages"][0]["ts"], rest["messages"][0]["ts"]]
    assert [m["text"] for m in thread] == ["one", "reply"]


async def test_update_keeps_metadata_and_drops_blocks_for_bare_text(workspace, client):
    """chat.update: blocks go with bare text, metadata stays, and only own messages can be changed."""
    ts = (await client.chat_postMessage(channel=GENERAL, text="a", blocks=VIEW["blocks"], metadata=META))["ts"]
    with_blocks = (await client.chat_update(channel=GENERAL, ts=ts, text="b", blocks=VIEW["blocks"]))["message"]
    bare = (await client.chat_update(channel=GENERAL, ts=ts, text="c"))["message"]
    async with Player(workspace.url, "U0ALICE") as alice:
        await alice.say("mine")
    theirs = workspace.messages(GENERAL)[-1]["ts"]

    assert "edited" not in with_blocks
    assert (bare["text"], bare["metadata"]) == ("c", META)
    assert "blocks" not in bare
    assert await refusal(client.chat_update(channel=GENERAL, ts=theirs, text="x")) == "cant_update_message"
    assert await refusal(client.chat_update(channel=GENERAL, ts="1.2", text="x")) == "message_not_found"
    await client.chat_delete(channel=GENERAL, ts=ts)
    assert await refusal(client.chat_update(channel=GENERAL, ts=ts, text="x")) == "message_not_found"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x" * 4001}, "msg_too_long"),
        ({"text": "x", "blocks": [{"type": "nonsense"}]}, "invalid_blocks"),
        ({"text": "x", "blocks": "["}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "a", "event_payload": {"b": {}}}}, "invalid_metadata_format"),
        (
            {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "y" * 2900}}] * 4},
            "msg_blocks_too_long",
        ),
    ],
)
async def test_what_slack_refuses_is_refused(client, sent, error):
    """Messages beyond Slack's limits get Slack's error word."""
    assert error == await refusal(client.api_call("chat.postMessage", json={"channel": GENERAL, **sent}))


async def test_refused_blocks_are_named_by_pointer(client):
    """invalid_blocks says what and where, as Slack does."""
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=GENERAL, text="x", blocks=[long])

    expected = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert [expected] == caught.value.response["errors"]
    assert [f"[ERROR] {expected}"] == caught.value.response["response_metadata"]["messages"]


async def test_posting_needs_a_channel_the_bot_is_in(client):
    """Unknown and private channels are not found; others need membership; a user id is their direct message."""
    assert await refusal(client.chat_postMessage(channel="C0NONE", text="x")) == "channel_not_found"
    assert await refusal(client.chat_postMessage(channel="G0SECRET", text="x")) == "channel_not_found"
    assert await refusal(client.chat_postMessage(channel="C0OTHER", text="x")) == "not_in_channel"
    direct = await client.chat_postMessage(channel="U0BOB", text="x")
    opened = await client.conversations_open(users="U0BOB")
    assert direct["channel"] == opened["channel"]["id"]


async def test_a_trigger_is_good_for_three_seconds_and_one_view(workspaces, clock):
    """expired_trigger_id after 3 s, exchanged_trigger_id the second time, invalid_trigger_id otherwise."""
    workspace = await workspaces(clock=clock)
    app, triggers = bolt(workspace), []

    @app.command("/migrate")
    async def handle(ack, body):
        triggers.append(body["trigger_id"])
        await ack()

    async with connected(workspace, app), Player(workspace.url, "U0ALICE") as alice:
        await alice.command("/migrate a")
        await alice.command("/migrate b")
    client = app.client
    await client.views_open(trigger_id=triggers[0], view=VIEW)
    again = await refusal(client.views_open(trigger_id=triggers[0], view=VIEW))
    clock.now += 3.1
    late = await refusal(client.views_open(trigger_id=triggers[1], view=VIEW))
    wrong = await refusal(client.views_open(trigger_id="nothing", view=VIEW))

    assert (again, late, wrong) == ("exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id")


async def test_three_views_stack_and_updates_know_their_hash(workspace):
    """push_limit_reached on the fourth, hash_conflict for a stale hash, duplicate_external_id."""
    triggers = [workspace.core.tickets.trigger("U0ALICE") for _ in range(5)]
    client = web_client(workspace)
    first = (await client.views_open(trigger_id=triggers[0], view={**VIEW, "external_id": "x"}))["view"]
    for trigger in triggers[1:3]:
        top = (await client.views_push(trigger_id=trigger, view=VIEW))["view"]
    fourth = await refusal(client.views_push(trigger_id=triggers[3], view=VIEW))
    twice = await refusal(client.views_open(trigger_id=triggers[4], view={**VIEW, "external_id": "x"}))
    await client.views_update(view_id=top["id"], hash=top["hash"], view=VIEW)
    stale = await refusal(client.views_update(view_id=top["id"], hash=top["hash"], view=VIEW))
    gone = await refusal(client.views_update(view_id="V0", view=VIEW))

    assert first["id"] == top["root_view_id"]
    assert (fourth, twice) == ("push_limit_reached", "duplicate_external_id")
    assert (stale, gone) == ("hash_conflict", "not_found")


async def test_a_modal_beyond_the_limits_is_refused(workspace, client):
    """A title of 25 characters is an invalid argument with its pointer."""
    bad = {**VIEW, "title": {"type": "plain_text", "text": "x" * 25}}
    trigger = workspace.core.tickets.trigger("U0ALICE")
    with pytest.raises(SlackApiError) as caught:
        await client.views_open(trigger_id=trigger, view=bad)

    assert caught.value.response["error"] == "invalid_arguments"
    assert "/view/title/text" in caught.value.response["response_metadata"]["messages"][0]


async def test_a_scheduled_message_is_posted_when_due(workspaces, clock):
    """Posted at its time, once; never with metadata; never in the past or beyond 120 days."""
    workspace = await workspaces(clock=clock)
    client = web_client(workspace)
    now = int(clock.now)
    await client.chat_scheduleMessage(channel=GENERAL, text="due", post_at=now + 60)
    await client.chat_scheduleMessage(channel=GENERAL, text="marked", post_at=now + 60, metadata=META)
    doomed = await client.chat_scheduleMessage(channel=GENERAL, text="taken back", post_at=now + 60)
    await client.chat_deleteScheduledMessage(channel=GENERAL, scheduled_message_id=doomed["scheduled_message_id"])
    waiting = (await client.chat_scheduledMessages_list())["scheduled_messages"]
    past = await refusal(client.chat_scheduleMessage(channel=GENERAL, text="x", post_at=now))
    far = await refusal(client.chat_scheduleMessage(channel=GENERAL, text="x", post_at=now + 121 * 86400))
    async with Player(workspace.url, "U0ALICE") as alice:
        clock.now += 61
        workspace.wake()
        await alice.wait_message(lambda m: m["text"] == "due")

    assert [s["text"] for s in waiting] == ["due", "marked"]
    assert (past, far) == ("time_in_past", "time_too_far")
    assert [m["text"] for m in workspace.messages(GENERAL)] == ["due"]


async def test_pins_reactions_and_links(workspace, client):
    """A pin is once; a reaction is once; a permalink leads to the page."""
    ts = (await client.chat_postMessage(channel=GENERAL, text="card"))["ts"]
    await client.pins_add(channel=GENERAL, timestamp=ts)
    await client.reactions_add(channel=GENERAL, timestamp=ts, name="white_check_mark")
    again = await refusal(client.pins_add(channel=GENERAL, timestamp=ts))
    reacted = await refusal(client.reactions_add(channel=GENERAL, timestamp=ts, name="white_check_mark"))
    items = (await client.pins_list(channel=GENERAL))["items"]
    link = (await client.chat_getPermalink(channel=GENERAL, message_ts=ts))["permalink"]
    async with Player(workspace.url, "U0BOB") as bob:
        shown = await bob.wait_message(lambda m: m["ts"] == ts)
    await client.pins_remove(channel=GENERAL, timestamp=ts)
    gone = await refusal(client.pins_remove(channel=GENERAL, timestamp=ts))
    async with aiohttp.ClientSession() as session, session.get(link, allow_redirects=False) as answer:
        leads = answer.headers["Location"]

    assert (again, reacted, gone) == ("already_pinned", "already_reacted", "no_pin")
    assert [ts] == [i["message"]["ts"] for i in items]
    assert shown["pinned"] is True
    assert f"/#{GENERAL}/{ts}" == leads


async def test_a_file_is_uploaded_by_the_sdks_own_three_steps(workspace, client):
    """files_upload_v2 ends in a message with the file, whose bytes come back to be kept under its name."""
    root = await client.chat_postMessage(channel=GENERAL, text="card")
    await client.files_upload_v2(
        channel=GENERAL,
        thread_ts=root["ts"],
        filename="run.log",
        title="Log",
        content="hello",
        initial_comment="The log",
    )
    message = workspace.messages(GENERAL)[-1]
    file = message["files"][0]
    async with aiohttp.ClientSession() as session, session.get(file["url"]) as answer:
        content, kept_as = await answer.text(), answer.headers["Content-Disposition"]

    assert "attachment; filename*=UTF-8''run.log" == kept_as
    assert ("The log", root["ts"]) == (message["text"], message["thread_ts"])
    assert (file["title"], file["name"], file["size"], content) == ("Log", "run.log", 5, "hello")


async def test_people_and_groups_are_as_seeded(client):
    """users.info tells guests and strangers apart; groups list their members."""
    guest = (await client.users_info(user="U0GUEST"))["user"]
    stranger = (await client.users_info(user="U0STRANGE"))["user"]
    groups = (await client.usergroups_list(include_users=True))["usergroups"]
    users = (await client.usergroups_users_list(usergroup="S0DBA"))["users"]
    channel = (await client.conversations_info(channel=GENERAL))["channel"]
    members = (await client.conversations_members(channel=GENERAL))["members"]

    assert (guest["is_restricted"], guest["is_stranger"]) == (True, False)
    assert (stranger["is_stranger"], stranger["team_id"]) == (True, "T0OTHER")
    assert [g["users"] for g in groups] == [["U0ALICE", "U0BOB"]]
    assert users == ["U0ALICE", "U0BOB"]
    assert "U0BOT" in members
    assert channel["is_member"]
    assert await refusal(client.users_info(user="U0NONE")) == "user_not_found"
    assert await refusal(client.usergroups_users_list(usergroup="S0")) == "no_such_subteam"


async def test_a_missing_scope_is_named(workspaces):
    """With granted scopes in the seed, a method outside them says what it needed."""
    workspace = await workspaces(replace(SEED, scopes=("chat:write", "channels:read")))
    client = web_client(workspace)
    await client.chat_postMessage(channel=GENERAL, text="x")
    with pytest.raises(SlackApiError) as caught:
        await client.pins_add(channel=GENERAL, timestamp="1.2")

    answer = caught.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "pins:write")
    assert answer["provided"] == "chat:write,channels:read"
    assert await refusal(client.conversations_info(channel="D0ALICE")) == "missing_scope"


async def test_posting_too_fast_is_429_with_the_seconds_to_wait(workspaces, clock):
    """One message a second in a channel after a burst of five; another channel is not held up."""
    workspace = await workspaces(rate_limits=True, clock=clock)
    client = web_client(workspace)
    for _ in range(5):
        await client.chat_postMessage(channel=GENERAL, text="x")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=GENERAL, text="x")
    await client.chat_postMessage(channel="U0BOB", text="x")
    clock.now += 1
    await client.chat_postMessage(channel=GENERAL, text="x")

    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")


async def test_faults_happen_as_often_as_asked(workspace, client):
    """A drop after the effect leaves the message; the others leave nothing; then all is well again."""
    workspace.faults.add("chat.postMessage", "drop_after")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=GENERAL, text="landed")
    workspace.faults.add("chat.postMessage", "drop_before")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=GENERAL, text="lost")
    workspace.faults.add("chat.postMessage", "http_500", times=2)
    broken = []
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=GENERAL, text="lost")
        broken.append(caught.value.response.status_code)
    workspace.faults.add("chat.postMessage", "ratelimited")
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel=GENERAL, text="lost")
    workspace.faults.add("chat.postMessage", "slow", seconds=0.2)
    started = asyncio.get_running_loop().time()
    await client.chat_postMessage(channel=GENERAL, text="slow")
    took = asyncio.get_running_loop().time() - started

    assert broken == [500, 500]
    assert limited.value.response.headers["Retry-After"] == "1"
    assert took >= 0.2
    assert [m["text"] for m in workspace.messages(GENERAL)] == ["landed", "slow"]
    assert len([name for name, _, _ in workspace.log if name == "chat.postMessage"]) == 6


async def test_a_response_url_is_good_five_times_for_half_an_hour(workspaces, clock):
    """Five answers, then used_url; after 30 minutes expired_url."""
    workspace = await workspaces(clock=clock)
    tickets = workspace.core.tickets
    url = workspace.core.response_url(tickets.reply(user="U0ALICE", channel=GENERAL))
    old = workspace.core.response_url(tickets.reply(user="U0ALICE", channel=GENERAL))
    async with aiohttp.ClientSession() as session, Player(workspace.url, "U0ALICE") as alice:
        answers = []
        for number in range(6):
            async with session.post(url, json={"text": f"{number}"}) as answer:
                answers.append((answer.status, await answer.text()))
        clock.now += 1801
        async with session.post(old, json={"text": "late"}) as answer:
            late = (await answer.json())["error"]
        await alice.wait_message(lambda m: m["text"] == "4")

    assert answers[:5] == [(200, "ok")] * 5
    assert answers[5][0] == 404
    assert "used_url" in answers[5][1]
    assert late == "expired_url"
    assert [m["text"] for m in alice.ephemerals] == ["0", "1", "2", "3", "4"]


async def test_other_sites_and_other_machines_stay_out(workspace):
    """The page's socket refuses a foreign Origin and Host; the server refuses to listen beyond loopback."""
    statuses = []
    async with aiohttp.ClientSession() as session:
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            async with session.get(f"{workspace.url}/ui?user=U0ALICE", headers=headers) as answer:
                statuses.append(answer.status)
    with pytest.raises(ValueError, match="this machine only"):
        await workspace.start(host="0.0.0.0")  # noqa: S104

    assert statuses == [403, 403]
