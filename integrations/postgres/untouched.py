"""Has the migration left nothing behind?  All signs together prove it; any one missing, and it is not proven."""

from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql

from bot.ports import Context, StepError
from bot.runbook.steps import StepName
from integrations.postgres.beside import FILE
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.manifest import read_manifest
from integrations.postgres.markers import read_markers
from integrations.postgres.rehearse import ups_of


async def why_touched(context: Context) -> str:
    """What speaks against "nothing happened": marks, somebody applying, Prisma's list, the schema; "" for nothing."""
    async with session(context.target.dsn, context.application_name) as db:
        applying = f"migrate/{context.run.id}/{StepName.APPLY}"[:63]
        if await rows(db, "at_work", {"name": applying}, FILE):
            return "a session of the migration is still at work"
        if found := await read_markers(db, context.run.id):
            return f"marked as applied or begun: {', '.join(sorted(found))}"
        if listed := await prisma_since(db, context):
            return f"listed in _prisma_migrations since the backup: {', '.join(listed)}"
        if fingerprint(await read_catalog(db)) != context.run.fact(StepName.BACKUP, "fingerprint"):
            return "the schema is not the backup's"
    return ""


async def prisma_since(db: Session, context: Context) -> list[str]:
    """Migrations that Prisma's own table lists as begun after the backup; none where there is no such table.

    Those marked as rolled back are not in; nor is one that PostgreSQL refused and whose file is one transaction.
    """
    refused = sql.SQL("AND to_jsonb(l) ->> 'logs' IS NULL") if _all_or_nothing(context) else sql.SQL("")
    listed: list[str] = []
    for (schema,) in await rows(db, "prisma_tables", None, FILE):
        query = sql.SQL(
            "SELECT migration_name::text FROM {} l WHERE started_at > %s AND to_jsonb(l) ->> 'rolled_back_at' IS NULL "
            "AND (finished_at IS NOT NULL OR finished_at IS NULL {}) ORDER BY started_at"
        ).format(sql.Identifier(str(schema), "_prisma_migrations"), refused)
        found = await (await db.execute(query, (moment_of_backup(context),))).fetchall()
        listed += [str(name) for (name,) in found]
    return listed


def _all_or_nothing(context: Context) -> bool:
    """Is every file of the plan one transaction?  What cannot be read is not."""
    try:
        return not any(each.outside or each.trouble for each in ups_of(context))
    except StepError:
        return False


def moment_of_backup(context: Context) -> str:
    """ISO 8601 UTC: the backup's snapshot by the server's clock; by ours where the manifest does not say."""
    try:
        manifest, _ = read_manifest(Path(context.run.fact(StepName.BACKUP, "folder") or ""))
    except StepError:
        done = context.run.result(StepName.BACKUP)
        return datetime.fromtimestamp(done.began_at if done else context.run.started_at, UTC).isoformat()
    return str((manifest.baseline or {}).get("at") or manifest.started)
