"""The targets as the jobs see them: the configured ones, and beside each the game day that is going on there."""

from collections.abc import Iterator, Mapping

from bot.gameday.place import found, target_of
from bot.ports import Context
from bot.runbook.exercise import SUFFIX
from bot.target import Target


class Targets(Mapping[str, Target]):
    """``casework~gameday`` is the exercise on casework; it is found by its name, and never listed."""

    def __init__(self, real: Mapping[str, Target]) -> None:
        self._real = real

    def __getitem__(self, name: str) -> Target:
        real = self._real.get(name.removesuffix(SUFFIX))
        if real is None or not name.endswith(SUFFIX):
            return self._real[name]
        place = found(real)
        if place is None:
            raise KeyError(name)
        return target_of(real, place)

    def __iter__(self) -> Iterator[str]:
        return iter(self._real)

    def __len__(self) -> int:
        return len(self._real)


def to_be_damaged(real: Mapping[str, Target], context: Context) -> bool:
    """Is the backup of this very exercise to be damaged?"""
    target = real.get(context.target.name.removesuffix(SUFFIX))
    place = found(target) if target else None
    return place is not None and place.damage and place.run == context.run.id
