"""The sample production database: its roles, its template, and fresh copies of it.

The template is built once per server and scale; a copy is a file copy, so tests and ``fresh`` demos are quick.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bot.demo.errors import ScriptFailed
from bot.demo.postgres import EmbeddedPostgres

SAMPLE = Path(__file__).with_name("sample")
OWNER = "casework_owner"
APP = "casework_app"
BOT = "migrate_bot"
TEMPLATE = "casework_template"
_LIBPQ = {
    "host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Casework:
    """One sample database, seen as each of its roles."""

    name: str
    owner_dsn: str = field(repr=False)  # they hold passwords
    app_dsn: str = field(repr=False)
    superuser_dsn: str = field(repr=False)


async def create_roles(pg: EmbeddedPostgres, passwords: Mapping[str, str]) -> None:
    """Make or refresh the three roles; ``passwords`` is keyed by role name.

    The owner runs migrations and may make databases and see and end sessions, as a managed platform's owner
    may; the services' role may only read and write rows.
    """
    async with await psycopg.AsyncConnection.connect(pg.dsn(), autocommit=True) as db:
        for role, rights in {OWNER: "CREATEDB", APP: "NOCREATEDB", BOT: "NOCREATEDB"}.items():
            # the hash is made here, so no password is ever in a statement or a server log
            secret = db.pgconn.encrypt_password(passwords[role].encode(), role.encode(), b"scram-sha-256").decode()
            known = await (await db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])).fetchone()
            await db.execute(
                sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.SQL("ALTER" if known else "CREATE"), sql.Identifier(role), sql.SQL(rights), secret
                )
            )
        await db.execute(
            sql.SQL("GRANT pg_monitor, pg_signal_backend, {} TO {}").format(sql.Identifier(APP), sql.Identifier(OWNER))
        )
        await db.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


async def ensure_template(pg: EmbeddedPostgres, passwords: Mapping[str, str], *, scale: float = 1) -> None:
    """Build ``casework_template`` unless it is there; ``scale`` 1 is about 338,000 rows.

    Built under another name and renamed, so a broken attempt is never taken for the template.
    """
    if await exists(pg, TEMPLATE):
        return
    building = f"{TEMPLATE}_new"
    await drop_database(pg, building)
    await create_database(pg, building, owner=OWNER)
    dsn = pg.dsn(building, user=OWNER, password=passwords[OWNER])
    for script in ("schema", "data", "constraints", "grants"):
        await run_script(dsn, SAMPLE / f"{script}.sql", variables={"scale": str(scale)})
    finish = "ALTER DATABASE {0} RENAME TO {1}", "ALTER DATABASE {1} IS_TEMPLATE true ALLOW_CONNECTIONS false"
    async with await psycopg.AsyncConnection.connect(pg.dsn(), autocommit=True) as db:
        for statement in finish:
            await db.execute(sql.SQL(statement).format(sql.Identifier(building), sql.Identifier(TEMPLATE)))


async def copy_template(pg: EmbeddedPostgres, passwords: Mapping[str, str], name: str) -> Casework:
    """A fresh ``name`` from the template, owned by the owner role."""
    await create_database(pg, name, owner=OWNER, template=TEMPLATE)
    return casework(pg, passwords, name)


def casework(pg: EmbeddedPostgres, passwords: Mapping[str, str], name: str) -> Casework:
    """The connection strings of an existing sample database."""
    return Casework(
        name=name,
        owner_dsn=pg.dsn(name, user=OWNER, password=passwords[OWNER]),
        app_dsn=pg.dsn(name, user=APP, password=passwords[APP]),
        superuser_dsn=pg.dsn(name),
    )


async def exists(pg: EmbeddedPostgres, name: str) -> bool:
    """Is there a database of this name?"""
    async with await psycopg.AsyncConnection.connect(pg.dsn()) as db:
        found = await db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return await found.fetchone() is not None


async def databases(pg: EmbeddedPostgres) -> tuple[str, ...]:
    """Every database that is not PostgreSQL's own."""
    query = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
    async with await psycopg.AsyncConnection.connect(pg.dsn()) as db:
        return tuple(name for (name,) in await (await db.execute(query)).fetchall())


async def create_database(
    pg: EmbeddedPostgres, name: str, *, owner: str, template: str = "template1", strategy: str = "wal_log"
) -> None:
    """CREATE DATABASE."""
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}").format(
        *map(sql.Identifier, (name, owner, template, strategy))
    )
    async with await psycopg.AsyncConnection.connect(pg.dsn(), autocommit=True) as db:
        await db.execute(statement)


async def drop_database(pg: EmbeddedPostgres, name: str) -> None:
    """DROP DATABASE, ending its sessions; nothing to do when there is none."""
    async with await psycopg.AsyncConnection.connect(pg.dsn(), autocommit=True) as db:
        await db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


async def run_script(
    dsn: str, script: Path, *, variables: Mapping[str, str] | None = None, one_transaction: bool = True
) -> str:
    """Run a SQL file with psql, stopping at the first error; returns what it printed.

    Raises ``ScriptFailed`` with psql's words. The password travels by environment.
    """
    target = {_LIBPQ[key]: str(value) for key, value in conninfo_to_dict(dsn).items() if key in _LIBPQ}
    options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", *(["-1"] if one_transaction else [])]
    for name, value in (variables or {}).items():
        options += ["-v", f"{name}={value}"]
    process = await asyncio.create_subprocess_exec(
        str(EmbeddedPostgres.bin_dir() / "psql"), *options, "-f", str(script),
        env={**os.environ, **target}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await process.communicate()
    if process.returncode:
        raise ScriptFailed(script, printed.decode(errors="replace"))
    return printed.decode(errors="replace")
