"""``HealthProbe``: one look at the running system over HTTP, with the runbook's health JSON as the yardstick."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from bot.runbook.samples import Sample
from bot.target import Service, Target, Workflow
from integrations.http.lenient import along, same

logger = structlog.get_logger(__name__)
Pool = Callable[[Target], Awaitable[float | None]]


@dataclass(frozen=True, kw_only=True)
class Health:
    """One service's health answer; ``latency_ms`` is its own measurement of its database.

    ``connected``: does it reach its database?  ``None`` where it does not say.
    """

    name: str
    healthy: bool
    latency_ms: float | None = None
    connected: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Requests:
    """One service's counts over its window; ``p95_ms`` only where there were requests."""

    requests: float
    failed: float
    p95_ms: float | None


class HealthProbe:
    """Measures a target's services; what cannot be measured is ``None``, and a service that is down is no error.

    ``pool(target)`` gives the used share of the connections, 0..1, and raises ``OSError`` where it cannot connect.
    ``seconds`` bounds every single question that has no time of its own.
    Requests go straight to the services: no proxy of the environment, no redirect (a log-in page is not health).
    """

    def __init__(self, *, pool: Pool, seconds: float = 3.0, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._seconds = seconds
        self._now = now
        self._tls = httpx.create_ssl_context()  # loading the certificates takes longer than a measurement

    async def sample(self, target: Target) -> Sample:
        """All services at once; takes at most about ``seconds``, or the longest time that a workflow has."""
        async with httpx.AsyncClient(verify=self._tls, timeout=self._seconds, trust_env=False) as client:
            health, counts, works, (connected, pool) = await asyncio.gather(
                asyncio.gather(*(self._health(client, service) for service in target.services)),
                asyncio.gather(*(self._requests(client, service) for service in target.services)),
                asyncio.gather(*(self._works(client, each) for each in target.workflows)),
                self._pool_used(target),
            )
        failed = failed_share(each for each in counts if each)
        return Sample(
            at=self._now(),
            healthy=tuple(each.name for each in health if each.healthy),
            unhealthy=tuple(each.name for each in health if not each.healthy),
            error_rate=failed,
            failed_rate=failed,
            p95_ms=highest(each.p95_ms for each in counts if each),
            pool=pool,
            latency_ms=highest(each.latency_ms for each in health),
            connection_failures=failures((connected, *(each.connected for each in health))),
            broken=tuple(each.name for each, fine in zip(target.workflows, works, strict=True) if not fine),
        )

    async def _health(self, client: httpx.AsyncClient, service: Service) -> Health:
        """Runbook step 6: 200 with status "healthy" and database "connected", or as configured; others may say why."""
        code, found = await self._answer(client, service.health_url)
        wanted, path = service.health, service.health.database
        healthy = code == httpx.codes.OK and holds(found, wanted.expect)
        expected, said = dict(wanted.expect).get(path), along(found, path)
        connected = None if expected is None or not isinstance(said, str | bool) else same(said, expected)
        latency = number(along(found, wanted.latency)) if healthy else None
        return Health(name=service.name, healthy=healthy, latency_ms=latency, connected=connected)

    async def _works(self, client: httpx.AsyncClient, workflow: Workflow) -> bool:
        """Runbook step 7: does the critical workflow answer as it should?"""
        seconds = workflow.timeout or self._seconds
        body = {"content": workflow.body} if workflow.body else {"json": workflow.json}
        asked = {**body, "headers": dict(workflow.headers), "timeout": seconds}
        code, found = await self._answer(client, workflow.url, workflow.method, seconds=seconds, **asked)
        return fits(workflow, code, found)

    async def _requests(self, client: httpx.AsyncClient, service: Service) -> Requests | None:
        code, found = await self._answer(client, service.metrics_url) if service.metrics_url else (0, None)
        if code != httpx.codes.OK or not isinstance(found, dict):
            return None
        requests, failed = number(found.get("requests")), number(found.get("failed"))
        if requests is None or failed is None:
            return None
        return Requests(requests=requests, failed=failed, p95_ms=number(found.get("p95_ms")) if requests else None)

    async def _answer(
        self, client: httpx.AsyncClient, url: str, method: str = "GET", *, seconds: float | None = None, **asked: Any
    ) -> tuple[int, object]:
        """Status code and JSON (``None`` for anything else); code 0 without an answer.

        Bounded as a whole, also against an answer that trickles.
        """
        try:
            async with asyncio.timeout(seconds or self._seconds):
                answer = await client.request(method, url, **asked)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            logger.debug("probe.no_answer", url=url.partition("?")[0], reason=type(error).__name__)
            return 0, None
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, None

    async def _pool_used(self, target: Target) -> tuple[bool, float | None]:
        """Could the probe itself connect to the database, and what share of the connections is used?"""
        try:
            async with asyncio.timeout(self._seconds):
                return True, await self._pool(target)
        except (OSError, TimeoutError) as error:  # TimeoutError is an OSError; named for the reader
            logger.warning("probe.not_connected", target=target.name, reason=type(error).__name__)
            return False, None


def fits(workflow: Workflow, code: int, found: object) -> bool:
    """Is it what the workflow should answer?"""
    wanted = workflow.expect_status
    return (code == wanted if wanted else 200 <= code < 300) and holds(found, workflow.expect_json)


def holds(found: object, expected: Iterable[tuple[str, object]]) -> bool:
    """Does the JSON have each path's value?"""
    return all(same(along(found, path), value) for path, value in expected)


def failures(attempts: Iterable[bool | None]) -> float | None:
    """The share of the attempts to reach the database that failed; without an attempt there is no share."""
    made = [each for each in attempts if each is not None]
    return made.count(False) / len(made) if made else None


def failed_share(counts: Iterable[Requests]) -> float | None:
    """Failed requests of all requests, over all services; without requests there is no rate."""
    counts = tuple(counts)
    requests = sum(each.requests for each in counts)
    return min(1.0, sum(each.failed for each in counts) / requests) if requests else None


def highest(values: Iterable[float | None]) -> float | None:
    """The worst of the measured values; ``None`` when nothing was measured."""
    return max((each for each in values if each is not None), default=None)


def number(value: object) -> float | None:
    """A finite number of zero or more, else ``None`` (JSON also has booleans, texts and NaN)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None
