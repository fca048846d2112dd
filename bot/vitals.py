"""What a process knows of its own health: questions that are answered with what is wrong, or with nothing."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Check = Callable[[], str]


@dataclass
class Vitals:
    """What each process says of itself: by name, a question that is answered with what is wrong, or nothing."""

    checks: dict[str, Check] = field(default_factory=dict)

    def wrong(self) -> Mapping[str, str]:
        """Only what is not well."""
        return {name: said for name, check in self.checks.items() if (said := check())}


class Beat:
    """Something that must come again and again; ``every`` is the longest time between two, in seconds."""

    def __init__(self, every: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self._every, self._now = every, now
        self._last: float | None = None

    def __call__(self) -> None:
        self._last = self._now()

    def wrong(self) -> str:
        """Why it is not well, in words."""
        if self._last is None:
            return "it has not begun yet"
        late = self._now() - self._last
        return f"nothing for {late:.0f} s" if late > self._every else ""
