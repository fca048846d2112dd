"""A rehearsal in a process of its own that kills itself at a named moment, or when it says something.

``python -m tests.integrations.postgres.drill.killed_drill MOMENT FILE`` reads the target from its standard input.
"""

import asyncio
import os
import pickle
import signal
import sys

from bot.target import Target
from integrations.postgres.drill.rehearsal import PostgresDrill
from tests.integrations.postgres.conftest import QUICK


async def killed_at(moment: str, target: Target, file: str) -> int:
    """Rehearse in a child until it dies there; how it ended."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, moment, file, stdin=asyncio.subprocess.PIPE
    )  # fmt: skip
    await child.communicate(pickle.dumps(target))
    return child.returncode or 0


async def main(moment: str, file: str, target: Target) -> None:
    """Rehearse; SIGKILL leaves nobody time to tidy up."""

    def after(at: str) -> None:
        if moment in at:
            os.kill(os.getpid(), signal.SIGKILL)

    async def progress(text: str, fraction: float | None) -> None:
        after(text)

    await PostgresDrill(QUICK, after=after).rehearse(target, (file,), (), name="dead", progress=progress)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], pickle.loads(sys.stdin.buffer.read())))  # noqa: S301 - our own parent's
