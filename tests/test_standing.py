"""How a process stands, as a platform and Prometheus ask it."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from bot import telemetry
from bot.runbook import events as e
from bot.runbook.samples import Judgement
from bot.runbook.steps import StepName
from bot.standing import Standing
from bot.vitals import Beat, Vitals
from tests.kit import backstage, plan, ready

DASHBOARD = Path(__file__).parent.parent / "docs" / "grafana.json"
Asked = TestClient[Any, Any]


@pytest.fixture
def vitals() -> Vitals:
    return Vitals()


@pytest_asyncio.fixture
async def asked(store_dsn: str, vitals: Vitals) -> AsyncIterator[Asked]:
    """A worker's three addresses, over a store with one run."""
    await ready(store_dsn)
    async with backstage(store_dsn) as stage:
        await stage.engine.start(plan())
        async with TestClient(TestServer(Standing("worker", stage.pool, vitals).app())) as client:
            yield client


async def scraped(asked: Asked) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus' own library reads them."""
    answer = await asked.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(await answer.text())
    return {
        f"{sample.name}{json.dumps(sample.labels, sort_keys=True) if sample.labels else ''}": sample.value
        for family in families
        for sample in family.samples
    }


async def test_alive_and_ready(asked: Asked) -> None:
    """Both say whose answer it is."""
    alive, able = await asked.get("/healthz"), await asked.get("/readyz")
    assert (200, {"process": "worker", "status": "alive"}) == (alive.status, await alive.json())
    assert (200, {"process": "worker", "status": "ready", "wrong": {}}) == (able.status, await able.json())


async def test_not_ready_says_why(asked: Asked, vitals: Vitals) -> None:
    """A worker whose beat has stopped still lives: nobody is to restart it for that."""
    times = iter((0.0, 40.0))
    beat = Beat(every=15.0, now=lambda: next(times))
    vitals.checks["worker"] = beat.wrong
    assert {"worker": "it has not begun yet"} == (await (await asked.get("/readyz")).json())["wrong"]
    beat()
    able = await asked.get("/readyz")
    assert (503, {"worker": "nothing for 40 s"}) == (able.status, (await able.json())["wrong"])
    assert 200 == (await asked.get("/healthz")).status


async def test_a_store_that_is_away_is_said_without_its_password() -> None:
    """Metrics go on: what the process counts itself is as true as ever."""
    dsn = "postgresql://bot:hunter22@127.0.0.1:1/store"
    pool = AsyncConnectionPool(dsn, min_size=0, max_size=1, open=False, connection_class=AsyncConnection, timeout=0.2)
    async with pool, TestClient(TestServer(Standing("clock", pool, Vitals()).app())) as client:
        able, metrics = await client.get("/readyz"), await client.get("/metrics")
        assert (503, 200) == (able.status, metrics.status)
        said = await able.text()
        assert "no answer within" in said
        assert "hunter22" not in said


async def test_the_stores_figures_and_the_process_own(asked: Asked) -> None:
    """Runs by state, what waits, and what has happened here; ids are no labels."""
    before = (await scraped(asked)).get('migrate_bot_steps_total{"outcome": "finished", "step": "apply"}', 0.0)
    with telemetry.job("drive"):
        telemetry.happened(
            [
                e.StepFinished(step=StepName.APPLY, began_at=10.0, at=14.0),
                e.HealthJudged(judgement=Judgement.ALERT, reason="slow", at=14.0),
            ]
        )
    found = await scraped(asked)
    assert 1.0 == sum(value for name, value in found.items() if name.startswith("migrate_bot_runs{"))
    assert before + 1 == found['migrate_bot_steps_total{"outcome": "finished", "step": "apply"}']
    assert found['migrate_bot_jobs_total{"job": "drive", "outcome": "done"}'] >= 1
    assert found["migrate_bot_letters_waiting"] >= 1
    assert not [name for name in found if re.search(r"m-[0-9a-z]{6}|U0|C0", name)]


async def test_a_job_that_fails_is_counted_as_such(asked: Asked) -> None:
    """And its error goes on."""
    with pytest.raises(ValueError, match="no"), telemetry.job("notify"):
        raise ValueError("no")
    assert (await scraped(asked))['migrate_bot_jobs_total{"job": "notify", "outcome": "failed"}'] >= 1


async def test_prometheus_finds_nothing_to_complain_of(asked: Asked) -> None:
    """By its own tool: names, units and help as they should be."""
    text = await (await asked.get("/metrics")).read()
    promtool = shutil.which("promtool")
    assert promtool is not None, "install Debian's package prometheus"
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (0, b"") == (checked.returncode, checked.stderr)


async def test_the_dashboard_asks_only_for_what_there_is(asked: Asked) -> None:
    """Every expression of every panel names a figure that is exported, and every figure has its panel."""
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    used = set(re.findall(r"migrate_bot_\w+", " ".join(expressions)))
    families = text_string_to_metric_families(await (await asked.get("/metrics")).text())
    there = {family.name: family.type for family in families}
    exported = {f"{name}_total" if kind == "counter" else name for name, kind in there.items()}
    assert exported == {each.removesuffix("_bucket") for each in used}
