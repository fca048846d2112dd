"""What a return to a copy of the database would lose, table by table, as exactly as PostgreSQL can tell."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from bot.ports import Context
from bot.runbook.rungs import lost
from integrations.postgres.baseline import Baseline
from integrations.postgres.beside import dsn_of
from integrations.postgres.connect import Session, session
from integrations.postgres.settings import Limits
from integrations.postgres.since import Since, Table, look_since, prepare, size_of
from integrations.postgres.weigh import Figures, weigh
from integrations.postgres.words import human_bytes, plural

SETTLE = 2.0  # seconds; busy sessions report their statistics once a second (PostgreSQL 15+: PGSTAT_MIN_INTERVAL)
MOST_TABLES = 8
OBJECTS = "large objects"
NO_FILE = "their contents are in no salvage file, and changed or removed ones are not counted"
GONE = "dropped since: what was written to it before cannot be told"


@dataclass(frozen=True, kw_only=True)
class TableLoss:
    """Rows of a table ("schema.table") that are not in the copy; the migration's own are not counted.

    ``changed``: rows that are new or updated (``None`` where it cannot be told); ``exact``: proven, not estimated;
    ``known``: false where nothing can be said; ``net``: rows more than in the copy, by people's hands; ``border``:
    rows that may or may not be in the copy, because savepoints of sessions then at work could not be seen.
    """

    table: str
    inserted: int
    updated: int
    deleted: int
    changed: int | None
    exact: bool
    note: str = ""
    known: bool = True
    net: int | None = None
    border: int = 0

    @property
    def rows(self) -> int:
        return self.inserted + self.updated + self.deleted

    @property
    def signs(self) -> str:
        """``cases +5 ~1 −2``; a table in ``public`` goes by its name alone."""
        parts = ((self.inserted, "+"), (self.updated, "~"), (self.deleted, "−"))
        return " ".join([shown(self.table), *(f"{sign}{count:,}" for count, sign in parts if count)])


@dataclass(frozen=True, kw_only=True)
class Losses:
    """``transactions`` and ``wal_bytes`` are the whole server's; ``rows`` is ``None`` where it cannot be told.

    ``unproven``: tables not listed, of which nothing seems lost; their rows were not counted at the copy.
    """

    tables: tuple[TableLoss, ...]  # only those that lose something or have a note
    transactions: int
    wal_bytes: int
    rows: int | None
    exact: bool
    lines: tuple[str, ...]
    unproven: int = 0

    @property
    def words(self) -> str:
        """So many rows, and whether that is proven."""
        return lost(self.rows, estimated=not self.exact)


@dataclass(frozen=True, kw_only=True)
class _Look:
    """One look at a table: rows, new rows, rows at the border; ``None`` and a note where it could not be read."""

    now: int | None = None
    changed: int | None = None
    border: int = 0
    note: str = ""


async def measure(context: Context, base: Baseline, limits: Limits, *, database: str | None = None) -> Losses:
    """Read the live database (or ``database``); ``StepError`` only when it cannot be reached."""
    dsn = dsn_of(context, database) if database else context.target.dsn
    async with session(dsn, context.application_name) as db:
        await prepare(db, limits.query_time)
        since = await look_since(db, context, base)
        looks = {table.full: await _look(db, since, table, limits) for table in since.tables}
        objects = await _objects(db, since)
        found = _judge(since, looks)
        deadline = time.monotonic() + SETTLE
        # where nobody is connected the statistics lack nothing, and waiting brings nothing
        while not (since.quiet or since.reset or all(each.exact for each in found)) and time.monotonic() < deadline:
            await asyncio.sleep(SETTLE / 8)
            since = await look_since(db, context, base)
            found = _judge(since, looks)
    return summary(since, (*found, *objects))


async def _objects(db: Session, since: Since) -> tuple[TableLoss, ...]:
    """Large objects are in no table of people's."""
    try:
        ((count,),) = await (await db.execute(since.objects())).fetchall() if since.sound else ((0,),)
    except psycopg.errors.QueryCanceled:
        return ()
    made = int(str(count))
    loss = TableLoss(table=OBJECTS, inserted=made, updated=0, deleted=0, changed=made, exact=False, note=NO_FILE)
    return (loss,) if made else ()


async def _look(db: Session, since: Since, table: Table, limits: Limits) -> _Look:
    if not since.sound:
        return _Look()
    try:
        size = await size_of(db, table)
        if size >= limits.exact_count_below:
            return _Look(note=f"too large to be read ({human_bytes(size)}): by statistics")
        ((now, changed, border),) = await (await db.execute(since.look(table))).fetchall()
    except psycopg.Error as error:
        if db.closed:  # that is the database, not the table
            raise
        return _Look(note=unreadable(error, limits))
    return _Look(now=int(str(now)), changed=int(str(changed)), border=int(str(border)))


def unreadable(error: psycopg.Error, limits: Limits) -> str:
    """Why a table could not be read, without anybody's data."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f"not read within {limits.query_time:g} s"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "this role may not read it"
    return f"cannot be read (SQLSTATE {error.sqlstate or 'unknown'})"


def _judge(since: Since, looks: dict[str, _Look]) -> tuple[TableLoss, ...]:
    """Every table there is or was."""
    gone = (
        TableLoss(table=name, inserted=0, updated=0, deleted=0, changed=None, exact=False, note=GONE)
        for name in since.gone
    )
    judged = (_one(since, table, looks[table.full]) for table in since.tables if table.full in looks)
    return (*judged, *gone)


def _one(since: Since, table: Table, look: _Look) -> TableLoss:
    figures = Figures(
        now=look.now, before=table.before, changed=look.changed, counts=table.counts, own=table.own,
        redone=table.redone, redone_by_own=table.redone_by_own, quiet=since.quiet,
    )  # fmt: skip
    told = weigh(figures)
    notes = [look.note] if look.note else []
    if told.note:
        notes.append(told.note)
    # a row at the border that is not in the copy was counted after it, and would spoil the agreement
    border = 0 if figures.agreed else look.border
    if border:
        notes.append(
            f"up to {plural(border, 'more row')}, written just before the copy by sessions that were still at work, "
            "may not be in it"
        )
    unproven = bool(border or since.own.unknown or since.own.unsure) or (since.wrapped and not figures.agreed)
    inserted, updated, deleted = told.counts
    return TableLoss(
        table=table.full, inserted=inserted, updated=updated, deleted=deleted,
        changed=None if figures.rewritten else look.changed, exact=told.exact and not unproven,
        note="; ".join(notes), known=told.known, net=figures.net, border=border,
    )  # fmt: skip


def summary(since: Since, judged: tuple[TableLoss, ...], unproven: int = 0) -> Losses:
    """All tables together, and in words; ``unproven`` are more tables, of which nothing seems lost."""
    found = tuple(each for each in judged if each.rows or each.note or not each.known)
    unproven += sum(not each.exact for each in judged if each not in found)
    known = all(each.known for each in found)
    exact = known and not unproven and all(each.exact for each in found)
    lines = (
        _headline(since.base, found, exact=exact),
        f"{plural(max(0, since.transactions), 'write transaction')}, {human_bytes(since.wal_bytes)} of write-ahead "
        "log on the whole server since then, the migration's own included",
        *_notes(since, found, unproven),
    )
    return Losses(
        tables=found, transactions=since.transactions, wal_bytes=since.wal_bytes, exact=exact, lines=lines,
        unproven=unproven, rows=sum(each.rows for each in found) if known else None,
    )  # fmt: skip


def _headline(base: Baseline, found: tuple[TableLoss, ...], *, exact: bool) -> str:
    since = f"since the backup's snapshot ({base.moment})"
    losing = sorted((each for each in found if each.rows), key=lambda each: -each.rows)
    if not losing:
        if exact:
            return f"Lost: nothing: nobody but the migration has written a row {since}"
        return f"Lost: no row as far as can be told, {since}; see below"
    inserted, updated, deleted = (sum(getattr(each, name) for each in losing) for name in _KINDS)
    counts = f"{plural(inserted, 'row')} inserted, {updated:,} changed, {deleted:,} deleted"
    named = ", ".join(each.signs for each in losing[:MOST_TABLES])
    more = f" and {plural(len(losing) - MOST_TABLES, 'more table')}" if len(losing) > MOST_TABLES else ""
    about = "" if exact else "about "
    return f"Lost: {about}{counts} {since}, in {plural(len(losing), 'table')}: {named}{more}"


def _notes(since: Since, found: tuple[TableLoss, ...], unproven: int) -> Iterator[str]:
    spoken = [each for each in found if each.note or not each.known]
    for each in spoken[:MOST_TABLES]:
        what = each.note if each.known else f"what is lost cannot be told{': ' * bool(each.note)}{each.note}"
        yield f"⚠️ {shown(each.table)}: {what}"
    if len(spoken) > MOST_TABLES:
        yield f"⚠️ Likewise {plural(len(spoken) - MOST_TABLES, 'more table')}"
    if unproven:
        yield f"⚠️ In {plural(unproven, 'more table')} nothing seems deleted, but only the statistics say so"
    yield from (f"⚠️ {note}" for note in since.notes)


def shown(table: str) -> str:
    """A table's name as people read it: without ``public``, on one line."""
    return " ".join(table.removeprefix("public.").split())


_KINDS = ("inserted", "updated", "deleted")
