"""A small stand-in for the workspace server's `/ui` protocol, to test the page alone."""

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from playwright.async_api import Locator, Page, expect

Frame = dict[str, Any]
STATIC = Path(__file__).parents[2] / "bot" / "demo" / "workspace" / "static"
CHANNEL = "C0ENG"
BOT = {"id": "U0BOT", "name": "migrate", "real_name": "Migrate", "is_bot": True}
ANA = {"id": "U0ANA", "name": "ana", "real_name": "Ana Silva"}
BEN = {"id": "U0BEN", "name": "ben", "real_name": "Ben Okafor"}
GROUP = {"id": "S0DBA", "handle": "dba-approvers", "name": "DBA approvers", "users": ["U0ANA"]}
POLICY = "default-src 'self'"
NOON = 1_795_348_800  # 2026-11-22 12:00:00 UTC


class PageServer:
    """Serves the page and speaks `/ui`; a test scripts what each client frame is answered with."""

    def __init__(self) -> None:
        self.received: list[Frame] = []
        self.connected: list[str] = []
        self.answers: dict[str, Callable[[str, Frame], list[Frame]]] = {}
        self.refuse: dict[str, str] = {}
        self.hello: Frame = hello([])
        self.url = ""
        self._sockets: list[tuple[str, web.WebSocketResponse]] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", _index),
                web.get("/ui", self._ui),
                web.get("/ui/people", _people),
                web.get("/ui/outside", _outside),
            ]
        )
        app.router.add_static("/static/", STATIC)
        app.on_response_prepare.append(_strict)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every socket and stop listening."""
        await self.drop()
        assert self._runner is not None
        await self._runner.cleanup()

    async def drop(self) -> None:
        """Cut every open line, as a restart of the server would."""
        sockets, self._sockets = self._sockets, []
        for _, socket in sockets:
            await socket.close()

    async def push(self, frame: Frame, user: str | None = None) -> None:
        """Send a frame to everybody, or to one person."""
        for name, socket in self._sockets:
            if user in (None, name):
                await socket.send_json(frame)

    async def wait_for(self, kind: str, count: int = 1) -> Frame:
        """The `count`-th frame of this type the page has sent."""
        await self._until(lambda: len(self._of(kind)) >= count)
        return self._of(kind)[count - 1]

    async def wait_connected(self, count: int) -> None:
        """Wait until the page has connected this many times in all."""
        await self._until(lambda: len(self.connected) >= count)

    async def _until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(ready)

    def _of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.received if frame["type"] == kind]

    async def _ui(self, request: web.Request) -> web.WebSocketResponse:
        user = request.query["user"]
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        person = next(one for one in (ANA, BEN) if one["id"] == user)
        await socket.send_json({**self.hello, "me": person})
        self._sockets.append((user, socket))
        await self._note(lambda: self.connected.append(user))
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await self._answer(socket, user, json.loads(message.data))
        self._sockets = [pair for pair in self._sockets if pair[1] is not socket]
        return socket

    async def _answer(self, socket: web.WebSocketResponse, user: str, frame: Frame) -> None:
        await self._note(lambda: self.received.append(frame))
        for answer in self.answers.get(frame["type"], _nothing)(user, frame):
            await socket.send_json(answer)
        error = self.refuse.get(frame["type"])
        done: Frame = {"type": "done", "id": frame["id"], "ok": error is None}
        await socket.send_json(done if error is None else {**done, "error": error})

    async def _note(self, change: Callable[[], object]) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()


def _nothing(_user: str, _frame: Frame) -> list[Frame]:
    return []


async def _index(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


async def _people(_request: web.Request) -> web.Response:
    return web.json_response([ANA, BEN])


async def _strict(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = POLICY


_numbers = itertools.count(1)


def message(blocks: list[Mapping[str, Any]] | None = None, *, text: str = "", **more: Any) -> Frame:
    """A message of the bot, a second after the one made before it."""
    stamp = f"{NOON + next(_numbers)}.000100"
    base = {"type": "message", "ts": stamp, "user": BOT["id"], "bot_id": "B0BOT", "text": text}
    return base | ({"blocks": blocks} if blocks else {}) | more


def hello(messages: list[Frame], **more: Any) -> Frame:
    """The first frame, with these messages in the channel."""
    return {
        "type": "hello",
        "me": ANA,
        "users": [ANA, BEN, BOT],
        "usergroups": [GROUP],
        "channels": [{"id": CHANNEL, "name": "engineering", "members": ["U0ANA", "U0BEN", "U0BOT"]}],
        "commands": ["/migrate"],
        "bot": BOT,
        "messages": {CHANNEL: messages},
        "pins": {CHANNEL: []},
        "ephemeral": {CHANNEL: []},
        "home": None,
    } | more


def plain(text: str) -> Frame:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Frame:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def section(text: str, **more: Any) -> Frame:
    """A section with mrkdwn text."""
    return {"type": "section", "block_id": "words", "text": mrkdwn(text), **more}


def option(value: str) -> Frame:
    """An option whose text is its value, capitalised."""
    return {"text": plain(value.capitalize()), "value": value}


def rich(*parts: Frame) -> Frame:
    """A rich_text object of one section with these inline elements."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(parts)}]}


async def visit(page: Page, server: PageServer, person: str = "U0ANA") -> None:
    """Open the page as somebody and wait until the workspace is drawn."""
    await page.goto(f"{server.url}/#as={person}")
    await expect(page.locator("#place-title")).to_have_text("# engineering")


async def drawn(page: Page, server: PageServer, *blocks: Frame) -> Locator:
    """The content of one message made of these blocks."""
    server.hello = hello([message(list(blocks))])
    await visit(page, server)
    return page.locator(".content")


async def said(page: Page, server: PageServer, text: str) -> Locator:
    """A message of mrkdwn text alone."""
    server.hello = hello([message(text=text)])
    await visit(page, server)
    return page.locator(".content .text")


async def _outside(request: web.Request) -> web.Response:
    return web.json_response([])
