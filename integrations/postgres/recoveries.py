"""Each target's own way of point-in-time recovery."""

from collections.abc import Mapping

from bot.ports import PointInTime
from bot.target import Target
from integrations.postgres.by_hand import ByHandRecovery


class Recoveries:
    """``PointInTime`` of every target: by its name, or else in people's hands altogether."""

    def __init__(self, of: Mapping[str, PointInTime]) -> None:
        self._of = of
        self._otherwise = ByHandRecovery()

    async def offer(self, target: Target, moment: str) -> tuple[bool, str]:
        """What the target's own platform offers."""
        return await self._of.get(target.name, self._otherwise).offer(target, moment)
