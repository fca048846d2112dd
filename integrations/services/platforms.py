"""Each target on its own platform, for steps that know only one."""

from collections.abc import Mapping

from bot.target import Service, Target
from integrations.services.parts import Services


class Platforms:
    """``Services`` of every target: by its name, or else ``otherwise``."""

    def __init__(self, of: Mapping[str, Services], *, otherwise: Services) -> None:
        self._of = of
        self._otherwise = otherwise

    def platform(self, target: Target) -> Services:
        """The one that has this target's services."""
        return self._of.get(target.name, self._otherwise)

    def where(self, target: Target) -> str:
        return self.platform(target).where(target)

    async def status(self, target: Target) -> Mapping[str, bool]:
        return await self.platform(target).status(target)

    async def wanted(self, target: Target) -> tuple[str, ...]:
        return await self.platform(target).wanted(target)

    async def remember(self, target: Target, run: str) -> None:
        await self.platform(target).remember(target, run)

    async def stop(self, target: Target) -> None:
        await self.platform(target).stop(target)

    async def start(self, target: Target, *, previous: bool = False) -> None:
        await self.platform(target).start(target, previous=previous)

    async def release(self, target: Target, service: Service) -> str:
        return await self.platform(target).release(target, service)

    async def previous(self, target: Target, service: Service) -> str:
        return await self.platform(target).previous(target, service)

    async def known(self, target: Target, run: str) -> tuple[str, ...]:
        return await self.platform(target).known(target, run)

    async def deploys_held(self, target: Target) -> str:
        return await self.platform(target).deploys_held(target)

    async def log(self, target: Target, service: Service, lines: int) -> tuple[str, ...]:
        return await self.platform(target).log(target, service, lines)
