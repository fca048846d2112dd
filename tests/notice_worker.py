"""A worker and clock with real clients of the outside systems, which kill themselves; run as a script by tests.

Usage: ``python -m tests.notice_worker DSN KILLS STATUSPAGE PAGERDUTY SMTP_PORT POINT…``.  At each point (``told
maintenance``: after that was told, before it is recorded; ``tell mail``: before it is sent) the process dies once.
"""

import asyncio
import re
import sys
from pathlib import Path

from bot import logs
from bot.jobs.drive import Driver
from bot.jobs.notify import Notifier
from bot.jobs.queue import ProcrastinateQueue, register
from bot.jobs.timed import Timed
from bot.jobs.worker import work
from bot.outside import Outside, media_of
from bot.outside_settings import MailConfig, PagerDutyConfig, StatusPageConfig
from bot.runbook.steps import StepName
from integrations.http.client import Policy
from integrations.mail.build import post_office
from integrations.pagerduty.build import pagerduty
from integrations.statuspage.build import statuspage
from tests.e2e.crashing import die, died_of
from tests.fakes import FakeChannel
from tests.kit import backstage, small_steps, target
from tests.staff import clock_of
from tests.worker_process import HealthyProbe

KEY = "k" * 32
_QUICK = Policy(answer=5.0, attempts=3, patience=5.0, pause=0.1)


def outside(status: str, pager: str, smtp: int) -> Outside:
    """The three clients, as wiring makes them."""
    page = StatusPageConfig(page="page1", key_env="K", components={"web": "cmp1"}, url=status)
    duty = PagerDutyConfig(
        routing_key_env="R", change_key_env="C", api_key_env="A", email="bot@example.com", services=("PWEB",),
        schedules=("PSCHED1",), events_url=f"{pager}/v2", api_url=pager,
    )  # fmt: skip
    mail = MailConfig(
        host="127.0.0.1", port=smtp, security="none", sender="bot@example.com", team=("team@example.com",)
    )  # fmt: skip
    return Outside(
        status_page=statuspage(page, key=KEY, policy=_QUICK),
        pager=pagerduty(duty, keys={"R": KEY, "C": "c" * 32, "A": KEY}, policy=_QUICK),
        mail=post_office(mail, password="", base=Path()),
    )


async def main(dsn: str, kills: Path, ports: Outside, points: frozenset[str]) -> None:
    """Work and keep time until killed."""

    def reaper(where: str, what: str) -> None:
        point = f"{where} {re.sub(r'[0-9]+$', '', what.rpartition(':')[2])}"
        if point in points and point not in died_of(kills):
            die(kills, point)

    logs.set_up(level="warning")
    outsides, targets = {"casework": ports}, {"casework": target()}
    async with backstage(dsn, media=media_of(outsides), checkpoint=reaper) as stage, asyncio.TaskGroup() as group:
        queue, channel = ProcrastinateQueue(stage.jobs), FakeChannel()
        timed = Timed(stage.engine, channel, HealthyProbe(), targets)
        register(
            stage.jobs,
            {
                "drive": Driver(stage.engine, {name: small_steps()[name] for name in StepName}, targets).drive,
                "publish": _nothing,
                "notify": Notifier(stage.engine, queue, outsides, pauses=(0.5,), again=0.1).notify,
                "tick": timed.tick,
                "deadman": _nothing,
            },
        )
        group.create_task(work(stage.engine, stage.jobs, stage.pool, dsn))
        group.create_task(clock_of(stage.engine, queue, dsn).run())


async def _nothing(**_: object) -> None:
    """The channel is another test's."""


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(given[0], Path(given[1]), outside(given[2], given[3], int(given[4])), frozenset(given[5:])))
