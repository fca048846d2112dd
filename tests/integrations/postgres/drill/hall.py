"""Where rehearsals are tested: the sample database in use, and a look at everything that must be as before."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.drill import DrillReport
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import session
from integrations.postgres.drill.rehearsal import PostgresDrill
from integrations.postgres.switch import Stop, nothing
from tests.integrations.postgres.conftest import QUICK, Stage

NAME = "p-4f7k2q"
LOCKS = (
    "select distinct l.mode, l.granted from pg_locks l join pg_stat_activity a using (pid) join pg_database d "
    "on d.oid = l.database where d.datname = %s and l.locktype = 'relation' and l.relation >= 16384 "
    "and a.application_name like 'migrate/drill-%%'"
)


@dataclass
class Hall:
    """One sample database with its migrations; ``said`` is what the rehearsal told."""

    stage: Stage
    pg: EmbeddedPostgres
    casework: Casework
    said: list[str] = field(default_factory=list)

    async def rehearse(self, *files: str, down: tuple[str, ...] = (), after: Stop = nothing) -> DrillReport:
        drill = PostgresDrill(QUICK, after=after)
        return await drill.rehearse(self.stage.target, files, down, name=NAME, progress=self.progress)

    async def progress(self, text: str, fraction: float | None) -> None:
        self.said.append(text)

    def write(self, name: str, text: str) -> str:
        (self.stage.target.migrations / name).write_text(text)
        return name

    async def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """A superuser's question to the maintenance database."""
        async with await psycopg.AsyncConnection.connect(self.pg.dsn(), autocommit=True) as db:
            return await (await db.execute(query.encode(), values or None)).fetchall()

    async def left(self) -> list[str]:
        """What of a rehearsal is there: databases beside, sessions, folders."""
        live = self.casework.name
        there = await self.ask("select datname::text from pg_database where starts_with(datname, %s)", f"{live}_")
        at_work = await self.ask(
            "select application_name from pg_stat_activity where application_name like 'migrate/drill%%' "
            "and (datname = %s or starts_with(datname, %s))", live, f"{live}_",
        )  # fmt: skip
        backups = self.stage.target.backups
        folders = [each.name for each in backups.iterdir()] if backups.is_dir() else []
        return [*(str(each) for (each,) in (*there, *at_work)), *folders]

    async def content(self) -> tuple[object, ...]:
        """The live database: its schema, and of every table a count and a checksum over all rows."""
        async with session(self.casework.superuser_dsn, "test") as db:
            catalog = await read_catalog(db)
            found: list[object] = [fingerprint(catalog)]
            for name in sorted(catalog["table"]):
                query = sql.SQL("select count(*), bit_xor(hashtextextended(t::text, 0)) from {} t")
                found += await (await db.execute(query.format(sql.Identifier(*name.split("."))))).fetchall()
            found += await (
                await db.execute("select nspname from pg_namespace where nspname = 'migrate_bot'")
            ).fetchall()
        return tuple(found)

    @contextlib.asynccontextmanager
    async def spied(self) -> AsyncIterator[set[tuple[str, bool]]]:
        """Every lock on the live database's own relations that a rehearsal holds or waits for meanwhile."""
        seen: set[tuple[str, bool]] = set()

        async def spy() -> None:
            async with await psycopg.AsyncConnection.connect(self.pg.dsn(), autocommit=True) as db:
                while True:
                    found = await (await db.execute(LOCKS, (self.casework.name,))).fetchall()
                    seen.update((str(mode), bool(granted)) for mode, granted in found)
                    await asyncio.sleep(0.005)

        task = asyncio.create_task(spy())
        try:
            yield seen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
