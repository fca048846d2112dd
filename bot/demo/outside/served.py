"""What the stand-ins over HTTP share: a server on this machine that lets one key in, can go wrong, and remembers."""

from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.demo.http_faults import Faults


class Served:
    """``requests`` are method and path of everything that was asked, refused or not; ``prefix`` begins every path."""

    def __init__(self, *, authorization: str = "", prefix: str = "") -> None:
        self.faults = Faults()
        self.requests: list[str] = []
        self.url = ""
        self.outermost: Middleware | None = None  # sees every exchange as it goes over the wire
        self._authorization = authorization
        self._prefix = prefix
        self._runner: web.AppRunner | None = None

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served, without the prefix."""
        raise NotImplementedError

    def open_to_all(self, _request: web.Request) -> bool:
        """Is this one of the requests that need no key?"""
        return False

    async def start(self, port: int = 0) -> None:
        first = [self.outermost] if self.outermost else []
        app = web.Application(middlewares=[*first, self._remember, self._let_in, self.faults.middleware])
        app.add_routes(
            [web.RouteDef(each.method, self._prefix + each.path, each.handler, each.kwargs) for each in self.routes()]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{self._prefix}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _remember(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path.removeprefix(self._prefix)}")
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return refused(404, "not found")

    @web.middleware
    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self.open_to_all(request) and request.headers.get("Authorization") != self._authorization:
            return refused(401, "unauthorized")
        return await handler(request)


def refused(status: int, message: str) -> web.Response:
    """An error in the form that most APIs have."""
    return web.json_response({"message": message}, status=status)
