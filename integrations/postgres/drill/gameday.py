"""The ground of a game day: a copy that its run takes for the live database, whoever holds a lock there, and its end.

The copy is made as a rehearsal makes its own, and then takes a name of its own, so that neither rehearsals nor runs of
the real target ever take it for theirs.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import psycopg
from psycopg import sql

from bot.ports import Context, StepError
from bot.runbook.steps import StepName
from bot.target import Target
from integrations.postgres.beside import KINDS, CannotMake, beside, maintenance
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.drill.alone import FILE, alone, surely, sweep
from integrations.postgres.drill.copy import make_copy, require_possible
from integrations.postgres.drill.practice import Practice, practice_of
from integrations.postgres.drill.reach import require_within
from integrations.postgres.drill.source import source_of
from integrations.postgres.proofs.reading import reading
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.facts import read_facts
from integrations.postgres.risk.model import UNKNOWN, Lock
from integrations.postgres.script import Script, read_script
from integrations.postgres.settings import Limits

KIND = "gameday"
_MARK = "Copy for game day "
_WEAKEST = Lock.SHARE  # what a writer who forgot to commit keeps waiting: SHARE and everything stronger


class PostgresGround:
    """``Ground`` for PostgreSQL; ``protected`` are the databases of all targets."""

    def __init__(self, limits: Limits | None = None, *, protected: Collection[str] = ()) -> None:
        self._limits = limits or Limits()
        self._protected = frozenset(protected)

    def database(self, target: Target, run_id: str) -> str:
        """What the copy is called."""
        return beside(_at(_practice(target, run_id)), KIND, run_id)

    async def require(self, target: Target, files: tuple[str, ...]) -> None:
        """``StepError`` for a file that may not be run, or whose statements reach beyond the copy."""
        if target.prisma is not None:
            raise StepError(
                f"{target.name} is migrated by Prisma, and its migrations can only be rehearsed.",
                "Type /migrate drill for that; game days are for .sql files.",
            )
        require_within(_scripts(target, files))

    async def make(self, target: Target, run_id: str, files: tuple[str, ...]) -> None:
        """Make the copy; ``StepError`` where there can be none.  What a dead attempt has left goes first."""
        await self.require(target, files)
        await self.remove(target, run_id)
        practice = _practice(target, run_id)
        async with alone(practice, self._limits) as db:
            await sweep(practice, db, self._protected)
            await require_possible(practice, db)
            try:
                source = await source_of(practice, self._limits)
                await make_copy(source.practice, db, self._limits)
                await _require_at_home(practice)
                await _take(db, practice.names.side, self.database(target, run_id), run_id)
            finally:
                await surely(sweep(practice, db, self._protected))

    async def table(self, copy: Target, migrations: tuple[str, ...]) -> str:
        """A table that the migration needs for itself, as ``schema.name``; empty where it needs none."""
        async with reading(copy.dsn) as db:
            facts = await read_facts(db)
        found = assess(_scripts(copy, migrations), facts)
        locks = [(mode, name) for each in found.statements for name, mode in each.locks.items() if name != UNKNOWN]
        mode, name = max(locks, default=(Lock.ACCESS_SHARE, ""))
        return name if mode >= _WEAKEST else ""

    @asynccontextmanager
    async def holding(self, copy: Target, table: str, name: str) -> AsyncIterator[None]:
        """A session called ``name`` that keeps a writer's lock on the table, until the block ends."""
        db = await psycopg.AsyncConnection.connect(copy.dsn, application_name=name)
        try:
            lock = sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(sql.Identifier(*table.split(".", 1)))
            await db.execute(lock)
            yield
        finally:
            with suppress(psycopg.Error):  # people may have cancelled it
                await db.close()

    async def remove(self, target: Target, run_id: str) -> None:
        """Drop the copy and whatever its run has kept beside it, by their exact names and no others."""
        context = _at(_practice(target, run_id))
        copy = self.database(target, run_id)
        there = replace(context, target=replace(target, dsn=psycopg.conninfo.make_conninfo(target.dsn, dbname=copy)))
        names = {copy, *(beside(there, kind, run_id) for kind in KINDS)}
        async with maintenance(context) as db:
            for name in sorted(names - self._protected - {target.database}):
                await db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _practice(target: Target, run_id: str) -> Practice:
    return practice_of(target, (), (), f"{KIND}-{run_id}", _unseen)


def _at(practice: Practice) -> Context:
    """The context of the real target, with its real backups out of sight."""
    return practice.at(StepName.BACKUP)


def _scripts(target: Target, files: tuple[str, ...]) -> list[Script]:
    return [read_script(target.migrations, each) for each in files]


async def _require_at_home(practice: Practice) -> None:
    """A foreign table of the copy is the real one's: a trigger or a migration could write to it."""
    async with session(practice.copy_dsn, _at(practice).application_name) as db:
        found = [str(name) for _, name, kind, _ in await rows(db, "relations", None, FILE) if kind == "f"]
    if found:
        raise CannotMake(
            f"There can be no game day: {', '.join(found[:5])} are foreign tables, and a copy of them is production.",
            "Exercise on a target without foreign tables.",
        )


async def _take(db: Session, made: str, name: str, run_id: str) -> None:
    """From here on it is the game day's."""
    await db.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(made), sql.Identifier(name)))
    await db.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), f"{_MARK}{run_id}"))


async def _unseen(_text: str, _fraction: float | None) -> None:
    """Nobody waits for these words."""
