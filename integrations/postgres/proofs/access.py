"""CREDENTIALS and ACCESS: the right database answers, and this role may do there what is planned, alone."""

from dataclasses import dataclass

from bot.ports import StepError
from bot.proving.subject import Looked, Looks, Subject, fine, wrong
from bot.runbook.preparation.checklist import Item
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Identity, Session, identity, masked, rows, session
from integrations.postgres.orphans import GUARD
from integrations.postgres.proofs.needs import Needs, needs_of
from integrations.postgres.proofs.reading import APPLICATION, FILE, ask, calm, failed, unreached
from integrations.postgres.tools import find_tools
from integrations.postgres.words import several

ITEMS = (Item.CREDENTIALS, Item.ACCESS)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the role may in this database, as ``proofs.sql`` asks it."""

    standby: bool
    read_only: bool
    creates_databases: bool
    creates_schemas: bool
    signals_others: bool
    may_end: bool
    open: bool
    role: str


async def look(subject: Subject) -> Looks:
    """Both items, in one session."""
    dsn = subject.target.dsn
    try:
        async with session(dsn, APPLICATION) as db:
            standing = await standing_of(db)  # before the session is made read-only by us
            await calm(db)
            who = await identity(db, dsn)
            access = await _access(db, subject, standing)
    except StepError as error:
        return unreached(ITEMS, error)
    return {Item.CREDENTIALS: await _credentials(subject, who), Item.ACCESS: access}


async def _credentials(subject: Subject, who: Identity) -> Looked:
    target, planned = subject.target, subject.draft.plan.database
    if planned and who.database != planned:
        return wrong(
            f"Connected to the database {who.database}, but {planned} is planned."
            f" Mend the connection string of {target.name}, or plan anew."
        )
    try:
        tools = await find_tools(who.major, target.client_tools)
    except StepError as error:
        return failed(error)
    return fine(
        f"Connected as {masked(target.dsn)}, system {who.system_identifier}",
        f"PostgreSQL {who.version_text}; pg_dump, pg_restore and psql {tools.version}",
    )


async def standing_of(db: Session) -> Standing:
    """Ask before anything of the session is set."""
    ((standby, read_only, databases, schemas, signals, ends, is_open, role),) = await ask(db, "standing")
    return Standing(
        standby=bool(standby), read_only=bool(read_only), creates_databases=bool(databases),
        creates_schemas=bool(schemas), signals_others=bool(signals), may_end=bool(ends), open=bool(is_open),
        role=str(role),
    )  # fmt: skip


async def _access(db: Session, subject: Subject, standing: Standing) -> Looked:
    problems = [*closed(standing), *await _others(db, subject)]
    # names are looked for as psql will; every function and table of ours is written in full
    await db.execute(blocks(FILE)["as_psql"])
    needs = needs_of(each.text for each in (*subject.files.migrations, *subject.files.down))
    problems += await _owned(db, needs, standing.role)
    problems += await _allowed(db, needs, standing.role)
    problems += await made(db, needs, standing)
    worse = degraded(standing)
    if problems:
        return wrong(*problems, *worse)
    said = f"{standing.role} may do what is planned, and no other migration is under way"
    return fine(said, *_counted(needs), *worse)


def closed(standing: Standing) -> list[str]:
    """Reasons why nobody could write here."""
    found = []
    if standing.standby:
        found.append(
            "This server is a standby: it takes no writes. Point the target's connection string at the primary."
        )
    elif standing.read_only:
        found.append(
            "The database or the role is set to read-only (default_transaction_read_only)."
            f" As its owner: ALTER ROLE {standing.role} RESET default_transaction_read_only, or the same for the"
            " database."
        )
    if not standing.may_end:
        found.append(
            "The role may not end its own sessions (pg_terminate_backend), so a dead attempt could not be cleared."
            f" As a superuser: GRANT EXECUTE ON FUNCTION pg_terminate_backend TO {standing.role}."
        )
    return found


async def _others(db: Session, subject: Subject) -> list[str]:
    """Other migrations; what belongs to this very plan (its rehearsal) is none."""
    values: dict[str, object] = {**GUARD, "ours": f"migrate/drill-{subject.plan}/"}
    found = []
    for pid, name, what in await ask(db, "migrating", values):
        who = f"Session {pid} ({name})" if name else f"Session {pid}"
        found.append(f"{who} {what}. Wait until it has ended, or end it if nobody knows it.")
    return found


async def _owned(db: Session, needs: Needs, role: str) -> list[str]:
    """What is altered, indexed or dropped must belong to the role, or to one that it is a member of."""
    foreign: dict[str, list[str]] = {}
    for asked, name, owner, mine, schema in await ask(db, "relations", {"names": sorted(needs.owns)}):
        if asked in needs.beside:
            needs.schemas.add(str(schema))
        if not mine:
            foreign.setdefault(str(owner), []).append(str(name))
    return [
        f"{several(names)} belong{'s' if len(names) == 1 else ''} to {owner}, and {role} may not alter what is"
        f" another's. As a superuser: GRANT {owner} TO {role}."
        for owner, names in sorted(foreign.items())
    ]


async def _allowed(db: Session, needs: Needs, role: str) -> list[str]:
    lacking: dict[str, list[str]] = {}
    for name, privilege in sorted(needs.privileges):
        ((allowed,),) = await ask(db, "privilege", {"name": name, "privilege": privilege})
        if not allowed:
            lacking.setdefault(privilege, []).append(name.replace('"', ""))
    return [
        f"{role} lacks {privilege} on {several(names)}. As the owner: GRANT {privilege} ON … TO {role}."
        for privilege, names in lacking.items()
    ]


async def made(db: Session, needs: Needs, standing: Standing) -> list[str]:
    """What it makes beside tables' rows: schemas, extensions, and the bot's own notes."""
    found = [
        f"{standing.role} may make nothing in the schema {name}."
        f" As its owner: GRANT CREATE ON SCHEMA {name} TO {standing.role}."
        for (name,) in await ask(db, "schemas", {"names": sorted(needs.schemas)})
    ]
    if needs.makes_schema and not standing.creates_schemas:
        found.append(f"{standing.role} may make no schema here. {_grant(standing)}")
    elif not standing.creates_schemas and not (await rows(db, "marker_table"))[0][0]:
        found.append(
            f"{standing.role} may not make the schema migrate_bot, where applied files are noted. {_grant(standing)}"
        )
    for name, absent in await ask(db, "extensions", {"names": sorted(needs.extensions)}):
        how = "is not installed on the server. Install its package." if absent else "may only be made by a superuser."
        found.append(f"The extension {name} {how}")
    return found


def _grant(standing: Standing) -> str:
    return f"As the database's owner: GRANT CREATE ON DATABASE … TO {standing.role}."


def degraded(standing: Standing) -> list[str]:
    """What is possible without, but worse."""
    found = []
    if not standing.creates_databases:
        found.append(
            f"⚠️ No CREATEDB: no standby copy, no rehearsal and no restore beside; only the DOWN scripts lead back."
            f" As a superuser: ALTER ROLE {standing.role} CREATEDB."
        )
    if not standing.signals_others:
        found.append(
            f"⚠️ Sessions of other roles that block the migration cannot be ended by the bot."
            f" As a superuser: GRANT pg_signal_backend TO {standing.role}."
        )
    return found


def _counted(needs: Needs) -> tuple[str, ...]:
    names = sorted({each.replace('"', "") for each in (*needs.owns, *(name for name, _ in needs.privileges))})
    return (f"Rights looked at: {several(names)}",) if names else ()
