"""A light, steady stream of requests against the sample's services; one that is down is counted, not raised."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from bot.demo.sample_work import WORKFLOWS

REQUEST_SECONDS = 5.0
MOST_AT_ONCE = 50  # beyond this a request counts as failed without being sent: the service is stuck
MIX = ("/dashboard", "/search", "/login", "/dashboard", "/search", "/documents", "/dashboard", "/cases")
METHODS = {path: method for method, path in WORKFLOWS}


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What was asked and what came back; ``p95_ms`` is over answered requests, 0 when none was."""

    seconds: float
    requests: int
    failed: int
    p95_ms: float

    @property
    def error_rate(self) -> float:
        """Failed requests by all requests, 0 to 1."""
        return self.failed / self.requests if self.requests else 0.0


@dataclass(kw_only=True)
class _Tally:
    sent: int = 0
    failed: int = 0
    under_way: int = 0
    times: list[float] = field(default_factory=list)


async def load(urls: Sequence[str], *, requests_per_second: float, stop: asyncio.Event) -> LoadReport:
    """Ask every service in turn for the critical workflows until ``stop`` is set.

    ``urls`` are base addresses such as ``http://127.0.0.1:8001``. The pace is kept whatever the answers take.
    """
    began, tally = time.monotonic(), _Tally()
    turns = itertools.cycle(itertools.product(MIX, urls))
    async with httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False) as client, asyncio.TaskGroup() as asked:
        while not stop.is_set():
            path, base = next(turns)
            tally.sent += 1
            if tally.under_way < MOST_AT_ONCE:
                tally.under_way += 1
                asked.create_task(_ask(client, base.rstrip("/") + path, METHODS[path], tally))
            else:
                tally.failed += 1
            await _pause(stop, until=began + tally.sent / requests_per_second)
    return LoadReport(
        seconds=time.monotonic() - began,
        requests=tally.sent,
        failed=tally.failed,
        p95_ms=_p95(tally.times),
    )


async def _ask(client: httpx.AsyncClient, url: str, method: str, tally: _Tally) -> None:
    began = time.monotonic()
    try:
        good = (await client.request(method, url)).is_success
        tally.times.append((time.monotonic() - began) * 1000)
    except httpx.HTTPError:
        good = False
    tally.failed += not good
    tally.under_way -= 1


async def _pause(stop: asyncio.Event, *, until: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, until - time.monotonic())):
            await stop.wait()


def _p95(times: list[float]) -> float:
    """By nearest rank."""
    ranked = sorted(times)
    return round(ranked[-(-len(ranked) * 95 // 100) - 1], 1) if ranked else 0.0
