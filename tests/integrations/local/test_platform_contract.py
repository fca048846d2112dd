"""What every platform promises, asked of the real local one and of the fake that other tests use."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.ports import Platform, Target
from integrations.local.platform import LocalPlatform
from integrations.services.steps import Services
from tests.fakes import FakePlatform
from tests.integrations.services.making import service, target


@pytest.fixture
def of(tmp_path: Path) -> Target:
    return target(tmp_path, service("web", "--release", "web-release"), service("gateway"))


@pytest_asyncio.fixture(params=["local", "fake"])
async def platform(request: pytest.FixtureRequest, of: Target) -> AsyncIterator[Services]:
    """Each platform in turn, everything stopped afterwards."""
    made: Services = LocalPlatform(stop_seconds=1.0) if request.param == "local" else FakePlatform()
    yield made
    await made.stop(of)


async def test_nothing_runs_before_a_start(platform: Platform, of: Target) -> None:
    """Status names every service."""
    assert {"web": False, "gateway": False} == await platform.status(of)


async def test_the_first_start_starts_everything(platform: Services, of: Target) -> None:
    """Without a stop before there is nothing to remember."""
    await platform.start(of)
    assert {"web": True, "gateway": True} == await platform.status(of)
    assert ("web", "gateway") == await platform.wanted(of)


async def test_repeated_calls_change_nothing(platform: Platform, of: Target) -> None:
    """Start twice is started; stop twice is stopped; start again brings all back."""
    for call, running in (("start", True), ("start", True), ("stop", False), ("stop", False), ("start", True)):
        await (platform.start(of) if call == "start" else platform.stop(of))
        assert {"web": running, "gateway": running} == await platform.status(of)


async def test_a_stop_remembers_what_ran(platform: Services, of: Target) -> None:
    """What was off before stays off."""
    await platform.start(replace(of, services=of.services[1:]))
    await platform.stop(of)
    assert ("gateway",) == await platform.wanted(of)
    await platform.start(of)
    assert {"web": False, "gateway": True} == await platform.status(of)


async def test_the_release_and_the_log_are_read(platform: Services, of: Target) -> None:
    """Both can be asked for at any time."""
    assert "web-release" == await platform.release(of, of.services[0])
    assert () == await platform.log(of, of.services[0], 5)
