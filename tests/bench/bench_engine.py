"""How long the bot's own part takes, measured on a real server; not collected by pytest.

Usage: ``python -m tests.bench.bench_engine``.  Everything is on this machine, and the server is durable (fsync on), so
each committed transition has reached the disk.  Times are milliseconds unless it says otherwise.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from bot.demo import casework as sample
from bot.demo import cast
from bot.demo.postgres import EmbeddedPostgres
from bot.engine import Engine
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook.run import Run
from bot.store import entries
from tests.commands.office import opened
from tests.fakes import FakeChannel
from tests.kit import ALEX, DANA, Backstage, backstage, plan, reaches, ready, small_steps, with_steps
from tests.staff import approve_all, staffed
from tests.test_processes import process

PASSWORDS = dict.fromkeys((sample.OWNER, sample.APP, sample.BOT), "bench")
TRANSITIONS, RUNS, COMMANDS, KILLS = 300, 10, 300, 5


def row(name: str, seconds: Sequence[float], note: str = "") -> None:
    """One line of the table."""
    cut = statistics.quantiles(seconds, n=100, method="inclusive")
    shown = "".join(f"{cut[at - 1] * 1000:10.1f}" for at in (50, 95, 99))
    print(f"{name:52}{len(seconds):6}{shown}  {note}", flush=True)


async def timed(action: Callable[[], Awaitable[object]]) -> float:
    """Seconds one action took."""
    begun = time.perf_counter()
    await action()
    return time.perf_counter() - begun


async def transitions(dsn: str) -> None:
    """A durable transition beside the floor: one bare UPDATE and INSERT, in turn, on the same pool."""
    async with backstage(dsn) as stage:
        driver = with_steps(stage, small_steps())
        run = await stage.engine.start(plan())
        await driver.drive(run.id)
        run = await stage.engine.handle(run.id, i.PullCord(person=DANA, reason="bench"))
        async with stage.engine.connection() as conn:
            await conn.execute("create table floor_run (id int primary key, version int, head text)")
            await conn.execute("create table floor_line (id bigint generated always as identity, body text)")
            await conn.execute("insert into floor_run values (1, 0, '')")
        floor, full = [], []
        turns = itertools.cycle((i.Resume(person=DANA), i.PullCord(person=DANA, reason="bench")))
        for intent in itertools.islice(turns, TRANSITIONS):
            floor.append(await timed(partial(bare, stage)))
            full.append(await timed(partial(stage.engine.handle, run.id, intent)))
    ratio = statistics.median(full) / statistics.median(floor)
    row("floor: one bare UPDATE + INSERT transaction", floor)
    row("a durable transition (ledger, run, outbox, job)", full, f"{ratio:.1f} x the floor at p50")


async def bare(stage: Backstage) -> None:
    """The least any durable record costs here."""
    async with stage.engine.connection() as conn:
        await conn.execute("update floor_run set version = version + 1, head = %s where id = 1", ("x" * 64,))
        await conn.execute("insert into floor_line (body) values (%s)", ("x" * 300,))


async def begins(dsn: str) -> None:
    """From the commit of the approval to the beginning of the step it allowed, by a waiting worker."""
    waits: list[float] = []
    async with staffed(dsn, FakeChannel()) as engine:
        for _ in range(RUNS):
            run = await engine.start(plan())
            await approve_all(engine, run.id)
            async with engine.connection() as conn:
                events = [entry.event for entry in await entries(conn, run.id)]
            for granted, began in itertools.pairwise(events):
                if isinstance(granted, e.Granted) and isinstance(began, e.StepBegan):
                    waits.append(began.at - granted.at)
    row("approval committed -> step begins", waits)


async def acks(dsn: str, folder: Path) -> None:
    """What the person waits for: Player -> workspace -> Bolt -> store -> ack -> Player, and one press of a button."""
    async with opened(dsn, folder, only=(cast.STARTER, cast.FIRST_APPROVER)) as office:
        await office.begins()
        for line in ("help", "status"):
            seconds = [await timed(partial(office.dana.command, f"/migrate {line}")) for _ in range(COMMANDS)]
            row(f"ack of /migrate {line}, through Bolt and the workspace", seconds)


async def kills(dsn: str, folder: Path) -> None:
    """kill -9 in the middle of a step, until a waiting peer has claimed it anew."""
    (folder / "hold-backup").touch()
    seconds: list[float] = []
    async with backstage(dsn) as stage:
        for _ in range(KILLS):
            async with process(dsn, folder, "worker") as first:
                run = await backing_up(stage.engine)
                async with process(dsn, folder, "worker"):
                    await two_workers(stage)
                    first.kill()
                    seconds.append(await timed(partial(reclaimed, stage.engine, run)))
            await stage.engine.handle(run.id, i.Abort(person=DANA, reason="bench"))
            async with process(dsn, folder, "worker"):
                await reaches(stage.engine, run.id, lambda found: found.final, seconds=30)
    row("kill -9 of the worker -> its peer has the step", seconds)


async def backing_up(engine: Engine) -> Run:
    """A run whose backup is being made."""
    run = await engine.start(plan())
    run = await reaches(engine, run.id, lambda found: found.question is not None, seconds=30)
    assert run.question is not None
    await engine.handle(run.id, i.Approve(person=ALEX, number=run.question.number, digest=run.question.digest))
    return await reaches(engine, run.id, lambda found: found.claim is not None, seconds=30)


async def reclaimed(engine: Engine, run: Run) -> None:
    """Wait until the step has another claim."""
    await reaches(engine, run.id, lambda found: found.claim != run.claim, seconds=30)


async def two_workers(stage: Backstage) -> None:
    """Wait until both workers hold their liveness lock."""
    query = "select count(*) from pg_locks where locktype = 'advisory' and classid = 7270 and granted"
    async with stage.engine.session() as conn:
        while (await (await conn.execute(query)).fetchone() or (0,))[0] < 2:
            await asyncio.sleep(0.02)


async def main() -> None:
    """The whole table."""
    with tempfile.TemporaryDirectory(prefix="mb", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        async with EmbeddedPostgres(folder / "data", durable=True) as server:
            await sample.create_roles(server, PASSWORDS)
            print(f"{'milliseconds':52}{'n':>6}{'p50':>10}{'p95':>10}{'p99':>10}")
            for number, part in enumerate((transitions, begins, acks, kills)):
                store = f"bench{number}"
                await sample.create_database(server, store, owner=sample.BOT)
                dsn = server.dsn(store, user=sample.BOT, password=PASSWORDS[sample.BOT])
                await ready(dsn)
                work = folder / store
                work.mkdir()
                await (part(dsn, work) if part in (acks, kills) else part(dsn))  # type: ignore[operator]


if __name__ == "__main__":
    asyncio.run(main())
