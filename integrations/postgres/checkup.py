"""The doctor's look at a target's database: by the same proofs that a plan's checklist is shown with."""

import asyncio
import ipaddress
import os
import shutil
import time
from collections.abc import Iterator

import psycopg

from bot.doctor.findings import Finding, Findings, Verdict, fail, failed, ok, told, warn
from bot.migrations import listed
from bot.ports import StepError
from bot.runbook.wording import counted, one_line
from bot.target import StandbyPolicy, Target
from integrations.postgres.checks import Finding as Noted
from integrations.postgres.connect import Session, identity, masked, session
from integrations.postgres.database_health import database_health
from integrations.postgres.proofs.access import Standing, closed, degraded, made, standing_of
from integrations.postgres.proofs.backup import BackupProof
from integrations.postgres.proofs.needs import Needs
from integrations.postgres.proofs.reading import APPLICATION, ask, calm, reading
from integrations.postgres.proofs.staging import is_production

_COPIES = (StandbyPolicy.RESTORE, StandbyPolicy.TEMPLATE)


async def look_at_database(target: Target) -> Findings:
    """Connection, version, and what the role may."""
    try:
        async with session(target.dsn, APPLICATION) as db:
            standing = await standing_of(db)  # before the session is made read-only by us
            await calm(db)
            who = await identity(db, target.dsn)
            found = [ok("connection", f"{masked(target.dsn)}, PostgreSQL {who.version_text}")]
            found += _rights(target, standing, await made(db, Needs(), standing))
            found += await _session(db, standing.role)
            found += [_health(each) for each in await database_health(db)]
            for name, query in target.orphan_checks:
                found.append(await _planned(db, target, name, query))
            return found
    except StepError as error:
        return [failed("connection", error)]


def _rights(target: Target, standing: Standing, not_made: list[str]) -> Iterator[Finding]:
    if target.standby in _COPIES and not standing.creates_databases:
        why = f'standby = "{target.standby.value}" needs a new database, and {standing.role} may make none.'
        yield fail("CREATEDB", why, f"As a superuser: ALTER ROLE {standing.role} CREATEDB.")
    problems = [*closed(standing), *not_made]
    yield from (told("privileges", each) for each in problems)
    yield from (told("privileges", each, Verdict.WARN) for each in degraded(standing))
    if not problems:
        yield ok("privileges", f"{standing.role} may migrate here")


async def _session(db: Session, role: str) -> Findings:
    ((monitors, encrypted, address, superuser),) = await ask(db, "session")
    found = []
    if not monitors:
        why = f"{role} sees nothing of other roles' sessions, so nobody who blocks is named."
        found.append(warn("pg_monitor", why, f"As a superuser: GRANT pg_monitor TO {role}."))
    else:
        found.append(ok("pg_monitor", f"{role} sees what other sessions do"))
    if not encrypted and not _near(str(address or "")):
        why = "The connection is not encrypted, and the server is another machine."
        found.append(warn("TLS", why, "Add sslmode=verify-full to the connection string."))
    if superuser:
        why = f"{role} is a superuser: a migration could do anything to the whole server."
        found.append(warn("role", why, "Use the role that owns the application's tables."))
    return found


def _health(found: Noted) -> Finding:
    """What is worth a look, and after its last semicolon what to do about it."""
    text = found.text.removeprefix("Database health: ")
    if not found.notable:
        return ok("health", text)
    why, _, fix = text.rpartition("; ")
    return warn("health", why or text, f"{fix[:1].upper()}{fix[1:]}." if why else "Look at it before you migrate.")


def _near(address: str) -> bool:
    """A socket, or this machine; a private network is not trusted for that."""
    return not address or ipaddress.ip_interface(address).ip.is_loopback


async def _planned(db: Session, target: Target, name: str, query: str) -> Finding:
    """The server reads the query and plans it; it is not run."""
    check = f"orphan check “{one_line(name, 60)}”"
    try:
        async with db.transaction(force_rollback=True):
            await db.execute(f"EXPLAIN {query}".encode(), prepare=True)  # so that it can only be one statement
    except psycopg.Error as error:
        why = f"The server cannot plan it: {error.diag.message_primary or type(error).__name__}."
        return fail(check, why, f"Mend it in orphan_checks of [targets.{target.name}].")
    return ok(check, "the server can plan it")


async def look_at_backup(target: Target) -> Findings:
    """pg_dump against this very server, its tools and TLS, and room for what it writes."""
    try:
        looked = await BackupProof().of(target, time.time())
    except StepError as error:
        return [failed("backup", error)]
    if looked.ok:
        return [ok("backup", each) for each in looked.findings[:2]]
    verdict = Verdict.WARN if looked.ok is None else Verdict.FAIL
    *problems, _newest = looked.findings
    return [told("backup", each, verdict) for each in problems]


async def look_at_files(target: Target) -> Findings:
    """The target's folders, and its own commands."""
    return await asyncio.to_thread(lambda: [*_migrations(target), *_folders(target), *_command(target)])


def _migrations(target: Target) -> Iterator[Finding]:
    folder, entry = target.migrations, f"migrations of [targets.{target.name}]"
    if not folder.is_dir():
        yield fail("migrations", f"There is no folder {folder}.", f"Make it, or mend {entry}.")
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield fail("migrations", f"The bot may not read {folder}.", f"Mend its permissions, or {entry}.")
    elif not (names := listed(target)):
        what = "migration folders" if target.prisma else ".sql files"
        yield warn(
            "migrations", f"{folder} has no {what}, so nothing can be planned.", f"Put them there, or mend {entry}."
        )
    else:
        yield ok("migrations", f"{counted(len(names), 'migration')} in {folder}")


def _folders(target: Target) -> Iterator[Finding]:
    """They may not be there yet: then their nearest parent counts."""
    for name, folder in (("backups", target.backups.absolute()), ("state", target.state.absolute())):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        if not there.is_dir():
            yield fail(name, f"{there} is a file.", f"Name a folder as {name} of [targets.{target.name}].")
        elif not os.access(there, os.W_OK | os.X_OK):
            fix = f"Mend its permissions, or {name} of [targets.{target.name}]."
            yield fail(name, f"The bot may not write to {there}.", fix)
        elif folder == target.migrations.absolute() or target.migrations.absolute() in folder.parents:
            why = f"{folder} is within the migrations."
            yield fail(name, why, f"Name another folder as {name} of [targets.{target.name}].")
        else:
            yield ok(name, f"the bot may write to {folder}")


def _command(target: Target) -> Iterator[Finding]:
    if target.verify_command and not shutil.which(target.verify_command[0]):
        why = f"{target.verify_command[0]} is not on the bot's PATH."
        yield fail("verify_command", why, f"Install it, or mend verify_command of [targets.{target.name}].")


async def look_at_staging(target: Target) -> Findings:
    """It answers, and is another database than the target."""
    entry = f"dsn_env of [targets.{target.name}.staging]"
    try:
        async with reading(target.staging_dsn) as db:
            who = await identity(db, target.staging_dsn)
    except StepError as error:
        return [fail("connection", error.problem, f"{error.advice} It is named by {entry}.")]
    if await is_production(target, who):
        why = f"The staging database is the target itself ({who.database})."
        return [fail("is another database", why, f"Name the staging database's variable as {entry}.")]
    return [ok("connection", f"{masked(target.staging_dsn)}, PostgreSQL {who.version_text}")]
