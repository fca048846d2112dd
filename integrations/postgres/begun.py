"""Files no transaction can hold (CREATE INDEX CONCURRENTLY and the like): what of them is in, and what is left over."""

from psycopg import errors as pg
from psycopg import sql

from bot.ports import StepError
from bot.runbook.run import Database
from integrations.postgres.catalog import Catalog
from integrations.postgres.connect import Session, rows
from integrations.postgres.psql import Failure
from integrations.postgres.script import Script

LAST_LOCK_TIMEOUT = 5.0  # seconds, for tidying up after the last try


def committed_before(script: Script, failure: Failure) -> bool:
    """Did a statement before the failing one change anything for good?  Unknown counts as yes."""
    if failure.statement is None:
        return True
    return not all(each.setting for each in script.statements[: failure.statement])


def may_try_again(script: Script, failure: Failure) -> bool:
    """Running the file again does no harm: nothing of it is in, or all of it may be repeated."""
    return not script.outside or script.repeatable or not committed_before(script, failure)


async def drop_leftovers(db: Session, script: Script, before: Catalog, lock_timeout: float) -> str:
    """Drop the invalid indexes that the file's own interrupted CREATE INDEX CONCURRENTLY left; what could not be.

    Without this IF NOT EXISTS would take the useless index for the wanted one.  Dropping waits for the same sessions
    as building did, so it gives up after ``lock_timeout`` seconds, too.
    """
    kept = []
    for schema, name, _ in await rows(db, "invalid_indexes"):
        if name not in script.indexes or _was_there(before, str(name)):
            continue
        drop = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(str(schema), str(name)))
        try:
            await _set_lock_timeout(db, lock_timeout)
            await db.execute(drop)
        except (pg.LockNotAvailable, pg.QueryCanceled, pg.DeadlockDetected) as error:
            kept.append(f"the invalid index {schema}.{name} cannot be dropped yet ({error.diag.message_primary})")
        finally:
            await _set_lock_timeout(db, 0)
    return "; ".join(kept)


async def _set_lock_timeout(db: Session, seconds: float) -> None:
    await db.execute(sql.SQL("SELECT set_config('lock_timeout', {}, false)").format(str(int(seconds * 1000))))


async def all_built(db: Session, script: Script) -> bool:
    """Is every index the file builds ready, and is there nothing else in the file?"""
    if not all(each.setting or each.index for each in script.statements) or not script.indexes:
        return False
    valid = {str(name) for _, name in await rows(db, "valid_indexes")}
    return script.indexes <= valid


def half_way(script: Script) -> StepError:
    """An earlier attempt began the file, and nothing can tell how far it got."""
    return StepError(
        f"{script.name} was begun by an earlier attempt and cannot be one transaction ({script.outside}): "
        "how much of it is in is not known, and it may not simply be run again.",
        "Compare the schema with the file; finish the rest by hand and hand over, or roll back. "
        "With IF NOT EXISTS in every statement the bot could have gone on by itself.",
        database=Database.UNKNOWN,
    )


def _was_there(before: Catalog, name: str) -> bool:
    found = before.get("index", {}).items()
    return any(full.rpartition(".")[2].strip('"') == name and text.endswith("(invalid)") for full, text in found)
