"""Rows written since a copy, saved as files before the database goes back to it.

Where the failed database is kept, nothing here stands in the way back: what cannot be saved is only a note.
"""

import asyncio
import contextlib
import json
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bot.ports import Context, StepError
from integrations.postgres.baseline import FILE, Baseline
from integrations.postgres.beside import dsn_of, names_of
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.losses import shown, unreadable
from integrations.postgres.manifest import sync_folder, write_durably
from integrations.postgres.settings import Limits
from integrations.postgres.since import Since, Table, look_since, prepare, size_of
from integrations.postgres.sink import NoRoom, Sink, begin, file_name, put_aside
from integrations.postgres.words import human_bytes, plural

REWRITTEN = "rewritten since: rows that nobody changed may be saved, too"
BORDER = "Some of these rows may be in the copy as well: sessions that were at work when it was taken had written them."
LIST = "salvage.json"
LARGEST_REWRITTEN = 256_000_000  # bytes of a table whose rows cannot be told apart and are saved all the same
GONE = "dropped since: nothing of it can be saved"
REMAIN = "its rows remain in the kept failed database"
LATE = f"not read within the time for saving rows; {REMAIN}"
DELETED = "Deleted rows are in no file: they come back with the copy."


@dataclass(frozen=True, kw_only=True)
class Salvage:
    """``folder`` is ``None`` when nothing could be written; ``lines`` are evidence, ``unsaved`` tables with why."""

    folder: Path | None
    tables: int
    rows: int
    lines: tuple[str, ...]
    unsaved: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A table's file ("" where there is none): ``load`` is the command that reads it into the table again.

    ``was`` is the table's name in the copy, "" where it has none.
    """

    table: str
    was: str = ""
    file: str = ""
    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    load: str = ""
    note: str = ""


async def save(
    context: Context, base: Baseline, folder: Path, limits: Limits, *, database: str | None = None, whole: bool = False
) -> Salvage:
    """Write the files and name the folder when they are on disk; what cannot be saved is a note, never an error.

    A folder that this run has finished is the answer as it stands.  ``whole``: it is all or nothing, because no failed
    database is kept; an earlier folder that lacks something is put aside.
    """
    name = database or names_of(context).live
    there = await asyncio.to_thread(_finished, folder, context.run.id, name)
    if there and not (whole and there.unsaved):
        return there
    partial = folder.with_name(folder.name + ".partial")
    try:
        await asyncio.to_thread(begin, folder, partial, ours=there is not None)
        limits = replace(limits, salvage_time=math.inf) if whole else limits
        found = await _all(context, base, partial, limits, name)
        if whole and (lacking := _unsaved(found)):
            raise StepError("; ".join(lacking).replace(f"; {REMAIN}", ""))
        if there:
            await asyncio.to_thread(put_aside, folder)
        await asyncio.to_thread(_finish, folder, partial, _listing(context, base, name, found))
    except (OSError, NoRoom, StepError, psycopg.Error) as error:
        await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
        return _nothing(error, "" if whole else f" They remain in {name}, which is kept.")
    return _told(folder, found)


async def _all(context: Context, base: Baseline, partial: Path, limits: Limits, name: str) -> list[Saved]:
    """All tables in one snapshot; those that could not be saved carry a note."""
    async with session(dsn_of(context, name), context.application_name) as db:
        await prepare(db, limits.query_time)
        await rows(db, "as_dumped", None, FILE)
        since = await look_since(db, context, base)
        numbered, until = {}, time.monotonic() + limits.salvage_time
        async with db.transaction():
            await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for number, table in since.to_read:
                path, left = partial / file_name(number, table.full), until - time.monotonic()
                numbered[number] = await _one(db, since, table, path, limits, left)
    found = [saved for _, saved in sorted(numbered.items()) if saved.rows or saved.note]
    notes = [Saved(table="", note=note) for note in (*since.notes, *([BORDER] if base.parts is None else []))]
    return [
        *found,
        *(Saved(table=name, note=GONE) for name in since.gone),
        *notes,
    ]


async def _one(db: Session, since: Since, table: Table, path: Path, limits: Limits, left: float) -> Saved:
    """One table; whatever goes wrong concerns only this one.  ``left``: seconds for this and all later ones."""
    late = Saved(table=table.full, note=LATE)
    if left <= 0:
        return late
    try:
        async with db.transaction():
            if left < limits.query_time:
                await db.execute(f"SET LOCAL statement_timeout = {max(1, int(left * 1000))}".encode())
            skipped = await _skipped(db, since, table, limits)
            return await _write(db, since, table, path) if skipped is None else Saved(table=table.full, note=skipped)
    except psycopg.Error as error:
        if db.closed:
            raise
        if left < limits.query_time and isinstance(error, psycopg.errors.QueryCanceled):
            return late
        return Saved(table=table.full, note=f"{unreadable(error, limits)}; {REMAIN}")
    except (OSError, NoRoom) as error:
        return Saved(table=table.full, note=f"{_why(error)}; {REMAIN}")


async def _skipped(db: Session, since: Since, table: Table, limits: Limits) -> str | None:
    """Why a table is not saved; "" for a large one that nobody has written to; ``None`` to save it."""
    if not since.sound:
        return f"new rows cannot be told apart; {REMAIN}"
    size = await size_of(db, table)
    if size >= limits.exact_count_below and table.idle:
        return ""
    if _all_look_new(since, table) and size > LARGEST_REWRITTEN:
        return f"rewritten, so all rows look new, and too large to save them all ({human_bytes(size)}); {REMAIN}"
    return None


def _all_look_new(since: Since, table: Table) -> bool:
    """Rewritten, and not by a transaction that is known as the migration's."""
    return table.redone and (bool(since.own.unknown) or not table.redone_by_own)


async def _write(db: Session, since: Since, table: Table, path: Path) -> Saved:
    names = [str(each) for (each,) in await rows(db, "columns", {"oid": table.oid}, FILE)]
    # a table without columns of its own has nothing to be loaded again
    if not names:
        return Saved(table=table.full)
    quoted = sql.SQL(", ").join(sql.Identifier("t", each) for each in names)
    query = blocks(FILE)["salvage"].format(
        columns=quoted, table=table.quoted, new=since.new_row(), border=since.border_row()
    )
    with Sink(path) as sink:
        cursor = db.cursor()
        async with cursor.copy(query) as copy:
            async for part in copy:
                sink.write(part)
        count = cursor.rowcount
        sink.keep = count > 0
    if not sink.keep:
        return Saved(table=table.full)
    encoding = str(db.info.parameter_status("server_encoding"))
    load = blocks(FILE)["load"].format(
        table=table.quoted, columns=sql.SQL(", ").join(map(sql.Identifier, names)), encoding=sql.Literal(encoding)
    )
    return Saved(
        table=table.full, file=path.name, rows=count, bytes=sink.size, sha256=sink.sha256,
        load=load.as_string(None).partition("\n")[2], was=table.was,
        note=REWRITTEN if _all_look_new(since, table) else "",
    )  # fmt: skip


def _finish(folder: Path, partial: Path, listing: dict[str, Any]) -> None:
    write_durably(partial / LIST, json.dumps(listing, indent=1, sort_keys=True).encode())
    sync_folder(partial)
    partial.rename(folder)
    sync_folder(folder.parent)


def _listing(context: Context, base: Baseline, name: str, found: list[Saved]) -> dict[str, Any]:
    return {
        "run": context.run.id, "database": name, "since": base.at, "snapshot": base.snapshot, "lsn": base.lsn,
        "deleted": DELETED, "tables": [asdict(each) for each in found],
    }  # fmt: skip


def _finished(folder: Path, run: str, database: str) -> Salvage | None:
    """What this run has saved already, if all its files are there."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        listing = json.loads((folder / LIST).read_text())
        found = [Saved(**each) for each in listing["tables"]]
        whole = all((folder / each.file).stat().st_size == each.bytes for each in found if each.file)
        if whole and (listing["run"], listing["database"]) == (run, database):
            return _told(folder, found)
    return None


def _told(folder: Path, found: list[Saved]) -> Salvage:
    files = [each for each in found if each.file]
    count = sum(each.rows for each in files)
    size = human_bytes(sum(each.bytes for each in files))
    named = ", ".join(f"{shown(each.table)} {each.rows:,}" for each in files[:8]) + (", …" if len(files) > 8 else "")
    first = f"Nothing to save: no new or changed row was found ({folder})"
    if files:
        what = f"{plural(count, 'row')} of {plural(len(files), 'table')}"
        first = f"Saved {what} written since the copy: {folder} ({size}; {named})"
    lines = (first, DELETED, *_notes(found))
    return Salvage(folder=folder, tables=len(files), rows=count, lines=lines, unsaved=_unsaved(found))


def _notes(found: list[Saved]) -> Iterator[str]:
    late = [shown(each.table) for each in found if each.note == LATE]
    if late:
        yield f"⚠️ {', '.join(late[:8])}{f' and {len(late) - 8:,} more' if late[8:] else ''}: {LATE}"
    for each in found:
        if each.note not in ("", LATE):
            yield f"⚠️ {shown(each.table)}: {each.note}" if each.table else f"⚠️ {each.note}"


def _unsaved(found: list[Saved]) -> tuple[str, ...]:
    return tuple(f"{shown(e.table)}: {e.note}" for e in found if e.table and e.note not in ("", GONE) and not e.file)


def _nothing(error: Exception, remain: str) -> Salvage:
    line = f"⚠️ Rows written since the copy could not be saved as files: {_why(error)}.{remain}"
    return Salvage(folder=None, tables=0, rows=0, lines=(line,))


def _why(error: Exception) -> str:
    if isinstance(error, StepError):
        return error.problem.rstrip(".")
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, NoRoom) else f"the database did not answer ({type(error).__name__})"
