"""The probe measures what is there; what cannot be measured is ``None``, and nothing is worth an exception."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.samples import Sample
from bot.target import Service, Target, Workflow
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
    deadline = time.monotonic() + 60
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
            at=7.0, healthy=("web",), error_rate=0.015, failed_rate=0.015, p95_ms=42.5, pool=0.1, latency_ms=15.0,
            connection_failures=0.0,
        )  # fmt: skip
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
    assert Sample(at=7.0, unhealthy=("web",), pool=0.1, connection_failures=0.0) == await probe().sample(made)
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
    assert Sample(at=7.0, unhealthy=("web",), pool=0.1, connection_failures=0.0) == await probe().sample(made)


async def test_no_environment_sends_the_questions_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment has no say in whether a service is healthy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with running(tmp_path, service("web")) as made:
        assert ("web",) == (await probe().sample(made)).healthy


async def test_a_pool_that_cannot_be_asked_is_not_measured(tmp_path: Path) -> None:
    """The database away is no reason to lose the rest of the sample."""
    sample = await HealthProbe(pool=silent).sample(target(tmp_path))
    assert (None, 1.0) == (sample.pool, sample.connection_failures)


DISCONNECTED = ("--code", "503", "--health", '{"status": "unhealthy", "database": "disconnected", "latency": 2000}')


async def test_who_says_that_its_database_is_away_is_a_failed_attempt(tmp_path: Path) -> None:
    """Each service that says so is one attempt, and the probe's own connection is one more."""
    async with running(tmp_path, service("web"), service("gateway", *DISCONNECTED)) as made:
        sample = await probe().sample(made)
        without = await HealthProbe(pool=silent).sample(made)
    assert (("web",), 1 / 3, 2 / 3) == (sample.healthy, sample.connection_failures, without.connection_failures)


@pytest.mark.parametrize("said", ["<html>log in</html>", '{"status": "ok"}', '{"database": null}', '["connected"]'])
async def test_who_does_not_say_is_no_attempt(tmp_path: Path, said: str) -> None:
    """Neither a service that is down nor one that speaks of other things says anything of the database."""
    async with running(tmp_path, service("web", "--health", said)) as made:
        silent_ones = replace(made, services=(*made.services, service("down")))
        sample = await probe().sample(silent_ones)
    assert (("web", "down"), 0.0) == (sample.unhealthy, sample.connection_failures)


async def test_a_workflow_that_does_not_answer_with_success_is_broken(tmp_path: Path) -> None:
    """Runbook step 7: a 2xx works; an error, a log-in page, nobody there and a useless address do not."""
    codes = {"/search": 200, "/report": 204, "/dashboard": 500, "/cases": 302, "/gone": 404}
    answers = [part for path, code in codes.items() for part in ("--answers", f"{path}={code}")]
    async with running(tmp_path, service("web", *answers)) as made:
        base = made.services[0].health_url.removesuffix("/health")
        urls = {**{path: base + path for path in codes}, "down": "http://127.0.0.1:1/", "wrong": "not a url"}
        sample = await probe().sample(
            replace(made, workflows=tuple(Workflow(name=name, url=url) for name, url in urls.items()))
        )
    assert ("/dashboard", "/cases", "/gone", "down", "wrong") == sample.broken
    assert ("web",) == sample.healthy


async def test_a_workflow_that_trickles_is_broken(tmp_path: Path) -> None:
    """It must answer within the probe's time, as a whole."""
    async with running(tmp_path, service("web", "--trickle")) as made:
        slow = replace(made, workflows=(Workflow(name="search", url=f"{made.services[0].health_url}/search"),))
        assert ("search",) == (await probe(seconds=0.5).sample(slow)).broken


def test_only_finite_numbers_of_zero_or_more_are_numbers() -> None:
    """JSON from elsewhere is not trusted."""
    values = (15, 0, 1.5, -1, True, "15", None, float("nan"), float("inf"))
    assert [15.0, 0.0, 1.5, None, None, None, None, None, None] == [number(each) for each in values]
    assert 1.0 == failed_share([Requests(requests=2, failed=5, p95_ms=None)])


async def test_the_pool_is_asked_of_the_server(tmp_path: Path, casework: Casework) -> None:
    """Every further session of whoever raises the used share."""
    made = target(tmp_path, dsn=casework.owner_dsn)
    before = await connections_used(made)
    async with await psycopg.AsyncConnection.connect(casework.app_dsn):
        during = await connections_used(made)
    assert before is not None
    assert during is not None
    assert 0 <= before < during < 1


@pytest.mark.parametrize("part", ["port", "password", "dbname"])
async def test_a_database_that_lets_nobody_in_is_a_connection_failure(
    tmp_path: Path, casework: Casework, part: str
) -> None:
    """Nobody listens, the password is wrong, the database is gone: measured, not raised, and no secret is told."""
    wrong = {"port": "1", "password": "hunter22", "dbname": "nothing"}[part]
    made = target(tmp_path, dsn=make_conninfo(casework.app_dsn, **{part: wrong}))
    with pytest.raises(ConnectionError) as refused:
        await connections_used(made)
    sample = await HealthProbe(pool=connections_used).sample(made)
    assert (None, 1.0) == (sample.pool, sample.connection_failures)
    assert "OperationalError" == str(refused.value)


async def test_a_server_that_is_full_is_a_connection_failure(tmp_path: Path, server_folder: Path) -> None:
    """The probe comes as the services do: where no connection is left, its own attempt fails."""
    async with EmbeddedPostgres(server_folder / "data", durable=False) as server, AsyncExitStack() as stack:
        async with await psycopg.AsyncConnection.connect(server.dsn(), autocommit=True) as db:
            await db.execute("CREATE ROLE app LOGIN PASSWORD 'demo' CONNECTION LIMIT 1")
        made = target(tmp_path, dsn=server.dsn("postgres", user="app", password="demo"))
        alone = await HealthProbe(pool=connections_used).sample(made)
        await stack.enter_async_context(await psycopg.AsyncConnection.connect(made.dsn))
        full = await HealthProbe(pool=connections_used).sample(made)
    assert (0.0, 1.0) == (alone.connection_failures, full.connection_failures)
