"""What a migration really does, found out by running it on a real server: its locks, rewrites, reads and losses.

Before it commits, pg_locks tells the locks of our own session, pg_class the files of every table, and the tables
themselves their rows.  What cannot be in a transaction is held up by other sessions and looked at while it waits.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from integrations.postgres.risk.model import Lock
from integrations.postgres.script import Script

_QUERIES = Path(__file__).with_name("oracle.sql")
_NAMES = {f"{mode.words.title().replace(' ', '')}Lock": mode for mode in Lock}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """``locks`` by relation; ``lost`` in words; ``failed`` is the server's error when the migration does not run."""

    locks: Mapping[str, Lock] = field(default_factory=dict)
    rewritten: frozenset[str] = frozenset()
    scanned: frozenset[str] = frozenset()
    lost: tuple[str, ...] = ()
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Of a database at one moment: names and files by oid, columns by relation, and the rows of tables."""

    names: Mapping[int, tuple[str, str]]
    files: Mapping[int, int]
    columns: Mapping[int, frozenset[int]]
    rows: Mapping[int, Mapping[str, Mapping[int, str | None]]]


async def query(db: psycopg.AsyncConnection[Any], name: str, values: Mapping[str, object] | None = None) -> list[Any]:
    """A named block of the oracle's own file."""
    return await (await db.execute(_blocks()[name], values)).fetchall()  # type: ignore[arg-type]


@cache
def _blocks() -> dict[str, bytes]:
    parts = (part.partition("\n") for part in _QUERIES.read_text().split("-- name: ")[1:])
    return {name.strip(): text.encode() for name, _, text in parts}


async def picture(
    db: psycopg.AsyncConnection[Any], before: Picture | None = None, written: frozenset[str] = frozenset()
) -> Picture:
    """Everything that can get lost; rows are known by the value of their first column.

    With an earlier picture only tables in ``written`` are read again: the rest was locked too weakly to change.
    """
    relations = await query(db, "relations")
    columns: dict[int, dict[int, str]] = {}
    for oid, number, name in await query(db, "columns"):
        columns.setdefault(oid, {})[number] = name
    rows = {}
    for oid, name, kind, _ in relations:
        if before and oid in before.names and before.names[oid][0] not in written:
            rows[oid] = before.rows.get(oid, {})
        elif kind == "r":
            rows[oid] = await _rows(db, name, columns.get(oid, {}))
    return Picture(
        names={oid: (name, kind) for oid, name, kind, _ in relations},
        files={oid: file for oid, _, kind, file in relations if kind in "rm"},
        columns={oid: frozenset(columns.get(oid, {})) for oid, _, kind, _ in relations if kind in "rpmf"},
        rows=rows,
    )


async def _rows(
    db: psycopg.AsyncConnection[Any], name: str, columns: Mapping[int, str]
) -> dict[str, dict[int, str | None]]:
    listed = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(each)) for each in columns.values())
    if not columns:
        return {}
    schema, _, table = name.partition(".")
    text = sql.SQL("SELECT {} FROM ONLY {}").format(listed, sql.Identifier(schema, table))
    found = await (await db.execute(text)).fetchall()
    return {str(row[0]): dict(zip(columns, row, strict=True)) for row in found}


def losses(before: Picture, now: Picture) -> tuple[str, ...]:
    """Relations, columns and rows that are gone, columns overwritten in every row, values that fell together."""
    found = []
    for oid, (name, kind) in before.names.items():
        if kind not in "rpmfS":
            continue
        if oid not in now.names:
            found.append(f"relation {name}")
            continue
        gone = before.columns.get(oid, frozenset()) - now.columns.get(oid, frozenset())
        if gone:
            found.append(f"{len(gone)} columns of {name}")
        if kind == "r":
            found += _lost_rows(name, before.rows[oid], now.rows[oid], gone)
    return tuple(found)


def _lost_rows(
    name: str, before: Mapping[str, Mapping[int, Any]], now: Mapping[str, Mapping[int, Any]], gone: frozenset[int]
) -> list[str]:
    missing = len(before) - len(before.keys() & now.keys()) if len(now) < len(before) else 0
    if missing:
        return [f"{missing} rows of {name}"]
    found = []
    both = [(row, now[key]) for key, row in before.items() if key in now]
    for number in (set(both[0][0]) if both else set()) - gone:
        pairs = {(old[number], new.get(number)) for old, new in both if old[number] is not None}
        overwritten = len(pairs) > 3 and all(old != new for old, new in pairs)
        merged = len({new for _, new in pairs}) < len({old for old, _ in pairs})
        if merged and (overwritten or len({new for _, new in pairs}) * 2 <= len({old for old, _ in pairs})):
            found.append(f"values of column {number} of {name}")
    return found


async def in_transaction(
    db: psycopg.AsyncConnection[Any], eye: psycopg.AsyncConnection[Any], before: Picture, script: Script
) -> Truth:
    """Run the file in one transaction of ``db``, look, and roll it back; ``before`` is the database without it."""
    try:
        scans = dict(await query(db, "scans"))
        for each in script.statements:
            if each.kind != "transaction_stmt":  # its own BEGIN and COMMIT: we hold the transaction
                await db.execute(each.text.encode(), prepare=False)
        locks = await _locks(eye, db.info.backend_pid, before)
        read = {oid for oid, count in await query(db, "scans") if count > scans.get(oid, 0)}
        now = await picture(db, before, frozenset(name for name, mode in locks.items() if mode >= Lock.ROW_EXCLUSIVE))
        return _truth(before, now, locks, read)
    except psycopg.Error as error:
        return Truth(failed=str(error).splitlines()[0])
    finally:
        await db.rollback()


def _truth(before: Picture, now: Picture, locks: Mapping[str, Lock], read: set[int]) -> Truth:
    rewritten = {before.names[oid][0] for oid, file in before.files.items() if now.files.get(oid, file) != file}
    scanned = {before.names[oid][0] for oid in read if oid in before.names}
    return Truth(locks=locks, rewritten=frozenset(rewritten), scanned=frozenset(scanned), lost=losses(before, now))


async def _locks(eye: psycopg.AsyncConnection[Any], pid: int, before: Picture) -> dict[str, Lock]:
    """Held or waited for by one session; indexes, sequences and what is new are left out."""
    found: dict[str, Lock] = {}
    for oid, mode in await query(eye, "locks", {"pid": pid}):
        name, kind = before.names.get(oid, ("", "-"))
        if kind in "rpvmf":
            found[name] = max(_NAMES[mode], found.get(name, Lock.ACCESS_SHARE))
    return found


async def outside(dsn: str, script: Script) -> Truth:
    """Run what commits by itself, on a database of its own, held up so that its locks can be seen."""
    try:
        return await _outside(dsn, script)
    except psycopg.Error as error:
        return Truth(failed=str(error).splitlines()[0])


async def _outside(dsn: str, script: Script) -> Truth:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as eye:
        before = await picture(eye)
        locks: dict[str, Lock] = {}
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
            await db.execute("SET statement_timeout = '20s'")
            for each in script.statements:
                if not each.outside:
                    seen = await _committed(db, eye, each.text, before)
                    locks |= {name: max(mode, locks.get(name, mode)) for name, mode in seen.items()}
                    continue
                tables = [name for name, kind in before.names.values() if kind in "rp"]
                seen = await _held_up(dsn, db, eye, each.text, before, tables)
                for name, mode in seen.items():
                    locks[name] = max(mode, locks.get(name, mode))
        return _truth(before, await picture(eye), locks, set())


async def _committed(
    db: psycopg.AsyncConnection[Any], eye: psycopg.AsyncConnection[Any], text: str, before: Picture
) -> dict[str, Lock]:
    async with db.transaction():
        await db.execute(text.encode(), prepare=False)
        return await _locks(eye, db.info.backend_pid, before)


async def _held_up(
    dsn: str, db: psycopg.AsyncConnection[Any], eye: psycopg.AsyncConnection[Any], text: str, before: Picture,
    tables: Sequence[str],
) -> dict[str, Lock]:  # fmt: skip
    """First nobody may change tables, then nobody may keep readers out: the statement waits at each."""
    found: dict[str, Lock] = {}
    async with contextlib.AsyncExitStack() as stack:
        holders = []
        for mode in ("SHARE UPDATE EXCLUSIVE", "ACCESS SHARE"):
            holder = await stack.enter_async_context(await psycopg.AsyncConnection.connect(dsn))
            await holder.execute("SET LOCAL lock_timeout = '3s'")
            for name in tables:
                await holder.execute(_lock(name, mode))
            holders.append(holder)
        work = asyncio.create_task(db.execute(text.encode(), prepare=False))
        for holder in holders:
            await _until_waiting(eye, db.info.backend_pid, work, before, found)
            if holder is holders[1]:
                late = await stack.enter_async_context(await psycopg.AsyncConnection.connect(dsn, autocommit=True))
                await _hold_late(late, tables)
            await holder.rollback()
            await asyncio.sleep(0.02)  # until it has noticed
        await _until_waiting(eye, db.info.backend_pid, work, before, found)
        await late.rollback()
        await _until_waiting(eye, db.info.backend_pid, work, before, found)
        await work
    return found


async def _hold_late(late: psycopg.AsyncConnection[Any], tables: Sequence[str]) -> None:
    """For what waits first for those who were there: hold what can be had at once."""
    await late.execute("BEGIN")
    for name in tables:
        with contextlib.suppress(psycopg.errors.LockNotAvailable):
            async with late.transaction():
                await late.execute(_lock(name, "ACCESS SHARE", "NOWAIT"))


def _lock(name: str, mode: str, wait: str = "") -> sql.Composed:
    return sql.SQL("LOCK TABLE ONLY {} IN " + mode + " MODE " + wait).format(sql.Identifier(*name.split(".")))


async def _until_waiting(
    eye: psycopg.AsyncConnection[Any], pid: int, work: "asyncio.Task[Any]", before: Picture, found: dict[str, Lock]
) -> None:
    last = False
    for _ in range(2000):
        for name, mode in (await _locks(eye, pid, before)).items():
            found[name] = max(mode, found.get(name, mode))
        if work.done() or last:
            return
        [[last]] = await query(eye, "waits", {"pid": pid})  # and one more look, now that it waits
        await asyncio.sleep(0.001)
