"""What the stand-in has beside services: a database with exports, one-off jobs, measurements, maintenance."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.demo.render.state import OWNER, Json, ServiceRecord, World, made_id

_JOB_STEPS = ("", "pending", "running")  # Render sends null at first
Ending = tuple[int, tuple[str, ...]]


def _done(_command: str) -> Ending:
    return 0, ()


@dataclass
class Estate:
    """``command`` plays a job: its exit code and lines.  ``metrics`` are ready answers by path."""

    world: World
    postgres: str = field(default_factory=lambda: f"{made_id('dpg')}-a")
    status: str = "available"
    recovery: Json = field(default_factory=lambda: {"recoveryStatus": "AVAILABLE", "startsAt": "2026-11-15T00:00:00Z"})
    exports: list[Json] = field(default_factory=list)
    jobs: dict[str, Json] = field(default_factory=dict)
    maintenance: list[Json] = field(default_factory=list)
    metrics: dict[str, list[Json]] = field(default_factory=dict)
    command: Callable[[str], Ending] = _done
    working: dict[str, asyncio.Task[Ending]] = field(default_factory=dict)

    def routes(self, prefix: str) -> list[web.RouteDef]:
        database, jobs = f"{prefix}/postgres/{{postgres}}", f"{prefix}/services/{{service}}/jobs"
        return [
            web.get(database, self._detail),
            web.get(f"{database}/connection-info", self._connection),
            web.get(f"{database}/recovery", self._recovery),
            web.get(f"{database}/export", self._exports),
            web.post(f"{database}/export", self._export),
            web.get(jobs, self._jobs),
            web.post(jobs, self._new_job),
            web.get(f"{jobs}/{{job}}", self._job),
            web.get(f"{prefix}/services/{{service}}/events", self._events),
            web.get(f"{prefix}/maintenance", self._maintenance),
            web.get(f"{prefix}/metrics/{{what}}", self._metrics),
        ]

    async def _detail(self, _request: web.Request) -> web.Response:
        owner = {"id": OWNER, "name": "Casework", "email": "ops@example.com", "type": "team"}
        moments = {"createdAt": "2026-01-05T09:00:00Z", "updatedAt": "2026-11-20T09:00:00Z"}
        lists: Json = {"ipAllowList": None if self.world.nulls else [], "readReplicas": [], "suspenders": []}
        flags = {"highAvailabilityEnabled": True, "diskAutoscalingEnabled": False, "suspended": "not_suspended"}
        names = {"databaseName": "casework", "databaseUser": "casework", "dashboardUrl": "https://dashboard.render.com"}
        kind = {"plan": "pro_8gb", "region": "oregon", "role": "primary", "status": self.status, "version": "16"}
        body = {"id": self.postgres, "name": "casework", "owner": owner}
        return web.json_response({**body, **moments, **lists, **flags, **names, **kind})

    async def _connection(self, _request: web.Request) -> web.Response:
        address = "postgresql://casework:hunter22@{}/casework"  # the stand-in's own
        strings = {"internal": address.format("dpg-1"), "external": address.format("dpg-1.example.com")}
        body = {f"{name}ConnectionString": value for name, value in strings.items()}
        return web.json_response({**body, "password": "hunter22", "psqlCommand": f"psql {strings['external']}"})

    async def _recovery(self, _request: web.Request) -> web.Response:
        return web.json_response(self.recovery)

    async def _exports(self, _request: web.Request) -> web.Response:
        """One that is under way is done at the next look."""
        seen = [dict(each) for each in self.exports]
        for each in self.exports:
            each.setdefault("url", f"https://backups.example.com/{each['id']}?auth=secret-token")
        return web.json_response(seen)

    async def _export(self, _request: web.Request) -> web.Response:
        self.exports.append({"id": made_id("exp"), "createdAt": self.world.moments.now()})
        return web.Response(status=202)

    async def _jobs(self, _request: web.Request) -> web.Response:
        newest = list(reversed(self.jobs.values()))
        return web.json_response([{"job": self._shown(each), "cursor": str(each["id"])} for each in newest])

    async def _new_job(self, request: web.Request) -> web.Response:
        number, service = made_id("job"), request.match_info["service"]
        command = str((await request.json())["startCommand"])
        job: Json = {"id": number, "serviceId": service, "startCommand": command, "planId": "plan-srv-006"}
        self.jobs[number] = {**job, "createdAt": self.world.moments.now(), "status": ""}
        return web.json_response(self._shown(self.jobs[number]), status=201)

    async def _job(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["job"]]
        if job["status"] in _JOB_STEPS:
            self._advance(job)
        return web.json_response(self._shown(job))

    def _advance(self, job: Json) -> None:
        """One step further with each look, but from running only when its command is over."""
        number = str(job["id"])
        if job["status"] == "running":
            if self.working[number].done():
                self._end(job, *self.working.pop(number).result())
            return
        job["status"] = _JOB_STEPS[_JOB_STEPS.index(str(job["status"])) + 1]
        if job["status"] == "running":
            played = asyncio.to_thread(self.command, str(job["startCommand"]))
            self.working[number] = asyncio.create_task(played)

    def _end(self, job: Json, code: int, lines: tuple[str, ...]) -> None:
        job["status"] = "failed" if code else "succeeded"
        self.world.wrote(str(job["id"]), lines)
        reason = {"reason": {"evicted": False, "nonZeroExit": code}} if code else {}
        details: Json = {"jobId": job["id"], "status": job["status"], **reason}
        self.world.happened(self._service(job), "job_run_ended", details)

    def _service(self, job: Json) -> ServiceRecord:
        return self.world.services[str(job["serviceId"])]

    def _shown(self, job: Json) -> Json:
        if job["status"]:
            return job
        bare = {name: value for name, value in job.items() if name != "status"}
        return {**bare, "status": None} if self.world.nulls else bare

    async def _events(self, request: web.Request) -> web.Response:
        service, kind = request.match_info["service"], request.query.get("type", "")
        found = [each for each in self.world.events if each["serviceId"] == service and kind in ("", each["type"])]
        return web.json_response([{"event": each, "cursor": str(each["id"])} for each in reversed(found)])

    async def _maintenance(self, request: web.Request) -> web.Response:
        wanted = request.query.getall("resourceId", [])
        return web.json_response([each for each in self.maintenance if each["resourceId"] in wanted])

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.json_response(self.metrics.get(request.match_info["what"], []))
