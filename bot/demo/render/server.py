"""The stand-in's HTTP side: the routes we use, Render's headers, and faults on demand."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.demo.http_faults import Faults
from bot.demo.processes import free_port
from bot.demo.render.estate import Estate
from bot.demo.render.shapes import deploy_json, service_json
from bot.demo.render.state import ServiceRecord, World, made_id

_Answering = Callable[[web.Request, ServiceRecord], Awaitable[web.Response]]


class FakeRender:
    """``world`` behind HTTP; ``key`` is the one that is let in, ``prefix`` the start of every path."""

    def __init__(self, world: World | None = None, *, key: str, prefix: str = "/v1") -> None:
        self.world = world or World()
        self.estate = Estate(self.world)
        self.faults = Faults()
        self.key = key
        self.requests: list[str] = []
        self._read: dict[str, int] = {}  # lines of each service's log that are known
        self._prefix = prefix
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, port: int = 0) -> None:
        self._runner = web.AppRunner(self._app(), shutdown_timeout=1.0)
        await self._runner.setup()
        number = free_port(port)
        await web.TCPSite(self._runner, "127.0.0.1", number).start()
        self.url = f"http://127.0.0.1:{number}{self._prefix}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._headers, self._let_in, self.faults.middleware])
        at = f"{self._prefix}/services/{{service}}"
        app.add_routes(
            [
                web.get(at, self._of(self._service)),
                web.patch(at, self._of(self._patch)),
                web.get(f"{at}/instances", self._of(self._instances)),
                web.get(f"{at}/deploys", self._of(self._deploys)),
                web.post(f"{at}/suspend", self._of(self._suspend)),
                web.post(f"{at}/resume", self._of(self._resume)),
                web.post(f"{at}/restart", self._of(self._restart)),
                web.post(f"{at}/rollback", self._of(self._rollback)),
                web.get(f"{self._prefix}/logs", self._logs),
                *self.estate.routes(self._prefix),
            ]
        )
        return app

    @web.middleware
    async def _headers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """As recorded: seconds left, not a moment."""
        self.requests.append(f"{request.method} {request.path.removeprefix(self._prefix)}")
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            response = _refused(404, f"not found: {request.path.rsplit('/', 1)[-1]}")
        if not response.prepared:
            response.headers.setdefault("Ratelimit-Limit", "400")
            response.headers.setdefault("Ratelimit-Remaining", "399")
            response.headers.setdefault("Ratelimit-Reset", "42")
            response.headers["Render-Request-Id"] = made_id("req", 8)
        return response

    @web.middleware
    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _refused(401, "unauthorized")
        return await handler(request)

    def _of(self, answering: _Answering) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def found(request: web.Request) -> web.Response:
            number = request.match_info["service"]
            service = self.world.services.get(number)
            return await answering(request, service) if service else _refused(404, f"not found: {number}")

        return found

    async def _service(self, _request: web.Request, service: ServiceRecord) -> web.Response:
        return web.json_response(service_json(service))

    async def _patch(self, request: web.Request, service: ServiceRecord) -> web.Response:
        body = await request.json()
        if "autoDeploy" in body:
            service.auto_deploy = body["autoDeploy"] == "yes"
        if mode := body.get("serviceDetails", {}).get("maintenanceMode"):
            if service.kind != "web_service" or service.free:
                return _refused(400, "maintenance mode is for paid web services")
            service.maintenance, service.maintenance_uri = mode["enabled"], mode["uri"]
            self.world.happened(service, "maintenance_mode_enabled", {"enabled": service.maintenance})
        return web.json_response(service_json(service))

    async def _instances(self, _request: web.Request, service: ServiceRecord) -> web.Response:
        await self.world.looked_at(service)
        return web.json_response([{"id": each, "createdAt": "2026-11-22T18:00:00Z"} for each in service.instances])

    async def _deploys(self, request: web.Request, service: ServiceRecord) -> web.Response:
        await self.world.looked_at(service)
        newest = list(reversed(service.deploys))[: int(request.query.get("limit", "20"))]
        nulls = self.world.nulls
        return web.json_response([{"deploy": deploy_json(each, nulls=nulls), "cursor": each.id} for each in newest])

    async def _suspend(self, _request: web.Request, service: ServiceRecord) -> web.Response:
        await self.world.suspend(service)
        return web.Response(status=202)

    async def _resume(self, _request: web.Request, service: ServiceRecord) -> web.Response:
        if [each for each in service.suspenders if each != "user"]:
            return _refused(400, "service is suspended by Render")
        await self.world.resume(service)
        return web.Response(status=202)

    async def _restart(self, _request: web.Request, service: ServiceRecord) -> web.Response:
        if service.suspended:
            return _refused(400, "service is suspended")
        await self.world.restart(service)
        return web.Response(status=200)

    async def _rollback(self, request: web.Request, service: ServiceRecord) -> web.Response:
        """It leaves automatic deploys on, as the real one does."""
        number = (await request.json()).get("deployId")
        wanted = next((each for each in service.deploys if each.id == number), None)
        if service.suspended:  # what the real one does is not known; a client that never asks is safe
            return _refused(400, "service is suspended")
        if wanted is None:
            return _refused(404, f"not found: {number}")
        made = self.world.deploy(service, wanted.commit, "rollback")
        return web.json_response(deploy_json(made, nulls=self.world.nulls), status=201)

    async def _logs(self, request: web.Request) -> web.Response:
        """Newest first unless asked otherwise; the next page begins after the last line of this one."""
        query = request.query
        await self._catch_up(query.getall("resource"))
        wanted = [each for each in self.world.logs if _fits(each, query.getall("resource"), query.getall("level", []))]
        wanted = [each for each in wanted if str(each["timestamp"]) > query.get("startTime", "")]
        if query.get("direction", "backward") == "backward":
            wanted.reverse()
        limit = int(query.get("limit", "20"))
        page, more = wanted[:limit], len(wanted) > limit
        last = str(page[-1]["timestamp"]) if page else self.world.moments.now()
        body = {"logs": page, "hasMore": more, "nextStartTime": last, "nextEndTime": self.world.moments.now()}
        return web.json_response(body)

    async def _catch_up(self, resources: list[str]) -> None:
        """What the machines have written since the last look."""
        for service in (self.world.services[each] for each in resources if each in self.world.services):
            lines = await self.world.machines.log(service.name)
            self.world.wrote(service.id, lines[self._read.get(service.id, 0) :])
            self._read[service.id] = len(lines)


def _fits(line: dict[str, object], resources: list[str], levels: list[str]) -> bool:
    labels = line["labels"]
    values = {str(each["name"]): str(each["value"]) for each in labels} if isinstance(labels, list) else {}
    return values.get("resource") in resources and (not levels or values.get("level") in levels)


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
