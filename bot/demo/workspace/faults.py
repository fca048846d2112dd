"""Trouble on demand: what tests make the workspace do wrong, and how fast it may be asked."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

FaultKind = Literal["drop_after", "drop_before", "http_500", "ratelimited", "slow"]


@dataclass(kw_only=True)
class Fault:
    """One kind of trouble for one method, for a number of calls; `seconds` is for `slow`."""

    method: str
    kind: FaultKind
    times: int
    seconds: float


class Faults:
    """The trouble that is still to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, method: str, kind: FaultKind, times: int = 1, *, seconds: float = 1.0) -> None:
        """Make the next `times` calls of `method` (or `response_url`) fail in this way.

        `drop_after`: the effect happens, the connection is cut before the answer. `drop_before`: cut, no
        effect. `http_500`, `ratelimited` (429, Retry-After 1): no effect. `slow`: answers `seconds` late.
        """
        self._waiting.append(Fault(method=method, kind=kind, times=times, seconds=seconds))

    def take(self, method: str) -> Fault | None:
        """The fault for this call, if there is one left."""
        fault = next((f for f in self._waiting if f.method == method), None)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.remove(fault)
        return fault


POST_BURST: Final = 5
"""chat.postMessage: one a second in a channel, and short bursts are let through."""


class RateLimits:
    """Token buckets per method (and channel); tiers are calls a minute (docs.slack.dev/apis/web-api/rate-limits)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def wait(self, method: str, channel: str, tier: int | None) -> int:
        """0 when the call may pass, else whole seconds for Retry-After. No `tier`: the posting rule."""
        key = (method, channel if tier is None else "")
        capacity, rate = (POST_BURST, 1.0) if tier is None else (tier, tier / 60)
        now = self._clock()
        tokens, then = self._buckets.get(key, (float(capacity), now))
        tokens = min(float(capacity), tokens + (now - then) * rate)
        if tokens >= 1:
            self._buckets[key] = (tokens - 1, now)
            return 0
        self._buckets[key] = (tokens, now)
        return max(1, math.ceil((1 - tokens) / rate))
