"""A worker and clocks inside the test's own process, with steps that do little and a channel to read."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.clock import Clock
from bot.engine import Engine
from bot.jobs.drive import Driver
from bot.jobs.publish import Publisher
from bot.jobs.queue import ProcrastinateQueue, register
from bot.jobs.timed import Timed
from bot.jobs.worker import work
from bot.ports import Channel
from bot.runbook import intents as i
from bot.runbook.run import Run
from tests.kit import ALEX, backstage, reaches, small_steps, target
from tests.worker_process import HealthyProbe


@asynccontextmanager
async def staffed(
    dsn: str, channel: Channel, *, clocks: int = 1, now: Callable[[], float] = time.time
) -> AsyncIterator[Engine]:
    """One worker and so many clocks on the store at ``dsn``, until the block ends as a kill would end it."""
    async with backstage(dsn, now=now) as stage:
        targets = {"casework": target()}
        timed = Timed(stage.engine, channel, HealthyProbe(), targets)
        register(
            stage.jobs,
            {
                "drive": Driver(stage.engine, small_steps(), targets).drive,
                "publish": Publisher(stage.engine, channel).publish,
                "tick": timed.tick,
                "deadman": timed.deadman,
            },
        )
        queue = ProcrastinateQueue(stage.jobs)
        tasks = [asyncio.create_task(work(stage.engine, stage.jobs, stage.pool, dsn))]
        tasks += [asyncio.create_task(Clock(stage.engine, queue, dsn).run()) for _ in range(clocks)]
        try:
            yield stage.engine
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def approve_all(engine: Engine, run_id: str) -> Run:
    """Approve every question until the run is over."""
    answered = 0
    while True:
        run = await reaches(engine, run_id, lambda run: run.final or _asks(run, answered), seconds=60)  # noqa: B023
        if run.final:
            return run
        assert run.question is not None
        answered = run.question.number
        await engine.handle(run_id, i.Approve(person=ALEX, number=answered, digest=run.question.digest))


def _asks(run: Run, after: int) -> bool:
    return run.question is not None and run.question.number > after
