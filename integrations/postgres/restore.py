"""The backup restored into a database beside the live one, and proven equal to what was backed up."""

import asyncio
import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from bot.advice import explain
from bot.ports import Context, StepError
from integrations.postgres.beside import FILE, CannotMake, Names, dsn_of
from integrations.postgres.blocks import blocks
from integrations.postgres.carry import creation, properties
from integrations.postgres.catalog import difference, fingerprint, read_catalog
from integrations.postgres.connect import Session, connection_env, identity, rows, secrets_of, session
from integrations.postgres.hurry import analysed, options
from integrations.postgres.manifest import Manifest, read_catalog_file
from integrations.postgres.settings import Limits
from integrations.postgres.snapshot import count_rows
from integrations.postgres.template import HALF_MADE, mark_half_made, require_room
from integrations.postgres.tools import find_tools
from integrations.postgres.words import human_bytes, plural
from integrations.process import Redactor, base_env, run_child
from integrations.spoken import ending, spoken

RESTORE_TIME = 12 * 3600.0  # seconds
# pg_restore 17 and newer sets it on older servers, too; there it does not exist and is not missed.
_HARMLESS = re.compile(r'unrecognized configuration parameter "transaction_timeout"|errors ignored on restore')

_NO_ROOM = re.compile(r"No space left on device|could not (extend|write)")


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What is restored where: a run's backup into the side database."""

    context: Context
    names: Names
    folder: Path
    manifest: Manifest
    digest: str  # sha256 of the manifest
    limits: Limits

    @property
    def dsn(self) -> str:
        return dsn_of(self.context, self.names.side)


async def is_ours(context: Context, database: str, digest: str) -> str | None:
    """When this run proved ``database`` to be its restored copy; ``None`` where it did not."""
    async with session(dsn_of(context, database), context.application_name) as db:
        if not (await rows(db, "gone_back_table", None, FILE))[0][0]:
            return None
        found = await rows(db, "gone_back", {"run": context.run.id, "manifest": digest}, FILE)
    return str(found[0][0]) if found else None


async def make(db: Session, copy: Copy) -> tuple[tuple[str, ...], float]:
    """Create, restore, analyse, compare and note; evidence and seconds.  A copy that fails is dropped again.

    ``db`` is a session on another database.  The live database is only read.
    """
    began = time.monotonic()
    await drop_half_made(db, copy.context, copy.names.side)
    await require_room(db, copy.manifest.database_bytes)  # only now: what a dead attempt has left took room, too
    await create_side(db, copy.context, copy.names)
    try:
        seconds = await _restore(db, copy)
        async with session(copy.dsn, copy.context.application_name) as side:
            await copy.context.progress(f"Restored in {seconds:.0f} s; gathering statistics and comparing", 0.95)
            evidence = await analysed(copy.dsn, copy.context.application_name, compare(side, copy))
            await _note(side, copy)
    except StepError:
        with contextlib.suppress(StepError, psycopg.Error):  # what cannot be dropped now, the next attempt drops
            await drop_half_made(db, copy.context, copy.names.side)
        raise
    return (f"Restored into {copy.names.side} in {seconds:.1f} s", *evidence), time.monotonic() - began


async def compare(side: Session, copy: Copy) -> tuple[str, ...]:
    """Schema and rows of the copy against the backup's; ``StepError`` names what differs."""
    now = await read_catalog(side)
    if fingerprint(now) != copy.manifest.fingerprint:
        found = difference(read_catalog_file(copy.folder), now)
        raise _differs("schema", found or ("the backup's schema file does not match its fingerprint",))
    wrong, guessed, counted = differing_rows(copy.manifest, await count_rows(side, copy.limits))
    if wrong:
        raise _differs("rows", wrong)
    more = f"; not compared, because only estimated at the backup: {', '.join(guessed[:5])}" if guessed else ""
    return (
        f"Schema fingerprint {copy.manifest.fingerprint[:12]}… is the backup's",
        f"Row counts of {plural(counted, 'table')} are the backup's{more}",
    )


def differing_rows(manifest: Manifest, now: dict[str, tuple[int, bool]]) -> tuple[list[str], list[str], int]:
    """Tables with another count than at the backup, tables that were only estimated, and how many were compared."""
    wrong, guessed = [], []
    for name, (count, exact) in sorted(manifest.rows.items()):
        if not exact:
            guessed.append(name)
        elif name not in now or not now[name][1]:
            wrong.append(f"{name}: {count:,} at the backup, not countable now")
        elif now[name][0] != count:
            wrong.append(f"{name}: {count:,} at the backup, {now[name][0]:,} now")
    return wrong, guessed, len(manifest.rows) - len(guessed)


async def drop_half_made(db: Session, context: Context, name: str) -> None:
    """Drop a database beside if it is provably this run's own unfinished one; ``StepError`` for any other."""
    there = await properties(db, name)
    if not there:
        return
    if there["comment"] != HALF_MADE + context.run.id and not await _ours(context, name):
        raise StepError(
            f"There is a database {name} that is no half-made copy of this run.",
            f'Look at it; rename it (ALTER DATABASE "{name}" RENAME TO …), then type /migrate retry. '
            "The bot drops nothing but its own unfinished copies.",
        )
    await db.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def _ours(context: Context, name: str) -> bool:
    """A crash between making and marking it leaves one without content, or one that says who was to make it."""
    async with session(dsn_of(context, name), context.application_name) as side:
        if set(await read_catalog(side)) <= {"schema"}:
            return True
        if not (await rows(side, "own_table", {"name": "copies"}, FILE))[0][0]:
            return False
        return bool(await rows(side, "copies", {"run": context.run.id}, FILE))


async def create_side(db: Session, context: Context, names: Names) -> None:
    """An empty database like the live one, marked as half-made; ``CannotMake`` where the role may not."""
    like = await properties(db, names.live)
    try:
        await db.execute(creation(names, like))
    except psycopg.errors.InsufficientPrivilege as error:
        raise CannotMake(
            f"The target's role may not make a database like {names.live}: {error.diag.message_primary}",
            "As a superuser: ALTER ROLE … CREATEDB (and make it a member of the database's owner "
            f"“{like['owner']}”); then type /migrate retry. Nothing was changed.",
        ) from error
    await mark_half_made(db, context, names.side)


async def command(context: Context, db: Session, folder: Path) -> tuple[str, ...]:
    """pg_restore's command line without the connection; it holds no secret."""
    tools = await find_tools((await identity(db, context.target.dsn)).major, context.target.client_tools)
    jobs = f"--jobs={context.target.dump_jobs}"
    return (tools.path("pg_restore"), "--format=directory", jobs, "--no-password", str(folder))


async def _restore(db: Session, copy: Copy) -> float:
    context = copy.context
    argv = await command(context, db, copy.folder)
    env, more = connection_env(copy.dsn)
    to = ("-d", conninfo.make_conninfo(more[1] if more else "", dbname=copy.names.side))
    said: list[str] = []
    done = asyncio.Event()
    showing = asyncio.create_task(_show(db, copy, done))
    try:
        async with spoken(context, f"{' '.join(argv)} into {copy.names.side}") as say:

            def take(line: str) -> None:
                said.append(line)
                say(line)

            ended = await run_child(
                [*argv, *to],
                env=base_env() | env | {
                    "PGAPPNAME": context.application_name, "LC_ALL": "C",
                    "PGOPTIONS": await options(db),
                },
                cwd=Path("/"), on_line=take, time_limit=RESTORE_TIME,
                redactor=Redactor(secrets_of(context.target.dsn)),
            )  # fmt: skip
            say(f"pg_restore {ending(ended)}")
    finally:
        done.set()
        await asyncio.gather(showing, return_exceptions=True)
    if wrong := failure(ended.code, said):
        why = f"took longer than {RESTORE_TIME:.0f} s" if ended.timed_out else "failed"
        kind = CannotMake if _NO_ROOM.search(wrong) else StepError
        raise kind(f"pg_restore {why}: {wrong} The live database was not touched.", explain("", wrong))
    return ended.seconds


def failure(code: int, said: Sequence[str]) -> str:
    """What pg_restore's end and words amount to; empty when it restored everything."""
    errors = [line for line in said if ("error:" in line or "warning:" in line) and not _HARMLESS.search(line)]
    harmless = code == 1 and not errors and any(_HARMLESS.search(line) for line in said)
    if code == 0 or harmless:
        return ""
    return " ".join(errors[:3] or said[-3:]) or f"it ended with code {code} and said nothing."


async def _show(db: Session, copy: Copy, done: asyncio.Event) -> None:
    whole = max(copy.manifest.database_bytes, 1)
    while not done.is_set():
        size = int(str((await rows(db, "size_of", {"name": copy.names.side}, FILE))[0][0]))
        text = f"Restoring into {copy.names.side}: {human_bytes(size)} of about {human_bytes(whole)}"
        await copy.context.progress(text, min(0.9, size / whole))
        try:
            await asyncio.wait_for(done.wait(), 1.0)
        except TimeoutError:
            continue


async def _note(side: Session, copy: Copy) -> None:
    """From here on the copy counts as whole; one transaction, so it is noted entirely or not at all."""
    async with side.transaction():
        for block in ("gone_back_create_schema", "gone_back_create"):
            await side.execute(blocks(FILE)[block])
        values = {"run": copy.context.run.id, "manifest": copy.digest}
        await side.execute(blocks(FILE)["gone_back_note"], values)


def _differs(what: str, found: Sequence[str]) -> StepError:
    return StepError(
        f"The restored copy is not what was backed up; its {what} differ: {'; '.join(found[:8])}. "
        "Nothing was switched, and the live database was not touched.",
        "Find out why (another version of an extension, a role that is missing), then type /migrate retry; "
        "or take over and restore the backup by hand into a new database.",
    )
