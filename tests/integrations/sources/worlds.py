"""The same traffic in each system that has metrics: a hundred answers, ten of them failures, p95 300 ms."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.ports import Source
from bot.runbook.readings import Reading
from bot.target import Target
from integrations.http.client import Policy
from integrations.newrelic.site import NewRelicSite
from integrations.newrelic.source import NewRelic
from integrations.prometheus.site import PrometheusSite
from integrations.prometheus.source import Prometheus
from integrations.render.api import RenderApi
from integrations.render.source import RenderMetrics
from tests.integrations.render.hosting import hosted
from tests.integrations.services.making import free_port, target
from tests.integrations.sources.newrelic_server import KEY, NerdGraph, Transaction
from tests.integrations.sources.prometheus_server import Exporter, scraping

QUICK = Policy(answer=2.0, attempts=2, patience=1.0, pause=0.01)


@dataclass(frozen=True, kw_only=True)
class World:
    """A system with a source that reads it.  ``busy`` and ``old`` make it so; ``away`` is one that nobody answers."""

    source: Source
    away: Source
    of: Target
    busy: Callable[[], Awaitable[None]]
    old: Callable[[], Awaitable[None]]

    async def measure(self) -> Reading:
        return await self.source.measure(self.of)

    async def until(self, condition: Callable[[Reading], bool]) -> Reading:
        """The first reading of which it is true."""
        deadline = time.monotonic() + 60
        while not condition(found := await self.measure()):
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.1)
        return found


Open = Callable[[Path], AbstractAsyncContextManager[World]]
NOBODY = f"http://127.0.0.1:{free_port()}"


@asynccontextmanager
async def new_relic(folder: Path) -> AsyncIterator[World]:
    fake = NerdGraph()
    site = NewRelicSite(account=7, key=KEY, apps=("casework-web",), url=fake.url)
    absent = replace(site, url=NOBODY)

    async def busy() -> None:
        fake.transactions = [
            Transaction(error=n < 10, duration=0.3 if n < 10 else 0.05, status=503 if n < 10 else 200)
            for n in range(100)
        ]

    async def old() -> None:
        fake.transactions = [replace(each, at=each.at - 600) for each in fake.transactions]

    runner = await fake.start()
    try:
        yield World(
            source=NewRelic(site, client=site.client(QUICK)), away=NewRelic(absent, client=absent.client(QUICK)),
            of=target(folder), busy=busy, old=old,
        )  # fmt: skip
    finally:
        await runner.cleanup()


@asynccontextmanager
async def prometheus(folder: Path) -> AsyncIterator[World]:
    exporter = Exporter(traffic=False)

    async def busy() -> None:
        exporter.traffic = True

    async def old() -> None:
        exporter.up = False

    async with scraping(folder, exporter) as url:
        site = PrometheusSite(url=url, selector='job="casework"', window=8.0)
        absent = replace(site, url=NOBODY)
        yield World(
            source=Prometheus(site, client=site.client(QUICK)), away=Prometheus(absent, client=absent.client(QUICK)),
            of=target(folder), busy=busy, old=old,
        )  # fmt: skip


@asynccontextmanager
async def render(folder: Path) -> AsyncIterator[World]:
    async with hosted(folder) as there:

        def seen(ago: float) -> None:
            stamp = datetime.fromtimestamp(time.time() - ago, UTC).isoformat()

            def series(unit: str, value: float, status: str) -> dict[str, object]:
                label = {"field": "statusCode", "value": status}
                return {"unit": unit, "labels": [label], "values": [{"timestamp": stamp, "value": value}]}

            there.fake.estate.metrics = {
                "http-requests": [series("requests", 45, "200"), series("requests", 5, "503")],
                "http-latency": [series("seconds", 0.3, "")],
            }

        async def busy() -> None:
            seen(30.0)

        async def old() -> None:
            seen(600.0)

        absent = replace(there.site, url=NOBODY)
        away = RenderMetrics(absent, api=RenderApi(absent.client(QUICK)))
        yield World(source=RenderMetrics(there.site, api=there.api), away=away, of=there.of, busy=busy, old=old)


WORLDS: dict[str, Open] = {"New Relic": new_relic, "Prometheus": prometheus, "Render": render}
