"""The harness's side of ``crashing``: starts processes of the bot, sees whether they live, ends them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.crashing import Order, as_line

ROOT = Path(__file__).parents[2]


class Nursery:
    """Forks processes of the bot out of one that has imported it already."""

    def __enter__(self) -> Self:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.crashing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parent.communicate()

    def start(self, order: Order) -> int:
        """The process id of a new process."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(as_line(order))
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())


def lives(pid: int) -> bool:
    """Is that process of the nursery there?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def end(pid: int) -> None:
    """SIGKILL, unless it is gone already."""
    if lives(pid):
        os.kill(pid, signal.SIGKILL)
