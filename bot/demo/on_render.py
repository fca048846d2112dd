"""The demo's services on the stand-in for Render, instead of on this machine by the bot itself."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from bot.demo.releases import LINK
from bot.demo.render.machines import LocalMachines
from bot.demo.render.server import FakeRender
from bot.demo.render.state import ServiceRecord, World
from bot.target import Target
from integrations.render.platform import RenderPlatform
from integrations.render.site import Site

KEY_NAME = "CASEWORK_RENDER_API_KEY"
_LOOK_SECONDS = 0.2  # nobody waits for Render here

_SECTION = """
[targets.casework.render]
api_key_env = "{key}"
url = "{url}"
look_seconds = {look}
job_service = "{jobs}"

[targets.casework.render.services]
{services}
"""


@dataclass(frozen=True, kw_only=True)
class Hosting:
    """The stand-in and its key; ``section`` is what it adds to the targets file."""

    fake: FakeRender
    section: str
    services: dict[str, str]

    @property
    def _own(self) -> list[ServiceRecord]:
        """Those that run here; the one for jobs has nothing but its build."""
        return [self.fake.world.services[number] for number in self.services.values()]

    @property
    def environment(self) -> dict[str, str]:
        return {KEY_NAME: self.fake.key}

    def platform(self) -> RenderPlatform:
        """For looking on, with the bot's own eyes."""
        return RenderPlatform(Site(services=self.services, key=self.fake.key, key_name=KEY_NAME, url=self.fake.url))

    async def furnish(self, target: Target, folder: Path, *, migrating: bool) -> None:
        """Run what is to run: everything, but for what a run under way has stopped."""
        machines = LocalMachines(target, releases=folder / "releases", state=folder / "render")
        self.fake.world.machines = machines
        for service in self._own:
            if not await machines.runs(service.name):
                if migrating:
                    service.suspended, service.suspenders, service.instances = True, ["user"], []
                else:
                    await machines.up(service.name, service.deploys[-1].commit)

    async def stop(self) -> None:
        """Nothing is left running, and nobody answers any more."""
        for service in self._own:
            await self.fake.world.machines.down(service.name)
        await self.fake.stop()

    async def deploy(self, release: str) -> None:
        """Every service gets ``release``: now, or when it is resumed."""
        for service in self._own:
            deploy = self.fake.world.deploy(service, release, "manual")
            if service.suspended:
                deploy.status = "live"


async def opened(folder: Path, names: tuple[str, ...]) -> Hosting:
    """The stand-in, serving; what it runs is furnished later."""
    release = (folder / LINK).resolve().name
    fake = FakeRender(World(), key=f"rnd_{secrets.token_hex(12)}")
    services = {name: fake.world.add(name, release).id for name in names}
    jobs = fake.world.add("casework-jobs", release, kind="background_worker")
    await fake.start()
    lines = "\n".join(f'{name} = "{number}"' for name, number in services.items())
    section = _SECTION.format(key=KEY_NAME, url=fake.url, look=_LOOK_SECONDS, jobs=jobs.id, services=lines)
    return Hosting(fake=fake, section=section, services=services)
