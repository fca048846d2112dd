"""Prisma as a job of the platform: its own build and environment, so where it acts must be seen to be the target.

The guard in the database holds such a job to what was approved as it holds a command beside the bot; the connection
is the service's own, and no secret is handed over.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from psycopg import sql

from bot.ports import Commands, Context, StepError
from bot.runbook.run import Database
from bot.target import Prisma
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.prisma.history import FILE, table_of
from integrations.postgres.prisma.project import project_of
from integrations.postgres.prisma.said import Said
from integrations.process import Exit, Redactor

STARTING = 300.0  # seconds until a job's instance is there, beside what the command itself may take
DEPLOYING = 3600.0
_LOOK = 0.05


def commands_of(context: Context) -> Commands:
    """Where it runs; ``StepError`` if the platform was not given."""
    if context.commands is None:
        raise StepError("There is no platform to run Prisma on.", 'Set render.job_service, or run_on = "host".')
    return context.commands


def command(project: Prisma, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The command with its arguments as the job gets them."""
    schema = ("--schema", project.job_schema) if project.job_schema else ()
    return (*project.command, *arguments, *schema)


async def run_away(
    context: Context, arguments: tuple[str, ...], redactor: Redactor, take: Callable[[str], None], limit: float | None
) -> Exit:
    """As a job, to its end; each line it wrote is given to ``take``."""
    began = time.monotonic()
    seconds = STARTING + (limit or DEPLOYING)
    ended = await commands_of(context).run(command(project_of(context.target), arguments), seconds=seconds)
    for line in ended.lines:
        take(redactor(line))
    if not ended.ok:
        take(f"the job: {ended.why}")
    return Exit(code=0 if ended.ok else 1, seconds=time.monotonic() - began)


async def at_rest(context: Context, arguments: tuple[str, ...]) -> None:
    """Wait for a job that a dead attempt has left, before its guard is taken away."""
    project = project_of(context.target)
    if project.on_job:
        await commands_of(context).at_rest(command(project, arguments), seconds=STARTING + DEPLOYING)


async def asked(
    context: Context, db: Session, question: Callable[[], Awaitable[tuple[Exit, Said]]]
) -> tuple[Exit, Said]:
    """A question that reads Prisma's list, and the proof that it was read in the target: it is seen waiting there.

    What a job says of its place is only words, and with a driver adapter not even those.  So the list is locked while
    the job asks; ``StepError`` when it gets its answer all the same, for then it has asked elsewhere.
    """
    async with session(context.target.dsn, context.application_name) as holder, holder.transaction():
        await holder.execute("SET LOCAL lock_timeout = '2s'; SET LOCAL idle_in_transaction_session_timeout = 0")
        await holder.execute(sql.SQL("LOCK TABLE {}").format(table_of(context.target)))
        asking = asyncio.ensure_future(question())
        seen = await _waits(context, db, asking)
    ended, said = await asking
    if seen or (not ended.ok and said.code.startswith("P1")):
        return ended, said
    raise StepError(
        "Prisma's job reads a list of migrations that is not the target's: its DATABASE_URL leads to another database.",
        "Compare DATABASE_URL of render.job_service with the target's connection string. Nothing was run there but a "
        "question.",
        database=Database.UNTOUCHED,
    )


async def _waits(context: Context, db: Session, asking: asyncio.Future[tuple[Exit, Said]]) -> bool:
    schema = project_of(context.target).database_schema
    while not asking.done():
        if await rows(db, "list_awaited", {"schema": schema}, FILE):
            return True
        await asyncio.wait({asking}, timeout=_LOOK)
    return False
