"""What one database has and another lacks, row by row: an account that owes nothing to the bot's own counting."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.demo.casework import create_database, drop_database
from bot.demo.errors import ScriptFailed
from bot.demo.postgres import EmbeddedPostgres

_TABLES = """
SELECT n.nspname::text, c.relname::text, i.indkey::int[],
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname),
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int[]))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 2
"""
Rows = Mapping[str, str]  # key -> hash of the row


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Rows of one table that a return takes away, by what had happened to them since."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def rows(self) -> int:
        return self.inserted + self.updated + self.deleted


async def missing(pg: EmbeddedPostgres, before: str, after: str) -> dict[str, Missing]:
    """For every table of ``before`` that differs: what ``after`` has more, other and less, on the columns of both."""
    found = {}
    async with (
        await psycopg.AsyncConnection.connect(pg.dsn(before)) as old,
        await psycopg.AsyncConnection.connect(pg.dsn(after)) as new,
    ):
        for schema, table, _, columns, keys in await (await old.execute(_TABLES)).fetchall():
            was, now = await _rows(old, schema, table, columns, keys), await _rows(new, schema, table, columns, keys)
            differs = Missing(
                inserted=len(now.keys() - was.keys()),
                updated=sum(now[key] != was[key] for key in now.keys() & was.keys()),
                deleted=len(was.keys() - now.keys()),
            )
            if differs.rows:
                found[str(table)] = differs
    return found


async def _rows(db: psycopg.AsyncConnection, schema: str, table: str, columns: list[str], keys: list[str]) -> Rows:
    query = sql.SQL("SELECT concat_ws('|', {keys}), md5(ROW({columns})::text) FROM {table}").format(
        keys=sql.SQL(", ").join(map(sql.Identifier, keys)),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(schema, table),
    )
    return {str(key): str(row) for key, row in await (await db.execute(query)).fetchall()}


async def restored(pg: EmbeddedPostgres, backup: Path, name: str) -> str:
    """The backup in a new database ``name``, by pg_restore alone; raises ``ScriptFailed`` with its words."""
    await drop_database(pg, name)
    await create_database(pg, name, owner="postgres", template="template0")
    where = conninfo_to_dict(pg.dsn(name))
    secret = {"PGPASSWORD": str(where.pop("password", ""))}
    child = await asyncio.create_subprocess_exec(
        str(EmbeddedPostgres.bin_dir() / "pg_restore"), "--no-owner", "--no-privileges",
        "-d", make_conninfo("", **where), str(backup),
        env={**os.environ, **secret, "LC_ALL": "C"}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await child.communicate()
    if child.returncode:
        raise ScriptFailed(backup, printed.decode(errors="replace"))
    return name


async def reopened(pg: EmbeddedPostgres, name: str) -> str:
    """A database that was put away, taking connections again: for looking into it."""
    async with await psycopg.AsyncConnection.connect(pg.dsn(), autocommit=True) as db:
        await db.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
    return name
