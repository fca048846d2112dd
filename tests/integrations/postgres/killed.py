"""One attempt at going back in a process of its own that kills itself at a named moment.

``python -m tests.integrations.postgres.killed MOMENT`` reads run and target from its standard input.
"""

import asyncio
import os
import pickle
import signal
import sys

from bot.ports import Context
from bot.runbook.run import Blocker, Run
from bot.target import Target
from integrations.postgres.go_back import GoBack
from tests.integrations.postgres.conftest import QUICK


async def killed_at(moment: str, context: Context) -> int:
    """Go back in a child until it dies there; how it ended."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, moment, stdin=asyncio.subprocess.PIPE
    )  # fmt: skip
    await child.communicate(pickle.dumps((context.run, context.target, context.attempt)))
    return child.returncode or 0


async def main(moment: str, run: Run, target: Target, attempt: int) -> None:
    """Go back; SIGKILL leaves nobody time to tidy up."""

    async def current() -> Run:
        return run

    async def progress(text: str, fraction: float | None) -> None:
        return None

    async def blockers(found: tuple[Blocker, ...]) -> Run:
        return run

    def after(at: str) -> None:
        if at == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    context = Context(
        run=run, target=target, attempt=attempt, current=current, progress=progress, blockers=blockers
    )  # fmt: skip
    await GoBack(QUICK, after=after).run(context)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *pickle.loads(sys.stdin.buffer.read())))  # noqa: S301 - our own parent's
