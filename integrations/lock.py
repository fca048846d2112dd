"""One hand at a time on a target's services: an advisory file lock, released by the system when its holder dies."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.ports import StepError

POLL_SECONDS = 0.02


@asynccontextmanager
async def locked(path: Path, *, seconds: float) -> AsyncIterator[None]:
    """Hold the lock at ``path``.  Raises ``StepError`` when another process keeps it for ``seconds``."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while not _taken(handle):
            if time.monotonic() > deadline:
                raise StepError(
                    f"Another process has been working on these services for {seconds:.0f} s ({path.name} is locked).",
                    "Wait until it is done, or end it, then retry.",
                )
            await asyncio.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
