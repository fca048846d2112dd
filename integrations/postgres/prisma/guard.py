"""The database itself refuses what was not approved: a trigger on Prisma's list, for the time of the step.

Prisma reads the files anew, after they were approved.  Before each script it writes the file's checksum into its list,
in the very session that will run the script: there the guard compares it, and sets that session's limits and name.
So it holds for every engine, every wrapper, and files on another machine; what is refused there is not run.
"""

import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import psycopg
from psycopg import sql

from bot.ports import Context, StepError
from bot.runbook.run import Database
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows
from integrations.postgres.prisma.history import FILE, is_there, table_of
from integrations.postgres.prisma.project import project_of
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits

_NAME = "migrate_bot_guard"
_LOCK = "2s"  # the list is written to for moments only


@asynccontextmanager
async def standing_guard(
    db: Session, context: Context, scripts: Iterable[Script], lock_timeout: float, limits: Limits
) -> AsyncIterator[None]:
    """Only these scripts get in, each statement within the limits (seconds); gone when the block ends.

    A database without a list yet is empty, and has nothing to be guarded: there the connection's own limits hold.
    Where a job was not seen to its end it stays, because the job may only be about to begin.
    """
    if not await is_there(db, context.target):
        yield
        return
    await _put(db, context, scripts, lock_timeout, limits)
    over = not project_of(context.target).on_job
    try:
        yield
        over = True
    finally:
        with contextlib.suppress(psycopg.OperationalError):  # a lock, or a lost session; it is looked for again
            if over:
                await remove_guard(db, context)


async def remove_guard(db: Session, context: Context) -> None:
    """Also one that a dead attempt left: it means nothing any more, but it is not the target's either."""
    schema = project_of(context.target).database_schema
    if (await rows(db, "guard_there", {"schema": schema}, FILE))[0][0]:
        async with db.transaction():
            await db.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK))
            await db.execute(_drop(context))


async def _put(db: Session, context: Context, scripts: Iterable[Script], lock_timeout: float, limits: Limits) -> None:
    statement_timeout = int(context.target.statement_timeout * 1000)
    values = [context.application_name, f"{int(lock_timeout * 1000)}", f"{statement_timeout}", limits.connect_check]
    values += [each for script in scripts for each in (script.name, script.sha256)]
    create = sql.SQL(
        "CREATE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION migrate_bot.prisma_guard({})"
    ).format(sql.Identifier(_NAME), table_of(context.target), sql.SQL(", ").join(map(sql.Literal, values)))
    try:
        async with db.transaction():
            await db.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK))
            await db.execute(blocks(FILE)["guard_function"])
            await db.execute(_drop(context))
            await db.execute(create)
    except psycopg.errors.InsufficientPrivilege as error:
        raise StepError(
            "The role of the target may not guard _prisma_migrations, so it cannot be held to what was approved.",
            "As the database's owner: ALTER TABLE _prisma_migrations OWNER TO the role that migrates; then type "
            "/migrate retry.",
            database=Database.UNTOUCHED,
        ) from error


def _drop(context: Context) -> sql.Composed:
    return sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(_NAME), table_of(context.target))
