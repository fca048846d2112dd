"""After an unclear answer to a write: read the state, instead of writing again."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from integrations.http.answer import Answer
from integrations.http.errors import Uncertain

logger = structlog.get_logger(__name__)


async def settled(
    write: Awaitable[Answer], there: Callable[[], Awaitable[bool]], *, seconds: float = 30.0, every: float = 1.0
) -> Answer | None:
    """The answer of ``write``; ``None`` when its answer was unclear and ``there`` came to see its effect.

    Raises ``Uncertain`` when nothing is to be seen after ``seconds``: it may still come, so it is not sent again.
    """
    try:
        return await write
    except Uncertain as error:
        deadline = time.monotonic() + seconds
        while not await there():
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(every)
        logger.info("http.settled", why=str(error))
        return None
