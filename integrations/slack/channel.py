"""``SlackChannel``: the ``Channel`` port on Slack's Web API.

Every message carries its key as metadata, which is how it is found again after an unclear answer
(docs.slack.dev/messaging/message-metadata).  Metadata is readable by other apps: it holds nothing but the key.
A file is found again by its name (``files``).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Address, Attachment, Letter
from bot.views.limits import message_problems
from bot.views.text import clip
from integrations.slack import files
from integrations.slack.calls import SlackRefused, ask

EVENT_TYPE = "migrate_letter"
_TEXT = 4000  # characters; chat.update refuses more with msg_too_long
_PAGE, _PAGES = 200, 25  # messages looked at, newest first, to find one: at most 5,000
_LOOKS = 4  # at a thread, for a file that may be there in a moment
_GONE = frozenset({"message_not_found", "edit_window_closed", "cant_update_message", "update_failed"})
_TOO_MUCH = frozenset({"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format"})
_PIN_IS_A_COURTESY = frozenset(
    {"already_pinned", "too_many_pins", "not_pinnable", "permission_denied", "missing_scope"}
)
_NOT_PINNED = frozenset({"no_pin", "not_pinned", "message_not_found", "permission_denied", "missing_scope"})
_ALREADY_SENT = frozenset({"invalid_scheduled_message_id", "message_not_found"})

_log = structlog.get_logger("integrations.slack")
Payload = Mapping[str, object]


class SlackChannel:
    """Where people are told.

    ``client`` must have been made with ``retry_handlers=[]``: Slack's own retry posts a message twice when the
    connection is lost after the request was read.  ``look_back`` (seconds) is how old a message may be that is
    looked for; ``patience`` (seconds) how long a file is waited for, which Slack shares a moment after it said so.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        look_back: float = 86_400.0,
        patience: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._look_back = look_back
        self._patience = patience
        self._clock = clock

    async def post(self, letter: Letter, thread: Address | None) -> Address:
        """Post; raises ``Unclear``, ``Busy`` or ``SlackRefused``."""
        channel, ts = thread.channel if thread else letter.channel, thread.ts if thread else None
        event_payload = {"key": letter.key, "run": letter.run_id}
        if letter.file is None:
            return await self._post(channel, letter.payload, event_payload, ts)
        try:
            await files.upload(self._client, channel, ts, letter.file, _text_only(letter.payload)["text"])
        except SlackRefused as error:
            if error.code != "missing_scope":
                raise
            return await self._post(channel, _without(letter.payload, error), event_payload, ts)
        return Address(channel=channel, ts=ts or "")  # Slack names no message, and a file is never redrawn

    async def find(self, letter: Letter, thread: Address | None) -> Address | None:
        """The message with this key or file, among those of the last ``look_back`` seconds."""
        channel, ts = thread.channel if thread else letter.channel, thread.ts if thread else None
        looks = _LOOKS if letter.file else 1
        for look in range(looks):
            if look:
                await asyncio.sleep(self._patience / (looks - 1))
            if found := await self._with(channel, "key", letter.key, ts, letter.file):
                return found
        return None

    async def update(self, address: Address, payload: Payload) -> Address:
        """Redraw; where the message is gone or can no longer be changed, post it anew, once."""
        safe = _safe(payload)
        try:
            return await self._redraw(address, safe)
        except SlackRefused as error:
            if error.code in _GONE:
                return await self._replace(address, safe)
            if error.code not in _TOO_MUCH:
                raise
            _log.warning("slack.payload_degraded", problems=[error.code], ts=address.ts)
            return await self._redraw(address, _text_only(payload))

    async def pin(self, address: Address) -> None:
        """Pin; that it cannot be pinned is logged, because the message itself is what counts."""
        try:
            await ask("pins.add", self._client.pins_add(channel=address.channel, timestamp=address.ts))
        except SlackRefused as error:
            if error.code not in _PIN_IS_A_COURTESY:
                raise
            _log.info("slack.not_pinned", why=error.code, ts=address.ts)

    async def unpin(self, address: Address) -> None:
        """Unpin; a message that is not pinned is fine."""
        try:
            await ask("pins.remove", self._client.pins_remove(channel=address.channel, timestamp=address.ts))
        except SlackRefused as error:
            if error.code not in _NOT_PINNED:
                raise

    async def schedule(self, channel: str, text: str, at: float) -> str:
        """Leave a message with Slack, without metadata: a scheduled message that has some is never posted."""
        call = self._client.chat_scheduleMessage(
            channel=channel, text=clip(text, _TEXT), post_at=int(at), unfurl_links=False, unfurl_media=False
        )
        return str((await ask("chat.scheduleMessage", call))["scheduled_message_id"])

    async def scheduled(self, channel: str, words: str) -> tuple[str, ...]:
        """What waits in the channel with ``words`` in its text (a page of 100 holds more runs than there can be)."""
        call = self._client.chat_scheduledMessages_list(channel=channel, limit=100)
        found = (await ask("chat.scheduledMessages.list", call)).get("scheduled_messages") or ()
        return tuple(str(each["id"]) for each in found if words in str(each.get("text", "")))

    async def unschedule(self, channel: str, scheduled: str) -> None:
        """Take it back; one that was already posted is fine, its text says so itself."""
        call = self._client.chat_deleteScheduledMessage(channel=channel, scheduled_message_id=scheduled)
        try:
            await ask("chat.deleteScheduledMessage", call)
        except SlackRefused as error:
            if error.code not in _ALREADY_SENT:
                raise

    async def _post(
        self, channel: str, payload: Payload, event_payload: Mapping[str, str], thread: str | None
    ) -> Address:
        safe = _safe(payload)
        try:
            return await self._send(channel, safe, event_payload, thread)
        except SlackRefused as error:
            if error.code not in _TOO_MUCH:
                raise
            _log.warning("slack.payload_degraded", problems=[error.code], **event_payload)
            return await self._send(channel, _text_only(payload), event_payload, thread)

    async def _send(
        self, channel: str, payload: Mapping[str, Any], event_payload: Mapping[str, str], thread: str | None
    ) -> Address:
        call = self._client.chat_postMessage(
            channel=channel,
            text=payload["text"],
            blocks=payload.get("blocks"),
            thread_ts=thread,
            metadata={"event_type": EVENT_TYPE, "event_payload": dict(event_payload)},
            unfurl_links=False,
            unfurl_media=False,
        )
        answer = await ask("chat.postMessage", call)
        return Address(channel=str(answer["channel"]), ts=str(answer["ts"]))

    async def _redraw(self, address: Address, payload: Mapping[str, Any]) -> Address:
        call = self._client.chat_update(
            channel=address.channel, ts=address.ts, text=payload["text"], blocks=payload.get("blocks", [])
        )
        await ask("chat.update", call)
        return address

    async def _replace(self, address: Address, payload: Mapping[str, Any]) -> Address:
        """Post anew under the old message's name, so that a repeated attempt finds the first one's message."""
        found = await self._with(address.channel, "replaces", address.ts, None)
        if found is not None:
            return await self._redraw(found, payload)
        return await self._post(address.channel, payload, {"replaces": address.ts}, None)

    async def _with(
        self, channel: str, name: str, value: str, thread: str | None, file: Attachment | None = None
    ) -> Address | None:
        async for message in self._recent(channel, thread):
            metadata = message.get("metadata") or {}
            ours = metadata.get("event_type") == EVENT_TYPE
            if (ours and (metadata.get("event_payload") or {}).get(name) == value) or (
                file is not None and files.holds(message, file)
            ):
                return Address(channel=channel, ts=str(message["ts"]))
        return None

    async def _recent(self, channel: str, thread: str | None) -> AsyncIterator[Mapping[str, Any]]:
        """The messages of a channel or thread, bounded by time and number."""
        oldest = f"{self._clock() - self._look_back:.6f}"
        cursor = ""
        for _ in range(_PAGES):
            answer = await self._read(channel, thread, oldest, cursor)
            for message in answer.get("messages") or ():
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _read(self, channel: str, thread: str | None, oldest: str, cursor: str) -> Mapping[str, Any]:
        asked: dict[str, Any] = {"channel": channel, "oldest": oldest, "limit": _PAGE, "include_all_metadata": True}
        if cursor:
            asked["cursor"] = cursor
        if thread is not None:
            return await ask("conversations.replies", self._client.conversations_replies(ts=thread, **asked))
        return await ask("conversations.history", self._client.conversations_history(**asked))


def _safe(payload: Payload) -> dict[str, Any]:
    """The payload if Slack will take it, else its text alone: a plain message is better than none."""
    problems = message_problems(payload)
    if not problems:
        return dict(payload)
    _log.warning("slack.payload_degraded", problems=[f"{each.pointer} {each.message}" for each in problems[:5]])
    return _text_only(payload)


def _without(payload: Payload, error: SlackRefused) -> dict[str, Any]:
    """The words without the file, and why: an app that was installed before it uploaded anything."""
    _log.warning("slack.file_not_attached", why=str(error))
    return {"text": f"{clip(_text_only(payload)['text'], _TEXT - 600)}\n(The file is not attached. {error})"}


def _text_only(payload: Payload) -> dict[str, Any]:
    text = payload.get("text")
    return {"text": clip(text, _TEXT) if isinstance(text, str) and text.strip() else "(a message without text)"}
