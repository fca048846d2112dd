"""What is told outside of the channel: once, after it is true, and never in the way of anything else."""

import asyncio
from collections.abc import Callable

import pytest

from bot.engine import Engine
from bot.jobs.notify import GIVE_UP, Notifier
from bot.jobs.queue import ProcrastinateQueue, register
from bot.outside import Medium, Phase, media_of
from bot.ports import StepError
from bot.runbook import intents as i
from bot.runbook.run import Run, State
from bot.runbook.steps import StepName
from tests.fakes import FakeChannel
from tests.fakes_outside import FakeOutside
from tests.kit import DANA, Backstage, backstage, plan, reaches, ready, small_steps, with_steps
from tests.staff import approve_all, staffed


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


async def states(engine: Engine) -> dict[str, str]:
    """How every notice came out, by its key."""
    async with engine.connection() as conn:
        rows = await (await conn.execute("select key, state from notices order by seq")).fetchall()
    return dict(rows)


async def settled(engine: Engine) -> dict[str, str]:
    """The same, once nothing waits any more."""
    async with asyncio.timeout(120):
        while "waiting" in (found := await states(engine)).values():
            await asyncio.sleep(0.05)
    return found


async def said(channel: FakeChannel, wanted: Callable[[list[str]], bool]) -> list[str]:
    """What stands in the channel, as soon as it is as wanted."""
    async with asyncio.timeout(120):
        while not wanted(texts := channel.texts("C1")):
            await asyncio.sleep(0.05)
    return texts


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "refused"])
async def test_every_notice_is_told_once_whatever_happens_to_the_answers(dsn: str, fault: str) -> None:
    """A whole run while every medium goes wrong now and then."""
    outside = FakeOutside()
    for each in (outside.page, outside.pager, outside.post):
        each.faults += [fault, "", fault, fault, ""]
    async with staffed(dsn, FakeChannel(), outside=outside.ports) as engine:
        run = await approve_all(engine, (await engine.start(plan())).id)
        found = await settled(engine)

    assert State.COMPLETED is run.state
    assert {"told"} == set(found.values())
    shown = outside.page.shown[run.id]
    assert [Phase.IN_PROGRESS, Phase.VERIFYING, Phase.COMPLETED] == [each.phase for each in shown.values()]
    assert ({}, set(), []) == (outside.pager.quiets, outside.pager.open, outside.pager.calls)
    assert 2 == len(outside.pager.changes)
    assert 2 == len(outside.post.mails)


async def test_a_medium_that_fails_holds_up_neither_the_run_nor_the_others(dsn: str) -> None:
    """The page is down for the whole run: the rest is told, the thread says what to do by hand."""
    outside, channel = FakeOutside(), FakeChannel()
    outside.page.faults = ["refused"] * 10_000
    async with staffed(dsn, channel, outside=outside.ports) as engine:
        run = await approve_all(engine, (await engine.start(plan())).id)
        texts = await said(channel, lambda texts: 3 == sum("status page could not be" in each for each in texts))
        states_then = await states(engine)

    assert State.COMPLETED is run.state
    assert {Medium.STATUS_PAGE} == {Medium(key.split(":")[2]) for key, state in states_then.items() if state != "told"}
    first = next(each for each in texts if "could not be" in each)
    assert "The component c-1 is unknown. Check the component's id in the targets file." in first
    assert "Do it by hand: set the maintenance to “in progress”" in first


async def test_what_is_told_late_is_said_and_overtakes_what_came_before(dsn: str) -> None:
    """The page comes back after the run: only the last state is worth showing, and the thread hears of it."""
    outside, channel = FakeOutside(), FakeChannel()
    outside.page.faults = ["refused"] * 10_000
    async with staffed(dsn, channel, outside=outside.ports) as engine:
        run = await approve_all(engine, (await engine.start(plan())).id)
        await said(channel, lambda texts: 3 == sum("status page could not be" in each for each in texts))
        outside.page.faults = []
        found = await settled(engine)
        await said(channel, lambda texts: any("has been told since" in each for each in texts))

    page = [state for key, state in found.items() if ":status_page:" in key]
    assert "told" == page[-1]
    assert {"told", "overtaken"} >= set(page)
    assert run.id not in outside.page.shown or Phase.COMPLETED == list(outside.page.shown[run.id].values())[-1].phase


async def test_nobody_is_called_for_what_is_over(dsn: str) -> None:
    """The pager is away while a step fails and is retried: when it is back, nobody's phone rings."""
    outside, channel, steps = FakeOutside(), FakeChannel(), small_steps()
    steps[StepName.BACKUP].failure = StepError("no space", "make room")
    outside.pager.faults = ["drop_before"] * 10_000
    async with staffed(dsn, channel, outside=outside.ports, steps=steps) as engine:
        run = await engine.start(plan())
        answering = asyncio.create_task(approve_all(engine, run.id))
        await reaches(engine, run.id, lambda run: run.state is State.STUCK, seconds=120)
        await said(channel, lambda texts: any("call the on-call engineer" in each for each in texts))
        steps[StepName.BACKUP].failure = None
        await engine.handle(run.id, i.Retry(person=DANA))
        outside.pager.faults = []
        await answering
        found = await settled(engine)

    assert [] == outside.pager.calls
    assert "overtaken" in {state for key, state in found.items() if ":alarm" in key}


async def test_who_is_on_call_is_said_in_the_thread(dsn: str) -> None:
    """With until when."""
    channel = FakeChannel()
    async with staffed(dsn, channel, outside=FakeOutside().ports) as engine:
        await engine.start(plan())
        texts = await said(channel, lambda texts: any("On call: Noor until" in each for each in texts))

    assert 1 == sum("On call:" in each for each in texts)


async def test_recipients_who_were_refused_are_named_in_the_thread(dsn: str) -> None:
    """The others have it, so it is not sent again."""
    outside, channel = FakeOutside(), FakeChannel()
    outside.post.refused = ("x@example.com was refused: 550 no such user",)
    async with staffed(dsn, channel, outside=outside.ports) as engine:
        await engine.start(plan())
        await said(channel, lambda texts: any("x@example.com was refused" in each for each in texts))
        found = await settled(engine)

    assert "told" in {state for key, state in found.items() if ":mail:" in key}


async def _begun(stage: Backstage, outside: FakeOutside) -> tuple[Run, Notifier]:
    """A run whose start is announced, with nobody but us to deliver."""
    driver = with_steps(stage, small_steps())
    notifier = Notifier(
        stage.engine, ProcrastinateQueue(stage.jobs), {"casework": outside.ports}, pauses=(0.0,), again=0.0
    )  # fmt: skip
    register(stage.jobs, {"notify": notifier.notify})
    run = await stage.engine.start(plan())
    await driver.drive(run.id)
    return run, notifier


@pytest.mark.parametrize("where", ["tell", "told"])
async def test_a_crash_around_the_call_tells_nothing_twice(dsn: str, where: str) -> None:
    """The process is gone before the call, or between the call and its record; the next one looks first."""
    outside, dead = FakeOutside(), []

    def dies(place: str, what: str) -> None:
        if place == where and what not in dead:
            dead.append(what)
            raise KeyboardInterrupt

    async with backstage(dsn, media=media_of({"casework": outside.ports}), checkpoint=dies) as stage:
        run, notifier = await _begun(stage, outside)
        for medium in Medium:
            while "waiting" in {s for k, s in (await states(stage.engine)).items() if f":{medium}:" in k}:
                try:
                    await notifier.notify(run.id, medium)
                except KeyboardInterrupt:
                    continue
        found = await states(stage.engine)

    assert sorted(dead) == sorted(found)
    assert {"told"} == set(found.values())
    assert 1 == len(outside.page.shown[run.id])
    assert (1, 1, 1) == (len(outside.pager.changes), len(outside.pager.quiets), len(outside.post.mails))


async def test_what_cannot_be_told_for_a_day_is_left_to_people(dsn: str) -> None:
    """It is said, and not tried again."""
    outside, moment = FakeOutside(), [1_795_000_000.0]
    outside.page.faults = ["refused"] * 100
    media = media_of({"casework": outside.ports})
    async with backstage(dsn, now=lambda: moment[0], media=media) as stage:
        run, notifier = await _begun(stage, outside)
        await notifier.notify(run.id, Medium.STATUS_PAGE)
        moment[0] += GIVE_UP + 1
        await notifier.notify(run.id, Medium.STATUS_PAGE)
        tries_left = len(outside.page.faults)
        await notifier.notify(run.id, Medium.STATUS_PAGE)
        found = await states(stage.engine)
        async with stage.engine.connection() as conn:
            query = "select payload ->> 'text' from letters where key like '%:at_last'"
            texts = [row[0] for row in await (await conn.execute(query)).fetchall()]

    assert {"given up"} == {state for key, state in found.items() if ":status_page:" in key}
    assert tries_left == len(outside.page.faults)
    assert ["is not tried again: do it by hand" in each for each in texts] == [True]


async def test_a_medium_that_is_no_longer_configured_is_said(dsn: str) -> None:
    """What waits for it is dropped, and the thread says that people must do it."""
    outside = FakeOutside()
    async with backstage(dsn, media=media_of({"casework": outside.ports})) as stage:
        run, _ = await _begun(stage, outside)
        without = Notifier(stage.engine, ProcrastinateQueue(stage.jobs), {}, pauses=(0.0,), again=0.0)
        await without.notify(run.id, Medium.MAIL)
        found = await states(stage.engine)

    assert {"dropped"} == {state for key, state in found.items() if ":mail:" in key}
    assert {} == outside.post.mails


async def test_a_stored_run_without_media_has_no_notices(dsn: str) -> None:
    """A bot that knows the channel and nothing else writes none."""
    async with staffed(dsn, FakeChannel()) as engine:
        await approve_all(engine, (await engine.start(plan())).id)
        assert {} == await states(engine)
