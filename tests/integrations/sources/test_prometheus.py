"""What a real Prometheus says to queries of one's own, good and bad, and how it is entered."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from bot.ports import StepError
from bot.runbook.readings import Figure
from integrations.prometheus.site import PrometheusSite
from integrations.prometheus.source import Prometheus
from tests.integrations.services.making import free_port, target
from tests.integrations.sources.prometheus_server import Exporter, scraping
from tests.integrations.sources.worlds import QUICK, World

pytestmark = pytest.mark.xdist_group("sources")
OWN = {
    "error_rate": "vector(6)",
    "failed_rate": "",
    "p95_ms": "histogram_quantile(",
    "latency_ms": 'label_replace(vector(7), "pod", "a", "", "") or label_replace(vector(9), "pod", "b", "", "")',
    "pool": "scalar(vector(0.5))",
    "throughput": "0 / vector(0)",
}


def source(site: PrometheusSite) -> Prometheus:
    return Prometheus(site, client=site.client(QUICK))


async def test_queries_of_ones_own_and_their_faults(tmp_path: Path) -> None:
    """A scalar and the worst of several series count; per cents, NaN and a query that is none are gaps; one is off."""
    async with scraping(tmp_path, Exporter(failures=False)) as url:
        site = PrometheusSite(url=url, selector='job="casework"', window=8.0)
        usual = World(source=source(site), away=source(site), of=target(tmp_path), busy=never, old=never)
        found = await usual.until(lambda each: each.error_rate is not None)
        assert (0.0, 0.0) == (found.error_rate, found.failed_rate)  # not one failure was ever counted: known to be none

        odd = replace(usual, source=source(replace(site, queries=OWN)))
        found = await odd.until(lambda each: each.latency_ms is not None)

    gaps = {each.figure: each.why for each in found.gaps}
    assert (9.0, 0.5, None) == (found.latency_ms, found.pool, found.error_rate)
    assert {Figure.ERROR_RATE, Figure.P95, Figure.THROUGHPUT} == set(gaps)
    assert "6 is no share between 0 and 1" == gaps[Figure.ERROR_RATE]
    assert "parse error" in gaps[Figure.P95]
    assert "no data" == gaps[Figure.THROUGHPUT]


async def never() -> None:
    raise AssertionError("nobody asks for that here")


async def test_when_every_query_fails_the_source_does(tmp_path: Path) -> None:
    """With Prometheus' own words."""
    async with scraping(tmp_path, Exporter()) as url:
        broken = PrometheusSite(url=url, selector="job=casework")
        with pytest.raises(StepError, match="Prometheus answered 400"):
            await source(broken).measure(target(tmp_path))


class Gate:
    """What stands in front of a Prometheus: lets in by password or token, and answers ``said``."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.said = '{"status": "success", "data": {"resultType": "vector", "result": []}}'
        self.status = 200
        self.url = f"http://127.0.0.1:{free_port()}"

    async def query(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("Authorization", ""))
        return web.Response(text=self.said, status=self.status, content_type="application/json")


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    gate, app = Gate(), web.Application()
    app.add_routes([web.get("/api/v1/query", gate.query)])
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(gate.url.rpartition(":")[2])).start()
    yield gate
    await runner.cleanup()


async def test_it_is_entered_by_token_or_password(gate: Gate, tmp_path: Path) -> None:
    """Nothing is sent where nothing is configured."""
    site = PrometheusSite(url=gate.url, selector="")
    for each in (site, replace(site, token="t0ken"), replace(site, username="bot", password="pa:ss")):
        await source(each).measure(target(tmp_path))
    basic = base64.b64encode(b"bot:pa:ss").decode()
    assert {"", "Bearer t0ken", f"Basic {basic}"} == set(gate.seen)
    assert "t0ken" not in repr(replace(site, token="t0ken", password="t0ken"))


async def test_a_refusal_names_the_variable_and_hides_the_secret(gate: Gate, tmp_path: Path) -> None:
    """Whoever mends it knows where to look."""
    gate.status, gate.said = 401, '{"error": "who is t0ken?"}'
    site = PrometheusSite(url=gate.url, selector="", token="t0ken", key_name="PROMETHEUS_TOKEN")
    with pytest.raises(StepError) as error:
        await source(site).measure(target(tmp_path))
    assert "PROMETHEUS_TOKEN" in error.value.advice
    assert "t0ken" not in error.value.problem


@pytest.mark.parametrize("said", ["[]", '{"status": "error", "error": "busy"}', "null", '{"message": "log in"}'])
async def test_what_is_no_prometheus_is_an_error(gate: Gate, tmp_path: Path, said: str) -> None:
    """A log-in page is not health."""
    gate.said = said
    with pytest.raises(StepError, match="Prometheus refused a query"):
        await source(PrometheusSite(url=gate.url, selector="")).measure(target(tmp_path))
