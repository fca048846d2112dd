"""What the bench of the way back measures, act by act: by hand as the runbook has it, and by the bot's own code."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from psycopg import sql

from bot.demo import casework as sample
from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import Outcome
from bot.runbook.run import Plan, Run, State
from bot.runbook.steps import Route, Standby, StepName
from bot.target import Target
from integrations.postgres.backup import Backup
from integrations.postgres.beside import RESTORED, STANDBY, Names, exclusively, names_of
from integrations.postgres.carry import around, carry, finish
from integrations.postgres.orphans import guarded
from integrations.postgres.restore import make
from integrations.postgres.settings import Limits
from integrations.postgres.standby import Standby as StandbyStep
from integrations.postgres.switch import switch
from integrations.postgres.whole import whole_backup
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import POLICY, Stage

PASSWORDS = dict.fromkeys((sample.OWNER, sample.APP, sample.BOT), "bench")
NAME, BY_HAND = "shop", "shop_by_hand"
TABLES = ("accounts", "customers", "messages", "orders", "phrase")
LIMITS = Limits()
SESSIONS = 10  # of the services, while databases are switched
PROBE = 0.003  # seconds between two questions
Content = tuple[tuple[object, ...], ...]


@dataclass
class Shop:
    """One generated database with a stage of the tests around it; ``tools`` is the client's folder."""

    pg: EmbeddedPostgres
    stage: Stage
    tools: Path
    work: Path
    content: Content = ()
    size: int = 0
    back: Backstage = field(init=False)

    def __post_init__(self) -> None:
        self.back = Backstage(stage=self.stage, pg=self.pg, casework=sample.casework(self.pg, PASSWORDS, NAME))

    @property
    def env(self) -> dict[str, str]:
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self.pg.port), "PGUSER": sample.OWNER}
        return os.environ | where | {"PGPASSWORD": PASSWORDS[sample.OWNER]}

    async def do(self, statement: str, *names: str) -> None:
        """A statement about databases, by a superuser."""
        async with await psycopg.AsyncConnection.connect(self.pg.dsn(), autocommit=True) as db:
            await db.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]

    async def require_equal(self, name: str) -> None:
        """Raises when that database has other rows than were generated."""
        if self.content != await content(self.pg.dsn(name)):
            raise AssertionError(f"{name} is not what was generated")


async def content(dsn: str) -> Content:
    """Of each table its number of rows and a checksum over them in any order."""

    async def one(name: str) -> tuple[object, ...]:
        query = sql.SQL("select count(*), bit_xor(hashtextextended(t::text, 0)) from public.{} t")
        async with await psycopg.AsyncConnection.connect(dsn) as db:
            return await (await db.execute(query.format(sql.Identifier(name)))).fetchone() or ()

    return tuple(await asyncio.gather(*map(one, TABLES)))


async def generated(pg: EmbeddedPostgres, tools: Path, work: Path, scale: float) -> Shop:
    """A fresh database of that size, and the run that will migrate it."""
    await sample.create_database(pg, NAME, owner=sample.OWNER)
    owner = sample.casework(pg, PASSWORDS, NAME)
    script = Path(__file__).with_name("way_back.sql")
    await sample.run_script(owner.owner_dsn, script, variables={"scale": str(scale)}, one_transaction=False)
    shop = Shop(pg=pg, stage=stage_of(owner, tools, work), tools=tools, work=work)
    shop.content = await content(pg.dsn(NAME))
    ((size,),) = await shop.back.as_superuser("select pg_database_size(current_database())")
    shop.size = int(str(size))
    return shop


def stage_of(shop: Casework, tools: Path, work: Path) -> Stage:
    """As the tests of the steps build it."""
    target = Target(
        name=NAME, dsn=shop.owner_dsn, channel="C1", policy=POLICY, migrations=work, backups=work / "backups",
        state=work, client_tools=tools,
    )  # fmt: skip
    plan = Plan(
        target=NAME, database=NAME, name="n", purpose="p", migrations=(), starter="U0", starter_name="Zoe",
        channel="C1", policy=POLICY,
    )  # fmt: skip
    run = Run(
        id="bench", plan=plan, version=1, state=State.WORKING, route=Route.FORWARD, position=1, started_at=0, since=0
    )
    return Stage(target=target, run=run)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds it took."""
    return (await weighed(work))[0]


async def weighed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Seconds it took, and seconds of processor time that the machine spent meanwhile: server, clients, kernel."""
    busy, began = processors_busy(), time.perf_counter()
    await work()
    return time.perf_counter() - began, processors_busy() - busy


def processors_busy() -> float:
    """Seconds that all processors have worked since the machine started (proc(5), /proc/stat)."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    return float(user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def piped(first: Sequence[str], second: Sequence[str], env: Mapping[str, str], out: Path) -> None:
    """``first | second > out``; raises when either fails."""
    with out.open("wb") as file:
        source = subprocess.Popen(first, stdout=subprocess.PIPE, env=env)
        sink = subprocess.Popen(second, stdin=source.stdout, stdout=file, env=env)
        assert source.stdout is not None
        source.stdout.close()
        codes = sink.wait(), source.wait()
    if any(codes):
        raise AssertionError(f"{first[0]} | {second[0]} ended with {codes}")


async def backup_by_hand(shop: Shop) -> None:
    """The runbook's ``pg_dump | gzip``."""
    dump = [str(shop.tools / "pg_dump"), NAME]
    await asyncio.to_thread(piped, dump, ["gzip"], shop.env, shop.work / "by_hand.sql.gz")


async def restore_by_hand(shop: Shop) -> None:
    """The runbook's ``dropdb``, ``createdb``, ``gunzip | psql``, on a database as large as the live one."""
    for program in ("dropdb", "createdb"):
        await asyncio.to_thread(subprocess.run, [str(shop.tools / program), BY_HAND], check=True, env=shop.env)
    psql = [str(shop.tools / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", BY_HAND]
    unpack = ["gunzip", "-c", str(shop.work / "by_hand.sql.gz")]
    await asyncio.to_thread(piped, unpack, psql, shop.env, shop.work / "said")


async def back_up(shop: Shop) -> Outcome:
    """The bot's step, from nothing."""
    shutil.rmtree(shop.stage.target.backups, ignore_errors=True)
    shop.stage.run = replace(shop.stage.run, done=())
    outcome = await Backup(LIMITS).run(shop.back.forward(StepName.BACKUP))
    shop.back.record(StepName.BACKUP, tuple(outcome.facts.items()))
    return outcome


async def third_rung(shop: Shop) -> tuple[str, ...]:
    """Restore beside, prove, carry over, switch: as the way back does it; the evidence."""
    context = shop.back.forward(StepName.BACKUP)
    names = names_of(context, RESTORED)
    async with exclusively(context, LIMITS) as db:
        copy = await whole_backup(context, names, LIMITS)
        async with guarded(context, LIMITS):
            said, _ = await make(db, copy)
        like = await around(db, names.live)
        await carry(db, names, like)
        await finish(db, names.side, like)
        await switch(db, names, LIMITS)
    return said


async def stand_by(shop: Shop, kind: Standby) -> None:
    """The bot's step that makes the standby copy; the runs' baseline and proof included."""
    shop.back.plan(standby=kind)
    outcome = await StandbyStep(LIMITS).run(shop.back.forward(StepName.STANDBY))
    if outcome.facts["standby"] != kind.value:
        raise AssertionError("; ".join(outcome.evidence))
    shop.back.record(StepName.STANDBY, tuple(outcome.facts.items()))


async def second_rung(shop: Shop) -> tuple[float, float]:
    """Switch to the standby copy under the services' open sessions: longest time without an answer, and the whole."""
    context = shop.back.forward(StepName.STANDBY)
    names = names_of(context, STANDBY)
    ended = asyncio.Event()
    services = [asyncio.create_task(service(shop, ended)) for _ in range(SESSIONS)]
    probe = asyncio.create_task(longest_gap(shop, ended))
    await asyncio.sleep(1.0)  # of light use before
    whole = await timed(lambda: switch_to(shop, names))
    await asyncio.sleep(0.5)
    ended.set()
    await asyncio.gather(*services)
    return await probe, whole


async def switch_to(shop: Shop, names: Names) -> None:
    context = shop.back.forward(StepName.STANDBY)
    async with exclusively(context, LIMITS) as db:
        like = await around(db, names.live)
        await carry(db, names, like)
        await finish(db, names.side, like)
        await switch(db, names, LIMITS)


async def service(shop: Shop, ended: asyncio.Event) -> None:
    """A session in light use, opened anew whenever it was lost."""
    while not ended.is_set():
        try:
            async with await psycopg.AsyncConnection.connect(shop.back.casework.owner_dsn, autocommit=True) as db:
                while not ended.is_set():
                    await db.execute("select count(*) from public.phrase where id < 100")
                    await asyncio.sleep(0.02)
        except psycopg.OperationalError:
            await asyncio.sleep(0.01)


async def longest_gap(shop: Shop, ended: asyncio.Event) -> float:
    """Seconds between two answers of the database to sessions opened anew all the time."""
    last, longest = time.perf_counter(), 0.0
    while not ended.is_set():
        try:
            async with await psycopg.AsyncConnection.connect(shop.back.casework.owner_dsn) as db:
                await db.execute("select 1 from public.phrase where id = 1")
            now = time.perf_counter()
            last, longest = now, max(longest, now - last)
        except psycopg.OperationalError:
            pass
        await asyncio.sleep(PROBE)
    return longest
