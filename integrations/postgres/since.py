"""What has happened in a database since a baseline: its tables then and now, and which of their rows are new."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from bot.ports import Context
from integrations.postgres.baseline import FILE, WRAP, Baseline
from integrations.postgres.blocks import blocks
from integrations.postgres.catalog import HIDDEN
from integrations.postgres.connect import Session, rows
from integrations.postgres.own import Counts, Own, read_own

_HALF = WRAP // 2


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as it is now; ``was`` is its name at the baseline ("" for a new one), ``counts`` since the baseline.

    ``counts`` and ``own`` are rows inserted, updated, deleted; ``counts`` is ``None`` where the statistics are of no
    use, and leaves out the migration's ``own``.  ``redone``: all rows were written anew since (by the migration?).
    """

    schema: str
    name: str
    was: str
    oid: int
    before: int | None
    counts: Counts | None
    own: Counts
    redone: bool
    redone_by_own: bool

    @property
    def full(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> sql.Composable:
        return sql.Identifier(self.schema, self.name)

    @property
    def idle(self) -> bool:
        """Do the statistics say that nothing was inserted or updated?"""
        return self.counts is not None and not any(self.counts[:2])


@dataclass(frozen=True, kw_only=True)
class Since:
    """``gone``: tables of the baseline that are no more; ``notes`` hold for all tables; ``reset``: statistics lost.

    ``quiet``: nobody but the bot is connected, so the statistics lack nothing.
    """

    base: Baseline
    tables: tuple[Table, ...]
    gone: tuple[str, ...]
    own: Own
    transactions: int
    wal_bytes: int
    now: int  # the next transaction
    reset: bool
    quiet: bool

    @property
    def sound(self) -> bool:
        """Can a row's transaction be compared with the snapshot's?  Numbers are 32 bits and go round."""
        return 0 <= self.transactions < _HALF

    @property
    def to_read(self) -> list[tuple[int, Table]]:
        """Numbered tables that may have new rows; those first that the statistics say were written to.

        Left out is only what is certain.  A copy made by the server, whose baseline counts no rows, was made with
        nobody connected; a backup's statistics are read after its snapshot, and may have what was written between.
        """
        certain = self.quiet and not self.base.rows and all(each.counts is not None for each in self.tables)
        found = [
            (number, each)
            for number, each in enumerate(self.tables)
            if not (certain and each.idle and each.was and not each.redone)
        ]
        return sorted(found, key=lambda each: each[1].idle)

    @property
    def wrapped(self) -> bool:
        """A row of exactly so many transactions ago would look new: beyond all likelihood, but not impossible."""
        return self.now >= WRAP

    @property
    def notes(self) -> tuple[str, ...]:
        """What makes all figures less than proven."""
        found = []
        if self.own.unknown:
            found.append(f"What {_files(self.own.unknown)} wrote is counted, too: it was not noted apart.")
        if self.own.unsure:
            found.append(f"Some of what {_files(self.own.unsure)} wrote may be counted, too (subtransactions).")
        if self.reset:
            found.append("The server's statistics were reset since: deleted rows show only in the number of rows.")
        if not self.sound:
            found.append("The copy is of another server, or too old to compare rows with it.")
        return tuple(found)

    def new_row(self) -> sql.Composed:
        """A condition on ``t``: this row version is not in the copy, and is not the migration's own."""
        return blocks(FILE)["new_row"].format(**self._values())

    def border_row(self) -> sql.Composable:
        """Another one: it cannot be told whether this row version is in the copy."""
        return blocks(FILE)["border_row"].format(**self._values()) if self.base.parts is None else sql.SQL("false")

    def look(self, table: Table) -> sql.Composed:
        """Rows, new rows, and rows at the border, of one table."""
        return blocks(FILE)["look"].format(new=self.new_row(), border=self.border_row(), table=table.quoted)

    def objects(self) -> sql.Composed:
        """How many large objects are new."""
        return blocks(FILE)["large_objects"].format(new=self.new_row())

    def _values(self) -> dict[str, sql.Literal]:
        return {
            "next": sql.Literal(str(self.base.next % WRAP)),
            "oldest": sql.Literal(str(self.base.oldest % WRAP)),
            "open": sql.Literal([str(each % WRAP) for each in self.base.open]),
            "own": sql.Literal([str(each % WRAP) for each in self.own.xids]),
        }


async def prepare(db: Session, limit: float) -> None:
    """Read only, each statement at most ``limit`` seconds, and no row hidden by a policy without an error."""
    await db.execute(
        sql.SQL("SELECT set_config('statement_timeout', {}, false), set_config('row_security', 'off', false), "
                "set_config('default_transaction_read_only', 'on', false)").format(str(int(limit * 1000)))
    )  # fmt: skip


async def look_since(db: Session, context: Context, base: Baseline) -> Since:
    """Compare the database with the baseline, without reading any table; ``StepError`` where that fails."""
    own = await read_own(db, context.run.id)
    ((snapshot, wal, reset, commits, quiet),) = await rows(db, "moment", {"lsn": base.lsn}, FILE)
    now = int(str(snapshot).split(":")[1])
    is_reset = str(reset) != base.stats_reset or int(str(commits)) < base.commits
    listed = await rows(db, "tables", {"hidden": HIDDEN}, FILE)
    names = {oid: name for name, oid in base.oids.items()}
    tables = tuple(_table(each, base, names, own, is_reset) for each in listed)
    gone = sorted(base.oids.keys() - {each.was for each in tables})
    return Since(
        base=base, tables=tables, gone=tuple(gone), own=own, transactions=now - base.next,
        wal_bytes=max(0, int(str(wal))), now=now, reset=is_reset, quiet=bool(quiet),
    )  # fmt: skip


async def size_of(db: Session, table: Table) -> int:
    """Bytes of its rows, without indexes."""
    return int(str((await rows(db, "size_of_table", {"oid": table.oid}, FILE))[0][0]))


def _table(row: tuple[object, ...], base: Baseline, names: Mapping[int, str], own: Own, reset: bool) -> Table:
    schema, name, _, _, definer, *_ = map(str, row)
    oid, file, *counters = (int(str(each or 0)) for each in (*row[2:4], *row[5:]))
    was = names.get(oid, "")
    wrote = own.counts.get(oid, (0, 0, 0))
    redone = bool(was) and base.filenodes.get(was) != file
    return Table(
        schema=schema, name=name, was=was, oid=oid, before=_before(base, was),
        counts=None if reset else _since(base.counters.get(was, (0, 0, 0)), counters, wrote),
        own=wrote, redone=redone,
        redone_by_own=redone and (bool(own.unknown) or int(definer) in {each % WRAP for each in own.xids}),
    )  # fmt: skip


def _before(base: Baseline, was: str) -> int | None:
    """Exact rows at the baseline: none in a table that was not there, ``None`` where they were not counted."""
    if not was:
        return 0
    count, exact = base.rows.get(was, (0, False))
    return count if exact else None


def _since(then: Counts, now: list[int], own: Counts) -> Counts | None:
    """Less than nothing means that a table's statistics were reset, or are not yet complete."""
    inserted, updated, deleted = (after - before - ours for after, before, ours in zip(now, then, own, strict=True))
    return (inserted, updated, deleted) if min(inserted, updated, deleted) >= 0 else None


def _files(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
