"""What going back by a restore costs: time, what is lost, room, and what to look out for; each with its basis."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from bot.ports import Context, StepError
from bot.runbook.steps import StepName
from integrations.postgres.beside import FILE, Standing, maintenance
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.manifest import Manifest, read_manifest
from integrations.postgres.restore import command
from integrations.postgres.settings import Limits
from integrations.postgres.snapshot import Rows, count_rows
from integrations.postgres.words import human_bytes, plural

#: Restoring with all indexes against dumping the same data, both with two jobs: 3.5 measured on 1.4 GB.
RESTORE_FACTOR = 4.0
LEAST_SECONDS = 5.0
MOST_TABLES = 8


async def costs(context: Context, standing: Standing, limits: Limits) -> tuple[str, ...]:
    """Lines for the question; ``StepError`` where the backup cannot be read."""
    names = standing.names
    if standing.has_failed:
        return (f"An earlier attempt has put the failed database away as {names.failed}; the switch is now finished.",)
    folder = Path(context.run.fact(StepName.BACKUP, "folder") or "")
    manifest, _ = read_manifest(folder)
    async with maintenance(context) as db:
        argv = await command(context, db, folder)
        warnings = await _warnings(db, names.live)
    return (
        f"Restore into a new database {names.side} and compare it with the backup before anything is switched:",
        " ".join(argv),
        f"Then {names.side} takes the name {names.live}. The database as it is now stays, closed, as {names.failed}; "
        "nothing is dropped.",
        _time(context, manifest),
        *await _lost(context, manifest, limits),
        f"Disk: about {human_bytes(manifest.database_bytes)} more on the database server; how much is free there "
        "cannot be asked through SQL, so look before you approve.",
        *warnings,
    )


def _time(context: Context, manifest: Manifest) -> str:
    took = float(context.run.fact(StepName.BACKUP, "seconds") or 0)
    seconds = max(LEAST_SECONDS, RESTORE_FACTOR * took)
    return (
        f"Expected downtime: about {_duration(seconds)}, of which the switch is under a second. Basis: this run's dump "
        f"of {human_bytes(manifest.database_bytes)} took {took:.1f} s, and restoring takes about "
        f"{RESTORE_FACTOR:g} times as long."
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


async def _lost(context: Context, manifest: Manifest, limits: Limits) -> tuple[str, ...]:
    try:
        async with session(context.target.dsn, context.application_name) as db:
            await db.execute(sql.SQL("SELECT set_config('statement_timeout', {}, false)").format(
                str(int(limits.query_time * 1000))))  # fmt: skip
            ((wal,),) = await rows(db, "wal_since", {"lsn": manifest.lsn}, FILE)
            changed = await _counted(db, manifest, limits)
    except StepError as error:
        return (f"⚠️ What is lost cannot be measured: {error.problem}",)
    return (
        f"Lost: {_period(context, manifest)}",
        changed,
        f"The whole server has written {human_bytes(float(str(wal)))} of write-ahead log since the backup "
        "(the migration's own changes and other databases included).",
    )


def _period(context: Context, manifest: Manifest) -> str:
    """The time in which the services could write what a restore does not bring back."""
    run = context.run
    stop, backup = run.result(StepName.STOP_SERVICES), run.result(StepName.BACKUP)
    if run.services_down and stop and backup and stop.ended_at <= backup.began_at:
        return "nothing but the migration's own changes: the services have been stopped since before the backup."
    since = f"everything written since the backup's snapshot ({_clock(datetime.fromisoformat(manifest.started))})"
    if run.down_at is None:
        return f"{since}; the services are running, so it grows until they are stopped."
    until = _clock(datetime.fromtimestamp(run.down_at, UTC))
    if run.up_at is None:
        return f"{since}; the services were stopped at {until}."
    again = _clock(datetime.fromtimestamp(run.up_at, UTC))
    return f"{since} until the stop at {until}, and since the restart at {again}."


def _clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%H:%M:%S UTC")


async def _counted(db: Session, manifest: Manifest, limits: Limits) -> str:
    try:
        now = await count_rows(db, limits)
    except psycopg.errors.QueryCanceled:
        return f"⚠️ The tables could not be counted within {limits.query_time:.0f} s each."
    found = sorted(_differences(manifest, now), key=lambda each: -abs(each[1]))
    more = f" and {plural(len(found) - MOST_TABLES, 'more table')}" if len(found) > MOST_TABLES else ""
    named = ", ".join(f"{name} {by:+,}" for name, by in found[:MOST_TABLES])
    if not found:
        return "Rows: every counted table has as many as at the backup (updates do not show in that)."
    return f"Rows now against the backup: {named}{more} (updates do not show in that)."


def _differences(manifest: Manifest, now: Rows) -> Iterator[tuple[str, int]]:
    """Rows more or fewer than at the backup, by table; a table that is new counts wholly, one that is gone as minus."""
    nobody = (0, True)
    for name in manifest.rows.keys() | now.keys():
        (before, exact), (count, counted) = manifest.rows.get(name, nobody), now.get(name, nobody)
        if exact and counted and count != before:
            yield name, count - before


async def _warnings(db: Session, live: str) -> tuple[str, ...]:
    found = []
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        slots = [str(name) for (name,) in await rows(db, "slots_in", {"name": live}, FILE)]
        if slots:
            found.append(f"⚠️ Replication slots stay with the failed database: {', '.join(slots)}.")
    for creates, owns, owner in await rows(db, "rights", {"name": live}, FILE):
        if not creates:
            found.append("⚠️ This role may not create databases: as a superuser, ALTER ROLE … CREATEDB first.")
        if not owns:
            found.append(f"⚠️ This role cannot act as the database's owner “{owner}”: GRANT it first.")
    return tuple(found)
