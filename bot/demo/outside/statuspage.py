"""A stand-in for Atlassian Statuspage: one page with components and maintenances, over its own API."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from bot.demo.outside.served import Served, refused

Json = dict[str, Any]
COMPONENT_STATES = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
PHASES = ("scheduled", "in_progress", "verifying", "completed")
_SETTABLE = ("name", "status", "impact_override", "scheduled_for", "scheduled_until", "metadata")


class FakeStatuspage(Served):
    """``components`` (id -> name) and ``incidents``, newest first, as the API shows them."""

    def __init__(self, *, key: str, page: str, components: Mapping[str, str]) -> None:
        super().__init__(authorization=f"OAuth {key}", prefix="/v1")
        self.components: dict[str, Json] = {
            number: {"id": number, "page_id": page, "name": name, "status": "operational"}
            for number, name in components.items()
        }
        self.incidents: list[Json] = []
        self._page = page
        self._numbers = itertools.count(1)

    def routes(self) -> Iterable[web.RouteDef]:
        """Of all the API has, what a bot may need."""
        at = f"/pages/{self._page}"
        return [
            web.get(f"{at}/incidents", self._list),
            web.post(f"{at}/incidents", self._create),
            web.patch(f"{at}/incidents/{{incident}}", self._update),
            web.get(f"{at}/components", self._list_components),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "100"))
        start = (int(request.query.get("page", "1")) - 1) * limit
        return web.json_response(self.incidents[start : start + limit])

    async def _list_components(self, _request: web.Request) -> web.Response:
        return web.json_response(list(self.components.values()))

    async def _create(self, request: web.Request) -> web.Response:
        given = (await request.json()).get("incident", {})
        if not given.get("name"):
            return refused(422, "Name can't be blank")
        if (problem := self._problem(given)) is not None:
            return problem
        made: Json = {
            "id": f"inc{next(self._numbers):04}",
            "page_id": self._page,
            "impact": "maintenance",
            "components": [],
            "incident_updates": [],
        }
        self.incidents.insert(0, made)
        return web.json_response(self._said(made, given), status=201)

    async def _update(self, request: web.Request) -> web.Response:
        number = request.match_info["incident"]
        found = next((each for each in self.incidents if each["id"] == number), None)
        given = (await request.json()).get("incident", {})
        if found is None:
            return refused(404, "not found")
        return self._problem(given) or web.json_response(self._said(found, given))

    def _problem(self, given: Json) -> web.Response | None:
        """What the real one does not accept either."""
        unknown = {*given.get("component_ids", ()), *given.get("components", {})} - self.components.keys()
        if unknown:
            return refused(422, f"Component {', '.join(sorted(unknown))} is not on this page")
        if given.get("status", PHASES[0]) not in PHASES:
            return refused(422, "Status is not a status of a scheduled maintenance")
        if [each for each in given.get("components", {}).values() if each not in COMPONENT_STATES]:
            return refused(422, "Component status is invalid")
        if [each for each in given.get("metadata", {}).values() if not isinstance(each, dict)]:
            return refused(422, "Metadata's top-level values must be objects")
        return None

    def _said(self, incident: Json, given: Json) -> Json:
        """Everything of one request takes effect together."""
        incident.update({name: given[name] for name in _SETTABLE if name in given})
        for number, state in given.get("components", {}).items():
            self.components[number]["status"] = state
        if "component_ids" in given:
            incident["components"] = [self.components[each] for each in given["component_ids"]]
        if "body" in given:
            update = {
                "id": f"upd{next(self._numbers):04}",
                "incident_id": incident["id"],
                "status": incident["status"],
                "body": given["body"],
                "deliver_notifications": given.get("deliver_notifications", True),
            }
            incident["incident_updates"].insert(0, update)
        return incident
