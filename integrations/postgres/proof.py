"""Losses proven by primary keys, where the copy to go back to stands beside the database: no statistics needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from bot.ports import Context
from integrations.postgres.baseline import FILE, Baseline
from integrations.postgres.beside import dsn_of
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.losses import Losses, TableLoss, summary
from integrations.postgres.settings import Limits
from integrations.postgres.since import Since, Table, look_since, prepare
from integrations.postgres.snapshot import count_table

MOST_KEYS = 100_000  # changed rows of a table whose keys are compared
_AT_ONCE = 5_000


@dataclass(frozen=True, kw_only=True)
class _Key:
    """A primary key: its columns and their types, in order."""

    columns: tuple[str, ...]
    types: tuple[str, ...]


async def compare(
    context: Context, base: Baseline, copy_database: str, losses: Losses, limits: Limits, *, database: str | None = None
) -> Losses:
    """The same losses, with every changed row looked up in the copy: there it was updated, otherwise inserted.

    Tables without a primary key, renamed ones and those with too many changed rows stay as they were measured, and so
    does a table that somebody is writing to.  ``StepError`` only when one of the two databases cannot be reached.
    """
    dsn = dsn_of(context, database) if database else context.target.dsn
    async with (
        session(dsn, context.application_name) as db,
        session(dsn_of(context, copy_database), context.application_name) as copy,
    ):
        for each in (db, copy):
            await prepare(each, limits.query_time)
            await rows(each, "as_dumped", None, FILE)
        since = await look_since(db, context, base)
        tables = {table.full: table for table in since.tables}
        found = [await _one(db, copy, since, tables.get(loss.table), loss) for loss in losses.tables]
    return summary(since, tuple(found), losses.unproven)


async def _one(db: Session, copy: Session, since: Since, table: Table | None, loss: TableLoss) -> TableLoss:
    if table is None or table.full != table.was or loss.exact or loss.changed is None or loss.changed > MOST_KEYS:
        return loss
    try:
        if loss.net is None:
            loss = replace(loss, net=await _net(db, copy, table))
        key = await _key(db, table)
        keys = await _changed_keys(db, since, table, key) if key.columns else []
        there = await _present(copy, table, key, keys)
    except psycopg.Error:
        if db.closed or copy.closed:
            raise
        return loss  # a key of another shape in the copy, a lock, a right that is missing
    return _proven(since, table, loss, len(keys), there)


def _proven(since: Since, table: Table, loss: TableLoss, changed: int, there: int) -> TableLoss:
    """Keys that are gone from the copy's are what the difference in rows leaves over."""
    inserted = changed - there
    deleted = inserted - (loss.net or 0)
    if changed != loss.changed or deleted < 0:
        return loss
    overwritten = any(table.own[1:]) or table.redone_by_own
    if overwritten or loss.border or since.own.unknown or since.own.unsure or since.wrapped:
        return loss
    return replace(loss, inserted=inserted, updated=there, deleted=deleted, exact=True, note="")


async def _net(db: Session, copy: Session, table: Table) -> int:
    """Rows more than in the copy, by people's hands, where they were not counted before."""
    now, before = [await count_table(each, table.schema, table.name) for each in (db, copy)]
    return now - before - table.own[0] + table.own[2]


async def _key(db: Session, table: Table) -> _Key:
    found = await rows(db, "key", {"oid": table.oid}, FILE)
    return _Key(columns=tuple(str(name) for name, _ in found), types=tuple(str(kind) for _, kind in found))


async def _changed_keys(db: Session, since: Since, table: Table, key: _Key) -> Sequence[tuple[object, ...]]:
    columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier("t", each)) for each in key.columns)
    query = blocks(FILE)["keys"].format(columns=columns, table=table.quoted, new=since.new_row())
    return await (await db.execute(query)).fetchall()


async def _present(copy: Session, table: Table, key: _Key, keys: Sequence[tuple[object, ...]]) -> int:
    names = [sql.Identifier(f"k{number}") for number in range(len(key.columns))]
    same = [
        sql.SQL("{} = k.{}::{}").format(sql.Identifier("t", column), name, sql.SQL(kind))
        for column, name, kind in zip(key.columns, names, key.types, strict=True)
    ]
    query = blocks(FILE)["present"].format(
        table=table.quoted,
        keys=sql.SQL(", ").join([sql.SQL("{}::text[]").format(sql.Placeholder())] * len(names)),
        names=sql.SQL(", ").join(names),
        same=sql.SQL(" AND ").join(same),
    )
    there = 0
    for start in range(0, len(keys), _AT_ONCE):
        columns = [list(column) for column in zip(*keys[start : start + _AT_ONCE], strict=True)]
        ((count,),) = await (await copy.execute(query, columns)).fetchall()
        there += int(str(count))
    return there
