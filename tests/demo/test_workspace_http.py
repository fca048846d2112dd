"""The workspace in HTTP mode, against a real Bolt server that verifies signatures."""

from dataclasses import replace

from aiohttp import web

from bot.demo.workspace.player import Player
from tests.demo import workspace_kit as kit
from tests.demo.workspace_kit import GENERAL, SEED, bolt, web_client

workspaces = kit.workspaces
FORM = {
    "type": "modal",
    "callback_id": "plan",
    "title": {"type": "plain_text", "text": "Plan"},
    "submit": {"type": "plain_text", "text": "Save"},
    "blocks": [
        {
            "type": "input",
            "block_id": "when",
            "label": {"type": "plain_text", "text": "When"},
            "element": {"type": "datetimepicker", "action_id": "v"},
        }
    ],
}


async def listening(app) -> tuple[web.AppRunner, str]:
    """Serve a Bolt app on a free port; its request URL."""
    runner = web.AppRunner(app.server(port=0).web_app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"


async def test_commands_forms_clicks_and_events_arrive_signed(workspaces):
    """Bolt's signature check lets everything through, and answers come back as with Socket Mode."""
    placeholder = await workspaces()
    app = bolt(placeholder)
    runner, url = await listening(app)
    workspace = await workspaces(replace(SEED, request_url=url))
    app.client.base_url = workspace.api_url
    client = web_client(workspace)

    @app.command("/migrate")
    async def handle(ack, body):
        if body["text"]:
            await ack(f"hello {body['text']}")
            return
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)
        await ack()

    @app.view("plan")
    async def save(ack, view):
        moment = view["state"]["values"]["when"]["v"]["selected_date_time"]
        await client.chat_postMessage(channel=GENERAL, text=f"at {moment}")
        await ack()

    @app.event("app_mention")
    async def mention(event):
        await client.chat_postMessage(channel=event["channel"], text="mentioned")

    try:
        async with Player(workspace.url, "U0ALICE") as alice:
            done = await alice.command("/migrate you & me")
            await alice.command("/migrate")
            await alice.submit(await alice.wait_view(), {"when": 1_800_000_000})
            await alice.say("<@U0BOT> hi")
            await alice.wait_message(lambda m: m["text"] == "mentioned")
            left = list(alice.views)
    finally:
        await runner.cleanup()

    assert done.ok
    assert [m["text"] for m in alice.ephemerals] == ["hello you & me"]
    assert left == []
    assert "at 1800000000" in [m["text"] for m in workspace.messages(GENERAL)]


async def test_a_wrong_secret_or_a_dead_server_is_dispatch_failed(workspaces):
    """What Bolt refuses, and what nobody hears, is told to the person."""
    placeholder = await workspaces()
    app = bolt(placeholder)
    runner, url = await listening(app)
    forged = await workspaces(replace(SEED, request_url=url, signing_secret="other"))
    try:
        async with Player(forged.url, "U0ALICE") as alice:
            refused = await alice.command("/migrate start")
    finally:
        await runner.cleanup()
    async with Player(forged.url, "U0ALICE") as alice:
        unheard = await alice.command("/migrate start")

    assert (refused.error, unheard.error) == ("dispatch_failed", "dispatch_failed")
