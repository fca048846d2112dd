"""What a step's child processes say, kept for ``/migrate logs``."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.ports import Context
from integrations.process import Exit


@asynccontextmanager
async def spoken(context: Context, command: str) -> AsyncIterator[Callable[[str], None]]:
    """The command, then each line given to the block's function, in order; all are kept when the block ends."""
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    async def keep() -> None:
        while (line := await lines.get()) is not None:
            await context.log(line)

    keeping = asyncio.create_task(keep())
    lines.put_nowait(f"$ {command}")
    try:
        yield lines.put_nowait
    finally:
        lines.put_nowait(None)
        await keeping


def ending(ended: Exit) -> str:
    """How a child ended, as the last line of its log."""
    how = "took too long and was stopped" if ended.timed_out else f"ended with code {ended.code}"
    return f"{how} after {ended.seconds:.1f} s"
