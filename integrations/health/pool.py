"""How much of the database's connections is in use, asked of PostgreSQL itself (runbook steps 6 and 7)."""

import psycopg
import structlog

from bot.ports import Target

logger = structlog.get_logger(__name__)

# The share of the connections that ordinary roles can have, used by client sessions of any database:
# a full server is full for the services too.  Reserved ones are not theirs (PostgreSQL "Connection Settings").
_USED = """
SELECT count(*)::float8 / greatest(1, current_setting('max_connections')::int
       - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int)
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


async def connections_used(target: Target) -> float | None:
    """Used share of the server's connections, 0..1; ``None`` when the server does not answer."""
    try:
        async with await psycopg.AsyncConnection.connect(
            target.dsn, autocommit=True, connect_timeout=3, application_name="migrate/probe"
        ) as db:
            row = await (await db.execute(_USED)).fetchone()
    except psycopg.Error as error:
        logger.warning("probe.pool_unknown", target=target.name, reason=type(error).__name__)
        return None
    return float(row[0]) if row else None
