"""The workspace as one server: Web API, Socket Mode, response_urls, files, and the page."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web

from bot.demo.workspace import web_files
from bot.demo.workspace.core import Core, Json
from bot.demo.workspace.delivery import ACK_SECONDS, RETRY_DELAYS, Delivery, Events
from bot.demo.workspace.faults import Faults, RateLimits
from bot.demo.workspace.http_mode import HttpMode
from bot.demo.workspace.people import People
from bot.demo.workspace.respond import ResponseUrls
from bot.demo.workspace.seed import Seed
from bot.demo.workspace.socket_mode import SocketMode
from bot.demo.workspace.ui import Ui, foreign
from bot.demo.workspace.web_api import WebApi
from bot.demo.workspace.web_chat import post_due

_STATIC: Final = Path(__file__).parent / "static"
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")


class Workspace:
    """A stand-in Slack for unmodified slack_sdk and slack_bolt clients, on this machine only.

    `ack_seconds` and `retry_delays` are Slack's 3 s and 0, 60, 300 s unless a test shortens them; `clock`
    is what triggers, response_urls, rate limits and schedules go by. `log` holds every API call as
    (method, arguments, answer).
    """

    def __init__(
        self,
        seed: Seed,
        *,
        rate_limits: bool = False,
        clock: Callable[[], float] = time.time,
        ack_seconds: float = ACK_SECONDS,
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self.core = Core(seed=seed, clock=clock, on_schedule=self.wake)
        self.faults = Faults()
        core = self.core
        self._sockets = SocketMode(core.frames, core.tickets, lambda: core.ids.next("env-"), ack_seconds)
        self._http = (
            HttpMode(url=seed.request_url, secret=seed.signing_secret, clock=clock, ack_seconds=ack_seconds)
            if seed.request_url
            else None
        )
        delivery: Delivery = self._http or self._sockets
        self._events = Events(delivery, retry_delays)
        self._api = WebApi(core, self.faults, RateLimits(clock) if rate_limits else None)
        self._responses = ResponseUrls(core, self.faults)
        self._responses.log = self._api.log
        self.outside: Callable[[], list[Json]] | None = None  # what other systems show, for the page's panel
        self._ui = Ui(core, People(core, delivery, self._events))
        self._wake = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._schedule: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the page is: `http://127.0.0.1:PORT`; empty before start."""
        return self.core.url

    @property
    def api_url(self) -> str:
        """`base_url` for slack_sdk clients."""
        return f"{self.url}/api/"

    @property
    def log(self) -> list[tuple[str, Json, Json]]:
        """Every Web API and response_url call so far, oldest first."""
        return self._api.log

    @property
    def connections(self) -> int:
        """Socket Mode connections that take envelopes."""
        return self._sockets.connections

    def messages(self, channel: str) -> list[Json]:
        """Every message of a channel (id, `#name`, or a user id for their direct message), oldest first."""
        return self.core.messages.all(self.core.messages.channel(channel))

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 picks a free one. Refuses any address that other machines can reach."""
        if host not in _LOCAL:
            raise ValueError(f"The demo workspace has no passwords, so it listens on this machine only: {host}")
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.core.url = f"http://{host}:{self._runner.addresses[0][1]}"
        self._schedule = asyncio.create_task(self._post_scheduled())

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._schedule is not None:
            self._schedule.cancel()
            await asyncio.gather(self._schedule, return_exceptions=True)
        await self._events.close()
        await self._sockets.close()
        await self._ui.close()
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def wait_connected(self, count: int = 1, timeout: float = 120.0) -> None:  # noqa: ASYNC109
        """Wait until the bot has this many Socket Mode connections."""
        await self._sockets.wait_connected(count, timeout)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect` to every Socket Mode connection, as Slack does every few hours."""
        await self._sockets.disconnect(reason)

    def wake(self) -> None:
        """Look again at what is due, for instance after a test moved the clock."""
        self._wake.set()

    async def _post_scheduled(self) -> None:
        while True:
            self._wake.clear()
            due = post_due(self.core)
            wait = None if due is None else max(0.0, due - self.core.clock())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)

    async def _outside(self, request: web.Request) -> web.Response:
        """What the systems outside of the channel show; an empty list in a workspace that has none."""
        if foreign(request):
            return web.Response(status=403, text="Open the page of this workspace.")
        return web.json_response(self.outside() if self.outside else [])

    def _app(self) -> web.Application:
        app, core = web.Application(client_max_size=64 * 2**20), self.core
        app.on_response_prepare.append(_strict)
        app.router.add_route("*", "/api/{method}", self._api.handle)
        app.router.add_get("/link/", self._sockets.handle)
        app.router.add_post("/response/{token}", self._responses.handle)
        app.router.add_post("/upload/{id}", partial(web_files.receive, core))
        app.router.add_get("/files/{id}/{name}", partial(web_files.download, core))
        app.router.add_get("/ui", self._ui.handle)
        app.router.add_get("/ui/people", self._ui.people)
        app.router.add_get("/ui/outside", self._outside)
        app.router.add_get("/archives/{channel}/{message}", _permalink)
        app.router.add_get("/", _page)
        if _STATIC.is_dir():
            app.router.add_static("/static/", _STATIC)
        return app


async def _strict(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"


async def _page(request: web.Request) -> web.StreamResponse:
    page = _STATIC / "index.html"
    if not page.is_file():
        return web.Response(status=404, text="The page of this workspace is not installed.")
    return web.FileResponse(page)


async def _permalink(request: web.Request) -> web.Response:
    digits = request.match_info["message"].lstrip("p")
    raise web.HTTPFound(f"/#{request.match_info['channel']}/{digits[:-6]}.{digits[-6:]}")
