"""Reaching a target: sessions that say who they are, and its connection string as environment for child processes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import conninfo, pq
from psycopg.rows import class_row

from bot.advice import explain
from bot.ports import StepError
from integrations.postgres.blocks import blocks

Session = psycopg.AsyncConnection[tuple[object, ...]]
CONNECT_SECONDS = 10
_SECRET = ("password", "sslpassword", "passfile", "oauth_client_secret")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which database this really is.  ``version`` is ``server_version_num``, e.g. 180006; ``size`` is bytes."""

    system_identifier: str
    database: str
    role: str
    address: str
    version: int
    version_text: str
    size: int

    @property
    def major(self) -> int:
        return self.version // 10000


def connection_env(dsn: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """A connection string as libpq's environment, and arguments for what has no variable (never a secret).

    https://www.postgresql.org/docs/current/libpq-envars.html; raises ``StepError`` for a string libpq cannot read.
    """
    variables = {each.keyword.decode(): (each.envvar or b"").decode() for each in pq.Conninfo.get_defaults()}
    env: dict[str, str] = {}
    rest: dict[str, str] = {}
    for name, value in _parsed(dsn).items():
        if variables.get(name):
            env[variables[name]] = value
        elif name in _SECRET:
            raise StepError(f"The target's connection string has “{name}”, which cannot be handed over safely.")
        else:
            rest[name] = value
    return env, ("-d", conninfo.make_conninfo("", **rest)) if rest else ()


def masked(dsn: str) -> str:
    """``role@host:port/database``: the connection string as people may see it."""
    parts = _parsed(dsn)
    host = parts.get("host") or parts.get("hostaddr") or "local socket"
    return f"{parts.get('user', '')}@{host}:{parts.get('port', '5432')}/{parts.get('dbname', '')}"


def secrets_of(dsn: str) -> tuple[str, ...]:
    """What must never be printed: the string itself and its passwords."""
    parts = _parsed(dsn)
    return (dsn, *(parts[name] for name in _SECRET if name in parts))


@asynccontextmanager
async def session(dsn: str, application_name: str) -> AsyncIterator[Session]:
    """An autocommit session under the step's name; ``StepError`` when the database cannot be reached or refuses."""
    try:
        opened = await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, application_name=application_name, connect_timeout=CONNECT_SECONDS
        )
    except psycopg.OperationalError as error:
        raise _unreachable(dsn, error) from error
    try:
        async with opened:
            await opened.execute(blocks("queries.sql")["calm"])
            yield opened
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error).strip()
        raise StepError(f"The database said: {said}", explain(error.sqlstate or "", said)) from error


async def identity(db: Session, dsn: str) -> Identity:
    """What the server itself says it is."""
    async with db.cursor(row_factory=class_row(Identity)) as cursor:
        await cursor.execute(blocks("queries.sql")["identity"], {"address": _address(dsn)})
        found = await cursor.fetchone()
    if found is None:  # a select without FROM always has a row
        raise StepError("The database did not say who it is.")
    return found


async def rows(
    db: Session, block: str, values: Mapping[str, object] | None = None, file: LiteralString = "queries.sql"
) -> list[tuple[object, ...]]:
    """All rows of a named block."""
    return await (await db.execute(blocks(file)[block], values)).fetchall()


def _parsed(dsn: str) -> dict[str, str]:
    try:
        return {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items() if value is not None}
    except psycopg.ProgrammingError:
        raise StepError(
            "The target's connection string cannot be read.", "Write it as postgresql://role:password@host:port/name."
        ) from None


def _address(dsn: str) -> str:
    return masked(dsn).partition("@")[2].rpartition("/")[0]


def _unreachable(dsn: str, error: psycopg.OperationalError) -> StepError:
    said = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
    for secret in secrets_of(dsn):
        said = said.replace(secret, "***")
    return StepError(
        f"The database {masked(dsn)} cannot be reached: {said}",
        "Check that the database is running, the connection string is right and the connection pool is not exhausted.",
    )
