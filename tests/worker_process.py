"""A worker (and clock) as its own process, with steps whose world is a folder; run as a script by the tests.

Usage: ``python -m tests.worker_process DSN FOLDER [worker] [clock]``.  Every run of a step appends ``step pid`` to
``FOLDER/runs``; a step whose ``FOLDER/hold-STEP`` exists works until that file is gone.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bot.clock import clock_of
from bot.jobs.drive import Driver
from bot.jobs.publish import Publisher
from bot.jobs.queue import ProcrastinateQueue, register
from bot.jobs.timed import Timed
from bot.jobs.worker import work
from bot.ports import Address, Context, Letter, Outcome
from bot.runbook.samples import Sample
from bot.runbook.steps import StepName
from bot.target import Target
from tests.kit import SmallStep, backstage, target


class FolderStep(SmallStep):
    """``SmallStep`` whose effect is a file, so that it outlives the process."""

    folder: Path

    async def check(self, context: Context) -> Outcome | None:
        done = self.folder / f"done-{context.run.id}-{context.run.route}-{context.run.step.name}"
        return Outcome(evidence=("already so",)) if done.exists() else None

    async def run(self, context: Context) -> Outcome:
        name = context.run.step.name
        with (self.folder / "runs").open("a") as runs:
            runs.write(f"{name} {os.getpid()}\n")
        while (self.folder / f"hold-{name}").exists():
            await asyncio.sleep(0.01)
        (self.folder / f"done-{context.run.id}-{context.run.route}-{name}").touch()
        return Outcome(evidence=("done",), facts={"manifest_sha256": "abc"})


class FolderChannel:
    """A channel that is a file: one line a post."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def post(self, letter: Letter, thread: Address | None) -> Address:
        with self._file.open("a") as posts:
            posts.write(letter.key + "\n")
        return Address(channel=letter.channel, ts=letter.key)

    async def find(self, letter: Letter, thread: Address | None) -> Address | None:
        there = self._file.exists() and letter.key in self._file.read_text().splitlines()
        return Address(channel=letter.channel, ts=letter.key) if there else None

    async def update(self, address: Address, payload: Mapping[str, object]) -> Address:
        return address

    async def pin(self, address: Address) -> None:
        return None

    async def unpin(self, address: Address) -> None:
        return None

    async def schedule(self, channel: str, text: str, at: float) -> str:
        return f"Q{at}"

    async def scheduled(self, channel: str, words: str) -> tuple[str, ...]:
        return ()

    async def unschedule(self, channel: str, scheduled: str) -> None:
        return None


class HealthyProbe:
    """Everything is always well."""

    async def sample(self, target: Target) -> Sample:
        return Sample(at=time.time(), healthy=("web",), error_rate=0.0, failed_rate=0.0)


async def main(dsn: str, folder: Path, what: set[str]) -> None:
    """Run the named processes until killed."""
    FolderStep.folder = folder
    async with backstage(dsn) as stage, asyncio.TaskGroup() as group:
        steps = {name: FolderStep() for name in StepName}
        targets = {"casework": target()}
        channel = FolderChannel(folder / "posts")
        timed = Timed(stage.engine, channel, HealthyProbe(), targets)
        register(
            stage.jobs,
            {
                "drive": Driver(stage.engine, steps, targets).drive,
                "publish": Publisher(stage.engine, channel).publish,
                "tick": timed.tick,
                "deadman": timed.deadman,
            },
        )
        if "worker" in what:
            group.create_task(work(stage.engine, stage.jobs, stage.pool, dsn))
        if "clock" in what:
            group.create_task(clock_of(stage.engine, ProcrastinateQueue(stage.jobs), dsn).run())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), set(sys.argv[3:])))
