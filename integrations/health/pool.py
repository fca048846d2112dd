"""How much of the database's connections is in use, asked of PostgreSQL itself (runbook steps 6 and 7)."""

import psycopg
import structlog

from bot.target import Target

logger = structlog.get_logger(__name__)

# The share of the connections that ordinary roles can have, used by client sessions of any database:
# a full server is full for the services too.  Reserved ones are not theirs (PostgreSQL "Connection Settings").
# What kind another role's session is, only pg_read_all_stats may see; the server's own have no user or no database.
_USED = """
SELECT count(*)::float8 / greatest(1, current_setting('max_connections')::int
       - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int)
FROM pg_stat_activity
WHERE coalesce(backend_type, 'client backend') = 'client backend' AND usesysid IS NOT NULL AND datid IS NOT NULL
  AND pid <> pg_backend_pid()
"""


async def connections_used(target: Target) -> float | None:
    """Used share of the server's connections, 0..1; ``None`` when the server does not say.

    Raises ``ConnectionError`` when no connection could be made: that is a failed attempt to reach the database.
    """
    try:
        db = await psycopg.AsyncConnection.connect(
            target.dsn, autocommit=True, connect_timeout=3, application_name="migrate/probe"
        )
    except psycopg.Error as error:  # its text may quote the connection string
        raise ConnectionError(type(error).__name__) from None
    try:
        async with db:
            row = await (await db.execute(_USED)).fetchone()
    except psycopg.Error as error:
        logger.warning("probe.pool_unknown", target=target.name, reason=type(error).__name__)
        return None
    return float(row[0]) if row else None
