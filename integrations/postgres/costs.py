"""What a way back costs: what is lost, how long it takes, room, and what to look out for; each with its basis."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from bot.ports import Context, StepError
from bot.runbook.run import Run
from bot.runbook.steps import StepName
from integrations.postgres.baseline import Baseline, baseline_of
from integrations.postgres.beside import FILE
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.losses import Losses, measure
from integrations.postgres.manifest import Manifest
from integrations.postgres.settings import Limits
from integrations.postgres.snapshot import Rows, count_rows
from integrations.postgres.words import human_bytes, plural

#: Restoring with all indexes against dumping the same data, both with two jobs: 3.5 measured on 1.4 GB.
RESTORE_FACTOR = 4.0
LEAST_SECONDS = 5.0
SWITCH_SECONDS = 1.0  # fence, end sessions, two renamings: under a second at any size
MOST_TABLES = 8
ANSWER_SECONDS = 10.0  # to count rows; after that the statistics have to do, for as long again
_QUICK_SECONDS, _QUICK_BYTES = 5.0, 512_000_000  # for each table: what is longer or larger goes by statistics


def quickly(limits: Limits, *, exact: bool = True) -> Limits:
    """The same limits, for people who wait for the answer; not ``exact``: by statistics alone."""
    return replace(
        limits,
        query_time=min(limits.query_time, _QUICK_SECONDS),
        exact_count_below=min(limits.exact_count_below, _QUICK_BYTES) if exact else 0,
    )


async def lost_since(
    context: Context, base: Baseline, limits: Limits, what: str
) -> tuple[Losses | None, tuple[str, ...]]:
    """What going back to a copy would lose now, with its lines; a measurement that fails is a line, not an error."""
    for exact in (True, False):
        try:
            found = await asyncio.wait_for(measure(context, base, quickly(limits, exact=exact)), ANSWER_SECONDS)
        except StepError as error:
            return None, (f"⚠️ What is lost cannot be measured: {error.problem}",)
        except TimeoutError:
            continue
        return found, tuple(each.replace("the backup's snapshot", what) for each in found.lines)
    return None, (f"⚠️ What is lost could not be measured within {2 * ANSWER_SECONDS:.0f} s.",)


async def lost_since_backup(
    context: Context, manifest: Manifest, limits: Limits
) -> tuple[Losses | None, tuple[str, ...]]:
    """The same for the backup; of one without a baseline only counts can be compared."""
    period = f"Period: {_period(context.run, manifest)}"
    base = baseline_of(manifest)
    if base is None:
        return None, (period, *await _counted_since(context, manifest, quickly(limits)))
    found, lines = await lost_since(context, base, limits, "the backup's snapshot")
    return found, (period, *lines)


def restore_time(context: Context, manifest: Manifest, standby_seconds: float | None) -> tuple[float, str]:
    """Expected seconds of a restore beside, and their basis: figures measured in this run."""
    size = human_bytes(manifest.database_bytes)
    if standby_seconds is not None:
        return max(LEAST_SECONDS, standby_seconds), f"this run's own restore of {size} took {standby_seconds:.1f} s"
    took = float(context.run.fact(StepName.BACKUP, "seconds") or 0)
    basis = f"this run's dump of {size} took {took:.1f} s, and restoring takes about {RESTORE_FACTOR:g} times as long"
    return max(LEAST_SECONDS, RESTORE_FACTOR * took), basis


def came_back(run: Run) -> bool:
    """Have services been started since the standby copy was made?"""
    made, again = run.result(StepName.STANDBY), run.result(StepName.RESTART_SERVICES)
    return made is None or not run.plan.downtime or (again is not None and again.ended_at >= made.ended_at)


def _period(run: Run, manifest: Manifest) -> str:
    """The time in which the services could write what a restore does not bring back."""
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


async def _counted_since(context: Context, manifest: Manifest, limits: Limits) -> tuple[str, ...]:
    try:
        async with session(context.target.dsn, context.application_name) as db:
            limit = str(int(limits.query_time * 1000))
            await db.execute(sql.SQL("SELECT set_config('statement_timeout', {}, false)").format(limit))
            ((wal,),) = await rows(db, "wal_since", {"lsn": manifest.lsn}, FILE)
            changed = await _counted(db, manifest, limits)
    except StepError as error:
        return (f"⚠️ What is lost cannot be measured: {error.problem}",)
    return (
        changed,
        f"The whole server has written {human_bytes(float(str(wal)))} of write-ahead log since the backup "
        "(the migration's own changes and other databases included).",
    )


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


async def lacking(db: Session, live: str) -> str:
    """Why this role can put no copy in that database's place, and what to grant; empty where it can."""
    found = [(str(why), str(grant)) for why, grant in await rows(db, "rights", {"name": live}, FILE)]
    if not found:
        return ""
    reasons, grants = zip(*found, strict=True)
    return f"this role lacks rights: {' and '.join(reasons)}; as a superuser run: {' '.join(grants)}"


async def warnings(db: Session, live: str) -> tuple[str, ...]:
    """What a switch leaves behind, and sessions that this role cannot end."""
    found = []
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        slots = [str(name) for (name,) in await rows(db, "slots_in", {"name": live}, FILE)]
        if slots:
            found.append(f"⚠️ Replication slots stay with the failed database: {', '.join(slots)}.")
    for count, grant in await rows(db, "out_of_reach", {"name": live}, FILE):
        if count:
            hidden = plural(int(str(count)), "session of another role", "sessions of other roles")
            found.append(f"⚠️ This role may not see or end {hidden}: as a superuser, {grant} first.")
    return tuple(found)
