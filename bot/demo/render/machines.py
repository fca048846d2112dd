"""Instances that are processes of this machine: what the stand-in says runs, runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.target import Service, Target
from integrations.local.platform import LocalPlatform

_LINES = 1000  # the stand-in has no more of one service


class LocalMachines:
    """``Machines`` that start ``target``'s services by their commands, each in the folder of its release.

    ``releases`` holds one folder per release; what runs is remembered under ``state``, so that a demo that comes back
    finds it again.
    """

    def __init__(self, target: Target, *, releases: Path, state: Path) -> None:
        self._services: Mapping[str, Service] = {service.name: service for service in target.services}
        self._target = target
        self._releases = releases
        self._state = state
        self._local = LocalPlatform(stop_seconds=10.0)

    async def up(self, service: str, release: str) -> None:
        """The old one goes first: a port has one owner."""
        await self.down(service)
        await self._local.start(self._alone(service, release))

    async def down(self, service: str) -> None:
        here = self._alone(service)
        await self._local.stop(here)
        await self._local.forget(here)

    async def runs(self, service: str) -> str:
        """The release whose process lives; empty for none."""
        here = self._alone(service)
        running = (await self._local.status(here))[service]
        return await self._local.release(here, here.services[0]) if running else ""

    async def log(self, service: str) -> Sequence[str]:
        """Over all releases: the file stays."""
        here = self._alone(service)
        return await self._local.log(here, here.services[0], _LINES)

    def _alone(self, service: str, release: str = "") -> Target:
        found = self._services[service]
        placed = replace(found, folder=str(self._releases / release)) if release else found
        return replace(self._target, services=(placed,), state=self._state / service)
