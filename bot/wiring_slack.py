"""The part of the composition root that names the adapters of Slack, and of the console where there is no Slack."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Channel, Directory
from bot.runbook.people import Person, Policy
from bot.runbook.refusals import NotAMember
from bot.settings import Operator, Settings, SlackSettings, TargetsFile
from bot.vitals import Vitals
from commands.desk import Desk
from commands.slack import Counter
from integrations.slack.channel import SlackChannel
from integrations.slack.console import ConsoleChannel
from integrations.slack.directory import SlackDirectory


def slack_client(slack: SlackSettings) -> AsyncWebClient:
    """A client that never repeats a post by itself: the outbox looks first."""
    return AsyncWebClient(
        token=slack.bot_token.get_secret_value(), base_url=slack.base_url, retry_handlers=[], timeout=15
    )


def bolt_app(slack: SlackSettings, client: AsyncWebClient, desk: Desk) -> AsyncApp:
    """Bolt with our listeners; a handler is one short transaction, so it runs before the answer."""
    signing = slack.signing_secret.get_secret_value() if slack.signing_secret else None
    app = AsyncApp(client=client, signing_secret=signing or "unused-in-socket-mode", process_before_response=True)
    Counter(desk, client).register(app)
    return app


async def socket_mode(app: AsyncApp, token: str, vitals: Vitals) -> None:
    """Connected until cancelled, and properly closed then."""
    handler = AsyncSocketModeHandler(app, token)

    def connected() -> str:
        session = handler.client.current_session
        return "" if session is not None and not session.closed else "not connected to Slack"

    vitals.checks["slack"] = connected
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await asyncio.Event().wait()
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


Address = Callable[[str], Awaitable[str]]  # the e-mail address of a Slack id


def people_of(settings: Settings, file: TargetsFile) -> tuple[Channel, Directory, Address]:
    """Slack where it is configured, the console where it is not."""
    if settings.slack is None:
        return ConsoleChannel(), Operators(file.operators), _no_address
    client = slack_client(settings.slack)
    directory = SlackDirectory(client)
    return SlackChannel(client), directory, directory.address


async def _no_address(_user_id: str) -> str:
    return ""


class Operators:
    """``Directory`` of those who may act at the bot's own host, from the targets file."""

    def __init__(self, known: Mapping[str, Operator]) -> None:
        self._known = {each.id: each for each in known.values()}

    async def person(self, user_id: str, policy: Policy) -> Person:
        """The operator with that id; raises ``NotAMember`` for anybody else."""
        operator = self._known.get(user_id)
        if operator is None:
            raise NotAMember(
                f"{user_id} is not an operator of this host.",
                "Add them under [operators] in the targets file, with their Slack id.",
            )
        return Person(id=operator.id, name=operator.name, groups=operator.groups)
