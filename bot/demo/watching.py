"""The watch and what follows it: latency creeps up and calms, the chart is in the thread, two days pass."""

import asyncio
from urllib.request import urlopen

import psycopg

from bot.demo.scene import LONG, Scene, expect
from bot.demo.workspace.core import Json
from bot.runbook.blame import new_kinds
from bot.runbook.follow_up.follow_up import Stage
from bot.runbook.run import State
from bot.runbook.steps import StepName
from bot.views.ids import Verb

GOOD = "001_add_case_priority.sql"
_FROM, _TO, _MORE, _PAUSE = 0.05, 0.40, 0.05, 0.05  # seconds that the services wait for their table; ever longer


async def watch(scene: Scene) -> None:
    """An alert is raised with its figures and calms; charts, the 24 hours, the review and the report are there."""
    await scene.start(GOOD)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES):
        await scene.approve(step)
    await scene.reaches("the watch", lambda run: run.state is State.WATCHING and len(run.samples) > 1)
    creeping = asyncio.create_task(_creep(scene))
    alert = await scene.dana.wait_message(lambda found: "The services need a look" in found["text"], timeout=LONG)
    expect("atabase latency" in alert["text"] and "threshold 100 ms" in alert["text"], f"No figures: {alert['text']}")
    creeping.cancel()
    await scene.dana.wait_message(lambda found: "The services are judged healthy" in found["text"], timeout=LONG)
    card = await scene.dana.wait_message(lambda found: "Watched: " in found["text"], timeout=LONG)
    expect(
        "Database latency" in card["text"] and "threshold 100 ms" in card["text"], "The card lacks value and threshold."
    )
    await _picture(scene)
    await _error_kind(scene)
    await scene.ends(State.COMPLETED)
    await _two_days(scene)
    await _report(scene)


async def _creep(scene: Scene) -> None:
    """Somebody works on the table that every service reads, each time for a little longer."""
    held = _FROM
    async with await psycopg.AsyncConnection.connect(scene.stage.target.dsn, application_name="bulk-edit") as conn:
        while True:
            async with conn.transaction():
                await conn.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
                await asyncio.sleep(held)
            await asyncio.sleep(_PAUSE)
            held = min(held + _MORE, _TO)


async def _error_kind(scene: Scene) -> None:
    """For a moment a column has another name: too short for a breach, and named as a new kind of error all the same."""
    async with await psycopg.AsyncConnection.connect(scene.stage.target.dsn, autocommit=True) as conn:
        await conn.execute("ALTER TABLE users RENAME COLUMN last_login_at TO seen_at")
        try:
            await scene.reaches("a new kind of error", lambda run: any(each.state for each in new_kinds(run)))
        finally:
            await conn.execute("ALTER TABLE users RENAME COLUMN seen_at TO last_login_at")
    card = await scene.dana.wait_message(lambda found: "New kind of error in casework-" in found["text"], timeout=LONG)
    expect("last_login_at" in card["text"], f"The kind does not say what is missing: {card['text']}")


async def _picture(scene: Scene) -> None:
    shared = await scene.dana.wait_message(lambda found: _file(found, ".png") is not None, timeout=LONG)
    file = _file(shared, ".png") or {}
    expect((await _bytes(file)).startswith(b"\x89PNG"), "The chart is no picture.")
    expect("Database latency" in str(file.get("alt_txt")), "The chart does not say what is to be seen.")


async def _two_days(scene: Scene) -> None:
    """Compressed: the 24 hours of extended monitoring, then the 48-hour review with its question."""
    words = "The 24 hours of extended monitoring are over"
    await scene.dana.wait_message(lambda found: words in found["text"], timeout=LONG)
    button = await scene.dana.wait_button(Verb.NO_SPIKE.id, timeout=LONG)
    expect("48-hour review" in button.message["text"], "The question is not the review's.")
    await scene.dana.click(button)
    closed = await scene.dana.wait_message(lambda found: "The follow-up is closed" in found["text"], timeout=LONG)
    expect(scene.run_id in closed["text"], f"What is closed is not named: {closed['text']}")
    expect((await scene.followed()).stage is Stage.CLOSED, "The follow-up is still open.")


async def _report(scene: Scene) -> None:
    """One self-contained page with its charts; what comes after 48 hours is in the one that is asked for."""
    shared = await scene.dana.wait_message(lambda found: _file(found, ".html") is not None, timeout=LONG)
    page = (await _bytes(_file(shared, ".html") or {})).decode()
    expect("<svg" in page and scene.run_id in page, "The report has no charts.")
    expect('src="http' not in page and 'href="http' not in page, "The report is not self-contained.")


def _file(message: Json, ending: str) -> Json | None:
    return next((each for each in message.get("files") or () if each["name"].endswith(ending)), None)


async def _bytes(file: Json) -> bytes:
    def read() -> bytes:
        with urlopen(file["url"]) as answer:  # noqa: S310 - the demo's own address
            found: bytes = answer.read()
            return found

    return await asyncio.to_thread(read)
