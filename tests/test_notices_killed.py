"""SIGKILL between a call to an outside system and its record: nothing is told twice, nothing is lost."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo.outside.mail_server import MailServer
from bot.demo.outside.pagerduty import FakePagerDuty
from bot.demo.outside.statuspage import FakeStatuspage
from bot.outside import media_of
from bot.runbook.run import State
from tests.e2e.crashing import died_of
from tests.kit import backstage, plan, ready
from tests.notice_worker import KEY, outside
from tests.staff import approve_all

POINTS = (
    "told maintenance", "told quiet", "told change", "told whoisoncall", "told mail", "told quietover", "tell mail",
    "tell maintenance",
)  # fmt: skip
ON_CALL = {"user": {"summary": "Noor"}, "escalation_level": 1, "end": None}


@dataclass(frozen=True, kw_only=True)
class Town:
    """The three outside systems, outside of the bot's process."""

    page: FakeStatuspage
    pager: FakePagerDuty
    mail: MailServer


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    """All three, listening."""
    made = Town(
        page=FakeStatuspage(key=KEY, page="page1", components={"cmp1": "Web"}),
        pager=FakePagerDuty(key=KEY, keys={KEY: "PBOT", "c" * 32: "PWEB"}, on_call=(ON_CALL,)),
        mail=MailServer(),
    )
    async with AsyncExitStack() as stack:
        for each in (made.page, made.pager, made.mail):
            await each.start()
            stack.push_async_callback(each.stop)
        yield made


async def _kept_alive(arguments: list[str]) -> None:
    """A worker, and another one whenever it has killed itself."""
    while True:
        child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.notice_worker", *arguments)
        try:
            await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()


async def test_a_worker_killed_around_its_calls_tells_everything_once(store_dsn: str, tmp_path: Path) -> None:
    """A whole run; the worker dies after and before telling each kind of notice."""
    await ready(store_dsn)
    kills = tmp_path / "kills"
    async with town() as made:
        urls = (made.page.url, made.pager.url, made.mail.port)
        media = media_of({"casework": outside(*urls)})
        async with backstage(store_dsn, media=media) as stage:
            run = await stage.engine.start(plan())
            arguments = [store_dsn, str(kills), *map(str, urls), *POINTS]
            worker = asyncio.create_task(_kept_alive(arguments))
            try:
                run = await approve_all(stage.engine, run.id, patience=300)
                async with asyncio.timeout(300), stage.engine.session() as conn:
                    while await (await conn.execute("select 1 from notices where state = 'waiting'")).fetchone():
                        await asyncio.sleep(0.1)
            finally:
                worker.cancel()
                await asyncio.gather(worker, return_exceptions=True)

    assert State.COMPLETED is run.state
    assert sorted(POINTS) == sorted(died_of(kills))
    (incident,) = made.page.incidents
    assert ["completed", "verifying", "in_progress"] == [each["status"] for each in incident["incident_updates"]]
    assert ([], 2, 1) == (made.pager.calls, len(made.pager.changes), len(made.pager.windows))
    subjects = Counter(str(mail["Subject"]).startswith("Re: ") for mail in made.mail.mails.values())
    assert Counter({False: 1, True: 1}) == subjects
    assert len(made.mail.received) >= len(made.mail.mails)
    assert {mail.as_bytes() for mail in made.mail.received} == {mail.as_bytes() for mail in made.mail.mails.values()}
