"""Deploys of the sample: what is started next, what ran before, and a migration that one release cannot bear."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from bot.demo import releases
from bot.demo.casework import SAMPLE, Casework, run_script
from bot.demo.processes import free_port
from bot.demo.sample_work import FIRST_RELEASE
from bot.runbook.people import Policy
from bot.target import Service, Target, Workflow
from integrations.health.pool import connections_used
from integrations.health.probe import HealthProbe
from integrations.local.platform import LocalPlatform
from tests.demo.waiting import eventually

ROOT = Path(__file__).parents[2]


@pytest_asyncio.fixture
async def web(tmp_path: Path, casework: Casework) -> AsyncIterator[Target]:
    """The sample's web service as the demo configures it, not started; ended afterwards."""
    releases.install(tmp_path, fresh=False)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    service = Service(
        name="casework-web", health_url=f"{url}/health", metrics_url=f"{url}/metrics.json",
        command=(sys.executable, "-m", "bot.demo.sample_app", "--name", "casework-web", "--port", str(port)),
        folder=str(tmp_path / releases.LINK),
        environment=(("DATABASE_URL", casework.app_dsn), ("PYTHONPATH", str(ROOT))),
    )  # fmt: skip
    made = Target(
        name="casework", dsn=casework.owner_dsn, channel="", policy=Policy(approvers=frozenset()), migrations=tmp_path,
        backups=tmp_path, state=tmp_path / "run", services=(service,),
        workflows=tuple(
            Workflow(name=name, url=f"{url}/{path}")
            for name, path in (("case search", "search"), ("dashboard", "dashboard"))
        ),
    )  # fmt: skip
    yield made
    await LocalPlatform().stop(made)


async def answering(of: Target, *, previous: bool = False) -> str:
    """Start it and wait until it is healthy; the release that it says it is."""
    platform, probe = LocalPlatform(), HealthProbe(pool=connections_used)

    async def healthy() -> bool:
        return bool((await probe.sample(of)).healthy)

    await platform.start(of, previous=previous)
    assert await eventually(healthy)
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(of.services[0].health_url)).headers["X-Release"]


async def migrate(casework: Casework, name: str) -> None:
    await run_script(casework.owner_dsn, SAMPLE / "migrations" / f"{name}.sql")


async def test_a_deploy_is_for_what_is_started_next(web: Target, tmp_path: Path) -> None:
    """What runs keeps its release; the restart takes the new one; the way back takes the old one."""
    platform, service = LocalPlatform(), web.services[0]
    assert FIRST_RELEASE == await answering(web)
    releases.deploy(tmp_path, releases.NEXT_RELEASE)
    assert FIRST_RELEASE == await platform.release(web, service)
    await platform.remember(web, "run-1")
    await platform.stop(web)
    assert "2.0.0" == await answering(web)
    assert "2.0.0" == await platform.release(web, service)
    await platform.stop(web)
    assert FIRST_RELEASE == await answering(web, previous=True)


async def test_003_breaks_the_release_that_runs_and_suits_the_next(
    web: Target, tmp_path: Path, casework: Casework
) -> None:
    """Health says that all is well while a critical workflow does not work, until the release written for it runs."""
    probe = HealthProbe(pool=connections_used)
    await answering(web)
    before = await probe.sample(web)
    await migrate(casework, "003_rename_user_name")
    broken = await probe.sample(web)
    async with httpx.AsyncClient(trust_env=False) as client:
        code = (await client.get(web.workflows[1].url)).status_code
    await LocalPlatform().stop(web)
    releases.deploy(tmp_path, releases.NEXT_RELEASE)
    await answering(web)
    assert ((), ("dashboard",), ()) == (before.broken, broken.broken, (await probe.sample(web)).broken)
    assert (("casework-web",), 0.0, 500) == (broken.healthy, broken.connection_failures, code)


def test_what_people_have_deployed_stays(tmp_path: Path) -> None:
    """Setting the demo up again keeps the deploy; fresh begins with the first one; any release can be deployed."""
    releases.install(tmp_path, fresh=False)
    releases.deploy(tmp_path, "2.1.0")
    releases.install(tmp_path, fresh=False)
    kept = (tmp_path / releases.LINK / "release").read_text().strip()
    releases.install(tmp_path, fresh=True)
    assert ("2.1.0", FIRST_RELEASE) == (kept, (tmp_path / releases.LINK / "release").read_text().strip())
    assert {"1.4.2", "2.0.0"} == {each.name for each in (tmp_path / "releases").iterdir()}
