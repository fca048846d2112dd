"""The ground of a game day on a real server: a copy of its own, held and removed without touching anything real."""

import asyncio
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from bot.demo.casework import OWNER
from bot.gameday.place import Place, furnish, target_of
from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.run import Plan
from bot.runbook.samples import Verdict
from bot.runbook.steps import StepName
from bot.target import Prisma, Target
from integrations.postgres.drill.damaged import Damaged, damage
from integrations.postgres.drill.gameday import PostgresGround
from tests.integrations.postgres.conftest import QUICK
from tests.integrations.postgres.drill.hall import Hall

RUN, OTHER = "m-4f7k2q", "m-zzzzzz"
UP = "alter table cases add column court text;\n"


def exercise(hall: Hall, ground: PostgresGround, *files: str) -> Target:
    """The exercise's own target, its folder made."""
    place = Place(run=RUN, database=ground.database(hall.stage.target, RUN), ports={"stand-in": 1}, speed=60)
    furnish(hall.stage.target, place, files)
    return target_of(hall.stage.target, place)


async def made(hall: Hall, text: str = UP) -> tuple[PostgresGround, Target]:
    """A copy, made."""
    file = hall.write("1.sql", text)
    ground = PostgresGround(QUICK, protected={hall.casework.name})
    copy = exercise(hall, ground, file)
    await ground.make(hall.stage.target, RUN, (file,))
    return ground, copy


async def databases(hall: Hall) -> set[str]:
    """Those named like the live one."""
    found = await hall.ask("select datname::text from pg_database where starts_with(datname, %s)", hall.casework.name)
    return {str(name) for (name,) in found}


async def test_a_copy_is_made_and_nothing_of_it_stays(hall: Hall) -> None:
    """It has the rows of the original, which is as before; a rehearsal beside it takes it for nobody's."""
    before = await hall.content()
    ground, copy = await made(hall)

    async with await psycopg.AsyncConnection.connect(copy.dsn) as db:
        assert await (await db.execute("select count(*) > 0 from cases")).fetchone() == (True,)
    assert {hall.casework.name, copy.database} == await databases(hall)
    assert (await hall.rehearse("1.sql")).ok
    assert copy.database in await databases(hall)

    await ground.remove(hall.stage.target, RUN)
    await ground.remove(hall.stage.target, RUN)
    assert {hall.casework.name} == await databases(hall)
    assert before == await hall.content()


async def test_only_its_own_databases_are_removed(hall: Hall) -> None:
    """With what its run kept beside it, in use or not; neither another game day's nor a real run's."""
    ground, copy = await made(hall)
    live = hall.casework.name
    others = {ground.database(hall.stage.target, OTHER), f"{live}_standby_{RUN}", f"{copy.database}_standby_{OTHER}"}
    async with await psycopg.AsyncConnection.connect(hall.pg.dsn(), autocommit=True) as db:
        for name in (*others, f"{copy.database}_standby_{RUN}", f"{copy.database}_failed_{RUN}"):
            parts = (sql.Identifier(name), sql.Identifier(OWNER))
            await db.execute(sql.SQL("create database {} owner {}").format(*parts))
    async with await psycopg.AsyncConnection.connect(copy.dsn):  # somebody is still connected
        await ground.remove(hall.stage.target, RUN)

    assert {live, *others} == await databases(hall)


async def test_the_databases_of_targets_are_never_removed(hall: Hall) -> None:
    """Whatever a target is called."""
    ground, copy = await made(hall)

    await PostgresGround(QUICK, protected={copy.database}).remove(hall.stage.target, RUN)
    assert copy.database in await databases(hall)
    await ground.remove(hall.stage.target, RUN)


@pytest.mark.parametrize(
    ("text", "words"),
    [("create role evil;", "CREATE ROLE"), ("alter database x set work_mem = '1MB';", "ALTER DATABASE")],
)
async def test_what_reaches_beyond_the_copy_is_refused(hall: Hall, text: str, words: str) -> None:
    """It would really be done on production's server; nothing is made first."""
    with pytest.raises(StepError, match=words):
        await made(hall, text)
    assert {hall.casework.name} == await databases(hall)


async def test_foreign_tables_are_refused(hall: Hall) -> None:
    """The copy's foreign tables are production's."""
    async with await psycopg.AsyncConnection.connect(hall.casework.superuser_dsn, autocommit=True) as db:
        await db.execute("create foreign data wrapper w")
        await db.execute("create server s foreign data wrapper w")
        await db.execute("create foreign table far (id int) server s")
    hall.stage.target = replace(hall.stage.target, dsn=hall.casework.superuser_dsn)

    with pytest.raises(StepError, match="foreign tables"):
        await made(hall)
    assert {hall.casework.name} == await databases(hall)


async def test_prismas_migrations_are_refused(hall: Hall) -> None:
    """The exercise's target knows .sql files only."""
    prisma = replace(hall.stage.target, prisma=Prisma(schema=Path("schema.prisma"), folder=Path()))

    with pytest.raises(StepError, match="Prisma"):
        await PostgresGround(QUICK).require(prisma, ("20250101_x",))


async def test_the_table_that_the_migration_needs_is_held(hall: Hall) -> None:
    """The migration waits for the session, by its name, until that is over."""
    ground, copy = await made(hall)
    table = await ground.table(copy, ("1.sql",))

    assert "public.cases" == table
    async with await psycopg.AsyncConnection.connect(copy.dsn, autocommit=True) as db:
        await db.execute("set lock_timeout = '100ms'")
        async with ground.holding(copy, table, "forgotten report"):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await db.execute(UP.encode())
            found = await hall.ask("select 1 from pg_stat_activity where application_name = 'forgotten report'")
            assert found
        async with asyncio.timeout(30):
            while await hall.ask("select 1 from pg_stat_activity where application_name = 'forgotten report'"):
                await asyncio.sleep(0.02)
        await db.execute(UP.encode())
    await ground.remove(hall.stage.target, RUN)


async def test_a_migration_that_needs_no_table_has_none_to_hold(hall: Hall) -> None:
    """Then the fault is not tried."""
    ground, copy = await made(hall, "create table courts (id bigint);\n")

    assert "" == await ground.table(copy, ("1.sql",))
    await ground.remove(hall.stage.target, RUN)


class Made:
    """A real backup step that only says which folder it made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def describe(self, context: Context) -> Description:
        return Description(inputs={}, lines=())

    async def check(self, context: Context) -> Outcome | None:
        return None

    async def run(self, context: Context) -> Outcome:
        return Outcome(facts={"folder": str(self.folder)})

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        return Verdict(ok=True, reason="whole")

    def undo(self, context: Context) -> str:
        return "nothing"


async def _verified(hall: Hall, backups: Path, plan: Plan, *, wanted: bool = True) -> bytes:
    """The data of a backup in ``backups`` after the step has proven it."""
    folder = backups / "run"
    folder.mkdir(parents=True)
    (folder / "1.dat").write_bytes(b"rows of a table")
    context = hall.stage.at(StepName.BACKUP)
    context = replace(
        context, run=replace(context.run, plan=plan), target=replace(context.target, backups=backups)
    )  # fmt: skip
    step = Damaged(Made(folder), lambda _: wanted)
    await step.verify(context, await step.run(context))
    return (folder / "1.dat").read_bytes()


async def test_only_an_exercises_backup_is_ever_damaged(hall: Hall, tmp_path: Path) -> None:
    """Not a real run's, not one that nobody asked to damage, and none outside of the exercise's folder."""
    real = hall.stage.run.plan
    drill = replace(real, exercise=True)
    place = tmp_path / ".gameday-1"

    assert b"rows of a table" == await _verified(hall, place / "a", real)
    assert b"rows of a table" == await _verified(hall, place / "b", drill, wanted=False)
    assert b"rows of a table" != await _verified(hall, place / "c", drill)
    with pytest.raises(ValueError, match="not an exercise"):
        await _verified(hall, tmp_path / "backups" / "real", drill)
    with pytest.raises(ValueError, match="not an exercise"):
        damage(tmp_path / "elsewhere", within=place / "c")
