"""One exported snapshot for everything said about a backup: the dump, the row counts, the schema, the WAL position."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from psycopg import sql

from bot.ports import Context, StepError
from integrations.postgres.baseline import Counters, read_counters
from integrations.postgres.catalog import HIDDEN, Catalog, read_catalog
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.settings import Limits

Rows = dict[str, tuple[int, bool]]  # schema.table -> count, and whether it is exact


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """An open REPEATABLE READ transaction that lends its view of the data to pg_dump; ``counters`` are older."""

    db: Session
    name: str
    lsn: str
    catalog: Catalog
    counters: Counters


@asynccontextmanager
async def open_snapshot(context: Context) -> AsyncIterator[Snapshot]:
    """Export a snapshot; it lives as long as the block."""
    async with session(context.target.dsn, context.application_name) as db:
        counters = await read_counters(db)
        await db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        ((name, lsn, standby),) = await rows(db, "export_snapshot")
        if standby:
            raise StepError("The target is a standby server: it cannot be migrated.", "Name the primary as the target.")
        yield Snapshot(db=db, name=str(name), lsn=str(lsn), catalog=await read_catalog(db), counters=counters)


async def count_rows(db: Session, limits: Limits) -> Rows:
    """Rows of every table, exact up to ``limits.exact_count_below`` bytes, the planner's estimate above."""
    found: Rows = {}
    for schema, table, size, estimate, _ in await rows(db, "table_sizes", {"hidden": HIDDEN}):
        exact = int(str(size)) < limits.exact_count_below
        count = await count_table(db, str(schema), str(table)) if exact else int(str(estimate))
        found[f"{schema}.{table}"] = (count, exact)
    return found


async def count_table(db: Session, schema: str, table: str) -> int:
    """``count(*)`` of one table."""
    query = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(schema, table))
    row = await (await db.execute(query)).fetchone()
    return int(str(row[0])) if row else 0
