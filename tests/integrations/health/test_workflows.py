"""The runbook's five critical workflows as declared requests, and health answers that are not the runbook's."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.target import HealthAnswer, Scalar, Service, Target, Workflow
from integrations.health.probe import HealthProbe
from tests.integrations.services.making import free_port, target


class Casework:
    """A service with a log-in, documents and a search; ``health`` is what it says of itself."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.health: tuple[int, Any] = (200, {})
        self.logged_in: list[Any] = []
        self.slow = 0.0

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/health", self._health),
                web.post("/login", self._login),
                web.put("/documents", self._upload),
                web.get("/search", self._search),
                web.get("/old", self._old),
            ]
        )
        return app

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response(self.health[1], status=self.health[0])

    async def _login(self, request: web.Request) -> web.Response:
        self.logged_in.append(await request.json())
        known = request.headers.get("Authorization") == "Bearer hunter22"
        return web.json_response({"user": {"state": "active", "id": 1}}, status=200 if known else 403)

    async def _upload(self, request: web.Request) -> web.Response:
        return web.Response(status=201 if await request.text() == "a page" else 400)

    async def _search(self, _request: web.Request) -> web.Response:
        await asyncio.sleep(self.slow)
        return web.json_response([{"open": True, "hits": 3}, None])

    async def _old(self, _request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/search"})


@pytest.fixture
async def casework() -> AsyncIterator[Casework]:
    found = Casework()
    runner = web.AppRunner(found.app(), shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(found.url.rpartition(":")[2])).start()
    yield found
    await runner.cleanup()


async def nothing(_: Target) -> float | None:
    return None


async def broken(folder: Path, *workflows: Workflow, seconds: float = 1.0) -> tuple[str, ...]:
    sample = await HealthProbe(pool=nothing, seconds=seconds).sample(replace(target(folder), workflows=workflows))
    return sample.broken


def login(casework: Casework, **changed: Any) -> Workflow:
    return replace(
        Workflow(
            name="user login", url=f"{casework.url}/login", method="POST", json={"name": "smoke-test"},
            headers=(("Authorization", "Bearer hunter22"),), expect_status=200, expect_json=(("user.state", "active"),),
        ),
        **changed,
    )  # fmt: skip


async def test_a_workflow_is_tried_as_declared(casework: Casework, tmp_path: Path) -> None:
    """Method, headers and body arrive as written; what is expected is held against the answer."""
    upload = Workflow(
        name="document upload", url=f"{casework.url}/documents", method="PUT", body="a page", expect_status=201
    )
    assert () == await broken(tmp_path, login(casework), upload)
    assert [{"name": "smoke-test"}] == casework.logged_in


@pytest.mark.parametrize(
    "changed",
    [
        {"headers": ()},
        {"expect_status": 201},
        {"expect_json": (("user.state", "gone"),)},
        {"expect_json": (("user.id", True),)},
        {"expect_json": (("user.state", "active"), ("user.nothing", "x"))},
        {"method": "GET"},
        {"headers": (("X-Sp oilt", "x"),)},
        {"headers": (("Authorization", "Bearer ☃"),)},
    ],
)
async def test_anything_else_is_broken(casework: Casework, tmp_path: Path, changed: dict[str, Any]) -> None:
    """A wrong key, status, value or method, and a header that cannot be sent, which is no crash of the clock."""
    assert ("user login",) == await broken(tmp_path, login(casework, **changed))


@pytest.mark.parametrize(
    ("expected", "works"),
    [
        (("0.open", True), True),
        (("0.hits", 3), True),
        (("0.open", 1), False),
        (("1.open", True), False),
        (("7.open", True), False),
        (("open", True), False),
    ],
)
async def test_a_path_may_go_through_lists(
    casework: Casework, tmp_path: Path, expected: tuple[str, Scalar], works: bool
) -> None:
    """What is not there is not as expected, and ``true`` is not 1."""
    search = Workflow(name="search", url=f"{casework.url}/search", expect_json=(expected,))
    assert (() if works else ("search",)) == await broken(tmp_path, search)


async def test_a_redirect_may_be_what_is_expected(casework: Casework, tmp_path: Path) -> None:
    """It is not followed: it is success only where it is asked for."""
    old = Workflow(name="old", url=f"{casework.url}/old")
    assert ("old",) == await broken(tmp_path, old, replace(old, name="moved", expect_status=302))


async def test_a_workflow_may_have_a_time_of_its_own(casework: Casework, tmp_path: Path) -> None:
    """Longer than the probe's, or shorter."""
    casework.slow = 0.6
    patient = Workflow(name="patient", url=f"{casework.url}/search", timeout=20.0)
    hurried = replace(patient, name="hurried", timeout=0.05)
    assert ("usual", "hurried") == await broken(
        tmp_path, replace(patient, name="usual", timeout=None), patient, hurried, seconds=0.3
    )


OWN = HealthAnswer(expect=(("checks.0.state", "up"), ("ready", True)), database="checks.0.state", latency="checks.0.ms")


@pytest.mark.parametrize(
    ("status", "said", "healthy", "latency", "failures"),
    [
        (200, {"ready": True, "checks": [{"state": "up", "ms": 12}]}, True, 12.0, 0.0),
        (200, {"ready": True, "checks": [{"state": "up"}]}, True, None, 0.0),
        (200, {"ready": False, "checks": [{"state": "up", "ms": 12}]}, False, None, 0.0),
        (503, {"ready": False, "checks": [{"state": "down", "ms": 12}]}, False, None, 0.5),
        (200, {"status": "healthy", "database": "connected", "latency": 15}, False, None, 0.0),
    ],
)
async def test_a_health_answer_of_any_shape(
    casework: Casework, tmp_path: Path, status: int, said: object, healthy: bool, latency: float | None, failures: float
) -> None:
    """By its paths; the probe's own connection is one more attempt to reach the database."""
    casework.health = (status, said)
    made = target(tmp_path, Service(name="web", health_url=f"{casework.url}/health", health=OWN))
    sample = await HealthProbe(pool=nothing).sample(made)
    assert (("web",) if healthy else (), latency, failures) == (
        sample.healthy, sample.latency_ms, sample.connection_failures
    )  # fmt: skip


async def test_an_answer_that_says_nothing_of_the_database_is_no_attempt(casework: Casework, tmp_path: Path) -> None:
    """Healthy, and only the probe's own connection counts."""
    casework.health = (200, {"ok": True})
    health = HealthAnswer(expect=(("ok", True),))
    made = target(tmp_path, Service(name="web", health_url=f"{casework.url}/health", health=health))
    sample = await HealthProbe(pool=nothing).sample(made)
    assert (("web",), 0.0) == (sample.healthy, sample.connection_failures)
