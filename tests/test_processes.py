"""Several workers and clocks at once, and what becomes of the work when one of them is killed."""

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from bot.engine import Engine
from bot.runbook import intents as i
from bot.runbook.run import Run, State
from bot.runbook.steps import StepName
from tests.kit import ALEX, FAST, Backstage, backstage, plan, reaches, ready


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


@asynccontextmanager
async def process(dsn: str, folder: Path, *what: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """One process of the bot; killed at the end whatever happens."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.worker_process", dsn, str(folder), *what)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


def ran(folder: Path) -> Counter[str]:
    """How often each step was run, by whichever process."""
    file = folder / "runs"
    return Counter(line.split()[0] for line in file.read_text().splitlines()) if file.exists() else Counter()


def _backing_up(run: Run) -> bool:
    return run.step.name is StepName.BACKUP and run.claim is not None


async def approve_all(engine: Engine, run_id: str, *, until: Callable[[Run], bool]) -> Run:
    """Approve every question until the run is as wanted."""
    while True:
        run = await reaches(engine, run_id, lambda found: until(found) or found.question is not None, seconds=30)
        if until(run):
            return run
        question = run.question
        assert question is not None
        await engine.handle(run_id, i.Approve(person=ALEX, number=question.number, digest=question.digest))


async def test_two_workers_and_two_clocks_do_everything_once(dsn: str, tmp_path: Path) -> None:
    """More of each changes nothing: every step once, every status slot once."""
    async with (
        backstage(dsn) as stage,
        process(dsn, tmp_path, "worker", "clock"),
        process(dsn, tmp_path, "worker", "clock"),
    ):
        run = await stage.engine.start(plan(timing=replace(FAST, monitor_for=2.0, status_every=0.5)))
        done = await approve_all(stage.engine, run.id, until=lambda found: found.final)
        assert State.COMPLETED == done.state
        assert {1} == set(ran(tmp_path).values())
        posts = (tmp_path / "posts").read_text().splitlines()
        assert len(set(posts)) == len(posts)
        assert await slots(stage, run.id) == sorted(set(await slots(stage, run.id)))


async def slots(stage: Backstage, run_id: str) -> list[str]:
    """The keys of the status posts in the outbox."""
    async with stage.engine.connection() as conn:
        found = await (
            await conn.execute(
                "select at from ledger where run_id = %s and kind = 'StatusPosted' order by seq", (run_id,)
            )
        ).fetchall()
    times = [row[0] for row in found]
    assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(times))
    return sorted(str(each) for each in times)


async def test_a_killed_workers_step_is_taken_up_by_its_peer_within_a_second(dsn: str, tmp_path: Path) -> None:
    """kill -9 in the middle of a step: the peer asks the world and does it, with a new claim."""
    hold = tmp_path / "hold-backup"
    hold.touch()
    async with backstage(dsn) as stage, process(dsn, tmp_path, "worker") as first:
        run = await stage.engine.start(plan())
        await approve_all(stage.engine, run.id, until=_backing_up)
        async with process(dsn, tmp_path, "worker"):
            await _workers(dsn, 2)
            before = await stage.engine.load(run.id)
            loop = asyncio.get_running_loop()
            first.kill()
            killed_at = loop.time()
            await reaches(stage.engine, run.id, lambda found: found.claim != before.claim)
            took = loop.time() - killed_at
            hold.unlink()
            await reaches(stage.engine, run.id, lambda found: found.backed_up)
        print(f"taken up after {took:.2f} s")
        assert {"backup": 2} == {name: count for name, count in ran(tmp_path).items() if name == "backup"}
        assert took < 5


async def _workers(dsn: str, count: int) -> None:
    """Wait until so many workers hold their liveness lock."""
    query = "select count(*) from pg_locks where locktype = 'advisory' and classid = 7270 and granted"
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn, asyncio.timeout(120):
        while (await (await conn.execute(query)).fetchone() or (0,))[0] < count:
            await asyncio.sleep(0.02)


async def test_the_only_worker_killed_and_started_again_goes_on(dsn: str, tmp_path: Path) -> None:
    """A fresh worker re-queues what the dead one held and goes on from the record."""
    (tmp_path / "hold-backup").touch()
    async with backstage(dsn) as stage:
        async with process(dsn, tmp_path, "worker"):
            run = await stage.engine.start(plan())
            await approve_all(stage.engine, run.id, until=_backing_up)
        (tmp_path / "hold-backup").unlink()
        async with process(dsn, tmp_path, "worker", "clock"):
            done = await approve_all(stage.engine, run.id, until=lambda found: found.final)
        assert State.COMPLETED == done.state


async def test_an_answer_given_while_no_worker_lives_counts(dsn: str, tmp_path: Path) -> None:
    """Approvals are rows, not messages to a process."""
    async with backstage(dsn) as stage:
        async with process(dsn, tmp_path, "worker"):
            run = await stage.engine.start(plan())
            asked = (await reaches(stage.engine, run.id, lambda found: found.question is not None)).question
        assert asked is not None
        await stage.engine.handle(run.id, i.Approve(person=ALEX, number=asked.number, digest=asked.digest))
        async with process(dsn, tmp_path, "worker"):
            await reaches(stage.engine, run.id, lambda found: found.backed_up)
        assert 1 == ran(tmp_path)["backup"]
