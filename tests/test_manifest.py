"""The manifest asks for what the code uses: no scope, event or command more, and none less."""

import ast
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.demo import cast
from bot.runbook.run import State
from bot.runbook.steps import StepName
from bot.settings import SlackSettings
from bot.views.ids import Verb
from bot.wiring import slack_client
from commands.look import HELP
from commands.slack import Counter
from integrations.slack.checkup import SCOPES
from tests.commands.office import Office, opened, told
from tests.manifest import manifest, scopes

ROOT = Path(__file__).parents[1]
CALLS_NEED: dict[str, frozenset[str]] = {
    # docs.slack.dev/reference/methods: the bot scope of each method, in public channels
    "apps_connections_open": frozenset(),  # an app-level token's connections:write
    "auth_test": frozenset(),
    "chat_deleteScheduledMessage": frozenset({"chat:write"}),
    "chat_postEphemeral": frozenset({"chat:write"}),
    "chat_postMessage": frozenset({"chat:write"}),
    "chat_scheduleMessage": frozenset({"chat:write"}),
    "chat_scheduledMessages_list": frozenset(),
    "chat_update": frozenset({"chat:write"}),
    "conversations_history": frozenset({"channels:history"}),
    "conversations_replies": frozenset({"channels:history"}),
    "files_completeUploadExternal": frozenset({"files:write"}),
    "files_getUploadURLExternal": frozenset({"files:write"}),
    "pins_add": frozenset({"pins:write"}),
    "pins_remove": frozenset({"pins:write"}),
    "usergroups_users_list": frozenset({"usergroups:read"}),
    "users_info": frozenset({"users:read", "users:read.email"}),  # with it the profile has an address
    "views_open": frozenset(),
    "views_publish": frozenset(),
    "views_update": frozenset(),
}
EVENTS_NEED = {"app_home_opened": frozenset[str](), "app_mention": frozenset({"app_mentions:read"})}


class Switchboard:
    """What ``Counter.register`` puts its listeners on; it only writes down their names."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.events: list[str] = []

    def command(self, name: str) -> Callable[[Any], None]:
        self.commands.append(name)
        return lambda _: None

    def event(self, name: str) -> Callable[[Any], None]:
        self.events.append(name)
        return lambda _: None

    def action(self, _: Any) -> Callable[[Any], None]:
        return lambda _: None

    view_submission = view_closed = action


def _listeners() -> Switchboard:
    board = Switchboard()
    Counter(None, None).register(board)  # type: ignore[arg-type]
    return board


def _calls() -> Iterator[str]:
    """Every method called on a Slack client, by reading the code."""
    folders = ("commands", "integrations/slack", "bot/jobs")
    files = [*(file for folder in folders for file in (ROOT / folder).rglob("*.py")), *(ROOT / "bot").glob("*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if name in ("client", "_client"):
                    yield node.func.attr


def test_every_call_to_slack_is_in_the_table_and_the_table_has_no_other() -> None:
    """A new call needs its scope looked up before this passes."""
    assert set(CALLS_NEED) == set(_calls())


def test_the_scopes_are_exactly_those_the_code_needs() -> None:
    """Least privilege, both ways."""
    needed = {scope for call in _calls() for scope in CALLS_NEED[call]}
    needed |= {scope for event in _listeners().events for scope in EVENTS_NEED[event]}
    needed |= {"commands"} if _listeners().commands else set()
    assert needed == set(scopes())


def test_the_doctor_asks_for_the_scopes_of_the_manifest() -> None:
    """Compared with what the token has, by ``python -m bot doctor``."""
    assert sorted(scopes()) == sorted(SCOPES)


def test_the_events_subscribed_to_are_the_ones_listened_to() -> None:
    """Slack sends nothing we drop, and we wait for nothing it does not send."""
    assert sorted(_listeners().events) == sorted(manifest()["settings"]["event_subscriptions"]["bot_events"])


def test_the_slash_command_is_the_one_listened_to() -> None:
    """One command, whose hint names verbs that can be typed, and no other."""
    (command,) = manifest()["features"]["slash_commands"]
    assert [command["command"]] == _listeners().commands
    hinted = {word.strip() for word in command["usage_hint"].strip("[]").split("|")}
    assert hinted <= {str(verb) for verb in HELP}
    assert command["should_escape"]


def test_buttons_modals_and_home_are_switched_on() -> None:
    """Without interactivity no press would arrive, and without the messages tab nobody could be told directly."""
    found = manifest()
    assert found["settings"]["interactivity"]["is_enabled"] and found["settings"]["socket_mode_enabled"]
    assert found["features"]["app_home"]["home_tab_enabled"] and found["features"]["app_home"]["messages_tab_enabled"]


@pytest.fixture
async def office(store_dsn: str, tmp_path: Path) -> AsyncIterator[Office]:
    """A workspace that grants what the manifest asks for, and nothing else."""
    async with opened(store_dsn, tmp_path) as found:
        yield found


async def test_with_these_scopes_alone_a_run_is_started_approved_and_shown(office: Office) -> None:
    """From the slash command to the next question, with pins, whispers, Home and a mention: no call is refused."""
    assert scopes() == office.workspace.core.seed.scopes
    assert (await office.dana.command("/migrate start")).ok
    filled = {"name": "n", "purpose": "p", "minutes": "5", "files": ["billing_001_priority.sql"]}
    await told(office.dana, partial(office.dana.submit, await office.dana.wait_view(), filled))
    run = await office.goes_on((await office.engine.active())[0].id)
    await told(office.alex, partial(office.alex.click, await office.button(office.alex, Verb.APPROVE)))
    assert (await office.dana.open_home()).ok
    assert (await office.dana.say(f"<@{office.workspace.core.seed.bot.id}>")).ok
    run = await office.goes_on(run.id)
    assert (State.ASKING, StepName.STOP_SERVICES) == (run.state, run.step.name)
    called = {method for method, _, _ in office.workspace.log}
    assert {"pins.add", "views.open", "views.publish", "chat.postEphemeral", "users.info"} <= called
    assert [] == [entry for entry in office.workspace.log if not entry[2].get("ok")]


async def test_the_workspace_refuses_what_was_not_granted(office: Office) -> None:
    """The run above proves something because a missing scope is an error here as in Slack."""
    seed = office.workspace.core.seed
    slack = SlackSettings(bot_token=seed.bot_token, base_url=office.workspace.api_url)
    with pytest.raises(SlackApiError, match="missing_scope"):
        await slack_client(slack).reactions_add(channel=cast.ENGINEERING, timestamp="1.0", name="eyes")
