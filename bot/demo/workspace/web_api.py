"""The Web API at `/api/<method>`: one table of methods, and what every call goes through."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from bot.demo.workspace import web_chat, web_files, web_info, web_views
from bot.demo.workspace.core import Args, Core, Json
from bot.demo.workspace.errors import SlackError
from bot.demo.workspace.faults import Fault, Faults, RateLimits

POSTING: Final = None
"""Instead of a tier: one message a second in a channel."""


@dataclass(frozen=True)
class Method:
    """A method: what it does, its tier (calls a minute) and its scope. `{kind}` stands for the channel's."""

    run: Callable[[Core, Args], Json]
    tier: int | None = 100
    scope: str | None = None
    app_token: bool = False


METHODS: Final = {
    "auth.test": Method(web_info.auth_test),
    "apps.connections.open": Method(web_info.connections_open, 50, app_token=True),
    "chat.postMessage": Method(web_chat.post_message, POSTING, "chat:write"),
    "chat.update": Method(web_chat.update, 50, "chat:write"),
    "chat.delete": Method(web_chat.delete, 50, "chat:write"),
    "chat.postEphemeral": Method(web_chat.post_ephemeral, 100, "chat:write"),
    "chat.scheduleMessage": Method(web_chat.schedule, 50, "chat:write"),
    "chat.deleteScheduledMessage": Method(web_chat.delete_scheduled, 50, "chat:write"),
    "chat.scheduledMessages.list": Method(web_chat.list_scheduled, 50),
    "chat.getPermalink": Method(web_chat.permalink),
    "conversations.info": Method(web_info.conversation, 50, "{kind}:read"),
    "conversations.members": Method(web_info.members, 100, "{kind}:read"),
    "conversations.open": Method(web_info.open_conversation, 50, "im:write"),
    "conversations.history": Method(web_info.history, 50, "{kind}:history"),
    "conversations.replies": Method(web_info.replies, 50, "{kind}:history"),
    "users.info": Method(web_info.user_info, 100, "users:read"),
    "usergroups.list": Method(web_info.usergroups, 20, "usergroups:read"),
    "usergroups.users.list": Method(web_info.usergroup_users, 20, "usergroups:read"),
    "pins.add": Method(web_info.pin, 20, "pins:write"),
    "pins.remove": Method(web_info.unpin, 20, "pins:write"),
    "pins.list": Method(web_info.pins, 20, "pins:read"),
    "reactions.add": Method(web_info.react, 50, "reactions:write"),
    "files.getUploadURLExternal": Method(web_files.upload_url, 100, "files:write"),
    "files.completeUploadExternal": Method(web_files.complete, 100, "files:write"),
    "views.open": Method(web_views.open_view),
    "views.push": Method(web_views.push),
    "views.update": Method(web_views.update),
    "views.publish": Method(web_views.publish),
}


class WebApi:
    """Every call: who asks, may they, how often, what goes wrong on purpose, then the method itself."""

    def __init__(self, core: Core, faults: Faults, rates: RateLimits | None) -> None:
        self._core, self._faults, self._rates = core, faults, rates
        self.log: list[tuple[str, Json, Json]] = []

    async def handle(self, request: web.Request) -> web.Response:
        """`/api/<method>`, JSON or form, POST or GET; a refusal is HTTP 200, too many calls 429."""
        name = request.match_info["method"]
        given = await arguments(request)
        token = str(given.pop("token", None) or request.headers.get("Authorization", "")[len("Bearer ") :])
        fault = self._faults.take(name)
        if fault is not None and fault.kind in ("drop_before", "http_500", "ratelimited"):
            return self._broken(request, name, given, fault)
        answer, retry_after = self._call(name, Args(given), token)
        self.log.append((name, given, answer))
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        response = self._response(name, answer, retry_after)
        return cut(request, response) if fault is not None and fault.kind == "drop_after" else response

    def _call(self, name: str, args: Args, token: str) -> tuple[Json, int]:
        try:
            method = self._allowed(name, args, token)
            if retry_after := self._too_fast(name, method, args):
                return {"ok": False, "error": "ratelimited"}, retry_after
            return {"ok": True, **method.run(self._core, args)}, 0
        except SlackError as refusal:
            return refusal.body, 0

    def _allowed(self, name: str, args: Args, token: str) -> Method:
        method, seed = METHODS.get(name), self._core.seed
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        if not token:
            raise SlackError("not_authed")
        if token not in (seed.bot_token, seed.app_token):
            raise SlackError("invalid_auth")
        if token != (seed.app_token if method.app_token else seed.bot_token):
            raise SlackError("not_allowed_token_type")
        self._in_scope(method, args)
        return method

    def _in_scope(self, method: Method, args: Args) -> None:
        granted = self._core.seed.scopes
        if granted is None or method.scope is None:
            return
        needed = method.scope.format(kind=self._kind(args)) if "{" in method.scope else method.scope
        if needed not in granted:
            raise SlackError("missing_scope", needed=needed, provided=",".join(granted))

    def _kind(self, args: Args) -> str:
        channel = self._core.messages.channel(args.need("channel"))
        if channel.im_user:
            return "im"
        return "groups" if channel.is_private else "channels"

    def _too_fast(self, name: str, method: Method, args: Args) -> int:
        if self._rates is None:
            return 0
        return self._rates.wait(name, str(args.get("channel") or ""), method.tier)

    def _response(self, name: str, answer: Json, retry_after: int) -> web.Response:
        headers = {"x-slack-req-id": self._core.ids.next("req")}
        if self._core.seed.scopes is not None:
            headers["x-oauth-scopes"] = ",".join(self._core.seed.scopes)
            headers["x-accepted-oauth-scopes"] = METHODS[name].scope or "" if name in METHODS else ""
        if retry_after:
            return web.json_response(answer, status=429, headers={**headers, "Retry-After": str(retry_after)})
        return web.json_response(answer, headers=headers)

    def _broken(self, request: web.Request, name: str, given: Json, fault: Fault) -> web.Response:
        self.log.append((name, given, {"ok": False, "error": f"fault:{fault.kind}"}))
        return broken(request, fault)


def broken(request: web.Request, fault: Fault) -> web.Response:
    """The answer of a fault that has no effect."""
    if fault.kind == "drop_before":
        return cut(request, web.Response())
    if fault.kind == "ratelimited":
        answer = {"ok": False, "error": "ratelimited"}
        return web.json_response(answer, status=429, headers={"Retry-After": "1"})
    return web.Response(status=500, text="Internal Server Error")


def cut(request: web.Request, response: web.Response) -> web.Response:
    """Drop the connection; the response never leaves."""
    if request.transport is not None:
        request.transport.abort()
    return response


async def arguments(request: web.Request) -> dict[str, Any]:
    """Arguments of a call from its query, form or JSON body; a body that cannot be read counts as empty."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except json.JSONDecodeError:
            body = {}
        return {**given, **(body if isinstance(body, dict) else {})}
    return {**given, **{k: v for k, v in (await request.post()).items() if isinstance(v, str)}}
