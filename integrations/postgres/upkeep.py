"""``Upkeep`` for PostgreSQL: a look at the database's own health, and statistics for tables that have none."""

import time

import psycopg
from psycopg import sql

from bot.target import Target
from integrations.postgres.connect import rows, session
from integrations.postgres.database_health import FILE, database_health

_LOCK = "2s"  # whoever holds a table exclusively is not waited for
_LONGEST = "15min"
_NAME = "migrate/upkeep"


class PostgresUpkeep:
    """Looks and gathers under a name of its own; never waits long for anybody."""

    async def look(self, target: Target) -> tuple[str, ...]:
        """What is worth a look now, line by line; read only."""
        async with session(target.dsn, _NAME) as db:
            await db.execute("SET default_transaction_read_only = on")
            return tuple(each.text for each in await database_health(db))

    async def analyze(self, target: Target, tables: tuple[str, ...]) -> tuple[str, ...]:
        """Each table in a transaction of its own: one that cannot be had keeps no other from its statistics."""
        said = []
        async with session(target.dsn, _NAME) as db:
            for name in tables:
                began = time.monotonic()
                try:
                    async with db.transaction():
                        await db.execute(f"SET LOCAL lock_timeout = '{_LOCK}'")
                        await db.execute(f"SET LOCAL statement_timeout = '{_LONGEST}'")
                        ((found,),) = await rows(db, "by_quoted_name", {"name": name}, FILE)
                        if found is None:
                            said.append(f"{name} is no longer there")
                            continue
                        await db.execute(sql.SQL("ANALYZE {}").format(sql.SQL(str(found))))
                except psycopg.Error as error:
                    said.append(f"ANALYZE {name} failed: {error.diag.message_primary or error}")
                else:
                    said.append(f"ANALYZE {name}: {time.monotonic() - began:.1f} s")
        return tuple(said)
