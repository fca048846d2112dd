"""Our Render client and its stand-in, each call of both checked against Render's own OpenAPI document."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bot.demo.processes import free_port
from bot.demo.render.server import FakeRender
from bot.demo.render.state import Json, World, made_id
from bot.target import Service, Target
from integrations.http.client import Policy
from integrations.http.errors import HttpError
from integrations.render.api import RenderApi
from integrations.render.database import Databases
from integrations.render.jobs import Jobs
from integrations.render.logs import Logs
from integrations.render.metrics import Metrics, Requests
from integrations.render.platform import RenderPlatform
from integrations.render.recovery import RenderRecovery
from integrations.render.site import Patience, Site
from tests.contracts.prism import proxied
from tests.integrations.services.making import target

pytestmark = [pytest.mark.xdist_group("prism"), pytest.mark.asyncio(loop_scope="module")]
KEY = "rnd_contract"  # the key of these tests
PATIENCE = Patience(stop=60.0, deploy=60.0, in_flight=60.0, settle=10.0, look=0.01)
ONCE = Policy(answer=60.0, attempts=1)  # what is against the document must not be repeated away


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fake(facts: Path) -> AsyncIterator[FakeRender]:
    """The stand-in; Prism serves the document's paths at the root, so it does too."""
    made = FakeRender(World(nulls=False), key=KEY, prefix="")  # the nulls of the real service are against the document
    for name, kind in (("web", "web_service"), ("worker", "background_worker"), ("nightly", "cron_job")):
        made.world.add(name, "r1", kind=kind)
    await made.start(free_port())
    yield made
    await made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(facts: Path, fake: FakeRender, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where the client is sent."""
    document = json.loads((facts / "render" / "openapi.json").read_text())
    loosened = tmp_path_factory.mktemp("render") / "openapi.json"
    loosened.write_text(json.dumps(_any_of(document)).replace("/details/oneOf/", "/details/anyOf/"))  # the references
    async with proxied(loosened, fake.url) as url:
        yield url


def _any_of(document: dict[str, Any]) -> dict[str, Any]:
    """Two lists of alternatives, of which the document wants exactly one to fit, cannot be met: a web service has
    all that a worker must have, and many events have the same details."""
    schemas = document["components"]["schemas"]
    event = schemas["serviceEventWithCursor"]["properties"]["event"]["properties"]
    for place in (schemas["service"]["properties"]["serviceDetails"], event["details"]):
        place["anyOf"] = place.pop("oneOf")
    return document


@pytest.fixture
def site(fake: FakeRender, proxy: str) -> Site:
    services = {each.name: each.id for each in fake.world.services.values()}
    return Site(services=services, key=KEY, postgres=fake.estate.postgres, url=proxy, patience=PATIENCE)


@pytest.fixture
def api(site: Site) -> RenderApi:
    return RenderApi(site.client(ONCE), PATIENCE)


@pytest.fixture
def of(tmp_path: Path) -> Target:
    return target(tmp_path, *(Service(name=name, health_url="") for name in ("web", "worker", "nightly")))


async def test_a_whole_run_is_in_the_documents_words(fake: FakeRender, site: Site, api: RenderApi, of: Target) -> None:
    """Remember, stop, start, a new deploy, the way back and a restart, of every type of service."""
    platform, web = RenderPlatform(site, api=api), fake.world.named("web")
    await platform.remember(of, "run-1")
    await platform.stop(of)
    assert [False] * 3 == list((await platform.status(of)).values())
    await platform.start(of)
    fake.world.deploy(web, "r2", "new_commit")
    await platform.stop(of)
    await platform.start(of, previous=True)
    await platform.restart(of, of.services[0])
    assert ("r1", "rollback") == (await platform.release(of, of.services[0]), web.deploys[-1].trigger)
    assert () == await platform.log(of, of.services[0], 10)


async def test_databases_are_in_the_documents_words(fake: FakeRender, site: Site, api: RenderApi, of: Target) -> None:
    """Detail, connection, export and recovery."""
    databases, postgres = Databases(api), fake.estate.postgres
    assert (await databases.detail(postgres)).ready
    assert (await databases.connection(postgres)).external
    assert (await databases.export(postgres, seconds=60.0)).url
    assert (await RenderRecovery(site, api=api).offer(of, "2026-11-22T18:30:00+00:00"))[0]


@pytest.mark.parametrize("code", [0, 3])
async def test_jobs_and_logs_are_in_the_documents_words(fake: FakeRender, api: RenderApi, code: int) -> None:
    """One that succeeds, and one that fails with its event."""
    fake.estate.command = lambda _: (code, ("one", "two"))
    number = fake.world.named("web").id
    ended = await Jobs(api, number).run(("migrate", str(code)), seconds=60.0)
    assert (code == 0, ("one", "two")) == (ended.ok, ended.lines)
    assert () == await Logs(api, "tea-1").errors([number], "2026-11-22T17:00:00Z")


async def test_measurements_and_upkeep_are_in_the_documents_words(
    fake: FakeRender, site: Site, api: RenderApi, of: Target
) -> None:
    """With data of each kind."""
    value = {"timestamp": "2026-11-22T18:00:00Z", "value": 1.5}
    series: Json = {"labels": [{"field": "statusCode", "value": "500"}], "values": [value], "unit": "ms"}
    fake.estate.metrics = {
        name: [series] for name in ("cpu", "memory", "active-connections", "http-latency", "http-requests")
    }
    entry: Json = {"id": made_id("mrn"), "type": "upgrade", "state": "succeeded", "scheduledAt": "2026-11-22T18:00:00Z"}
    fake.estate.maintenance = [{**entry, "resourceId": fake.world.named("web").id}]
    moment = datetime(2026, 11, 22, 18, 1, tzinfo=UTC).timestamp()
    metrics, web = Metrics(api, now=lambda: moment), fake.world.named("web").id
    found = (await metrics.cpu(web), await metrics.memory(web), await metrics.connections(fake.estate.postgres))
    assert [1.5] * 3 == [point.value for point in found if point]
    assert (1.5, Requests(total=1.5, failed=1.5, minutes=5.0)) == (
        await metrics.p95_ms(web), await metrics.requests([web])
    )  # fmt: skip
    await RenderPlatform(site, api=api).remember(of, "run-2")


async def test_the_proxy_refuses_what_is_not_in_the_document(fake: FakeRender, proxy: str, api: RenderApi) -> None:
    """A check that takes everything would prove nothing: a wrong answer and a wrong question both fail."""
    fake.estate.recovery = {"recoveryStatus": "READY"}
    with pytest.raises(HttpError, match="Render answered 500"):
        await api.client.read(f"/postgres/{fake.estate.postgres}/recovery")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=60.0) as client:
        wrong = await client.patch(f"{proxy}/services/{fake.world.named('web').id}", json={"autoDeploy": "maybe"})
    assert 422 == wrong.status_code
