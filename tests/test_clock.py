"""Time: what is due happens once, however many clocks there are, and again after they were away."""

import asyncio
import itertools
import re
from dataclasses import replace

import psycopg
import pytest

from bot.engine import Engine
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook.people import Timing
from bot.runbook.run import Run, State
from bot.runbook.timers import timers
from bot.store import entries
from tests.fakes import FakeChannel
from tests.kit import DANA, backstage, plan, reaches, ready, small_steps, with_steps
from tests.staff import approve_all, staffed

QUIET = Timing(monitor_for=0.5, sample_every=0.2)
"""Real waits: nothing is due while a test looks, but for what it makes shorter."""


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


async def _events(engine: Engine, run_id: str) -> list[e.Event]:
    async with engine.connection() as conn:
        return [entry.event for entry in await entries(conn, run_id)]


async def _happens(engine: Engine, run_id: str, kind: type[e.Event], times: int) -> list[e.Event]:
    """Wait until an event of ``kind`` is in the ledger so many times."""
    async with asyncio.timeout(120):
        while len(found := [each for each in await _events(engine, run_id) if isinstance(each, kind)]) < times:
            await asyncio.sleep(0.02)
    return found


async def _asked(engine: Engine, timing: Timing) -> Run:
    run = await engine.start(plan(timing=timing))
    return await reaches(engine, run.id, lambda found: found.question is not None, seconds=30)


def _text(channel: FakeChannel, key: str) -> str:
    (text,) = [str(letter.payload["text"]) for letter in channel.messages.values() if letter.key == key]
    return text


async def test_how_it_was_is_measured_while_people_are_asked(dsn: str) -> None:
    """With two clocks each slot is one measurement, in the order of time, and none of it is told in the channel."""
    channel = FakeChannel()
    async with staffed(dsn, channel, clocks=2) as engine:
        run = await _asked(engine, QUIET)
        found = await _happens(engine, run.id, e.BaselineTaken, 3)
        told = {each.key for each in channel.messages.values()}
    moments = [each.at for each in found]
    assert sorted(set(moments)) == moments
    assert all(later - earlier >= QUIET.sample_every for earlier, later in itertools.pairwise(moments))
    assert [] == [each for each in told if "baseline" in each]


async def test_reminders_climb_from_the_approvers_to_the_owners_to_the_on_call(dsn: str) -> None:
    """Two clocks, three reminders: each once, none early, each calling more people, in the question's thread."""
    channel = FakeChannel()
    timing = replace(QUIET, remind_after=(0.4, 0.8, 1.2))
    async with staffed(dsn, channel, clocks=2) as engine:
        run = await _asked(engine, timing)
        assert run.question is not None
        found = await _happens(engine, run.id, e.Reminded, 3)
        keys = [f"{run.id}:q1:reminder{level}" for level in (1, 2, 3)]
        async with asyncio.timeout(120):
            while not {each.key for each in channel.messages.values()}.issuperset(keys):
                await asyncio.sleep(0.02)
    assert [1, 2, 3] == [each.level for each in found if isinstance(each, e.Reminded)]
    for each, after in zip(found, timing.remind_after, strict=True):
        assert isinstance(each, e.Reminded)
        assert each.at >= run.question.asked_at + after
    called = [set(re.findall(r"\bU\d\b", _text(channel, key))) for key in keys]
    assert [{"U2", "U3"}, {"U1", "U2", "U3"}, {"U1", "U2", "U3", "U4"}] == called
    question = next(where for where, letter in channel.messages.items() if letter.key == f"{run.id}:q1")
    assert {question} == {channel.threads[where] for where, letter in channel.messages.items() if letter.key in keys}


async def test_a_question_nobody_answers_expires_and_is_asked_anew(dsn: str) -> None:
    """With two clocks, question after question, one at a time, each with its full life."""
    channel = FakeChannel()
    async with staffed(dsn, channel, clocks=2) as engine:
        run = await _asked(engine, replace(QUIET, question_life=0.6))
        asked = await _happens(engine, run.id, e.Asked, 3)
        voided = await _happens(engine, run.id, e.Voided, 2)
    assert [1, 2, 3] == [each.question.number for each in asked if isinstance(each, e.Asked)]
    for question, end in zip(asked, voided, strict=False):
        assert isinstance(question, e.Asked) and isinstance(end, e.Voided)
        assert end.at - question.at >= 0.6
    assert "nobody answered" in str(voided[0])


async def test_a_held_run_asks_its_people_again_and_again(dsn: str) -> None:
    """Never silently stuck: a nudge a period, from two clocks as from one."""
    channel = FakeChannel()
    async with staffed(dsn, channel, clocks=2) as engine:
        run = await _asked(engine, replace(QUIET, nudge_every=0.5))
        await engine.handle(run.id, i.PullCord(person=DANA, reason="wait for the vendor"))
        nudges = await _happens(engine, run.id, e.Nudged, 3)
        async with asyncio.timeout(120):
            while sum(each.key.endswith(":nudge") for each in channel.messages.values()) < 3:
                await asyncio.sleep(0.02)
    times = [each.at for each in nudges if isinstance(each, e.Nudged)]
    assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(times))
    texts = [str(each.payload["text"]) for each in channel.messages.values() if each.key.endswith(":nudge")]
    assert all("wait for the vendor" in text and "/migrate resume" in text for text in texts)


async def test_the_status_is_told_once_a_slot(dsn: str) -> None:
    """The runbook's update, whatever the run is doing, from two clocks as from one."""
    channel = FakeChannel()
    async with staffed(dsn, channel, clocks=2) as engine:
        run = await _asked(engine, replace(QUIET, status_every=0.5))
        posted = await _happens(engine, run.id, e.StatusPosted, 4)
    times = [each.at for each in posted if isinstance(each, e.StatusPosted)]
    assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(times))
    keys = [each.key for each in channel.messages.values()]
    assert len(set(keys)) == len(keys)


async def test_what_fell_due_while_no_clock_lived_happens_when_one_comes(dsn: str) -> None:
    """Timers are derived from the record, so a fresh clock knows them all; missed slots are not made up for."""
    channel = FakeChannel()
    timing = replace(QUIET, remind_after=(0.3,), status_every=0.3)
    async with staffed(dsn, channel, clocks=0) as engine:
        run = await _asked(engine, timing)
        assert run.question is not None
        async with asyncio.timeout(60):
            while engine.now() < run.question.asked_at + 1.0:
                await asyncio.sleep(0.05)
        assert [] == [each for each in await _events(engine, run.id) if isinstance(each, e.Reminded | e.StatusPosted)]
    async with staffed(dsn, channel, clocks=1) as engine:
        await _happens(engine, run.id, e.Reminded, 1)
        first, second = (await _happens(engine, run.id, e.StatusPosted, 2))[:2]
    assert isinstance(first, e.StatusPosted) and isinstance(second, e.StatusPosted)
    assert second.at - first.at >= 0.3


async def test_a_step_whose_job_got_lost_is_queued_again(dsn: str) -> None:
    """Somebody empties the queue by mistake: the clock sees that the run should move, and kicks it."""
    async with backstage(dsn) as stage:
        with_steps(stage, small_steps())
        run = await stage.engine.start(plan(timing=replace(QUIET, kick_every=0.3)))
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
            await conn.execute("delete from procrastinate_jobs")
    async with staffed(dsn, FakeChannel(), clocks=1) as engine:
        found = await reaches(engine, run.id, lambda found: found.question is not None, seconds=30)
    assert State.ASKING is found.state


async def test_after_the_end_nothing_is_due(dsn: str) -> None:
    """A finished run is left alone, and what was armed for it is let go."""
    channel = FakeChannel()
    async with staffed(dsn, channel, clocks=2) as engine:
        run = await engine.start(plan(timing=replace(QUIET, status_every=0.4)))
        done = await approve_all(engine, run.id)
        assert (State.COMPLETED, frozenset()) == (done.state, timers(done))
        count = len(await _events(engine, run.id))
        async with asyncio.timeout(60):
            while engine.now() < (done.ended_at or 0) + 1.0:
                await asyncio.sleep(0.05)
        assert count == len(await _events(engine, run.id))
