"""Stopping is proven from the database, restarting from the health endpoints; each step answers five questions."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.ports import Context, Outcome, StepError
from bot.runbook.fixes import Fix
from bot.runbook.samples import Sample, Verdict
from bot.runbook.steps import StepName
from bot.target import Service, Target
from integrations.health.pool import connections_used
from integrations.health.probe import HealthProbe
from integrations.local.platform import LocalPlatform
from integrations.services.parts import fingerprint
from integrations.services.steps import RestartServices, StopServices
from tests.fakes import FakePlatform
from tests.integrations.services.making import context, free_port, run_at, service, target


@dataclass(frozen=True, kw_only=True)
class Someone:
    pid: int
    application: str
    user: str


@dataclass(kw_only=True)
class FakeDatabase:
    """Sessions that leave after being seen ``leave_after`` times, and counters that move or not."""

    sessions: tuple[Someone, ...] = ()
    leave_after: int = 1_000_000
    writing: bool = False
    asked: list[float] = field(default_factory=list)

    async def application_sessions(self, dsn: str) -> tuple[Someone, ...]:
        self.leave_after -= 1
        return self.sessions if self.leave_after >= 0 else ()

    async def writes_still(self, dsn: str, seconds: float) -> Verdict:
        self.asked.append(seconds)
        return Verdict(ok=not self.writing, reason="Rows are written." if self.writing else "No row was written.")


class RealSessions(FakeDatabase):
    """Asks the real database who is there."""

    async def application_sessions(self, dsn: str) -> tuple[Someone, ...]:
        async with await psycopg.AsyncConnection.connect(dsn) as db:
            found = await db.execute(
                "SELECT pid, application_name, usename FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return tuple(Someone(pid=pid, application=name, user=user) for pid, name, user in await found.fetchall())


@dataclass(kw_only=True)
class FixedProbe:
    """Always the same sample."""

    sample_: Sample

    async def sample(self, target: Target) -> Sample:
        return self.sample_


async def half(_: Target) -> float | None:
    return 0.5


def stop(platform: LocalPlatform | FakePlatform, database: FakeDatabase) -> StopServices:
    return StopServices(platform=platform, sessions=database, drain_seconds=0.3)


def restart(platform: LocalPlatform | FakePlatform, *, seconds: float = 10.0, dead: float = 0.5) -> RestartServices:
    probe = HealthProbe(pool=half, seconds=1.0)
    return RestartServices(platform=platform, probe=probe, healthy_seconds=seconds, dead_seconds=dead)


def stopping(of: Target, said: list[str] | None = None) -> Context:
    return context(run_at(StepName.STOP_SERVICES), of, said)


def restarting(of: Target, said: list[str] | None = None) -> Context:
    return context(run_at(StepName.RESTART_SERVICES), of, said)


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Target]:
    """Two real services, not started; ended afterwards."""
    made = target(tmp_path, service("web", "--release", "r41"), service("gateway"))
    yield made
    await LocalPlatform(stop_seconds=0.2).stop(made)


async def test_the_five_answers_of_the_stop(web: Target) -> None:
    """Describe, check, run, verify, undo, over real processes."""
    platform, database = LocalPlatform(), FakeDatabase()
    step, now = stop(platform, database), stopping(web)
    await platform.start(web)
    described = await step.describe(now)
    fixed = {"target": "casework", "platform": "processes of this machine"}
    started_by = {f"service {each.name}": fingerprint(each) for each in web.services}
    assert fixed | started_by == described.inputs
    assert "Stop web, gateway (processes of this machine), all at once." == described.lines[0]
    assert await step.check(now) is None
    outcome = await step.run(now)
    assert (
        "web: 0/0 replicas",
        "gateway: 0/0 replicas",
        "All services scaled to 0",
        "No active connections to database",
    ) == outcome.evidence
    assert {"web": False, "gateway": False} == await platform.status(web)
    reason = "All services scaled to 0. No active connections to database. No row was written."
    assert Verdict(ok=True, reason=reason) == await step.verify(now, outcome)
    assert [2.0] == database.asked
    assert outcome == await step.check(now)
    assert "Start services: web, gateway." == step.undo(now)


async def test_the_five_answers_of_the_restart(web: Target) -> None:
    """Describe, check, run, verify, undo, over real processes and their health endpoints."""
    platform = LocalPlatform()
    step, now = restart(platform), restarting(web)
    described = await step.describe(now)
    what = {"start web", "start gateway", "release web", "release gateway"}
    assert {"target", "services", "platform", *what} == set(described.inputs)
    assert "web: release r41" in described.lines
    assert not [line for line in described.lines if line.startswith("gateway: release")]
    assert await step.check(now) is None
    outcome = await step.run(now)
    assert (
        "web: 1/1 replicas",
        "gateway: 1/1 replicas",
        "Health checks passing (200 OK): web, gateway",
        "Database latency: 15 ms",
        "Database connection pool: healthy (50% utilization, limit 80%)",
    ) == outcome.evidence
    assert {"release web": "r41", "release gateway": ""} == outcome.facts
    assert (await step.verify(now, outcome)).ok
    assert outcome == await step.check(now)
    assert "Stop services: web, gateway." == step.undo(now)


async def test_services_that_run_are_restarted_when_people_say_so(web: Target) -> None:
    """That they run is no reason to leave them: all of them are stopped first, and other processes answer then."""
    platform, step = LocalPlatform(), restart(LocalPlatform())
    await step.run(restarting(web))
    before = processes(web)
    now = restarting(web)
    now = replace(now, run=replace(now.run, fixes=(Fix.RESTART,)))

    described = await step.describe(now)
    assert "Stop, and then start what ran before the stop" in described.lines[0]
    assert described.inputs != (await step.describe(restarting(web))).inputs
    assert await step.check(now) is None
    outcome = await step.run(now)

    assert (await step.verify(now, outcome)).ok
    after = processes(web)
    assert len(before) == len(after) == len(web.services) and not before & after
    assert {"web": True, "gateway": True} == await platform.status(web)


def processes(of: Target) -> set[int]:
    """The processes of its services."""
    commands = [list(each.command) for each in of.services]
    return {each.pid for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] in commands}


async def test_a_lingering_session_refuses_the_stop_by_name(tmp_path: Path) -> None:
    """Whoever stays connected is named with pid, application and user; the step does not succeed."""
    people = Someone(pid=41, application="psql", user="bob"), Someone(pid=42, application="", user="eve")
    database = FakeDatabase(sessions=people)
    with pytest.raises(StepError) as refused:
        await stop(FakePlatform(), database).run(stopping(target(tmp_path, service("web"))))
    named = "pid 41 (psql, user bob), pid 42 (no application name, user eve)"
    assert f"The services have stopped, but others are connected to the database: {named}." == refused.value.problem
    assert "retry" in refused.value.advice


async def test_a_real_session_of_somebody_refuses_the_stop(tmp_path: Path, casework: Casework) -> None:
    """The same with a real database: refused while psql is connected, done when it has gone."""

    made = target(tmp_path, service("web"), dsn=casework.owner_dsn)
    step = stop(FakePlatform(), RealSessions())
    async with await psycopg.AsyncConnection.connect(casework.app_dsn, application_name="psql"):
        assert await step.check(stopping(made)) is None
        with pytest.raises(StepError, match=r"\(psql, user casework_app\)"):
            await step.run(stopping(made))
    assert "No active connections to database" in (await step.run(stopping(made))).evidence


async def test_sessions_may_take_a_moment_to_go(tmp_path: Path) -> None:
    """A session that ends within the drain period is waited for, and the waiting is shown."""
    said: list[str] = []
    database = FakeDatabase(sessions=(Someone(pid=41, application="web", user="app"),), leave_after=2)
    await stop(FakePlatform(), database).run(stopping(target(tmp_path, service("web")), said))
    assert "Waiting for sessions to end: pid 41 (web, user app)" in said


async def test_the_stop_is_not_believed_without_its_three_proofs(tmp_path: Path) -> None:
    """A service running again, a session, a moving counter: each alone makes the verdict a no."""
    made, platform = target(tmp_path, service("web")), FakePlatform()
    someone = (Someone(pid=41, application="psql", user="bob"),)
    for database, reason in (
        (FakeDatabase(sessions=someone), "Connected to the database: pid 41 (psql, user bob)."),
        (FakeDatabase(writing=True), "Rows are written."),
    ):
        assert Verdict(ok=False, reason=reason) == await stop(platform, database).verify(stopping(made), Outcome())
    platform.running = {"web"}
    expected = Verdict(ok=False, reason="Running again: web.")
    assert expected == await stop(platform, FakeDatabase()).verify(stopping(made), Outcome())


async def test_a_platform_that_cannot_stop_is_not_believed(tmp_path: Path) -> None:
    """The platform is read back; what still runs is named."""

    class Stubborn(FakePlatform):
        async def stop(self, target: Target) -> None:
            return

    platform = Stubborn()
    platform.running = {"web"}
    with pytest.raises(StepError, match="Still running after the stop: web"):
        await stop(platform, FakeDatabase()).run(stopping(target(tmp_path, service("web"))))


async def test_a_killed_attempt_is_finished_by_the_next(web: Target) -> None:
    """One service stopped, then the worker died: the next attempt stops the rest, and all come back."""
    platform, database = LocalPlatform(), FakeDatabase()
    await platform.start(web)
    await platform.stop(replace(web, services=web.services[:1]))
    again = replace(stopping(web), attempt=2)
    assert await stop(platform, database).check(again) is None
    await stop(platform, database).run(again)
    outcome = await restart(platform).run(restarting(web))
    assert "Health checks passing (200 OK): web, gateway" in outcome.evidence


async def test_a_service_that_never_gets_healthy_is_reported_with_its_log(tmp_path: Path) -> None:
    """The wait is bounded; the person gets the last lines of the log, without secrets."""
    said: list[str] = []
    sick = service("web", "--code", "503", "--say", "cannot reach postgresql://app:hunter22@db/x")
    made, platform = target(tmp_path, sick), LocalPlatform(stop_seconds=0.2)
    with pytest.raises(StepError) as failed:
        await restart(platform, seconds=1.0).run(restarting(made, said))
    await platform.stop(made)
    assert failed.value.problem.startswith("web: not healthy after 1 s.\nLast lines of web:\ncannot reach postgres")
    assert "hunter22" not in failed.value.problem
    assert "Find out why web does not become healthy" in failed.value.advice
    assert "Waiting for web to become healthy" in said


async def test_a_service_that_ends_by_itself_is_not_waited_for(tmp_path: Path) -> None:
    """Five minutes of waiting for a process that is gone help nobody."""
    made = target(tmp_path, service("web", "--end", "--say", "no module named cases"))
    async with asyncio.timeout(50):
        with pytest.raises(StepError, match=r"(?s)web: ended by itself.*no module named cases"):
            await restart(LocalPlatform(), seconds=60.0).run(restarting(made))


async def test_a_stranger_on_the_port_is_not_the_service(tmp_path: Path) -> None:
    """A healthy answer does not count while the platform says that the service does not run."""
    made = target(tmp_path, service("web"))
    probe = FixedProbe(sample_=Sample(at=0.0, healthy=("web",)))
    step = RestartServices(platform=FakePlatform(), probe=probe)
    assert await step.check(restarting(made)) is None
    reason = "Not running and healthy: web."
    assert Verdict(ok=False, reason=reason) == await step.verify(restarting(made), Outcome())


@pytest.mark.parametrize(("pool", "ok"), [(0.79, True), (0.80, False), (None, True)])
async def test_the_pool_must_be_below_80_percent(tmp_path: Path, pool: float | None, ok: bool) -> None:
    """Runbook step 6; where it cannot be measured the verdict says so."""
    platform = FakePlatform()
    platform.running = {"web"}
    probe = FixedProbe(sample_=Sample(at=0.0, healthy=("web",), pool=pool))
    step = RestartServices(platform=platform, probe=probe)
    verdict = await step.verify(restarting(target(tmp_path, service("web"))), Outcome())
    assert ok == verdict.ok
    assert ("not measured" if pool is None else "utilization") in verdict.reason


async def test_what_did_not_run_before_is_not_waited_for(web: Target) -> None:
    """Only what ran before the stop is started, described and awaited."""
    platform = LocalPlatform()
    await platform.start(replace(web, services=web.services[:1]))
    await stop(platform, FakeDatabase()).run(stopping(web))
    assert "web" == (await restart(platform).describe(restarting(web))).inputs["services"]
    outcome = await restart(platform).run(restarting(web))
    assert "Health checks passing (200 OK): web" in outcome.evidence
    assert {"web": True, "gateway": False} == await platform.status(web)


async def test_a_changed_command_changes_the_digest(tmp_path: Path) -> None:
    """What is started is what was approved; the values of the environment stay out of it."""
    before, platform = target(tmp_path, service("web", environment={"DATABASE_URL": "a"})), FakePlatform()
    web = before.services[0]
    changed = replace(before, services=(replace(web, command=(*web.command, "--release", "r42")),))
    rotated = replace(before, services=(replace(web, environment=(("DATABASE_URL", "b"),)),))
    asked = [(await restart(platform).describe(restarting(each))).inputs for each in (before, changed, rotated)]
    assert asked[0] != asked[1]
    assert asked[0] == asked[2]


async def test_the_samples_services_leave_no_session_and_come_back(tmp_path: Path, casework: Casework) -> None:
    """Real services on a real database: connected while they run, gone after the stop, healthy after the restart."""
    port = free_port()
    sample = Service(
        name="casework-web", health_url=f"http://127.0.0.1:{port}/health",
        metrics_url=f"http://127.0.0.1:{port}/metrics.json", folder=str(Path(__file__).resolve().parents[3]),
        command=(sys.executable, "-m", "bot.demo.sample_app", "--name", "casework-web", "--port", str(port)),
        environment=(("DATABASE_URL", casework.app_dsn),),
    )  # fmt: skip
    made, platform, database = target(tmp_path, sample, dsn=casework.owner_dsn), LocalPlatform(), RealSessions()
    probe = HealthProbe(pool=connections_used, seconds=2.0)
    back = RestartServices(platform=platform, probe=probe, healthy_seconds=30.0)
    try:
        for _ in range(2):
            outcome = await back.run(restarting(made))
            assert (await back.verify(restarting(made), outcome)).ok
            assert {"casework-web"} == {each.application for each in await database.application_sessions(made.dsn)}
            assert "All services scaled to 0" in (await stop(platform, database).run(stopping(made))).evidence
            assert () == await database.application_sessions(made.dsn)
    finally:
        await platform.stop(made)
