"""Waiting for a condition in the outside world, with a deadline."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable


async def eventually(condition: Callable[[], bool | Awaitable[bool]], *, seconds: float = 60) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        held = condition()
        if await held if inspect.isawaitable(held) else held:
            return True
        await asyncio.sleep(0.02)
    return False
