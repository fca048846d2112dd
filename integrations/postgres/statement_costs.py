"""What each statement costs, as ``pg_stat_statements`` counts it (postgresql.org/docs/current/pgstatstatements.html).

Columns ``total_exec_time`` since version 1.8 (PostgreSQL 13); ``pg_stat_statements_info`` since 1.9 (PostgreSQL 14).
"""

import time

import psycopg
import structlog
from psycopg import sql

from bot.ports import StepError
from bot.runbook.follow_up.queries import Counted, Counts
from bot.runbook.wording import one_line
from bot.target import Target
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, session

_log = structlog.get_logger()
_TEXT = 300  # characters of a statement that are kept; its values are $1, $2 … already
UNSEEN = "<insufficient privilege>"  # what the view shows of others' statements without pg_read_all_stats


class StatementCosts:
    """``Statements`` by the extension, where the database has it."""

    async def count(self, target: Target) -> Counts:
        """The costliest statements of the target's database."""
        now = time.time()
        try:
            async with session(target.dsn, "migrate/statements") as db:
                return await _counted(db, now)
        except StepError as error:
            return Counts(at=now, known=False, why=error.problem)
        except psycopg.Error as error:  # its text may quote the connection string
            _log.warning("statements.unknown", target=target.name, reason=type(error).__name__)
            return Counts(at=now, known=False, why=f"pg_stat_statements could not be read ({type(error).__name__}).")


async def _counted(db: Session, now: float) -> Counts:
    queries = blocks("statements.sql")
    where = await (await db.execute(queries["statements_schema"])).fetchone()
    if where is None:
        why = "The database has no pg_stat_statements. CREATE EXTENSION pg_stat_statements gives it one."
        return Counts(at=now, known=False, why=why)
    schema = sql.Identifier(str(where[0]))
    since = await (await db.execute(queries["statements_since"].format(schema))).fetchone()
    rows = await (await db.execute(queries["statements"].format(schema))).fetchall()
    found = [
        Counted(id=str(id_), text=one_line(str(text), _TEXT), calls=int(str(calls)), total_ms=float(str(total)))
        for id_, text, calls, total in rows
        if text != UNSEEN
    ]
    if not found and rows:
        why = "The role may not see others' statements. GRANT pg_read_all_stats to it."
        return Counts(at=now, known=False, why=why)
    return Counts(at=now, statements=tuple(found), since=str(since[0]) if since else "")
