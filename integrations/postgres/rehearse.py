"""The DOWN scripts tried on a copy: forward, back, and is the schema then what it was?

What was not rehearsed with exactly these bytes is no way back.
"""

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Mapping

import psycopg

from bot.ports import Context, StepError
from bot.runbook.digest import canonical
from integrations.postgres import markers
from integrations.postgres.beside import REHEARSAL, Names, beside, dsn_of, live_of
from integrations.postgres.carry import Around, ByHand, carry
from integrations.postgres.catalog import Catalog, difference, read_catalog
from integrations.postgres.connect import Session, identity, session
from integrations.postgres.psql import Failure, Place, run_psql
from integrations.postgres.restore import drop_half_made
from integrations.postgres.script import Script, read_migration
from integrations.postgres.settings import Limits
from integrations.postgres.template import PATIENCE, copy_template, require_room, size_of
from integrations.postgres.tools import Tools, find_tools
from integrations.postgres.words import plural

Scripts = tuple[Script, ...]


def ups_of(context: Context) -> Scripts:
    """The plan's files as they are now."""
    return tuple(read_migration(context.target, name) for name in context.run.plan.migrations)


def downs_of(context: Context) -> Scripts:
    """The plan's DOWN scripts as they are now, in the order they are to run."""
    return tuple(read_migration(context.target, name) for name in context.run.plan.down)


def digest(ups: Scripts, downs: Scripts) -> str:
    """SHA-256 over names and bytes of both directions."""
    return hashlib.sha256(canonical([[each.name, each.sha256] for each in (*ups, *downs)]).encode()).hexdigest()


async def rehearse(
    db: Session, context: Context, copy: str, like: Around, limits: Limits, *, patience: float = PATIENCE
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Evidence and facts; what goes wrong is a ``down_problem`` in words, never an error.  ``db`` is on neither."""
    try:
        ups, downs = ups_of(context), downs_of(context)
        async with _throw_away(db, context, copy, like, patience) as name:
            seconds = await _there_and_back(context, name, ups, downs, limits)
    except (StepError, psycopg.Error) as error:
        problem = error.problem if isinstance(error, StepError) else str(error).strip().splitlines()[0]
        return (f"⚠️ The DOWN scripts are no way back: {problem}",), {"down_problem": problem}
    said = f"DOWN rehearsed on a copy: {plural(len(downs), 'script')} in {seconds:.1f} s; the schema is then as before"
    return (said,), {"down_rehearsed": digest(ups, downs), "down_seconds": f"{seconds:.3f}"}


@contextlib.asynccontextmanager
async def _throw_away(db: Session, context: Context, copy: str, like: Around, patience: float) -> AsyncIterator[str]:
    """A copy of the copy, with the settings it will have as the live database; gone afterwards."""
    names = Names(live=live_of(context), side=beside(context, REHEARSAL), failed="")
    await drop_half_made(db, context, names.side)
    await require_room(db, await size_of(db, copy))
    try:
        await copy_template(db, context, copy, names.side, patience=patience)
        await _give(db, names, like)
        yield names.side
    finally:
        await drop_half_made(db, context, names.side)


async def _give(db: Session, names: Names, like: Around) -> None:
    """Its search path and the like; another role's settings are not what these scripts run with."""
    with contextlib.suppress(ByHand):
        await carry(db, names, like)


async def _there_and_back(context: Context, name: str, ups: Scripts, downs: Scripts, limits: Limits) -> float:
    dsn = dsn_of(context, name)
    async with session(dsn, context.application_name) as here:
        tools = await find_tools((await identity(here, dsn)).major, context.target.client_tools)
        await markers.ensure_table(here)
        before = await read_catalog(here)
    for each in ups:
        await context.progress(f"Rehearsing {each.name} on {name}", None)
        await _one(context, tools, each, Place(dsn=dsn), limits)
    return await and_back(context, tools, name, downs, before, limits)


async def and_back(context: Context, tools: Tools, name: str, downs: Scripts, before: Catalog, limits: Limits) -> float:
    """Run the DOWN scripts on that copy; seconds.  ``StepError`` where one fails, or the schema is not ``before``."""
    dsn = dsn_of(context, name)
    began = time.monotonic()
    for each in downs:
        await context.progress(f"Rehearsing {each.name} on {name}", None)
        await _one(context, tools, each, Place(dsn=dsn, run=down_run(context)), limits)
    seconds = time.monotonic() - began
    async with session(dsn, context.application_name) as here:
        if found := difference(before, await read_catalog(here)):
            raise StepError(f"after them the schema is not as before: {'; '.join(found[:8])}")
    return seconds


def down_run(context: Context) -> str:
    """Whose marks the DOWN scripts' are: never taken for those of the migration."""
    return f"{context.run.id}/down"


async def _one(context: Context, tools: Tools, script: Script, place: Place, limits: Limits) -> None:
    longest = max(context.target.lock_timeouts)
    failure = await run_psql(context, tools, script, lock_timeout=longest, limits=limits, place=place)
    if failure is not None:
        raise StepError(f"{script.name}: {words_of(failure)}")


def words_of(failure: Failure) -> str:
    """Why psql stopped, without people's data."""
    return f"ERROR {failure.state}: {failure.text}" if failure.state else failure.text
