"""Small real stand-ins for the ports: they keep state, and the contract tests hold them to what the real ones do."""

from bot.ports import Service, Target


class FakePlatform:
    """Services that are only names; held to the same contract as ``LocalPlatform``."""

    name = "a platform of this test"

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.idle: set[str] = set()
        self.remembers = False
        self.logs: dict[str, tuple[str, ...]] = {}

    async def status(self, target: Target) -> dict[str, bool]:
        return {service.name: service.name in self.running for service in target.services}

    async def wanted(self, target: Target) -> tuple[str, ...]:
        return tuple(service.name for service in target.services if service.name not in self.idle)

    async def stop(self, target: Target) -> None:
        names = {service.name for service in target.services}
        off = names - self.running
        self.idle, self.remembers = off & self.idle if self.remembers else off, True
        self.running -= names

    async def start(self, target: Target) -> None:
        self.running |= set(await self.wanted(target))

    async def release(self, target: Target, service: Service) -> str:
        return f"{service.name}-release"

    async def log(self, target: Target, service: Service, lines: int) -> tuple[str, ...]:
        return self.logs.get(service.name, ())[-lines:]
