"""A true copy of the sample database with its baseline, and the truth about what is missing in it, row by row."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from bot.demo import casework as sample
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.baseline import Baseline, take_baseline
from integrations.postgres.connect import connection_env
from integrations.postgres.losses import Losses, measure
from integrations.postgres.settings import Limits
from integrations.postgres.snapshot import count_rows, open_snapshot
from integrations.postgres.tools import find_tools
from integrations.process import base_env, run_child
from tests.integrations.postgres.conftest import QUICK, Stage

Counts = dict[str, tuple[int, int, int]]
_KEYED = (
    "select n.nspname::text, c.relname::text, array(select a.attname::text from pg_attribute a "
    "where a.attrelid = c.oid and a.attnum = any (i.indkey)) from pg_class c join pg_namespace n "
    "on n.oid = c.relnamespace join pg_index i on i.indrelid = c.oid and i.indisprimary "
    "where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migrate_bot')"
)


@dataclass
class Copies:
    """The live database of a stage, and copies of it that ``remove`` drops."""

    stage: Stage
    pg: EmbeddedPostgres
    made: list[str] = field(default_factory=list)

    async def live(self, *statements: str) -> None:
        """Do something in the live database as its owner, each statement by itself."""
        async with await psycopg.AsyncConnection.connect(self.stage.target.dsn, autocommit=True) as db:
            for each in statements:
                await db.execute(each.encode())

    async def session(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        """A session whose transactions the test itself ends."""
        return await psycopg.AsyncConnection.connect(self.stage.target.dsn)

    async def base(self, during: Callable[[], Awaitable[None]] | None = None) -> Baseline:
        """Dump and restore in one snapshot; ``during`` acts while that is open, before anything is dumped."""
        context = self.stage.at(StepName.BACKUP)
        tools = await find_tools(await self._server_major(), None)
        file = self.stage.target.state / f"copy{len(self.made)}.dump"
        env = base_env() | connection_env(self.stage.target.dsn)[0]
        async with open_snapshot(context) as snapshot:
            base = await take_baseline(snapshot.db, snapshot.name, snapshot.counters)
            if during:
                await during()
            base = replace(base, rows=await count_rows(snapshot.db, QUICK))
            argv = [tools.path("pg_dump"), "-Fc", "-w", f"--snapshot={snapshot.name}", f"--file={file}"]
            assert (await run_child(argv, env=env, cwd=Path("/"), on_line=lambda _: None, time_limit=60)).ok
        name = f"{self.stage.run.plan.database}_copy{len(self.made)}"
        await sample.create_database(self.pg, name, owner=sample.OWNER)
        self.made.append(name)
        argv = [tools.path("pg_restore"), "-w", "-d", self.pg.dsn(name), str(file)]
        assert (await run_child(argv, env=base_env(), cwd=Path("/"), on_line=lambda _: None, time_limit=60)).ok
        return base

    async def apply(self, name: str, text: str) -> None:
        """Run a migration file, exactly as the step does."""
        if not self.stage.run.done:
            await self.stage.backed_up()
        self.stage.write(name, text)
        await Apply(QUICK).run(await self.stage.approved())

    async def measured(self, base: Baseline, limits: Limits = QUICK) -> Losses:
        return await measure(self.stage.at(StepName.APPLY), base, limits)

    async def truth(self) -> Counts:
        """Rows inserted, updated, deleted in the live database against the newest copy, by primary key."""
        live, copy = await self._content(self.stage.run.plan.database), await self._content(self.made[-1])
        found = {}
        for table, now in live.items():
            then = copy.get(table, {})
            changed = sum(_differ(now[key], then[key]) for key in now.keys() & then.keys())
            found[table] = (len(now.keys() - then.keys()), changed, len(then.keys() - now.keys()))
        return {table: counts for table, counts in found.items() if any(counts)}

    async def remove(self) -> None:
        for name in self.made:
            await sample.drop_database(self.pg, name)

    async def _server_major(self) -> int:
        ((version,),) = await self.stage.ask("select current_setting('server_version_num')::int")
        return int(str(version)) // 10000

    async def _content(self, database: str) -> dict[str, dict[str, dict[str, object]]]:
        found = {}
        dsn = conninfo.make_conninfo(self.stage.target.dsn, dbname=database)
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
            for schema, table, keys in await (await db.execute(_KEYED)).fetchall():
                query = sql.SQL("select to_jsonb(t) from only {} t").format(sql.Identifier(schema, table))
                rows = [row for (row,) in await (await db.execute(query)).fetchall()]
                found[f"{schema}.{table}"] = {json.dumps([row[key] for key in keys]): row for row in rows}
        return found


def _differ(now: dict[str, object], then: dict[str, object]) -> bool:
    return any(now[name] != then[name] for name in now.keys() & then.keys())


def counted(losses: Losses) -> Counts:
    """What was measured, in the truth's shape."""
    return {each.table: (each.inserted, each.updated, each.deleted) for each in losses.tables if each.rows}
