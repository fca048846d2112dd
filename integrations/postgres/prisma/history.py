"""``_prisma_migrations`` held against the folders: the truth that ``prisma migrate status`` does not tell.

Status says "up to date" after a migration was marked as rolled back, after an applied file was edited, and when the
database lists migrations that the folder lacks.  So the rows are read by us.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql
from psycopg.rows import class_row

from bot.ports import Context
from bot.target import Target
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows
from integrations.postgres.prisma.project import checksums, project_of
from integrations.postgres.untouched import moment_of_backup

FILE = "prisma.sql"
TABLE = "_prisma_migrations"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of Prisma's list.  ``late``: begun after the run's backup.  ``logs`` is the error Prisma saw."""

    id: str
    checksum: str
    name: str
    started: str
    finished: bool
    rolled_back: bool
    logs: str
    late: bool

    @property
    def applied(self) -> bool:
        return self.finished and not self.rolled_back

    @property
    def failed(self) -> bool:
        """Begun, and neither finished nor given up: Prisma applies nothing more (P3009)."""
        return not self.finished and not self.rolled_back


@dataclass(frozen=True, kw_only=True)
class History:
    """``files``: folder -> the checksums it may be listed under.  ``there``: is there a list at all?"""

    rows: tuple[Row, ...]
    files: Mapping[str, frozenset[str]]
    there: bool = True

    @property
    def applied(self) -> Mapping[str, Row]:
        return {each.name: each for each in self.rows if each.applied}

    @property
    def failed(self) -> tuple[Row, ...]:
        return tuple(each for each in self.rows if each.failed)

    @property
    def pending(self) -> tuple[str, ...]:
        """What ``migrate deploy`` would apply: folders without a line, or only with lines that were rolled back."""
        live = {each.name for each in self.rows if not each.rolled_back}
        return tuple(name for name in sorted(self.files) if name not in live)

    @property
    def edited(self) -> tuple[str, ...]:
        """Applied with other bytes than the file has now."""
        return tuple(
            name for name, row in sorted(self.applied.items())
            if self.files.get(name) and row.checksum not in self.files[name]
        )  # fmt: skip

    @property
    def missing(self) -> tuple[str, ...]:
        """Applied, and the folder is not there: the project is older than the database, or another branch."""
        return tuple(name for name in sorted(self.applied) if name not in self.files)

    @property
    def overtaken(self) -> tuple[str, ...]:
        """Pending, although one with a later name is in."""
        newest = max(self.applied, default="")
        return tuple(name for name in self.pending if name < newest)

    @property
    def given_up(self) -> tuple[str, ...]:
        """Pending because they were marked as rolled back; status calls that up to date."""
        marked = {each.name for each in self.rows if each.rolled_back}
        return tuple(name for name in self.pending if name in marked)

    def oddities(self) -> tuple[str, ...]:
        """Whatever status does not see, in words."""
        said = (
            ("applied, and edited since (the file is not what the database has)", self.edited),
            ("applied, but not in the folder (is this the right branch?)", self.missing),
            ("pending, although a later one is applied", self.overtaken),
            ("marked as rolled back earlier, so applied now", self.given_up),
        )
        return tuple(f"⚠️ Prisma's list: {what}: {', '.join(names)}" for what, names in said if names)


async def read_history(db: Session, context: Context) -> History:
    """The list as the database has it now, and the folders as they are now."""
    return History(
        rows=await read_rows(db, context), files=checksums(context.target), there=await is_there(db, context.target)
    )


async def is_there(db: Session, target: Target) -> bool:
    """Does the database have a list of Prisma's?"""
    schema = project_of(target).database_schema
    return bool((await rows(db, "table", {"schema": schema}, FILE))[0][0])


async def read_rows(db: Session, context: Context) -> tuple[Row, ...]:
    """Every line, oldest first."""
    if not await is_there(db, context.target):
        return ()
    query = blocks(FILE)["list"].format(table=table_of(context.target), since=moment_of_backup(context))
    async with db.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(query)
        return tuple(await cursor.fetchall())


def table_of(target: Target) -> sql.Identifier:
    """The list's full name."""
    return sql.Identifier(project_of(target).database_schema, TABLE)


def forgetting(context: Context) -> sql.Composed:
    """The statement by which what DOWN scripts took out was never applied, as far as Prisma is concerned.

    ``migrate resolve --rolled-back`` refuses what did not fail (P3012), and status would call the rest up to date.
    """
    names = sql.Literal(list(context.run.plan.migrations))
    since = sql.Literal(moment_of_backup(context))
    return blocks(FILE)["forget"].format(table=table_of(context.target), names=names, since=since)
