"""``tests.worker_process`` with Slack: a worker and clock whose letters go to a workspace, run as a script by tests.

Usage: ``python -m tests.slack_worker DSN FOLDER BASE_URL TOKEN``.  The steps' world is a folder.
"""

import asyncio
import sys
from pathlib import Path

from bot import logs
from bot.clock import clock_of
from bot.jobs.drive import Driver
from bot.jobs.publish import Publisher
from bot.jobs.queue import ProcrastinateQueue, register
from bot.jobs.timed import Timed
from bot.jobs.worker import work
from bot.runbook.steps import StepName
from bot.settings import SlackSettings
from bot.wiring import slack_client
from integrations.slack.channel import SlackChannel
from tests.kit import backstage, target
from tests.worker_process import FolderStep, HealthyProbe


async def main(dsn: str, folder: Path, base_url: str, token: str) -> None:
    """Work and keep time until killed."""
    logs.set_up(level="warning")
    FolderStep.folder = folder
    channel = SlackChannel(slack_client(SlackSettings(bot_token=token, base_url=base_url)))
    async with backstage(dsn) as stage, asyncio.TaskGroup() as group:
        targets = {"casework": target()}
        timed = Timed(stage.engine, channel, HealthyProbe(), targets)
        register(
            stage.jobs,
            {
                "drive": Driver(stage.engine, {name: FolderStep() for name in StepName}, targets).drive,
                "publish": Publisher(stage.engine, channel).publish,
                "tick": timed.tick,
                "deadman": timed.deadman,
            },
        )
        group.create_task(work(stage.engine, stage.jobs, stage.pool, dsn))
        group.create_task(clock_of(stage.engine, ProcrastinateQueue(stage.jobs), dsn).run())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
