"""Runbook step 5: is the migration truly in, and is the data whole?  It only reads."""

from functools import partial
from pathlib import Path

from psycopg import sql

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.run import Database
from bot.runbook.samples import Verdict
from bot.runbook.steps import StepName
from integrations.postgres import checks
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.checks import Finding, Findings
from integrations.postgres.connect import Session, connection_env, masked, secrets_of, session
from integrations.postgres.manifest import read_catalog_file, read_manifest
from integrations.postgres.script import read_script
from integrations.postgres.settings import Limits
from integrations.process import Redactor, base_env, run_child
from integrations.spoken import ending, spoken


class Verify:
    """Compares the database with its backup and with what the files were to do."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def describe(self, context: Context) -> Description:
        """Which questions will be asked."""
        target = context.target
        lines = (
            f"Of {masked(target.dsn)}: the marks of the files, the schema against the backup's, invalid indexes, "
            "constraints not validated and their orphans, row counts against the backup's snapshot",
            *(f"{name}: {query} must return 0" for name, query in target.orphan_checks),
            *([" ".join(target.verify_command)] if target.verify_command else []),
        )
        return Description(inputs={"checks": "\n".join(lines)}, lines=lines)

    async def check(self, context: Context) -> Outcome | None:
        """Never already so: it is asked anew every time."""
        return None

    async def run(self, context: Context) -> Outcome:
        """Ask every question; ``StepError`` when one of them is answered by a violation."""
        async with session(context.target.dsn, context.application_name) as db:
            limit = f"{int(self._limits.query_time * 1000)}"
            await db.execute(sql.SQL("SELECT set_config('statement_timeout', {}, false)").format(limit))
            await db.execute("SET default_transaction_read_only = on")
            findings, details, now = await self._ask(db, context)
        findings = (*findings, *await self._own_command(context))
        wrong = [each.text for each in findings if each.violation]
        if wrong:
            raise StepError(
                "The migration is in, but: " + "; ".join(wrong) + ".",
                "Data integrity violations are a reason to roll back (runbook, “Rollback Criteria”): "
                "type /migrate rollback, or mend it by hand and type /migrate retry.",
                database=Database.CHANGED,
            )
        return Outcome(evidence=(*map(str, findings), *details), facts={"fingerprint": now})

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Is the schema still the one that was checked?"""
        async with session(context.target.dsn, context.application_name) as db:
            now = fingerprint(await read_catalog(db))
        if now != outcome.facts["fingerprint"]:
            return Verdict(ok=False, reason="The schema changed while it was being verified.")
        return Verdict(ok=True, reason="The schema is the one that was verified.")

    def undo(self, context: Context) -> str:
        """It only reads."""
        return "Nothing needs undoing: verifying only reads."

    async def _ask(self, db: Session, context: Context) -> tuple[Findings, tuple[str, ...], str]:
        folder = Path(context.run.fact(StepName.BACKUP, "folder") or "")
        manifest, _ = read_manifest(folder)
        before, now = read_catalog_file(folder), await read_catalog(db)
        scripts = tuple(read_script(context.target.migrations, each) for each in context.run.plan.migrations)
        changed, details = checks.schema(before, now)
        names = checks.table_names(before, now)
        counting = partial(checks.row_counts, db, manifest, names, scripts, self._limits)
        findings = [
            *await checks.attempt("The marks", partial(checks.marked, db, context, scripts)),
            *changed,
            *await checks.attempt("Indexes", partial(checks.indexes, db, before)),
            *await checks.attempt("Constraints", partial(checks.constraints, db, before)),
            *await checks.attempt("Row counts", counting),
            *await checks.attempt("The target's own checks", partial(checks.orphan_checks, db, context)),
        ]
        return tuple(findings), details, fingerprint(now)

    async def _own_command(self, context: Context) -> Findings:
        """The project's validation command (runbook: ``npm run db:validate``), in the bot's working folder."""
        command = context.target.verify_command
        if not command:
            return ()
        env, _ = connection_env(context.target.dsn)
        shown = " ".join(command)
        async with spoken(context, shown) as say:
            ended = await run_child(
                command,
                env=base_env() | env | {"DATABASE_URL": context.target.dsn, "PGAPPNAME": context.application_name},
                cwd=Path.cwd(), on_line=say, time_limit=self._limits.verify_time,
                redactor=Redactor(secrets_of(context.target.dsn)),
            )  # fmt: skip
            say(f"{command[0]} {ending(ended)}")
        said = " ".join(ended.tail[-3:])
        how = "took too long" if ended.timed_out else f"ended with {ended.code}"
        return (Finding(text=f"`{shown}` {how} after {ended.seconds:.1f} s: {said}", violation=not ended.ok),)
