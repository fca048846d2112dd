"""A worker and clocks inside the test's own process, with steps that do little and a channel to read."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from bot.clock import clock_of
from bot.engine import Engine
from bot.jobs.drive import Driver
from bot.jobs.notify import Notifier
from bot.jobs.publish import Publisher
from bot.jobs.queue import ProcrastinateQueue, register
from bot.jobs.timed import Timed
from bot.jobs.worker import work
from bot.outside import Outside, media_of
from bot.ports import Channel, StepAdapter
from bot.runbook import intents as i
from bot.runbook.run import Run
from bot.runbook.steps import StepName
from tests.kit import ALEX, backstage, reaches, small_steps, target
from tests.worker_process import HealthyProbe


@asynccontextmanager
async def staffed(
    dsn: str,
    channel: Channel,
    *,
    clocks: int = 1,
    now: Callable[[], float] = time.time,
    outside: Outside | None = None,
    steps: Mapping[StepName, StepAdapter] | None = None,
) -> AsyncIterator[Engine]:
    """One worker and so many clocks on the store at ``dsn``, until the block ends as a kill would end it."""
    outsides = {"casework": outside} if outside else {}
    async with backstage(dsn, now=now, media=media_of(outsides)) as stage:
        targets = {"casework": target()}
        queue = ProcrastinateQueue(stage.jobs)
        timed = Timed(stage.engine, channel, HealthyProbe(), targets)
        register(
            stage.jobs,
            {
                "drive": Driver(stage.engine, steps or small_steps(), targets).drive,
                "publish": Publisher(stage.engine, channel).publish,
                "notify": Notifier(stage.engine, queue, outsides, pauses=(0.2,), again=0.0).notify,
                "tick": timed.tick,
                "deadman": timed.deadman,
            },
        )
        tasks = [asyncio.create_task(work(stage.engine, stage.jobs, stage.pool, dsn))]
        tasks += [asyncio.create_task(clock_of(stage.engine, queue, dsn).run()) for _ in range(clocks)]
        try:
            yield stage.engine
        finally:
            ended = [task for task in tasks if task.done()]  # nothing but a fault ends one of them before
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in ended:
                task.result()


async def approve_all(engine: Engine, run_id: str, *, patience: float = 60) -> Run:
    """Approve every question until the run is over; ``patience`` is in seconds, for each."""
    answered = 0
    while True:
        run = await reaches(engine, run_id, lambda run: run.final or _asks(run, answered), seconds=patience)  # noqa: B023
        if run.final:
            return run
        assert run.question is not None
        answered = run.question.number
        await engine.handle(run_id, i.Approve(person=ALEX, number=answered, digest=run.question.digest))


def _asks(run: Run, after: int) -> bool:
    return run.question is not None and run.question.number > after
