"""What Render has beside services: databases, exports, recovery, jobs, logs, measurements and its own upkeep."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.demo.http_faults import Fault
from bot.demo.render.state import Json, made_id
from bot.ports import StepError
from integrations.render.database import Databases
from integrations.render.jobs import Jobs, reason_of
from integrations.render.logs import Logs
from integrations.render.metrics import Metrics, Point, Requests
from integrations.render.recovery import RenderRecovery
from integrations.render.site import Site
from integrations.render.upkeep import EachMaintenance, RenderMaintenance, refuse_upkeep
from tests.integrations.render.hosting import KEY, Hosted, hosted

MOMENT = "2026-11-22T18:30:00+00:00"


@pytest.fixture
async def render(tmp_path: Path) -> AsyncIterator[Hosted]:
    async with hosted(tmp_path) as made:
        yield made


def recovery(render: Hosted, postgres: str) -> RenderRecovery:
    return RenderRecovery(Site(services=render.site.services, key=KEY, postgres=postgres), api=render.api)


@pytest.mark.parametrize(
    ("status", "ready"), [("available", True), ("maintenance_in_progress", False), ("unknown", False), ("new", False)]
)
async def test_a_database_says_how_it_is(render: Hosted, status: str, ready: bool) -> None:
    """Only a status that we know to be good is good; a list that is null is no error."""
    estate = render.fake.estate
    estate.status = status
    found = await Databases(render.api).detail(estate.postgres)
    assert (ready, "16", "primary", "oregon", True, "") == (
        found.ready, found.version, found.role, found.region, found.highly_available, found.maintenance
    )  # fmt: skip


async def test_a_connection_is_never_shown(render: Hosted) -> None:
    """All of it is secret."""
    found = await Databases(render.api).connection(render.fake.estate.postgres)
    assert ("hunter22", True) == (found.password, found.external.startswith("postgresql://"))
    assert "hunter22" not in repr(found)


@pytest.mark.parametrize("fault", [None, Fault.LOST, Fault.ERROR_AFTER, Fault.LIMITED])
async def test_an_export_is_the_one_that_was_not_there(render: Hosted, fault: Fault | None) -> None:
    """Render answers with no id; whatever happens to that answer, one export is made."""
    estate = render.fake.estate
    estate.exports.append({"id": "exp-old", "createdAt": "2026-11-20T03:00:00Z", "url": "https://old.example.com"})
    if fault:
        render.fake.faults.next(fault, method="POST")
    made = await Databases(render.api).export(estate.postgres, seconds=5.0)
    assert (2, estate.exports[-1]["id"]) == (len(estate.exports), made.id)
    assert made.url.startswith("https://")
    assert "secret-token" not in repr(made)


async def test_an_export_that_does_not_end_is_said(render: Hosted) -> None:
    """With what to do."""
    with pytest.raises(StepError, match="is not done after"):
        await Databases(render.api).export(render.fake.estate.postgres, seconds=-1.0)


async def test_recovery_is_offered_with_exact_steps(render: Hosted) -> None:
    """The ids, the moment, from when on it can be done, and that the old instance stays."""
    possible, how = await recovery(render, "dpg-1-a").offer(render.of, MOMENT)
    assert possible
    for words in ("dpg-1-a to 2026-11-22T18:30:00+00:00", "from 18:40 UTC on", render.site.services["web"], "keep"):
        assert words in how


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"recoveryStatus": "NOT_AVAILABLE"}, "NOT_AVAILABLE"),
        ({"recoveryStatus": None}, "no status"),
        ({"recoveryStatus": "AVAILABLE", "startsAt": "2026-11-22T19:00:00Z"}, "begins at 2026-11-22T19:00:00Z"),
    ],
)
async def test_recovery_that_cannot_be_is_not_offered(render: Hosted, answer: Json, why: str) -> None:
    """People read why."""
    render.fake.estate.recovery = answer
    possible, said = await recovery(render, "dpg-1-a").offer(render.of, MOMENT)
    assert (False, True) == (possible, why in said)


async def test_recovery_without_a_database_or_an_answer_is_not_offered(render: Hosted) -> None:
    """It never raises: the other ways back are shown all the same."""
    assert "targets.casework.render.postgres" in (await recovery(render, "").offer(render.of, MOMENT))[1]
    render.fake.key = "another"
    possible, said = await recovery(render, "dpg-1-a").offer(render.of, MOMENT)
    assert (False, True) == (possible, "401" in said)


@pytest.mark.parametrize("fault", [None, Fault.LOST, Fault.RETRY_AFTER, Fault.MALFORMED])
async def test_a_job_runs_once_to_its_end(render: Hosted, fault: Fault | None) -> None:
    """What it wrote is read from the logs, masked; an answer that is lost makes no second job."""
    render.fake.estate.command = lambda command: (0, (f"ran {command}", f"with {KEY}"))
    if fault:
        render.fake.faults.next(fault, method="POST")
    ended = await Jobs(render.api, render.site.services["web"]).run(("npx", "prisma", "migrate deploy"), seconds=5.0)
    assert (True, "", ("ran npx prisma 'migrate deploy'", "with ***")) == (ended.ok, ended.why, ended.lines)
    assert 1 == len(render.fake.estate.jobs)


async def test_a_job_that_fails_says_why(render: Hosted) -> None:
    """Render's reason comes by an event, not with the job."""
    render.fake.estate.command = lambda _: (3, ("P3018",))
    ended = await Jobs(render.api, render.site.services["web"]).run(("migrate",), seconds=5.0)
    assert (False, "failed", "it ended with code 3", ("P3018",)) == (ended.ok, ended.status, ended.why, ended.lines)


async def test_a_job_is_not_begun_on_a_suspended_service(render: Hosted) -> None:
    """Nobody has documented what would happen."""
    render.fake.world.named("web").suspended = True
    with pytest.raises(StepError, match="web is suspended, so a job may not run on it"):
        await Jobs(render.api, render.site.services["web"]).run(("migrate",))
    assert {} == render.fake.estate.jobs


async def test_a_job_that_goes_on_is_left_and_said(render: Hosted) -> None:
    """Cancelling it would not undo its SQL."""
    with pytest.raises(StepError, match="has not ended after -1 s; it goes on") as it:
        await Jobs(render.api, render.site.services["web"]).run(("migrate",), seconds=-1.0)
    assert "does not stop what it has asked of the database" in it.value.advice


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ({"oomKilled": {"memoryLimit": "512MB"}}, "it used more than its 512MB of memory"),
        ({"timedOutSeconds": 60}, "it was stopped after 60 s"),
        ({"evicted": True}, "Render moved it away from its machine"),
        ({"evicted": False, "unhealthy": "no port"}, "no port"),
        (None, "Render gives no reason"),
    ],
)
def test_reasons_in_words(reason: object, words: str) -> None:
    """Each of Render's reasons."""
    assert words == reason_of(reason)


async def test_logs_are_read_to_the_last_page(render: Hosted) -> None:
    """Oldest first, over pages of 100; only errors where only errors are wanted."""
    number = render.site.services["web"]
    render.fake.world.wrote(number, [f"line {index}" for index in range(230)])
    render.fake.world.wrote(number, ["Error: no such column", f"password={KEY}"], "error")
    logs = Logs(render.api, "tea-1", secrets=(KEY,))
    everything = await logs.read([number], since="2026-11-22T17:00:00Z")
    assert (232, "line 0", "password=***") == (len(everything), everything[0].message, everything[-1].message)
    found = await logs.errors([number], "2026-11-22T17:00:00Z")
    assert [("error", "Error: no such column")] == [(each.level, each.message) for each in found][:1]
    assert 2 == len(found)


async def test_no_measurement_is_none(render: Hosted) -> None:
    """An empty answer is no data, never zero."""
    metrics, web = Metrics(render.api), render.site.services["web"]
    assert [None] * 4 == [
        await metrics.cpu(web), await metrics.memory(web), await metrics.p95_ms(web), await metrics.requests([web])
    ]  # fmt: skip


async def test_measurements_keep_their_unit(render: Hosted) -> None:
    """The newest value; seconds become ms; the failed requests are the 5xx of all."""

    def series(unit: str, *values: float | None, **labels: str) -> Json:
        points = [{"timestamp": "2026-11-22T18:00:00Z", "value": value} for value in values]
        return {"unit": unit, "values": points, "labels": [{"field": k, "value": v} for k, v in labels.items()]}

    render.fake.estate.metrics = {
        "cpu": [series("cpu", 0.5)],
        "active-connections": [series("connections", 7.0, None)],
        "http-latency": [series("seconds", 0.25)],
        "http-requests": [series("requests", 90, 0, statusCode="200"), series("requests", 10, statusCode="503")],
    }
    at, web = datetime(2026, 11, 22, 18, tzinfo=UTC).timestamp(), render.site.services["web"]
    metrics = Metrics(render.api, now=lambda: at + 60)
    assert (Point(value=0.5, unit="cpu", at=at), 250.0, Requests(total=100, failed=10, minutes=5.0)) == (
        await metrics.cpu(web), await metrics.p95_ms(web), await metrics.requests([web])
    )  # fmt: skip
    assert Point(value=7.0, unit="connections", at=at) == await metrics.connections("dpg-1-a")


@pytest.mark.parametrize(
    ("stamp", "unit"),
    [("2026-11-22T17:00:00Z", "seconds"), ("lately", "seconds"), (None, "seconds"), ("2026-11-22T18:00:00Z", "ticks")],
)
async def test_old_and_strange_measurements_are_none(render: Hosted, stamp: str | None, unit: str) -> None:
    """A value from before the window, of no known moment, or in a unit that nobody knows, is no data."""
    render.fake.estate.metrics = {"http-latency": [{"unit": unit, "values": [{"timestamp": stamp, "value": 1.0}]}]}
    metrics = Metrics(render.api, now=lambda: datetime(2026, 11, 22, 18, 1, tzinfo=UTC).timestamp())
    assert await metrics.p95_ms(render.site.services["web"]) is None


@pytest.mark.parametrize(
    ("state", "scheduled", "refused"),
    [
        ("scheduled", "2026-11-22T19:30:00Z", True),
        ("scheduled", "2026-11-22T20:30:00Z", False),
        ("scheduled", "soon", True),
        ("in_progress", "2026-11-22T17:00:00Z", True),
        ("user_fix_required", "2026-11-22T17:00:00Z", True),
        ("succeeded", "2026-11-22T17:00:00Z", False),
    ],
)
async def test_a_run_keeps_clear_of_renders_own_maintenance(
    render: Hosted, state: str, scheduled: str, refused: bool
) -> None:
    """Under way, or within the two hours of the window."""
    web, now = render.site.services["web"], datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    entry: Json = {"id": made_id("mrn"), "type": "upgrade", "state": state, "scheduledAt": scheduled}
    render.fake.estate.maintenance = [{**entry, "resourceId": web}, {**entry, "resourceId": "dpg-other"}]
    if not refused:
        await refuse_upkeep(render.api, [web], now=now)
        return
    with pytest.raises(StepError, match=f"Render maintains {web}"):
        await refuse_upkeep(render.api, [web], now=now)


async def test_a_window_is_held_against_renders_maintenance(render: Hosted) -> None:
    """The checklist asks about a window ahead; a target that is elsewhere has no maintenance."""
    web = render.site.services["web"]
    entry: Json = {"id": made_id("mrn"), "type": "upgrade", "state": "scheduled", "scheduledAt": "2026-12-01T03:00:00Z"}
    render.fake.estate.maintenance = [{**entry, "resourceId": web}]
    each = EachMaintenance({"casework": RenderMaintenance(render.site, api=render.api)})
    at = datetime(2026, 12, 1, 2, 0, tzinfo=UTC).timestamp()
    assert (f"{web} (upgrade, scheduled, 2026-12-01T03:00:00Z)",) == await each.during(render.of, at, at + 7200)
    assert () == await each.during(render.of, at - 86400, at - 80000)
    assert () == await each.during(replace(render.of, name="elsewhere"), at, at + 7200)


async def test_a_run_is_not_remembered_under_maintenance(render: Hosted) -> None:
    """Before anything is changed; a run that has begun goes on."""
    await render.platform.remember(render.of, "run-1")
    entry: Json = {"id": made_id("mrn"), "type": "upgrade", "state": "in_progress", "scheduledAt": MOMENT}
    render.fake.estate.maintenance = [{**entry, "resourceId": render.site.services["web"]}]
    await render.platform.remember(render.of, "run-1")
    with pytest.raises(StepError, match="Render maintains"):
        await render.platform.remember(render.of, "run-2")
    assert () == await render.platform.known(render.of, "run-2")
