"""A stand-in for PagerDuty: its Events API v2 and the part of its REST API that a maintenance needs."""

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.demo.outside.served import Served

Json = dict[str, Any]
_ACTIONS = ("trigger", "acknowledge", "resolve")
_REQUIRED = ("summary", "source", "severity")
_SEVERITIES = ("critical", "error", "warning", "info")


class FakePagerDuty(Served):
    """``keys`` are the Events v2 keys, each of a service; ``on_call`` is who is, as /oncalls shows them.

    ``alerts`` are all that were triggered, by dedup key; ``calls`` is every time somebody was called, which a service
    in an open window never does.
    """

    def __init__(
        self, *, key: str, keys: Mapping[str, str], on_call: Iterable[Json] = (), clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(authorization=f"Token token={key}")
        self.alerts: dict[str, Json] = {}
        self.calls: list[str] = []
        self.changes: list[Json] = []
        self.windows: dict[str, Json] = {}
        self.on_call = list(on_call)
        self.users = ["migrate@example.com", "migrations@example.com"]  # the addresses of its users
        self._keys = dict(keys)
        self._clock = clock
        self._numbers = itertools.count(1)

    def routes(self) -> Iterable[web.RouteDef]:
        """Both APIs on one server; the real ones have a host each."""
        return [
            web.post("/v2/enqueue", self._enqueue),
            web.post("/v2/change/enqueue", self._change),
            web.get("/oncalls", self._oncalls),
            web.get("/services/{service}", self._service),
            web.get("/users", self._users),
            web.get("/change_events", self._changes),
            web.get("/maintenance_windows", self._windows),
            web.post("/maintenance_windows", self._open),
            web.put("/maintenance_windows/{window}", self._move),
            web.delete("/maintenance_windows/{window}", self._close),
        ]

    def open_to_all(self, request: web.Request) -> bool:
        """Events bring their key in the body."""
        return request.path.startswith("/v2/")

    async def _enqueue(self, request: web.Request) -> web.Response:
        event = await request.json()
        service = self._keys.get(event.get("routing_key", ""))
        payload, action = event.get("payload", {}), event.get("event_action")
        wrong = [] if service else ["routing_key is invalid"]
        wrong += [] if action in _ACTIONS else ["event_action is invalid"]
        if action == "trigger":
            wrong += [
                f"payload.{name} is missing" for name in ("summary", "source", "severity") if not payload.get(name)
            ]
            wrong += [] if payload.get("severity") in _SEVERITIES else ["payload.severity is invalid"]
        elif not event.get("dedup_key"):
            wrong.append("dedup_key is missing")
        if wrong or service is None:
            return _invalid(wrong)
        number = event.get("dedup_key") or f"made{next(self._numbers)}"
        self._happened(service, action, number, payload)
        return _accepted(dedup_key=number)

    def _happened(self, service: str, action: str, number: str, payload: Json) -> None:
        alert = self.alerts.get(number)
        if action != "trigger":
            if alert is not None:
                alert["status"] = "resolved" if action == "resolve" else "acknowledged"
            return
        if alert is not None and alert["status"] != "resolved":
            return
        self.alerts[number] = {"status": "triggered", "service": service, **payload}
        if not [each for each in self.windows.values() if service in _services(each) and self._is_open(each)]:
            self.calls.append(number)

    async def _change(self, request: web.Request) -> web.Response:
        event = await request.json()
        if event.get("routing_key") not in self._keys or not event.get("payload", {}).get("summary"):
            return _invalid(["routing_key or payload is invalid"])
        self.changes.append({"id": f"PC{next(self._numbers):05}", "type": "change_event", **event["payload"]})
        return _accepted()

    async def _oncalls(self, request: web.Request) -> web.Response:
        """Those of the asked time (now, without one); people with their address only where they are included."""
        since, until = request.query.get("since", ""), request.query.get("until", "~")
        found = [
            each for each in self.on_call if (each.get("start") or "") < until and (each.get("end") or "~") > since
        ]
        if "users" not in request.query.getall("include[]", []):
            found = [{**each, "user": {**each["user"], "type": "user_reference", "email": None}} for each in found]
        return web.json_response({"oncalls": found, "limit": 100, "offset": 0, "more": False, "total": None})

    async def _service(self, request: web.Request) -> web.Response:
        number = request.match_info["service"]
        if number not in self._keys.values():
            return _error(404, "Not Found")
        return web.json_response({"service": {"id": number, "type": "service", "name": number}})

    async def _users(self, request: web.Request) -> web.Response:
        found = [each for each in self.users if request.query.get("query", "") in each]
        return _page(request, "users", [{"type": "user", "email": each} for each in found])

    async def _changes(self, request: web.Request) -> web.Response:
        return _page(request, "change_events", self.changes)

    async def _windows(self, request: web.Request) -> web.Response:
        wanted = set(request.query.getall("service_ids[]", []))
        found = [each for each in self.windows.values() if self._is_open(each) and wanted & _services(each)]
        return _page(request, "maintenance_windows", found)

    async def _open(self, request: web.Request) -> web.Response:
        if "@" not in request.headers.get("From", ""):
            return _error(400, "Requester User Not Found")
        given = (await request.json())["maintenance_window"]
        made = {**given, "id": f"PW{next(self._numbers):05}"}
        if _moment(made["start_time"]) < self._clock():  # "If this date is in the past, it will be updated"
            made["start_time"] = datetime.fromtimestamp(self._clock(), UTC).isoformat()
        self.windows[made["id"]] = made
        return web.json_response({"maintenance_window": made}, status=201)

    async def _move(self, request: web.Request) -> web.Response:
        found = self.windows.get(request.match_info["window"])
        if found is None:
            return _error(404, "Not Found")
        found.update((await request.json())["maintenance_window"])
        return web.json_response({"maintenance_window": found})

    async def _close(self, request: web.Request) -> web.Response:
        found = self.windows.get(request.match_info["window"])
        if found is None:
            return _error(404, "Not Found")
        if not self._is_open(found):
            return _error(405, "Maintenance window has already ended")
        found["end_time"] = datetime.fromtimestamp(self._clock(), UTC).isoformat()
        return web.Response(status=204)

    def _is_open(self, window: Json) -> bool:
        """As the filter ``open`` has it: under way or still to come."""
        return _moment(window["end_time"]) > self._clock()


def _services(window: Json) -> set[str]:
    return {each["id"] for each in window["services"]}


def _moment(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def _page(request: web.Request, name: str, found: list[Json]) -> web.Response:
    limit, offset = int(request.query.get("limit", "25")), int(request.query.get("offset", "0"))
    shown = found[offset : offset + limit]
    more = offset + limit < len(found)
    return web.json_response({name: shown, "limit": limit, "offset": offset, "more": more, "total": None})


def _accepted(**more: str) -> web.Response:
    return web.json_response({"status": "success", "message": "Event processed", **more}, status=202)


def _invalid(errors: list[str]) -> web.Response:
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return web.json_response(body, status=400)


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": 2100}}, status=status)
