"""The page's protocol at `/ui`: JSON frames over one WebSocket per look at the workspace."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from bot.demo.workspace.core import Core, Json
from bot.demo.workspace.errors import SlackError
from bot.demo.workspace.people import People
from bot.demo.workspace.web_info import user_object

Queue = asyncio.Queue[Mapping[str, Any]]


def foreign(request: web.Request) -> bool:
    """Whether another site's page is asking: only our own page and plain clients may act for people."""
    origin = request.headers.get("Origin")
    here = urlsplit(f"//{request.host}").hostname in ("127.0.0.1", "localhost")
    return not here or (origin is not None and urlsplit(origin).netloc != request.host)


class Ui:
    """Connections of people."""

    def __init__(self, core: Core, people: People) -> None:
        self._core, self._people = core, people
        self._sockets: set[web.WebSocketResponse] = set()

    async def people(self, request: web.Request) -> web.Response:
        """`GET /ui/people`: who can be acted as."""
        return web.json_response([user_object(p) for p in self._core.seed.humans])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`GET /ui?user=U…`: hello, then what happens, until either side leaves."""
        user_id = request.query.get("user", "")
        if foreign(request) or user_id not in {p.id for p in self._core.seed.humans}:
            return web.Response(status=403, text="Open the page and pick a person there.")
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        queue = self._core.hub.join(user_id)
        self._sockets.add(socket)
        queue.put_nowait(self.hello(user_id))
        writer = asyncio.create_task(_write(socket, queue))
        try:
            await self._listen(socket, user_id, queue)
        finally:
            writer.cancel()
            self._core.hub.leave(user_id, queue)
            self._sockets.discard(socket)
        return socket

    async def _listen(self, socket: web.WebSocketResponse, user_id: str, queue: Queue) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                tasks.create_task(self._act(user_id, message.json(), queue))

    async def _act(self, user_id: str, frame: Mapping[str, Any], queue: Queue) -> None:
        done: Json = {"type": "done", "id": frame.get("id"), "ok": True}
        try:
            await self._people.act(user_id, frame)
        except SlackError as refusal:
            done |= {"ok": False, "error": refusal.error}
        queue.put_nowait(done)

    def hello(self, user_id: str) -> Json:
        """Everything this person can see now."""
        core, seed = self._core, self._core.seed
        mine = [c for c in core.messages.channels.values() if user_id in c.members]
        me = seed.person(user_id)
        return {
            "type": "hello",
            "me": user_object(me) if me else None,
            "users": [user_object(p) for p in (*seed.users, seed.bot)],
            "usergroups": [{"id": g.id, "handle": g.handle, "users": list(g.users)} for g in seed.usergroups],
            "channels": [{"id": c.id, "name": c.name, "members": list(c.members)} for c in mine],
            "commands": list(seed.commands),
            "bot": user_object(seed.bot),
            "messages": {c.id: [core.messages.shown(c, m) for m in core.messages.all(c)] for c in mine},
            "pins": {c.id: list(core.messages.pins[c.id]) for c in mine},
            "ephemeral": core.messages.whispers_to(user_id),
            "home": core.views.home(user_id),
            "views": [core.views.get(v) for v in core.views.stack(user_id)],
        }

    async def close(self) -> None:
        """Say goodbye to everyone."""
        for socket in list(self._sockets):
            await socket.close()


async def _write(socket: web.WebSocketResponse, queue: Queue) -> None:
    while True:
        frame = await queue.get()
        try:
            await socket.send_json(frame)
        except ConnectionResetError:
            return
