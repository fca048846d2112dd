"""What goes wrong between a client and a stand-in of another system: an aiohttp middleware that spoils answers."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


class Fault(StrEnum):
    """One way for an answer to go wrong."""

    LIMITED = "limited"  # 429 with Ratelimit-Reset; nothing is done
    RETRY_AFTER = "retry-after"  # 429 with Retry-After; nothing is done
    ERROR = "error"  # 500; nothing is done
    ERROR_AFTER = "error-after"  # 500, although it was done
    LOST = "lost"  # it is done, and the connection breaks before the answer
    HANGS = "hangs"  # it is done, and no answer ever comes
    MALFORMED = "malformed"  # it is done, and the answer is not JSON


_AFTER = (Fault.ERROR_AFTER, Fault.LOST, Fault.HANGS, Fault.MALFORMED)


@dataclass
class Faults:
    """The faults to come: each spoils the first request that it fits, and is then used up.

    ``every_write_once``: also the first request of each write (method and path) is lost after it took effect.
    """

    reset: str = "0"  # seconds that a limited client is told to wait
    every_write_once: bool = False
    spoiled: list[str] = field(default_factory=list)  # what has gone wrong so far, as people read it
    _coming: list[tuple[Fault, str, str]] = field(default_factory=list)
    _written: set[str] = field(default_factory=set)

    def next(self, *faults: Fault, method: str = "", path: str = "") -> None:
        """Spoil the next requests with that method and a path that ends so (empty: any)."""
        self._coming.extend((fault, method, path) for fault in faults)

    @property
    def middleware(self) -> Middleware:
        """For ``web.Application(middlewares=[…])``, as the innermost one."""

        @web.middleware
        async def spoiling(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = self._due(request)
            if fault is None:
                return await handler(request)
            self.spoiled.append(f"{fault} {request.method} {request.path}")
            if fault in _AFTER:
                await handler(request)
            return await self._spoilt(request, fault)

        return spoiling

    def _due(self, request: web.Request) -> Fault | None:
        for each in self._coming:
            fault, method, path = each
            if method in ("", request.method) and request.path.endswith(path):
                self._coming.remove(each)
                return fault
        call = f"{request.method} {request.path}"
        if self.every_write_once and request.method != "GET" and call not in self._written:
            self._written.add(call)
            return Fault.LOST
        return None

    async def _spoilt(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        match fault:
            case Fault.LIMITED:
                headers = {"Ratelimit-Limit": "10", "Ratelimit-Remaining": "0", "Ratelimit-Reset": self.reset}
                return web.json_response({"message": "rate limit exceeded"}, status=429, headers=headers)
            case Fault.RETRY_AFTER:
                return web.json_response({}, status=429, headers={"Retry-After": self.reset})
            case Fault.MALFORMED:
                return web.Response(text='{"id": ', content_type="application/json")
            case Fault.HANGS | Fault.LOST:
                await _gone(request, wait=fault is Fault.HANGS)
        return web.json_response({"message": "internal server error"}, status=500)


async def _gone(request: web.Request, *, wait: bool) -> None:
    """Break the connection; or wait until the client does."""
    while request.transport is not None and not request.transport.is_closing():
        if not wait:
            request.transport.close()
        await asyncio.sleep(0.01)
