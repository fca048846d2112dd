"""Socket Mode: connections by single-use tickets, envelopes to one of them in turn, acks by envelope id."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import WSMsgType, web

from bot.demo.workspace.delivery import ACK_SECONDS, Kind, Outcome, Retry
from bot.demo.workspace.frames import Frames
from bot.demo.workspace.tickets import Tickets

Json = dict[str, Any]
MOST: Final = 10
"""Connections of one app (docs.slack.dev/apis/events-api/using-socket-mode)."""


@dataclass(kw_only=True, eq=False)
class _Link:
    socket: web.WebSocketResponse
    draining: bool = False


class SocketMode:
    """The `Delivery` over WebSockets."""

    def __init__(
        self, frames: Frames, tickets: Tickets, new_id: Callable[[], str], ack_seconds: float = ACK_SECONDS
    ) -> None:
        self._frames, self._tickets, self._new_id, self._ack_seconds = frames, tickets, new_id, ack_seconds
        self._links: list[_Link] = []
        self._acks: dict[str, asyncio.Future[Json]] = {}
        self._turn = 0
        self._changed = asyncio.Condition()

    @property
    def connections(self) -> int:
        """How many connections take envelopes now."""
        return sum(not link.draining for link in self._links)

    async def wait_connected(self, count: int, timeout: float) -> None:  # noqa: ASYNC109
        """Wait until `count` connections are up; TimeoutError otherwise."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: self.connections >= count)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`GET /link/?ticket=…`: one app connection, from hello to its end."""
        if not self._tickets.enter(request.query.get("ticket", "")):
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=403)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        if self.connections >= MOST:
            await socket.send_json(self._goodbye("too_many_websockets"))
            await socket.close()
            return socket
        link = _Link(socket=socket)
        await self._set(link, joined=True)
        try:
            await socket.send_json(self._frames.hello(self.connections))
            await self._listen(socket)
        finally:
            await self._set(link, joined=False)
        return socket

    async def _set(self, link: _Link, *, joined: bool) -> None:
        async with self._changed:
            if joined:
                self._links.append(link)
            else:
                self._links.remove(link)
            self._changed.notify_all()

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            frame = message.json()
            ack = self._acks.pop(str(frame.get("envelope_id")), None)
            if ack is not None and not ack.done():
                ack.set_result(frame)

    async def send(self, kind: Kind, payload: Json, *, accepts: bool, retry: Retry | None = None) -> Outcome:
        """Give the envelope to one connection, the next in turn, and wait for its ack."""
        ready = [link for link in self._links if not link.draining]
        if not ready:
            return Outcome(status="nobody")
        self._turn += 1
        link = ready[self._turn % len(ready)]
        envelope_id = self._new_id()
        self._acks[envelope_id] = asyncio.get_running_loop().create_future()
        envelope = self._envelope(kind, envelope_id, payload, accepts, retry or Retry())
        return await self._exchange(link, envelope, accepts)

    def _envelope(self, kind: Kind, envelope_id: str, payload: Json, accepts: bool, retry: Retry) -> Json:
        envelope: Json = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": accepts,
        }
        again = {"retry_attempt": retry.attempt, "retry_reason": retry.reason}
        return {**envelope, **again} if kind == "events_api" else envelope

    async def _exchange(self, link: _Link, envelope: Json, accepts: bool) -> Outcome:
        ack = self._acks[envelope["envelope_id"]]
        try:
            await link.socket.send_json(envelope)
            frame = await asyncio.wait_for(ack, self._ack_seconds)
        except (TimeoutError, ConnectionResetError):
            return Outcome(status="timeout")
        finally:
            self._acks.pop(envelope["envelope_id"], None)
        return Outcome(status="acked", payload=frame.get("payload") if accepts else None)

    @staticmethod
    def _goodbye(reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to come back on a new one; they take no more envelopes."""
        for link in list(self._links):
            link.draining = True
            await link.socket.send_json(self._goodbye(reason))

    async def close(self) -> None:
        """Close every connection."""
        for link in list(self._links):
            await link.socket.close()
