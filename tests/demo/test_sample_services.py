"""The sample's services as real processes, and the load on them."""

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bot.demo.casework import Casework, drop_database
from bot.demo.load import load
from bot.demo.postgres import EmbeddedPostgres
from bot.demo.processes import free_port
from bot.demo.sample_work import WORKFLOWS
from tests.demo.waiting import eventually

ROOT = Path(__file__).parents[2]


@dataclass(kw_only=True)
class Service:
    """A running service: where it answers and what it has logged so far."""

    process: Process
    url: str
    lines: list[dict[str, Any]] = field(default_factory=list)


@contextlib.asynccontextmanager
async def service(dsn: str, *, name: str = "casework-web") -> AsyncIterator[Service]:
    """Started, listening, and stopped by SIGTERM at the end; its log is read to the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.demo.sample_app", "--name", name, "--port", "0", "--release", "1.4.7",
        cwd=ROOT, env={"DATABASE_URL": dsn}, stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    lines: list[dict[str, Any]] = []
    while not lines or lines[-1]["event"] != "service.ready":
        lines.append(json.loads(await process.stdout.readline()))
    running = Service(process=process, url=f"http://127.0.0.1:{lines[-1]['port']}", lines=lines)
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        said, _ = await asyncio.wait_for(process.communicate(), 15)
        running.lines += [json.loads(line) for line in said.splitlines()]


async def sessions(casework: Casework, name: str) -> int:
    """How many sessions of this application the database has."""
    async with await psycopg.AsyncConnection.connect(casework.superuser_dsn) as db:
        query = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = %s AND datname = %s"
        row = await (await db.execute(query, [name, casework.name])).fetchone()
        return int(row[0]) if row else 0


async def get(url: str) -> httpx.Response:
    """One request on a connection of its own."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.get(url)


async def test_health_is_the_runbooks_answer(casework: Casework) -> None:
    """A healthy service answers 200 with exactly status, database and a whole number of milliseconds."""
    async with service(casework.app_dsn) as web:
        answer = await get(f"{web.url}/health")
    health = answer.json()

    assert 200 == answer.status_code
    assert ["status", "database", "latency"] == list(health)
    assert ("healthy", "connected", int) == (health["status"], health["database"], type(health["latency"]))
    assert 1 <= health["latency"] < 2000
    assert "1.4.7" == answer.headers["X-Release"]


async def test_workflows_answer_and_are_counted(casework: Casework) -> None:
    """Each critical workflow answers as itself; refusals and bad requests are not failures of the service."""
    async with (
        service(casework.app_dsn, name="casework-gateway") as gateway,
        httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client,
    ):
        answers = [await client.request(method, path) for method, path in WORKFLOWS]
        refused = await client.post("/login", json={"password": "guess"})
        unreadable = await client.post("/cases", content=b"{")
        metrics = (await client.get("/metrics.json")).json()

    assert [200] * 5 == [answer.status_code for answer in answers]
    assert (401, 400) == (refused.status_code, unreadable.status_code)
    assert ["requests", "failed", "p95_ms", "window_s"] == list(metrics)
    assert (7, 0, 60) == (metrics["requests"], metrics["failed"], metrics["window_s"])
    assert 0 < metrics["p95_ms"]


async def test_sigterm_leaves_no_session(casework: Casework) -> None:
    """SIGTERM ends the process with success, its sessions are gone, and every log line is JSON with a level."""
    async with service(casework.app_dsn) as web:
        await get(f"{web.url}/dashboard")
        connected = await sessions(casework, "casework-web")

    assert 0 < connected
    assert 0 == web.process.returncode
    assert 0 == await sessions(casework, "casework-web")
    assert ["service.ready", "service.stopping", "service.stopped"] == [line["event"] for line in web.lines]
    assert {("info", "casework-web", "1.4.7")} == {
        (line["level"], line["service"], line["release"]) for line in web.lines
    }


async def test_without_its_database_it_says_so(casework: Casework, pg: EmbeddedPostgres) -> None:
    """When the database goes away the service stays up, is unhealthy, counts failures and logs errors."""
    async with service(casework.app_dsn) as web:
        await drop_database(pg, casework.name)
        health = await get(f"{web.url}/health")
        failed = await get(f"{web.url}/dashboard")
        metrics = (await get(f"{web.url}/metrics.json")).json()

    assert (503, "unhealthy", "disconnected") == (
        health.status_code, health.json()["status"], health.json()["database"],
    )  # fmt: skip
    assert ["status", "database", "latency"] == list(health.json())
    assert 503 == failed.status_code
    assert (1, 1) == (metrics["requests"], metrics["failed"])
    assert "error" in {line["level"] for line in web.lines}
    assert 0 == web.process.returncode


async def test_it_recovers_when_the_database_returns(server_folder: Path) -> None:
    """A service started before its database becomes healthy by itself once that is there."""
    async with EmbeddedPostgres(server_folder / "data", durable=False) as server:
        dsn = server.dsn()
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
            await db.execute("CREATE TABLE users (id int)")
    async with service(dsn) as web:

        async def health() -> int:
            return (await get(f"{web.url}/health")).status_code

        async def recovered() -> bool:
            return await health() == 200

        assert 503 == await health()
        await server.start()
        assert await eventually(recovered)
    await server.stop()


async def test_load_keeps_its_pace_and_counts_what_is_down(casework: Casework) -> None:
    """Half the requests go to a service that is not there: they are failures, and the rest are answered."""
    stop = asyncio.Event()
    async with service(casework.app_dsn) as web:
        asyncio.get_running_loop().call_later(1.5, stop.set)
        urls = [web.url, f"http://127.0.0.1:{free_port()}"]
        report = await load(urls, requests_per_second=40, stop=stop)

    assert 30 <= report.requests <= 61
    assert abs(report.requests - 2 * report.failed) <= 1
    assert 0.4 < report.error_rate < 0.6
    assert 0 < report.p95_ms < 5000
    assert 1.5 <= report.seconds < 8


async def test_load_that_is_stopped_at_once_has_asked_nothing() -> None:
    """An event that is already set means no request and a rate of zero."""
    stop = asyncio.Event()
    stop.set()
    report = await load(["http://127.0.0.1:9"], requests_per_second=10, stop=stop)

    assert (0, 0, 0.0, 0.0) == (report.requests, report.failed, report.p95_ms, report.error_rate)
