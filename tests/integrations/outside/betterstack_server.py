"""A stand-in for Better Stack's status reports (betterstack.com/docs/uptime/api), two to a page."""

import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.demo.outside.served import Served, refused

Json = dict[str, Any]
_PAGE = 2


class FakeBetterStack(Served):
    """``reports`` by number, oldest first; ``updates`` of each, oldest first."""

    def __init__(self, *, key: str, page: str, resources: Iterable[str]) -> None:
        super().__init__(authorization=f"Bearer {key}", prefix="/api/v2")
        self.reports: dict[str, Json] = {}
        self.updates: dict[str, list[Json]] = {}
        self._at = f"/status-pages/{page}/status-reports"
        self._resources = set(resources)
        self._numbers = itertools.count(1)

    def routes(self) -> Iterable[web.RouteDef]:
        report = f"{self._at}/{{report}}"
        return [
            web.get(self._at.replace("status-reports", "resources"), self._list_resources),
            web.get(self._at, self._list),
            web.post(self._at, self._create),
            web.patch(report, self._patch),
            web.get(f"{report}/status-updates", self._list_updates),
            web.post(f"{report}/status-updates", self._update),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        found = [{"id": n, "type": "status_report", "attributes": each} for n, each in self.reports.items()]
        return _listed(request, found)

    async def _list_resources(self, request: web.Request) -> web.Response:
        found = [{"id": each, "type": "status_page_resource", "attributes": {}} for each in sorted(self._resources)]
        return _listed(request, found)

    async def _list_updates(self, request: web.Request) -> web.Response:
        found = [{"type": "status_update", "attributes": each} for each in self.updates[request.match_info["report"]]]
        return _listed(request, found)

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["report_type"] == "maintenance" and not body.get("ends_at"):
            return refused(422, "ends_at is required")
        number = str(next(self._numbers))
        if (problem := self._problem(body)) is not None:
            return problem
        kept = ("title", "report_type", "starts_at", "ends_at", "affected_resources")
        self.reports[number] = {name: body[name] for name in kept}
        self.updates[number] = [_said(body)]
        return web.json_response({"data": {"id": number, "attributes": self.reports[number]}}, status=201)

    async def _patch(self, request: web.Request) -> web.Response:
        report = self.reports[request.match_info["report"]]
        report.update(await request.json())
        return web.json_response({"data": {"id": request.match_info["report"], "attributes": report}})

    async def _update(self, request: web.Request) -> web.Response:
        body = await request.json()
        if (problem := self._problem(body)) is not None:
            return problem
        self.updates[request.match_info["report"]].append(_said(body))
        return web.json_response({"data": {"id": "9", "attributes": _said(body)}}, status=201)

    def _problem(self, body: Json) -> web.Response | None:
        affected = body.get("affected_resources", [])
        if [each for each in affected if each["status"] != "maintenance"]:
            return refused(422, "status has to be maintenance")
        unknown = {each["status_page_resource_id"] for each in affected} - self._resources
        return refused(422, f"unknown resource {unknown}") if unknown else None


def _said(body: Json) -> Json:
    """As it is shown again: milliseconds added."""
    at = datetime.fromisoformat(body["published_at"]).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"message": body["message"], "published_at": at, "notify_subscribers": body["notify_subscribers"]}


def _listed(request: web.Request, found: list[Json]) -> web.Response:
    number = int(request.query.get("page", "1"))
    more = f"http://elsewhere/?page={number + 1}" if number * _PAGE < len(found) else None
    return web.json_response({"data": found[(number - 1) * _PAGE : number * _PAGE], "pagination": {"next": more}})
