"""The workspace, driven by the real Bolt over Socket Mode."""

import asyncio

import pytest
from slack_sdk.errors import SlackApiError

from bot.demo.workspace.player import Player
from tests.demo import workspace_kit as kit
from tests.demo.workspace_kit import GENERAL, bolt, connected

workspaces, workspace = kit.workspaces, kit.workspace

FORM = {
    "type": "modal",
    "callback_id": "plan",
    "title": {"type": "plain_text", "text": "Plan"},
    "submit": {"type": "plain_text", "text": "Save"},
    "blocks": [
        {
            "type": "input",
            "block_id": "name",
            "label": {"type": "plain_text", "text": "Name"},
            "element": {"type": "plain_text_input", "action_id": "v"},
        },
        {
            "type": "input",
            "block_id": "risk",
            "label": {"type": "plain_text", "text": "Risk"},
            "element": {
                "type": "static_select",
                "action_id": "v",
                "options": [
                    {"text": {"type": "plain_text", "text": "Low"}, "value": "low"},
                    {"text": {"type": "plain_text", "text": "High"}, "value": "high"},
                ],
                "initial_option": {"text": {"type": "plain_text", "text": "Low"}, "value": "low"},
            },
        },
    ],
}
BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "migrate.approve",
            "text": {"type": "plain_text", "text": "Approve"},
            "value": "run-1",
            "style": "danger",
            "confirm": {
                "title": {"type": "plain_text", "text": "Sure?"},
                "text": {"type": "plain_text", "text": "It restores."},
                "confirm": {"type": "plain_text", "text": "Yes"},
                "deny": {"type": "plain_text", "text": "No"},
            },
        }
    ],
}


async def test_ack_text_of_a_command_is_shown_to_its_sender_only(workspace):
    """The body of a slash command's ack is an ephemeral message."""
    app, seen = bolt(workspace), []

    @app.command("/migrate")
    async def handle(ack, body):
        seen.append(body)
        await ack(f"hello {body['text']}")

    async with (
        connected(workspace, app),
        Player(workspace.url, "U0ALICE") as alice,
        Player(workspace.url, "U0BOB") as bob,
    ):
        done = await alice.command("/migrate start @bob")

    assert done.ok
    assert [m["text"] for m in alice.ephemerals] == ["hello start <@U0BOB|bob>"]
    assert bob.ephemerals == []
    assert workspace.messages(GENERAL) == []
    assert seen[0]["channel_id"] == GENERAL


async def test_a_form_with_errors_is_corrected_and_becomes_a_message_that_is_clicked(workspace):
    """Command, modal, refusal, correction, post, click, update: the whole way, with real clients."""
    app, clicks = bolt(workspace), []

    @app.command("/migrate")
    async def plan(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)
        await ack()

    @app.view("plan")
    async def save(ack, view, client):
        name = view["state"]["values"]["name"]["v"]["value"]
        if name == "bad":
            await ack(response_action="errors", errors={"name": "Pick another name."})
            return
        risk = view["state"]["values"]["risk"]["v"]["selected_option"]["value"]
        await client.chat_postMessage(channel=GENERAL, text=f"{name} {risk}", blocks=[BUTTON])
        await ack()

    @app.action("migrate.approve")
    async def approve(ack, body, client, respond):
        clicks.append(body)
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="approved", blocks=[])
        await respond("Thank you.")
        await ack()

    async with connected(workspace, app), Player(workspace.url, "U0ALICE") as alice:
        await alice.command("/migrate plan")
        view = await alice.wait_view()
        await alice.submit(view, {"name": "bad"})
        refused = dict(alice.view_errors)
        await alice.submit(view, {"name": "good", "risk": "high"})
        button = await alice.wait_button("migrate.approve")
        first = await alice.click(button)
        await alice.wait_message(lambda m: m["text"] == "Thank you.")
        again = await alice.click(button)

    assert {view["id"]: {"name": "Pick another name."}} == refused
    assert alice.views == []
    assert button.message["text"] == "good high"
    assert first.ok
    assert again.error == "action_not_found"
    assert [m["text"] for m in workspace.messages(GENERAL)] == ["approved"]
    action = clicks[0]["actions"][0]
    assert (
        action["style"],
        action["value"],
        action["confirm"]["title"]["text"],
    ) == ("danger", "run-1", "Sure?")
    assert clicks[0]["message"]["blocks"][0]["block_id"] == action["block_id"]


async def test_a_required_field_left_empty_never_reaches_the_app(workspace):
    """Slack's own client refuses an empty required input."""
    app, asked = bolt(workspace), []

    @app.command("/migrate")
    async def plan(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)
        await ack()

    @app.view("plan")
    async def save(ack, view):
        asked.append(view)
        await ack()

    async with connected(workspace, app), Player(workspace.url, "U0ALICE") as alice:
        await alice.command("/migrate plan")
        done = await alice.submit(await alice.wait_view(), {})

    assert done.error == "required_fields"
    assert asked == []


async def test_a_late_ack_is_a_timeout_for_the_person(workspaces):
    """An ack after the limit comes too late: the person sees operation_timeout, nothing is sent again."""
    workspace = await workspaces(ack_seconds=0.2)
    app, calls, gate = bolt(workspace), [], asyncio.Event()

    @app.command("/migrate")
    async def handle(ack):
        calls.append(1)
        await gate.wait()
        await ack("too late")

    async with connected(workspace, app), Player(workspace.url, "U0ALICE") as alice:
        done = await alice.command("/migrate start")
        notice = await alice.wait_notice("operation_timeout")
        gate.set()

    assert done.error == "operation_timeout"
    assert notice == "/migrate failed with the error “operation_timeout”"
    assert calls == [1]
    assert alice.ephemerals == []


async def test_nobody_connected_is_dispatch_failed(workspace):
    """With no app there, a command says dispatch_failed at once."""
    async with Player(workspace.url, "U0ALICE") as alice:
        done = await alice.command("/migrate start")
        await alice.wait_notice("dispatch_failed")

    assert done.error == "dispatch_failed"


async def test_each_envelope_goes_to_one_of_two_connections(workspace):
    """Two connections share the work; no command is handled twice, and refreshing loses none."""
    app, calls = bolt(workspace), []

    @app.command("/migrate")
    async def handle(ack, body):
        calls.append(body["text"])
        await ack()

    async with connected(workspace, app, links=2), Player(workspace.url, "U0ALICE") as alice:
        for number in range(4):
            await alice.command(f"/migrate {number}")
        await workspace.disconnect("refresh_requested")
        await workspace.wait_connected(2, 20)
        after = await alice.command("/migrate 4")

    assert calls == ["0", "1", "2", "3", "4"]
    assert after.ok


async def test_an_event_nobody_took_is_sent_again_with_its_number(workspaces):
    """Events, and only events, come again: same event_id, retry_attempt counted from 1."""
    workspace = await workspaces(retry_delays=(0.01, 0.01, 0.01), ack_seconds=0.3)
    app, got = bolt(workspace), asyncio.Queue()

    @app.event("app_mention")
    async def mention(event, body, request, say):
        await got.put((body["event_id"], request.headers.get("x-slack-retry-num"), event["text"]))
        await say("I am here", thread_ts=event["ts"])

    async with Player(workspace.url, "U0ALICE") as alice:
        await alice.say("<@U0BOT> status")
        async with connected(workspace, app):
            await alice.say("<@U0BOT> status")
            event_id, number, text = await asyncio.wait_for(got.get(), 5)
            reply = await alice.wait_message(lambda m: m["text"] == "I am here")

    assert text == "<@U0BOT> status"
    assert event_id.startswith("Ev")
    assert number in (["0"], ["1"], ["2"], ["3"])
    assert reply["thread_ts"] in [m["ts"] for m in workspace.messages(GENERAL)]


async def test_home_is_published_to_the_person_who_opened_it(workspace):
    """app_home_opened, then views.publish; a stale hash is refused."""
    app = bolt(workspace)
    home = {"type": "home", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Runs"}}]}
    hashes = []

    @app.event("app_home_opened")
    async def opened(event, client):
        hashes.append((await client.views_publish(user_id=event["user"], view=home))["view"]["hash"])

    async with connected(workspace, app), Player(workspace.url, "U0BOB") as bob:
        await bob.open_home()
        shown = await bob.wait_home()
        await app.client.views_publish(user_id="U0BOB", view=home, hash=hashes[0])
        with pytest.raises(SlackApiError, match="hash_conflict"):
            await app.client.views_publish(user_id="U0BOB", view=home, hash=hashes[0])

    assert shown["blocks"][0]["text"]["text"] == "Runs"


async def test_a_person_acts_only_where_they_are_a_member(workspace):
    """Who is not in a channel cannot type there; who is from another company has no commands."""
    async with Player(workspace.url, "U0GUEST") as guest, Player(workspace.url, "U0STRANGE") as stranger:
        outside = await guest.command("/migrate start", channel=GENERAL)
        foreign = await stranger.command("/migrate start", channel=GENERAL)

    assert outside.error == "not_in_channel"
    assert foreign.error == "unknown_command"


async def test_a_submission_may_push_update_and_clear_views(workspace):
    """response_action push, update and clear change what is on the person's screen; closing is told."""
    app, closed = bolt(workspace), asyncio.Queue()
    simple = {**FORM, "notify_on_close": True, "blocks": [{"type": "divider"}]}
    answers = iter(
        [
            {"response_action": "push", "view": {**simple, "private_metadata": "second"}},
            {"response_action": "update", "view": {**simple, "private_metadata": "changed"}},
            {"response_action": "clear"},
        ]
    )

    @app.command("/migrate")
    async def plan(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=simple)
        await ack()

    @app.view("plan")
    async def save(ack):
        await ack(**next(answers))

    @app.view_closed("plan")
    async def dismissed(ack, body):
        await ack()
        await closed.put(body["is_cleared"])

    async with connected(workspace, app), Player(workspace.url, "U0ALICE") as alice:
        await alice.command("/migrate plan")
        await alice.submit(await alice.wait_view(), {})
        pushed = [v["private_metadata"] for v in alice.views]
        await alice.submit(await alice.wait_view(), {})
        updated = [v["private_metadata"] for v in alice.views]
        await alice.submit(await alice.wait_view(), {})
        cleared = list(alice.views)
        await alice.command("/migrate plan")
        await alice.close_view(await alice.wait_view())
        told = await asyncio.wait_for(closed.get(), 5)

    assert pushed == ["", "second"]
    assert updated == ["", "changed"]
    assert cleared == []
    assert told is False


async def test_an_ephemeral_button_replaces_and_then_deletes_its_message(workspace):
    """respond(replace_original) and respond(delete_original) act on the message that was clicked."""
    app = bolt(workspace)

    @app.command("/migrate")
    async def ask(ack):
        await ack(text="sure?", blocks=[BUTTON])

    @app.action("migrate.approve")
    async def act(ack, body, respond):
        assert body["container"]["is_ephemeral"]
        if body["container"]["message_ts"] in replaced:
            await respond(delete_original=True)
        else:
            replaced.append(body["container"]["message_ts"])
            await respond(text="really?", blocks=[BUTTON], replace_original=True)
        await ack()

    replaced = []
    async with connected(workspace, app), Player(workspace.url, "U0ALICE") as alice:
        await alice.command("/migrate ask")
        await alice.click(await alice.wait_button("migrate.approve"))
        texts = [m["text"] for m in alice.ephemerals]
        await alice.click(await alice.wait_button("migrate.approve"))

    assert texts == ["really?"]
    assert alice.ephemerals == []
