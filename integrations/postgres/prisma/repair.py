"""What was proposed and approved about a migration that failed, carried out; then the list is read again."""

from bot.ports import Context, StepError
from bot.runbook.run import Database
from integrations.postgres import begun
from integrations.postgres.catalog import Catalog
from integrations.postgres.connect import Session
from integrations.postgres.prisma.cli import advice_of, prisma, resolve, shown
from integrations.postgres.prisma.history import read_rows
from integrations.postgres.prisma.project import project_of
from integrations.postgres.prisma.surgeon import Finding, Remedy
from integrations.postgres.psql import run_psql
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.statements import parse
from integrations.postgres.tools import Tools

RESOLVE_SECONDS = 120.0  # it writes one line; Node may be slow to start


async def repair(
    db: Session, context: Context, tools: Tools, finding: Finding, script: Script, before: Catalog, limits: Limits
) -> str:
    """Carry it out; its line of evidence.  ``StepError`` when it did not come true."""
    if finding.remedy is Remedy.FINISH:
        await _finish(context, tools, finding, script, limits)
    if finding.remedy is Remedy.ROLLED_BACK:
        await mark_rolled_back(db, context, script, before)
        return f"{script.name}: marked as rolled back, because {finding.proof}"
    await _resolve(db, context, "applied", script.name)
    return f"{script.name}: marked as applied, because {finding.proof}"


async def mark_rolled_back(db: Session, context: Context, script: Script, before: Catalog) -> None:
    """After what its interrupted CREATE INDEX CONCURRENTLY left behind is gone."""
    if kept := await begun.drop_leftovers(db, script, before, begun.LAST_LOCK_TIMEOUT):
        raise StepError(
            f"{script.name}: {kept}.", "Type /migrate retry when nobody uses its table.", database=Database.UNTOUCHED
        )
    await _resolve(db, context, "rolled-back", script.name)


async def _resolve(db: Session, context: Context, how: str, name: str) -> None:
    arguments = resolve(how, name)
    ended, said = await prisma(context, arguments, time_limit=RESOLVE_SECONDS)
    lines = await read_rows(db, context)
    failed = any(each.name == name and each.failed for each in lines)
    applied = any(each.name == name and each.applied for each in lines)
    if failed or applied is not (how == "applied"):
        raise StepError(
            f"`{shown(context, arguments)}` did not do it (exit code {ended.code}): {said.words or 'it says nothing'}.",
            advice_of(said, "Read the step's log; mend the cause, then type /migrate retry."),
            database=Database.UNKNOWN,
        )


async def _finish(context: Context, tools: Tools, finding: Finding, script: Script, limits: Limits) -> None:
    """The rest in one transaction where that can be, under the longest of the target's lock time-outs."""
    schema = project_of(context.target).database_schema.replace('"', '""')
    texts = [f'SET search_path = "{schema}"', *(script.statements[number].text for number in finding.rest)]
    text = ";\n".join(texts) + ";\n"
    rest = Script(name=f"{script.name} (rest)", data=text.encode(), statements=parse(text))
    longest = max(context.target.lock_timeouts)
    failure = await run_psql(context, tools, rest, lock_timeout=longest, limits=limits)
    if failure is not None:
        said = f"ERROR {failure.state}: {failure.text}" if failure.state else failure.text
        raise StepError(
            f"The rest of {script.name} did not go in: {said.rstrip('.')}.",
            "Mend the cause and type /migrate retry: the proposal is made anew; or go back with /migrate rollback.",
            database=Database.UNKNOWN,
        )
