"""Answers of the app outside the Web API: acks with a body, and response_url."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.demo.workspace.core import Args, Core, Json
from bot.demo.workspace.errors import SlackError
from bot.demo.workspace.faults import Faults
from bot.demo.workspace.tickets import Reply
from bot.demo.workspace.web_api import broken, cut
from bot.demo.workspace.web_chat import payload


def show(core: Core, reply: Reply, body: Mapping[str, Any]) -> None:
    """Show an answer: replace or delete its source, or say something new (to one person by default)."""
    channel = core.messages.channels[reply.channel]
    if body.get("delete_original"):
        _delete(core, reply)
        return
    given = payload(Args(dict(body)))
    text, blocks = given["text"] or "", given["blocks"] or ()
    if body.get("replace_original") and reply.ts:
        _replace(core, reply, given)
        return
    thread = body.get("thread_ts") or reply.thread_ts
    message = core.messages.by_bot(text=text, blocks=blocks, thread_ts=thread, metadata=given["metadata"])
    if body.get("response_type") == "in_channel":
        core.messages.post(channel, message)
    else:
        core.messages.whisper(channel, reply.user, message)


def _replace(core: Core, reply: Reply, given: Json) -> None:
    ts = str(reply.ts)
    if not reply.ephemeral:
        channel = core.messages.channels[reply.channel]
        core.messages.edit(channel, ts, text=given["text"], blocks=given["blocks"], metadata=given["metadata"])
    elif core.messages.whispered(ts):
        core.messages.replace_whisper(ts, given["text"] or "", given["blocks"] or ())


def _delete(core: Core, reply: Reply) -> None:
    if reply.ts and not reply.ephemeral:
        core.messages.delete(core.messages.channels[reply.channel], reply.ts)
    elif reply.ts and core.messages.whispered(reply.ts):
        core.messages.drop_whisper(reply.ts)


class ResponseUrls:
    """`POST /response/{token}`: five uses in half an hour."""

    def __init__(self, core: Core, faults: Faults) -> None:
        self._core, self._faults = core, faults
        self.log: list[tuple[str, Json, Json]] = []

    async def handle(self, request: web.Request) -> web.Response:
        """Answer `ok`, or 404 with `used_url`, `expired_url` or `invalid_url`, or 400 for a bad message."""
        fault = self._faults.take("response_url")
        if fault is not None and fault.kind in ("drop_before", "http_500", "ratelimited"):
            return broken(request, fault)
        body = await _body(request)
        answer, status = self._answer(request.match_info["token"], body)
        self.log.append(("response_url", body, answer))
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        response = web.Response(text="ok") if status == 200 else web.json_response(answer, status=status)
        return cut(request, response) if fault is not None and fault.kind == "drop_after" else response

    def _answer(self, token: str, body: Json) -> tuple[Json, int]:
        try:
            show(self._core, self._core.tickets.spend(token), body)
        except SlackError as refusal:
            return refusal.body, 404 if refusal.error.endswith("_url") else 400
        return {"ok": True}, 200


async def _body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text() or "{}")
    except json.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
