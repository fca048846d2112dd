"""On the way back the services return on the deploys from before the run, and on nothing else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.ports import Context, Outcome, StepError
from bot.runbook.samples import Sample, Verdict
from bot.runbook.steps import Route, StepName
from bot.target import Target
from integrations.health.probe import HealthProbe
from integrations.local.platform import LocalPlatform
from integrations.services.steps import RestartServices, StopServices
from tests.fakes import FakePlatform
from tests.integrations.services.making import context, run_at, service, target
from tests.integrations.services.test_service_steps import FakeDatabase, FixedProbe, half

HEALTHY = FixedProbe(sample_=Sample(at=0.0, healthy=("web",)))


def going_back(of: Target, *, run: str = "run-1") -> Context:
    return context(replace(run_at(StepName.RESTART_SERVICES, route=Route.ROLLBACK), id=run), of)


def going_on(of: Target, step: StepName = StepName.RESTART_SERVICES) -> Context:
    return context(run_at(step), of)


def deployed(of: Target, release: str) -> Target:
    """The same target after people have deployed: every service's command names another release."""

    def newer(command: tuple[str, ...]) -> tuple[str, ...]:
        place = command.index("--release") + 1 if "--release" in command else len(command)
        return (*command[:place], release) if place < len(command) else (*command, "--release", release)

    return replace(of, services=tuple(replace(each, command=newer(each.command)) for each in of.services))


def stop(platform: LocalPlatform | FakePlatform) -> StopServices:
    return StopServices(platform=platform, sessions=FakeDatabase(), still_seconds=0.0)


def restart(platform: LocalPlatform | FakePlatform) -> RestartServices:
    return RestartServices(platform=platform, probe=HealthProbe(pool=half, seconds=1.0), healthy_seconds=10.0)


@pytest_asyncio.fixture
async def old(tmp_path: Path) -> AsyncIterator[Target]:
    """Two real services that run: one with a named release, one without."""
    made = target(tmp_path, service("web", "--release", "1.4.2"), service("gateway"))
    await LocalPlatform().start(made)
    yield made
    await LocalPlatform(stop_seconds=0.2).stop(made)


async def test_the_five_answers_on_the_way_back(old: Target) -> None:
    """Describe, check, run, verify and undo name the releases, and say what holds automatic deploys."""
    platform, new = LocalPlatform(), deployed(old, "2.0.0")
    step, now = restart(platform), going_back(new)
    await stop(platform).run(going_on(new, StepName.STOP_SERVICES))
    described = await step.describe(now)
    assert (
        "web: release 1.4.2, the one before the run",
        "gateway: the deploy before the run (its release has no name)",
        "Automatic deploys: none on this platform.",
    ) == described.lines[1:4]
    assert ("1.4.2", "") == (described.inputs["release web"], described.inputs["release gateway"])
    assert await step.check(now) is None
    outcome = await step.run(now)
    assert (
        "web: back on release 1.4.2, the one before the run",
        "gateway: back on the deploy before the run (its release has no name)",
        "Automatic deploys: none on this platform",
    ) == outcome.evidence[2:5]
    facts = {"release web": "1.4.2", "release gateway": "", "before web": "1.4.2", "before gateway": ""}
    assert facts == outcome.facts
    assert (await step.verify(now, outcome)).ok
    assert outcome == await step.check(now)
    assert "Stop services: web, gateway." == step.undo(now)


async def test_a_whole_run_goes_on_with_the_new_deploy_and_back_to_the_old(old: Target) -> None:
    """The forward restart brings the new release; the rollback's stop does not make it the one to return to."""
    platform, new = LocalPlatform(), deployed(old, "2.0.0")
    await stop(platform).run(going_on(old, StepName.STOP_SERVICES))
    forward = await restart(platform).run(going_on(new))
    await stop(platform).run(going_back(new))
    back = await restart(platform).run(going_back(new))
    assert ("2.0.0", "1.4.2") == (forward.facts["release web"], back.facts["release web"])


async def test_the_next_run_returns_to_what_it_found_itself(old: Target) -> None:
    """What one run left is what the next one goes back to, however the first one ended."""
    platform, newest = LocalPlatform(), deployed(old, "3.0.0")
    for run, configured in (("run-1", deployed(old, "2.0.0")), ("run-2", newest)):
        at = replace(run_at(StepName.STOP_SERVICES), id=run)
        await stop(platform).run(context(at, configured))
        await restart(platform).run(context(replace(at, id=run), configured))
    await stop(platform).run(going_back(newest, run="run-2"))
    assert "2.0.0" == (await restart(platform).run(going_back(newest, run="run-2"))).facts["release web"]


async def test_services_that_are_down_already_are_remembered_too(old: Target) -> None:
    """A stop that finds nothing to do still makes the memory this run's own."""
    platform = LocalPlatform()
    await platform.stop(old)
    assert () == await platform.known(old, "run-1")
    assert await stop(platform).check(going_on(old, StepName.STOP_SERVICES)) is not None
    assert ("gateway", "web") == tuple(sorted(await platform.known(old, "run-1")))


async def test_where_nothing_is_known_it_says_so(old: Target) -> None:
    """The memory of another run is not used as this one's; what is configured is started, and that is evidence."""
    platform = FakePlatform()
    await platform.start(old)
    await stop(platform).run(going_on(old, StepName.STOP_SERVICES))
    step = RestartServices(platform=platform, probe=FixedProbe(sample_=Sample(at=0.0, healthy=("web", "gateway"))))
    other = going_back(old, run="run-2")
    unknown = "web: the deploy before the run is not known"
    assert f"{unknown}; start what is configured (release 1.4.2)" in (await step.describe(other)).lines
    assert f"{unknown}; started as configured (release 1.4.2)" in (await step.run(other)).evidence


async def test_what_runs_on_another_release_is_refused(tmp_path: Path) -> None:
    """Whatever brought the new code back: it is named, nothing counts as done, and people hear what to do."""
    platform, made = FakePlatform(), target(tmp_path, service("web", "--release", "1.4.2"))
    await platform.start(made)
    await stop(platform).run(going_on(made, StepName.STOP_SERVICES))
    platform.running, platform.releases = {"web"}, {"web": "2.0.0"}
    step, now = RestartServices(platform=platform, probe=HEALTHY), going_back(made)
    wrong = "web runs release 2.0.0, not 1.4.2, the one before the run."
    assert await step.check(now) is None
    with pytest.raises(StepError) as refused:
        await step.run(now)
    assert (wrong, True) == (refused.value.problem, "stop it on the platform, then retry" in refused.value.advice)
    assert Verdict(ok=False, reason=wrong) == await step.verify(now, Outcome())


async def test_a_deploy_between_asking_and_restarting_is_asked_for(tmp_path: Path) -> None:
    """On the way forward the release is part of what is approved."""
    made, step = target(tmp_path, service("web", "--release", "1.4.2")), restart(FakePlatform())
    asked, now = [(await step.describe(going_on(each))).inputs for each in (made, deployed(made, "2.0.0"))]
    assert ("1.4.2", "2.0.0") == (asked["release web"], now["release web"])
