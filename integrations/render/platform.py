"""``RenderPlatform``: the services of a target on Render."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bot.target import Service, Target
from integrations.lock import locked
from integrations.render.api import RenderApi
from integrations.render.desk import Desk, memory_of
from integrations.render.logs import Logs
from integrations.render.memory import Memory, What
from integrations.render.site import Site
from integrations.render.starting import start
from integrations.render.stopping import stop
from integrations.render.upkeep import refuse_upkeep, resources_of


class RenderPlatform:
    """Stops by suspending and starts by resuming; what was found is kept in the target's state folder.

    That folder must outlive the bot.  ``lock_seconds`` is how long to wait for another bot that is working on the
    same services.  Errors are ``StepError``.
    """

    def __init__(self, site: Site, *, api: RenderApi | None = None, lock_seconds: float = 90.0) -> None:
        self._site = site
        self.api = api or RenderApi(site.client(), site.patience)
        self._lock_seconds = lock_seconds

    def where(self, target: Target) -> str:
        return "Render"

    async def status(self, target: Target) -> Mapping[str, bool]:
        """Service name -> does it run, or may it come up by itself?  Only suspended without an instance is stopped."""
        desk = self._desk(target)
        return {
            name: not state.suspended or (state.has_instances and bool(await self.api.instances(state.id)))
            for name, state in (await desk.states()).items()
        }

    async def wanted(self, target: Target) -> tuple[str, ...]:
        """The services that ``start`` brings up: all but those that were suspended before."""
        idle = self._remembered(target).idle
        return tuple(service.name for service in target.services if service.name not in idle)

    async def remember(self, target: Target, run: str) -> None:
        """Write down what run ``run`` found, before it changes anything; said again, it changes nothing.

        Refused while Render maintains something of the target, or is about to.
        """
        async with self._alone(target) as desk:
            earlier = desk.memory
            if earlier is None or earlier.run != run:
                await refuse_upkeep(self.api, resources_of(self._site, target))
            await desk.remembered(run)

    async def stop(self, target: Target) -> None:
        """Automatic deploys off, deploys in flight waited for, maintenance mode, suspend; see ``stopping``."""
        async with self._alone(target) as desk:
            await stop(desk)

    async def start(self, target: Target, *, previous: bool = False) -> None:
        """Undo what ``stop`` did, newest first; ``previous``: on the deploys from before, which are then held."""
        async with self._alone(target) as desk:
            await start(desk, previous=previous)

    async def restart(self, target: Target, service: Service) -> None:
        """New instances of the same deploy."""
        async with self._alone(target) as desk:
            await self.api.restart(desk.services[service.name])

    async def release(self, target: Target, service: Service) -> str:
        """The code of the live deploy (or of the last one that was); empty for a service never deployed."""
        current = await self.api.current(self._site.services[service.name])
        return current.release if current else ""

    async def previous(self, target: Target, service: Service) -> str:
        """The code that the newest run to remember found; empty where it is not known."""
        then = self._remembered(target).before.get(service.name)
        return then.release if then else ""

    async def known(self, target: Target, run: str) -> tuple[str, ...]:
        """The services of which is known what they ran when run ``run`` found them."""
        memory = self._remembered(target)
        return tuple(name for name, then in memory.before.items() if then.deploy and memory.run == run)

    async def deploys_held(self, target: Target) -> str:
        """Automatic deploys stay off after a way back, until a later run starts its services again."""
        held = [each.service for each in self._remembered(target).changes if each.what is What.AUTO_DEPLOY]
        if not held:
            return "Automatic deploys: off on Render while the services are back on the deploys from before"
        return f"Automatic deploys: off on Render for {', '.join(held)}; turn them on there when the code is mended"

    async def log(self, target: Target, service: Service, lines: int) -> tuple[str, ...]:
        """The last lines the service wrote, secrets masked."""
        state = await self.api.service(self._site.services[service.name])
        secrets = (target.dsn, *self.api.client.origin.secrets)
        return await Logs(self.api, state.owner, secrets=secrets).tail(state.id, lines)

    def _remembered(self, target: Target) -> Memory:
        return self._desk(target).memory or Memory()

    def _desk(self, target: Target) -> Desk:
        return Desk(self.api, self._site, target)

    @asynccontextmanager
    async def _alone(self, target: Target) -> AsyncIterator[Desk]:
        """The target's desk, with nobody else at it."""
        folder = memory_of(target).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with locked(folder / ".render.lock", seconds=self._lock_seconds):
            yield self._desk(target)
