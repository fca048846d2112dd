"""Handing a payload to the app and waiting 3 seconds for its ack: what came of it, and the events' retries."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

Kind = Literal["slash_commands", "interactive", "events_api"]
Status = Literal["acked", "timeout", "nobody", "failed"]
Json = dict[str, Any]

ACK_SECONDS: Final = 3.0
RETRY_DELAYS: Final = (0.0, 60.0, 300.0)
"""Seconds before an unacked event is sent again, three times (docs.slack.dev/apis/events-api)."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the app did with a payload; `payload` is the body of its ack, if any."""

    status: Status
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Which repetition of an event this is, and why."""

    attempt: int = 0
    reason: str = ""


class Delivery(Protocol):
    """A way to reach the app: Socket Mode or HTTP."""

    async def send(self, kind: Kind, payload: Json, *, accepts: bool, retry: Retry = ...) -> Outcome:
        """Deliver once and wait for the ack. `accepts`: the ack may carry a payload."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class Events:
    """Events are the only thing Slack sends again; each runs in a task of its own."""

    def __init__(self, delivery: Delivery, delays: Sequence[float] = RETRY_DELAYS) -> None:
        self._delivery, self._delays = delivery, delays
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, payload: Json) -> "asyncio.Task[Outcome]":
        """Deliver an event; the task ends with the first attempt, repetitions go on behind it."""
        first = asyncio.create_task(self._delivery.send("events_api", payload, accepts=False))
        follow = asyncio.create_task(self._repeat(first, payload))
        self._tasks.add(follow)
        follow.add_done_callback(self._tasks.discard)
        return first

    async def _repeat(self, first: "asyncio.Task[Outcome]", payload: Json) -> None:
        outcome = await first
        for attempt, delay in enumerate(self._delays, start=1):
            if outcome.status == "acked":
                return
            await asyncio.sleep(delay)
            retry = Retry(attempt=attempt, reason="timeout")
            outcome = await self._delivery.send("events_api", payload, accepts=False, retry=retry)

    async def close(self) -> None:
        """Stop repeating."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
