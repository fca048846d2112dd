"""Render's own measurements: a source that needs no setting up.  No data is its own answer, never zero."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.http.client import Params
from integrations.http.lenient import at, objects, text
from integrations.render.api import RenderApi

_IN_MS = {"s": 1000.0, "seconds": 1000.0, "ms": 1.0, "milliseconds": 1.0}
RESOLUTION = 60  # seconds; Render takes 30 at least


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value of one series; ``label`` is what it was aggregated by (a status code), ``at`` is POSIX seconds."""

    value: float
    unit: str
    label: str = ""
    at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Requests:
    """How many answers there were in so many minutes, and how many of them had a status of 5xx."""

    total: float
    failed: float
    minutes: float


class Metrics:
    """The last ``minutes`` of some resources; ``None`` where Render has no data of that time."""

    def __init__(self, api: RenderApi, *, minutes: float = 5.0, now: Callable[[], float] = time.time) -> None:
        self._api = api
        self._minutes = minutes
        self._now = now

    async def cpu(self, resource: str) -> Point | None:
        """The newest value, in Render's unit: look at ``unit``."""
        return _newest(await self._points("/metrics/cpu", resource))

    async def memory(self, resource: str) -> Point | None:
        return _newest(await self._points("/metrics/memory", resource))

    async def connections(self, postgres: str) -> Point | None:
        """Active connections of a database."""
        return _newest(await self._points("/metrics/active-connections", postgres))

    async def p95_ms(self, resource: str) -> float | None:
        """The newest 95th percentile of the answers' times, in ms; ``None`` for a unit that we do not know."""
        found = _newest(await self._points("/metrics/http-latency", resource, {"quantile": 0.95}))
        factor = None if found is None else _IN_MS.get(found.unit.lower())
        return None if found is None or factor is None else found.value * factor

    async def requests(self, resources: Sequence[str]) -> Requests | None:
        """The answers of all resources together; ``None`` where there were none."""
        each = [await self._points("/metrics/http-requests", one, {"aggregateBy": "statusCode"}) for one in resources]
        points = [point for found in each for point in found]
        failed = sum(point.value for point in points if point.label.startswith("5"))
        total = sum(point.value for point in points)
        return Requests(total=total, failed=failed, minutes=self._minutes) if total > 0 else None

    async def _points(self, path: str, resource: str, query: Params | None = None) -> tuple[Point, ...]:
        begin = self._now() - self._minutes * 60
        window: dict[str, str | int] = {
            "startTime": datetime.fromtimestamp(begin, UTC).isoformat(timespec="seconds"),
            "resolutionSeconds": RESOLUTION,
        }
        answer = await self._api.client.read(path, params={"resource": resource, **window, **(query or {})})
        points = (point for series in objects(answer.data) for point in _of_series(series))
        return tuple(each for each in points if each.at >= begin)


def _of_series(series: object) -> tuple[Point, ...]:
    labels = {text(each, "field"): text(each, "value") for each in objects(series, "labels")}
    unit, label = text(series, "unit"), labels.get("statusCode", "")
    pairs = [(at(each, "value"), _moment(text(each, "timestamp"))) for each in objects(series, "values")]
    return tuple(
        Point(value=float(value), unit=unit, label=label, at=moment)
        for value, moment in pairs
        if isinstance(value, int | float) and not isinstance(value, bool)
    )


def _moment(written: str) -> float:
    """POSIX seconds; a moment that cannot be read is long ago, so that nothing is held to be new by mistake."""
    try:
        return datetime.fromisoformat(written).timestamp()
    except ValueError:
        return 0.0


def _newest(points: Sequence[Point]) -> Point | None:
    return max(points, key=lambda each: each.at, default=None)
