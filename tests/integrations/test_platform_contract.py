"""What every platform promises: the local one, Render's, and the fake that other tests use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from bot.target import Target
from integrations.local.platform import LocalPlatform
from integrations.services.parts import Services
from tests.fakes import FakePlatform
from tests.integrations.render.hosting import Hosted, hosted
from tests.integrations.services.making import service, target


class Hosting(Protocol):
    """A platform with two services, and what people do there beside the bot."""

    platform: Services
    of: Target

    async def idle(self, name: str) -> None:
        """Somebody has stopped a service before any run."""

    async def deploy(self, release: str) -> None:
        """The first service gets another release, at its next start at the latest."""


@dataclass
class ByCommand:
    """A platform whose release is in the command: what is deployed is what is configured."""

    platform: Services
    of: Target

    async def idle(self, name: str) -> None:
        await self.platform.start(replace(self.of, services=tuple(s for s in self.of.services if s.name != name)))

    async def deploy(self, release: str) -> None:
        web, *others = self.of.services
        self.of = replace(self.of, services=(replace(web, command=(*web.command[:-1], release)), *others))


@dataclass
class OnRender:
    """The stand-in, on which deploys and suspensions are made as people make them."""

    hosted: Hosted

    @property
    def platform(self) -> Services:
        return self.hosted.platform

    @property
    def of(self) -> Target:
        return self.hosted.of

    async def idle(self, name: str) -> None:
        await self.hosted.fake.world.suspend(self.hosted.fake.world.named(name))

    async def deploy(self, release: str) -> None:
        world = self.hosted.fake.world
        web = world.named("web")
        suspended, web.suspended = web.suspended, False
        world.deploy(web, release, "manual")
        while not web.deploys[-1].over:
            await world.looked_at(web)
        web.suspended, web.instances = suspended, [] if suspended else web.instances


@asynccontextmanager
async def by_command(folder: Path, platform: Services) -> AsyncIterator[Hosting]:
    of = target(folder, service("web", "--release", "r1"), service("worker"))
    yield ByCommand(platform, of)
    await platform.stop(of)


@pytest_asyncio.fixture(params=["local", "fake", "render"])
async def hosting(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Hosting]:
    """Each platform in turn, everything stopped afterwards."""
    if request.param == "render":
        async with hosted(tmp_path) as made:
            yield OnRender(made)
        return
    platform: Services = LocalPlatform(stop_seconds=1.0) if request.param == "local" else FakePlatform()
    async with by_command(tmp_path, platform) as by:
        yield by


BOTH = {"web": True, "worker": True}
NONE = {"web": False, "worker": False}


async def running(hosting: Hosting) -> Services:
    """Everything runs, on release r1."""
    await hosting.platform.start(hosting.of)
    return hosting.platform


async def test_without_a_stop_everything_is_wanted(hosting: Hosting) -> None:
    """There is nothing to remember yet."""
    platform = await running(hosting)
    assert BOTH == await platform.status(hosting.of)
    assert ("web", "worker") == await platform.wanted(hosting.of)


async def test_repeated_calls_change_nothing(hosting: Hosting) -> None:
    """Start twice is started; stop twice is stopped; start again brings all back."""
    platform = await running(hosting)
    for stopping in (False, True, True, False, False):
        await (platform.stop(hosting.of) if stopping else platform.start(hosting.of))
        assert (NONE if stopping else BOTH) == await platform.status(hosting.of)


async def test_a_stop_remembers_what_ran(hosting: Hosting) -> None:
    """What was off before stays off."""
    await hosting.idle("web")
    platform = hosting.platform
    await platform.stop(hosting.of)
    assert ("worker",) == await platform.wanted(hosting.of)
    await platform.start(hosting.of)
    assert {"web": False, "worker": True} == await platform.status(hosting.of)


async def test_the_release_and_the_log_are_read(hosting: Hosting) -> None:
    """Both can be asked for at any time."""
    web = hosting.of.services[0]
    assert "r1" == await hosting.platform.release(hosting.of, web)
    assert () == await hosting.platform.log(hosting.of, web, 5)


async def test_the_way_back_is_on_the_releases_from_before(hosting: Hosting) -> None:
    """Whatever has been deployed and stopped since: a previous start brings what the run found at first."""
    platform = await running(hosting)
    await platform.remember(hosting.of, "run-1")
    await platform.stop(hosting.of)
    await hosting.deploy("r2")
    of, web = hosting.of, hosting.of.services[0]
    await platform.start(of)
    assert "r2" == await platform.release(of, web)
    await platform.remember(of, "run-1")
    await platform.stop(of)
    known = tuple(sorted(await platform.known(of, "run-1")))
    assert ("r1", ("web", "worker")) == (await platform.previous(of, web), known)
    await platform.start(of, previous=True)
    assert ("r1", BOTH) == (await platform.release(of, web), await platform.status(of))


async def test_a_memory_is_of_one_run(hosting: Hosting) -> None:
    """Another run's memory is not known; a new run begins with what runs then, or was left down."""
    platform = await running(hosting)
    await platform.remember(hosting.of, "run-1")
    await platform.stop(hosting.of)
    assert () == await platform.known(hosting.of, "run-2")
    await platform.remember(hosting.of, "run-2")
    assert ("web", "worker") == tuple(sorted(await platform.known(hosting.of, "run-2")))
    assert ("web", "worker") == await platform.wanted(hosting.of)
    await platform.start(hosting.of)
    assert BOTH == await platform.status(hosting.of)


async def test_without_a_memory_the_previous_start_is_a_start(hosting: Hosting) -> None:
    """Nothing is known: what is there is started."""
    web = hosting.of.services[0]
    await hosting.platform.start(hosting.of, previous=True)
    assert BOTH == await hosting.platform.status(hosting.of)
    assert ("", ()) == (await hosting.platform.previous(hosting.of, web), await hosting.platform.known(hosting.of, ""))


async def test_it_says_what_holds_automatic_deploys(hosting: Hosting) -> None:
    """In words for the record."""
    assert (await hosting.platform.deploys_held(hosting.of)).startswith("Automatic deploys: ")
    assert hosting.platform.where(hosting.of)
