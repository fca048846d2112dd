"""The doctor's look at the bot's own store: is it there, of this very version, awake, and with the right time?"""

import re
import time
from collections.abc import Callable, Iterator, Mapping

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

from bot import store
from bot.doctor.findings import Finding, Findings, fail, ok, warn

OLDEST = 140000  # server_version_num: CREATE OR REPLACE TRIGGER (PostgreSQL 14 release notes)
SESSIONS = 24  # of web, worker and clock in one process: a pool of 20, and those that listen
_SKEW_WARN, _SKEW_FAIL = 2.0, 30.0  # seconds; deadlines and expiries are compared with the bot's own clock
_CHANNEL = "migrate_doctor"
_TABLE = re.compile(r"^create table if not exists (\w+) \($(.*?)^\);$", re.MULTILINE | re.DOTALL)
_ADDED = re.compile(r"^alter table (\w+) add column if not exists (\w+)", re.MULTILINE)
_COLUMN = re.compile(r"^    (\w+) +\w", re.MULTILINE)
_NO_COLUMNS = ("primary", "unique", "foreign", "constraint", "check")
_RELEASE = "Run: python -m bot release"
_JOBS = "procrastinate_jobs"


async def look_at_store(dsn: str, targets: Mapping[str, str], *, now: Callable[[], float] = time.time) -> Findings:
    """``targets`` are the targets' connection strings by name; ``now`` is the bot's clock."""
    try:
        conn = await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=8, application_name="migrate/doctor")
    except psycopg.ProgrammingError:
        fix = "Write DATABASE_URL as postgresql://USER:PASSWORD@HOST/DATABASE."
        return [fail("connection", "DATABASE_URL holds no connection string.", fix)]
    except psycopg.OperationalError as error:
        return [fail("connection", f"The store cannot be reached: {_said(error, dsn)}", _remedy(str(error)))]
    async with conn:
        return [*await _standing(conn, now), *_own(dsn, targets), *await _schema(conn), await _notifies(conn, dsn)]


async def _standing(conn: AsyncConnection, now: Callable[[], float]) -> Findings:
    """The server and its clock."""
    before = now()
    row = await (
        await conn.execute(
            "select current_setting('server_version_num')::int, current_setting('server_version'),"
            " pg_is_in_recovery() or current_setting('default_transaction_read_only')::bool,"
            " extract(epoch from clock_timestamp())::float8, rolconnlimit"
            " from pg_roles where rolname = current_user"
        )
    ).fetchone()
    after = now()
    version, words, read_only, clock, limit = row or (0, "?", False, before, -1)
    found = [ok("connection", f"PostgreSQL {words} answers")]
    if version < OLDEST:
        found.append(fail("version", f"The store is PostgreSQL {words}.", "Use PostgreSQL 14 or newer for it."))
    if read_only:
        why = "The store takes no writes: it is a standby, or set to read-only."
        found.append(fail("writes", why, "Point DATABASE_URL at the primary, as a role that may write."))
    if 0 <= limit < SESSIONS:
        why = f"The role may have {limit} sessions; the bot uses up to {SESSIONS}."
        found.append(warn("sessions", why, f"As a superuser: ALTER ROLE … CONNECTION LIMIT {SESSIONS}."))
    return [*found, _clock(max(0.0, before - clock, clock - after))]


def _clock(skew: float) -> Finding:
    if skew < _SKEW_WARN:
        return ok("clock", "the store's and the bot's agree")
    why = f"The clocks of the store and of the bot's host differ by {skew:.0f} s."
    how = fail if skew >= _SKEW_FAIL else warn
    return how("clock", why, "Have both kept by NTP (timedatectl set-ntp true).")


def _own(dsn: str, targets: Mapping[str, str]) -> Iterator[Finding]:
    """A restore of the target would take the record with it."""
    for name, other in sorted(targets.items()):
        if _place(other) == _place(dsn):
            why = f"The store is in the database of {name}: going back would take its own record away."
            yield fail("own database", why, "Make an empty database for the bot, and set DATABASE_URL to it.")


def _place(dsn: str) -> tuple[str, str, str]:
    parts = conninfo_to_dict(dsn)
    host = str(parts.get("host") or parts.get("hostaddr") or "")
    return host.lower(), str(parts.get("port") or "5432"), str(parts.get("dbname") or parts.get("user") or "")


async def _schema(conn: AsyncConnection) -> Findings:
    """Every table and column of this version's schema."""
    query = (
        "select c.relname, a.attname from pg_class c left join pg_attribute a"
        " on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where c.relkind in ('r', 'p') and pg_table_is_visible(c.oid)"
    )
    there = set(await (await conn.execute(query)).fetchall())
    tables = {table for table, _ in there}
    wanted = _wanted()
    if not tables & {table for table, _ in wanted}:
        return [fail("schema", "The store is not ready.", _RELEASE)]
    missing = sorted(f"{table}.{column}" for table, column in wanted - there)
    if _JOBS not in tables:
        missing.append(_JOBS)
    if missing:
        why = f"The store is of an older version: {', '.join(missing[:3])}{' …' * (len(missing) > 3)} is not there."
        return [fail("schema", why, _RELEASE)]
    return [ok("schema", "of this version")]


def _wanted() -> set[tuple[str, str]]:
    """Read from ``sql/schema.sql`` itself."""
    text = store.schema()
    columns = {(table, name) for table, body in _TABLE.findall(text) for name in _COLUMN.findall(body)}
    return {each for each in columns if each[1] not in _NO_COLUMNS} | set(_ADDED.findall(text))


async def _notifies(conn: AsyncConnection, dsn: str) -> Finding:
    """Workers are woken by NOTIFY, which a pooler in transaction mode loses."""
    fix = "Set DATABASE_URL to the server itself, or to a pooler in session mode."
    try:
        await conn.execute(sql.SQL("listen {}").format(sql.Identifier(_CHANNEL)))
        async with await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=8) as other:
            await other.execute("select pg_notify(%s, '')", (_CHANNEL,))
        async for _ in conn.notifies(timeout=3.0, stop_after=1):
            return ok("wakes", "NOTIFY arrives")
    except (TimeoutError, psycopg.Error) as error:
        return fail("wakes", f"The store refuses LISTEN or NOTIFY ({type(error).__name__}).", fix)
    return fail("wakes", "A NOTIFY did not arrive: workers would only look every few seconds.", fix)


def _said(error: psycopg.OperationalError, dsn: str) -> str:
    said = (str(error).strip().splitlines() or ["no reason given"])[0]
    password = conninfo_to_dict(dsn).get("password")
    return said.replace(str(password), "***") if password else said


def _remedy(said: str) -> str:
    if "password" in said or "authentication" in said:
        return "Mend the user and password in DATABASE_URL."
    if "does not exist" in said:
        return "Make the database and the role (CREATE ROLE … LOGIN; CREATE DATABASE … OWNER …), or mend DATABASE_URL."
    return "Check DATABASE_URL, and that its server runs and lets the bot's host in."
