"""Is a migration in?  Asked of Prisma's list, never of what the command has said."""

from collections.abc import Iterable

from bot.ports import Context, StepError
from bot.runbook.run import Database
from integrations.postgres import markers
from integrations.postgres.checks import Finding, Findings
from integrations.postgres.connect import Session
from integrations.postgres.prisma.cli import STATUS, prisma, shown
from integrations.postgres.prisma.history import History, read_history
from integrations.postgres.script import Script
from integrations.spoken import ending

STATUS_SECONDS = 120.0  # it only reads; Node may be slow to start


def is_in(history: History, script: Script) -> bool:
    """Applied since the backup, with these bytes; ``StepError`` for others."""
    row = history.applied.get(script.name)
    if row is None or not row.late:
        return False
    if row.checksum != script.sha256:
        raise StepError(
            f"{script.name} was applied with other content (sha256 {row.checksum[:12]}…) than the file has now.",
            "Put the file back as it was, then type /migrate retry; or roll back.",
            database=Database.CHANGED,
        )
    return True


async def mark_done(db: Session, context: Context, scripts: Iterable[Script]) -> None:
    """The bot's own marks, by which the ways back know what is in."""
    await markers.ensure_table(db)
    for each in scripts:
        await markers.mark(db, context.run.id, each, "done")


async def listed(db: Session, context: Context, scripts: tuple[Script, ...]) -> Findings:
    """Runbook step 5, "Migration marked as applied in `_prisma_migrations`": every line, and every folder."""
    history = await read_history(db, context)
    lacking = [each.name for each in scripts if not is_in(history, each)]
    found = []
    if lacking:
        found.append(Finding(text=f"_prisma_migrations does not list as applied: {', '.join(lacking)}", violation=True))
    else:
        names = ", ".join(each.name for each in scripts)
        found.append(Finding(text=f"_prisma_migrations lists as applied, with their checksums: {names}"))
    if failed := [each.name for each in history.failed]:
        found.append(Finding(text=f"_prisma_migrations lists as failed: {', '.join(failed)}", violation=True))
    found += [Finding(text=each.removeprefix("⚠️ "), notable=True) for each in history.oddities()]
    return tuple(found)


async def status(context: Context) -> Findings:
    """What ``prisma migrate status`` says; only told, because the list itself was read."""
    ended, said = await prisma(context, STATUS, time_limit=STATUS_SECONDS)
    what = "says that the schema is up to date" if ended.ok else f"{ending(ended)}: {said.words or 'see the logs'}"
    return (Finding(text=f"`{shown(context, STATUS)}` {what}", notable=not ended.ok),)
