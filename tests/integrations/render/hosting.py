"""A target on the stand-in for Render, and a platform that looks often."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo.render.server import FakeRender
from bot.target import Service, Target
from integrations.http.client import Policy
from integrations.render.api import RenderApi
from integrations.render.platform import RenderPlatform
from integrations.render.site import Patience, Site
from tests.integrations.services.making import target

KEY = "rnd_hunter22"  # the key of these tests
QUICK = Patience(stop=5.0, deploy=5.0, in_flight=0.3, settle=1.0, look=0.01)


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """Two services, web and worker, on release r1."""

    fake: FakeRender
    of: Target
    site: Site
    api: RenderApi

    @property
    def platform(self) -> RenderPlatform:
        """A new bot's platform: it knows what is on disk, and nothing else."""
        return RenderPlatform(self.site, api=self.api, lock_seconds=1.0)


@asynccontextmanager
async def hosted(folder: Path, *, patience: Patience = QUICK, url: str = "") -> AsyncIterator[Hosted]:
    """The stand-in, open; ``url`` is where the client is sent instead of straight to it."""
    fake = FakeRender(key=KEY)
    web = fake.world.add("web", "r1")
    worker = fake.world.add("worker", "r1", kind="background_worker")
    await fake.start()
    site = Site(services={"web": web.id, "worker": worker.id}, key=KEY, url=url or fake.url, patience=patience)
    of = target(folder, *(Service(name=name, health_url="") for name in ("web", "worker")))
    try:
        api = RenderApi(site.client(Policy(answer=2.0, pause=0.02)), patience)
        yield Hosted(fake=fake, of=of, site=site, api=api)
    finally:
        await fake.stop()
