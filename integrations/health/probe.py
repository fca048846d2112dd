"""``HealthProbe``: one look at the running system over HTTP, with the runbook's health JSON as the yardstick."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import httpx
import structlog

from bot.ports import Service, Target
from bot.runbook.samples import Sample

logger = structlog.get_logger(__name__)
Pool = Callable[[Target], Awaitable[float | None]]


@dataclass(frozen=True, kw_only=True)
class Health:
    """One service's health answer; ``latency_ms`` is its own measurement of its database."""

    name: str
    healthy: bool
    latency_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Requests:
    """One service's counts over its window; ``p95_ms`` only where there were requests."""

    requests: float
    failed: float
    p95_ms: float | None


class HealthProbe:
    """Measures a target's services; what cannot be measured is ``None``, and a service that is down is no error.

    ``pool(target)`` gives the used share of the connections, 0..1.  ``seconds`` bounds every single question.
    Requests go straight to the services: no proxy of the environment, no redirect (a log-in page is not health).
    """

    def __init__(self, *, pool: Pool, seconds: float = 3.0, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._seconds = seconds
        self._now = now
        self._tls = httpx.create_ssl_context()  # loading the certificates takes longer than a measurement

    async def sample(self, target: Target) -> Sample:
        """All services at once; takes at most about ``seconds``."""
        async with httpx.AsyncClient(verify=self._tls, timeout=self._seconds, trust_env=False) as client:
            health, counts, pool = await asyncio.gather(
                asyncio.gather(*(self._health(client, service) for service in target.services)),
                asyncio.gather(*(self._requests(client, service) for service in target.services)),
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
        )

    async def _health(self, client: httpx.AsyncClient, service: Service) -> Health:
        """Runbook step 6: 200 with status "healthy" and database "connected"."""
        match await self._json(client, service.health_url):
            case {"status": "healthy", "database": "connected", **rest}:
                return Health(name=service.name, healthy=True, latency_ms=number(rest.get("latency")))
            case _:
                return Health(name=service.name, healthy=False)

    async def _requests(self, client: httpx.AsyncClient, service: Service) -> Requests | None:
        found = await self._json(client, service.metrics_url) if service.metrics_url else None
        if not isinstance(found, dict):
            return None
        requests, failed = number(found.get("requests")), number(found.get("failed"))
        if requests is None or failed is None:
            return None
        return Requests(requests=requests, failed=failed, p95_ms=number(found.get("p95_ms")) if requests else None)

    async def _json(self, client: httpx.AsyncClient, url: str) -> object:
        """The JSON of a 200 answer, else ``None``; bounded as a whole, also against an answer that trickles."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await client.get(url)
            return answer.json() if answer.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            logger.debug("probe.no_answer", url=url.partition("?")[0], reason=type(error).__name__)
            return None

    async def _pool_used(self, target: Target) -> float | None:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._pool(target)
        except (OSError, TimeoutError) as error:  # TimeoutError is an OSError; named for the reader
            logger.warning("probe.pool_unknown", target=target.name, reason=type(error).__name__)
            return None


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
