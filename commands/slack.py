"""The listeners: each takes Slack's JSON through ``parse``, asks a use case, and acks last.

Decide first, ack last, never raise after ack: an exception after an ack would take the answer back.  Refusals become
the words people read; anything else becomes a reference that is found again in the logs.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import aiohttp
import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import tracing
from bot.logs import referenced
from bot.runbook.refusals import NotReady, Refusal
from bot.views import home
from bot.views.ids import BadValue, Field, Verb, verb_of
from bot.views.refusals import broken, refused, refused_modal
from bot.views.text import said
from commands import VERBS, parse
from commands.desk import Desk, Reply
from commands.fields import FieldErrors

_log = structlog.get_logger()
Body = dict[str, Any]
_ANY = re.compile(".*")  # the verb is read from the id by ``parse``, in one place


class Counter:
    """Where requests arrive."""

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self._desk = desk
        self._client = client
        self._telling: set[asyncio.Task[None]] = set()

    def register(self, app: AsyncApp) -> None:
        """Put the listeners on ``app``; there is one of each kind and no more."""
        app.command("/migrate")(self.on_command)
        app.action(_ANY)(self.on_action)
        app.view_submission(_ANY)(self.on_submission)
        app.view_closed(_ANY)(self.on_closed)
        app.event("app_home_opened")(self.on_home)
        app.event("app_mention")(self.on_mention)

    async def on_command(self, ack: AsyncAck, body: Body) -> None:
        """``/migrate …``: the answer goes into the ack, for the person alone."""
        reply, _ = await self._answer(lambda: self._shown(body, parse.command(body)))
        await ack(**_said(reply))
        if reply.later is not None:
            self._beside(self._tell_later(body["user_id"], body["channel_id"], reply.later))

    async def on_action(self, ack: AsyncAck, body: Body) -> None:
        """A button, or the target's select of a form."""
        action = body["actions"][0]["action_id"]
        if verb_of(action) is not None or action == Field.TARGET.id:
            reply, _ = await self._answer(lambda: self._shown(body, parse.press(body)))
            channel = (body.get("channel") or {}).get("id", "") or reply.channel
            self._whisper(body["user"]["id"], channel, reply)
        await ack()

    async def on_submission(self, ack: AsyncAck, body: Body) -> None:
        """A modal was sent: closed when it is taken, marked where it is not."""
        reply, error = await self._answer(lambda: self._use(parse.submission(body)))
        if isinstance(error, FieldErrors):
            errors = {parse.block_of(body, name): text for name, text in error.errors.items()}
            await ack(response_action="errors", errors=errors)
        elif error is not None and _takes_errors(body) and not isinstance(error, NotReady):
            await ack(response_action="errors", errors={_main_block(body): str(error)[:2000]})
        elif error is not None:
            await ack(response_action="update", view=refused_modal(reply.payload))
        else:
            self._whisper(body["user"]["id"], reply.channel, reply)
            await ack()

    async def on_closed(self, ack: AsyncAck) -> None:
        """A modal was closed: nothing happened."""
        await ack()

    async def on_home(self, event: Body) -> None:
        """The Home tab was opened."""
        if event.get("tab") == "home":
            engine = self._desk.engine
            view = home.home(await engine.recent(), engine.now(), await self._desk.planner.open())
            await self._client.views_publish(user_id=event["user"], view=dict(view))

    async def on_mention(self, event: Body) -> None:
        """Somebody called the bot by name: it says where things stand, in their thread."""
        body = {"text": Verb.STATUS.value, "user_id": event["user"], "channel_id": event["channel"]}
        reply, _ = await self._answer(lambda: self._use(parse.command(body)))
        thread = event.get("thread_ts") or event["ts"]
        await self._client.chat_postMessage(channel=event["channel"], thread_ts=thread, **_said(reply))

    async def _shown(self, body: Body, request: parse.Request) -> Reply:
        """The use case's reply; if that is a modal, it is opened, or drawn anew where it already is."""
        reply = await self._use(request)
        if reply.modal is None:
            return reply
        view = body.get("view") or {}
        if view.get("type") == "modal":
            await self._client.views_update(view_id=view["id"], hash=view["hash"], view=dict(reply.modal))
        else:
            await self._client.views_open(trigger_id=body["trigger_id"], view=dict(reply.modal))
        return Reply()

    async def _use(self, request: parse.Request) -> Reply:
        bound = structlog.contextvars.bound_contextvars(actor=request.user, verb=request.verb.value)
        with bound, tracing.during(f"request {request.verb}", request.value.run):
            return await VERBS[request.verb](self._desk, request)

    async def _answer(self, ask: Callable[[], Awaitable[Reply]]) -> tuple[Reply, Exception | None]:
        """The use case's reply, or the refusal in words; an unknown error gets a reference."""
        try:
            return await ask(), None
        except Refusal as error:
            return Reply(payload=refused(error)), error
        except (BadValue, parse.UnknownVerb) as error:
            return Reply(text=f"⛔ {said(str(error))}"), error
        except Exception as error:  # noqa: BLE001 - whatever it is, the person gets an answer and a reference
            reply = Reply(payload=broken(referenced("request.unexpected", error)))
            return reply, RuntimeError(str(reply.payload["text"]))

    def _whisper(self, user: str, channel: str, reply: Reply) -> None:
        """Say it to one person, beside the ack: Slack waits three seconds for that, and not for our call to it."""
        if _said(reply):
            self._beside(self._tell(user, channel, _said(reply)))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_later(self, user: str, channel: str, later: Callable[[], Awaitable[Reply]]) -> None:
        """What took longer than Slack waits, for the same person alone."""
        reply, _ = await self._answer(later)
        await self._tell(user, channel, _said(reply))

    async def _tell(self, user: str, channel: str, words: Body) -> None:
        """In the channel; where they cannot be reached there, directly.  What is recorded stands either way."""
        try:
            if await self._told_in(channel, user, words):
                return
            await self._client.chat_postMessage(channel=user, **words)
        except (SlackClientError, aiohttp.ClientError, OSError) as error:  # a time-out is an OSError
            _log.warning("whisper.lost", user=user, why=f"{type(error).__name__}: {error}"[:300])

    async def _told_in(self, channel: str, user: str, words: Body) -> bool:
        if not channel:
            return False
        try:
            await self._client.chat_postEphemeral(channel=channel, user=user, **words)
        except SlackApiError as error:
            _log.info("whisper.redirected", why=str(error.response.get("error", "")))
            return False
        return True


def _said(reply: Reply) -> Body:
    """What to say; nothing where a modal is the answer."""
    return dict(reply.payload) or ({"text": reply.text} if reply.text else {})


_MAIN = {
    Verb.START: Field.TARGET,
    Verb.APPROVE: Field.WORD,
    Verb.PLAN: Field.WINDOW,
    Verb.EDIT: Field.NAME,
    Verb.TICK: Field.ITEMS,
    Verb.WAIVE: Field.ITEM,
    Verb.REVIEW: Field.NOTE,
    Verb.SPIKE: Field.NOTE,
    Verb.ANOMALIES: Field.NOTE,
    Verb.HANDOVER: Field.RECEIVER,
}


def _main_block(body: Body) -> str:
    """Where a modal shows what is wrong with the whole of it."""
    verb = verb_of(body["view"]["callback_id"])
    return parse.block_of(body, _MAIN.get(verb or Verb.HELP, Field.REASON))


def _takes_errors(body: Body) -> bool:
    """Has the modal a field under which Slack can show what is wrong?"""
    return any(each.get("type") == "input" for each in body["view"].get("blocks") or ())
