"""STAGING: exactly these bytes are applied in the target's staging database, and nothing there is half done."""

from collections.abc import Iterable

from psycopg import sql

from bot.ports import StepError
from bot.proving.subject import File, Looked, Looks, Subject, fine, untold, wrong
from bot.runbook.preparation.checklist import Item
from bot.target import Target
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Identity, Session, identity, rows
from integrations.postgres.proofs.reading import FILE, ask, failed, reading
from integrations.postgres.words import plural

ITEMS = (Item.STAGING,)
NOT_CONFIGURED = "No staging database is configured for this target; tick with evidence"
Notes = dict[str, set[tuple[str, str]]]  # name of a file -> its (sha256, state)


async def look(subject: Subject) -> Looks:
    """Ask the staging database itself."""
    if not subject.target.staging_dsn:
        return {Item.STAGING: untold(NOT_CONFIGURED)}
    if not subject.files.migrations or not subject.files.digest:
        return {Item.STAGING: wrong("The migration files cannot be read, so nothing can be looked for on staging.")}
    try:
        async with reading(subject.target.staging_dsn) as db:
            return {Item.STAGING: await _applied(db, subject)}
    except StepError as error:
        return {Item.STAGING: wrong(f"Staging: {failed(error).findings[0]}")}


async def _applied(db: Session, subject: Subject) -> Looked:
    who = await identity(db, subject.target.staging_dsn)
    if await is_production(subject.target, who):
        return wrong(
            f"The staging database is the target itself ({who.database})."
            " Set the staging dsn_env of this target to another database."
        )
    files = subject.files.migrations
    notes = await _noted(db, files)
    prisma, unfinished = await _prisma(db)
    problems = [each for each in (_missing(file, notes, prisma) for file in files) if each]
    problems += [f"Staging has a failed migration: {name}. Mend it there first." for name in unfinished]
    broken = [f"{schema}.{name}" for schema, name, _ in await rows(db, "invalid_indexes")]
    if broken:
        problems.append(f"Invalid indexes on staging: {', '.join(broken[:5])}. Drop and build them again.")
    if problems:
        return wrong(*problems)
    said = f"{plural(len(files), 'file')} applied on {who.database} (PostgreSQL {who.version_text}), byte for byte"
    return fine(said, "No failed migration and no invalid index there")


async def is_production(target: Target, who: Identity) -> bool:
    """Asked of both servers, however the two connection strings are written."""
    try:
        async with reading(target.dsn) as db:
            live = await identity(db, target.dsn)
    except StepError:
        return False  # another item says that it cannot be reached
    return (live.system_identifier, live.database) == (who.system_identifier, who.database)


async def _noted(db: Session, files: Iterable[File]) -> Notes:
    """What the bot noted of these files there, in whichever run."""
    if not (await rows(db, "marker_table"))[0][0]:
        return {}
    values: dict[str, object] = {"names": [each.name for each in files], "sums": [each.sha256 for each in files]}
    found: Notes = {}
    for name, checksum, state, _ in await ask(db, "applied_here", values):
        found.setdefault(str(name), set()).add((str(checksum), str(state)))
    return found


async def _prisma(db: Session) -> tuple[Notes, tuple[str, ...]]:
    """What Prisma noted, and the names that have failed: neither finished nor rolled back."""
    found: Notes = {}
    failures: list[str] = []
    for (schema,) in await ask(db, "prisma_tables"):
        table = sql.Identifier(str(schema), "_prisma_migrations")
        query = blocks(FILE)["prisma_rows"].format(table=table)
        for name, checksum, finished, back in await (await db.execute(query)).fetchall():
            state = "rolled back" if back else "done" if finished else "failed"
            if state == "failed":
                failures.append(str(name))
            found.setdefault(str(name), set()).add((str(checksum), state))
    return found, tuple(failures)


def _missing(file: File, notes: Notes, prisma: Notes) -> str:
    """Why this file does not count as applied; empty where it does."""
    seen = set(notes.get(file.name, set()))
    for name in _prisma_names(file.name):
        seen |= prisma.get(name, set())
    if (file.sha256, "done") in seen:
        return ""
    same = {state for checksum, state in seen if checksum == file.sha256}
    if same:
        how = "was rolled back" if "rolled back" in same else "is only half applied"
        return f"{file.name} {how} on staging. Apply it there again."
    if seen:
        return f"{file.name} is applied on staging with other content. Apply the file there as it is now."
    return f"{file.name} is not applied on staging. Apply it there first."


def _prisma_names(name: str) -> tuple[str, ...]:
    """Prisma names a migration by its folder: ``NAME``, ``NAME/migration.sql`` and ``NAME.sql`` mean the same."""
    return tuple(dict.fromkeys((name, name.removesuffix("/migration.sql"), name.removesuffix(".sql"))))
