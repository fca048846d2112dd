"""The probe measures what is there; what cannot be measured is ``None``, and nothing is worth an exception."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from bot.demo.casework import Casework
from bot.ports import Service, Target
from bot.runbook.samples import Sample
from integrations.health.pool import connections_used
from integrations.health.probe import HealthProbe, Requests, failed_share, number
from integrations.local.platform import LocalPlatform
from tests.integrations.services.making import service, target


async def tenth(_: Target) -> float | None:
    return 0.1


async def silent(_: Target) -> float | None:
    raise TimeoutError


def probe(seconds: float = 1.0) -> HealthProbe:
    return HealthProbe(pool=tenth, seconds=seconds, now=lambda: 7.0)


@asynccontextmanager
async def running(folder: Path, *services: Service) -> AsyncIterator[Target]:
    """The services, answering; ended afterwards."""
    made = target(folder, *services)
    await LocalPlatform().start(made)
    try:
        for each in made.services:
            await until_open(int(each.health_url.split(":")[2].split("/")[0]))
        yield made
    finally:
        await LocalPlatform(stop_seconds=0.2).stop(made)


async def until_open(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def test_a_healthy_service_is_measured(tmp_path: Path) -> None:
    """200 with the runbook's JSON is healthy; latency, rates, p95 and pool are read."""
    async with running(tmp_path, service("web")) as made:
        expected = Sample(
            at=7.0, healthy=("web",), error_rate=0.015, failed_rate=0.015, p95_ms=42.5, pool=0.1, latency_ms=15.0
        )
        assert expected == await probe().sample(made)


async def test_several_services_are_one_measurement(tmp_path: Path) -> None:
    """Rates are over all requests, times are the worst."""
    slow = ("--health", '{"status": "healthy", "database": "connected", "latency": 120}')
    busy = ("--metrics", '{"requests": 800, "failed": 97, "p95_ms": 900, "window_s": 60}')
    async with running(tmp_path, service("web"), service("gateway", *slow, *busy)) as made:
        sample = await probe().sample(made)
    assert (("web", "gateway"), 0.1, 900.0, 120.0) == (
        sample.healthy, sample.error_rate, sample.p95_ms, sample.latency_ms
    )  # fmt: skip


async def test_no_requests_are_no_rate(tmp_path: Path) -> None:
    """A service that nobody asks has no error rate and no p95; zero would be a claim."""
    idle = ("--metrics", '{"requests": 0, "failed": 0, "p95_ms": 0, "window_s": 60}')
    async with running(tmp_path, service("web", *idle)) as made:
        sample = await probe().sample(made)
    assert (("web",), None, None, None) == (sample.healthy, sample.error_rate, sample.failed_rate, sample.p95_ms)


async def test_a_service_that_is_down_is_unhealthy_and_no_error(tmp_path: Path) -> None:
    """Nobody listens: a sample all the same, and one that counts as no data."""
    made = target(tmp_path, service("web"))
    assert Sample(at=7.0, unhealthy=("web",), pool=0.1) == await probe().sample(made)
    assert not (await probe().sample(made)).missing  # an unhealthy service is a measurement


@pytest.mark.parametrize(
    "options",
    [
        ("--code", "503"),
        ("--code", "302"),
        ("--health", '{"status": "healthy", "database": "disconnected", "latency": 15}'),
        ("--health", '{"status": "unhealthy", "database": "connected", "latency": 15}'),
        ("--health", '["healthy", "connected"]'),
        ("--health", "<html>log in</html>"),
    ],
)
async def test_anything_else_is_not_healthy(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Another status code, another state, another shape, no JSON."""
    async with running(tmp_path, service("web", *options)) as made:
        sample = await probe().sample(made)
    assert ((), ("web",)) == (sample.healthy, sample.unhealthy)


async def test_an_answer_that_trickles_is_given_up(tmp_path: Path) -> None:
    """The time limit is for the whole answer, not for each byte of it."""
    async with running(tmp_path, service("web", "--trickle")) as made:
        assert ("web",) == (await probe(seconds=0.5).sample(made)).unhealthy


@pytest.mark.parametrize("url", ["", "not a url", "http://", "ftp://127.0.0.1/health", "http://127.0.0.1:1/\x00"])
async def test_a_useless_address_is_unhealthy_and_no_error(tmp_path: Path, url: str) -> None:
    """A mistake in the configuration shows as unhealthy, not as a crash of the clock."""
    made = target(tmp_path, Service(name="web", health_url=url, metrics_url=url))
    assert Sample(at=7.0, unhealthy=("web",), pool=0.1) == await probe().sample(made)


async def test_no_environment_sends_the_questions_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment has no say in whether a service is healthy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with running(tmp_path, service("web")) as made:
        assert ("web",) == (await probe().sample(made)).healthy


async def test_a_pool_that_cannot_be_asked_is_not_measured(tmp_path: Path) -> None:
    """The database away is no reason to lose the rest of the sample."""
    assert (await HealthProbe(pool=silent).sample(target(tmp_path))).pool is None


def test_only_finite_numbers_of_zero_or_more_are_numbers() -> None:
    """JSON from elsewhere is not trusted."""
    values = (15, 0, 1.5, -1, True, "15", None, float("nan"), float("inf"))
    assert [15.0, 0.0, 1.5, None, None, None, None, None, None] == [number(each) for each in values]
    assert 1.0 == failed_share([Requests(requests=2, failed=5, p95_ms=None)])


async def test_the_pool_is_asked_of_the_server(tmp_path: Path, casework: Casework) -> None:
    """Every further session of whoever raises the used share; a server that is away has none."""
    made = target(tmp_path, dsn=casework.owner_dsn)
    before = await connections_used(made)
    async with await psycopg.AsyncConnection.connect(casework.app_dsn):
        during = await connections_used(made)
    assert before is not None
    assert during is not None
    assert 0 <= before < during < 1
    away = replace(made, dsn="postgresql://nobody@127.0.0.1:1/nothing")
    assert await connections_used(away) is None
