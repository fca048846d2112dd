"""Runbook step 5: is the migration truly in, and is the data whole?  It only reads."""

import json
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.run import Database
from bot.runbook.samples import Verdict
from bot.runbook.steps import StepName
from bot.runbook.upkeep import FACT
from integrations.postgres import checks, query_plans
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.checks import Findings
from integrations.postgres.connect import Session, masked, session
from integrations.postgres.database_health import database_health, unanalysed
from integrations.postgres.manifest import read_catalog_file, read_manifest
from integrations.postgres.plan import as_run
from integrations.postgres.prisma.cli import STATUS, shown
from integrations.postgres.prisma.truth import listed
from integrations.postgres.prisma.truth import status as prisma_status
from integrations.postgres.script import read_migration
from integrations.postgres.settings import Limits
from integrations.postgres.validation import own_command


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
            "The database's health, which is noted only: connections, open transactions, locks, replication, "
            "dead rows, statistics, sequences, transaction ids; and the plans of the costliest statements",
            *(["All of _prisma_migrations against the folders"] if target.prisma else []),
            *([shown(context, STATUS)] if target.prisma else []),
            *(f"{name}: {query} must return 0" for name, query in target.orphan_checks),
            *([" ".join(target.verify_command)] if target.verify_command else []),
        )
        return Description(inputs={"checks": "\n".join(lines)}, lines=lines)

    async def check(self, context: Context) -> Outcome | None:
        """Never already so: it is asked anew every time."""
        return None

    async def run(self, context: Context) -> Outcome:
        """Ask every question; ``StepError`` when one of them is answered by a violation."""
        findings, details, now = await self.findings(context)
        wrong = [each for each in findings if each.violation]
        if wrong:
            raise StepError(
                "The migration is in, but: " + "; ".join(each.text for each in wrong) + ".",
                "Data integrity violations are a reason to roll back (runbook, “Rollback Criteria”): "
                "type /migrate rollback, or mend it by hand and type /migrate retry.",
                database=Database.CHANGED,
                criterion=next((each.met for each in wrong if each.met), None),
            )
        blind = await self._without_statistics(context)
        facts = {"fingerprint": now, **({FACT: json.dumps(blind)} if blind else {})}
        return Outcome(evidence=(*map(str, findings), *details), facts=facts)

    async def _without_statistics(self, context: Context) -> tuple[str, ...]:
        """Tables for which gathering them is offered; what cannot be told is offered for none."""
        try:
            async with session(context.target.dsn, context.application_name) as db:
                return await unanalysed(db)
        except psycopg.Error:
            return ()

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

    async def findings(self, context: Context, *, deployed: bool = True) -> tuple[Findings, tuple[str, ...], str]:
        """Every answer, how the schema differs from before, and its fingerprint now.

        ``deployed`` is false on a copy, where Prisma's files were run by psql: its own list knows nothing of that.
        """
        prisma = deployed and context.target.prisma is not None
        async with session(context.target.dsn, context.application_name) as db:
            limit = f"{int(self._limits.query_time * 1000)}"
            await db.execute(sql.SQL("SELECT set_config('statement_timeout', {}, false)").format(limit))
            await db.execute("SET default_transaction_read_only = on")
            found, details, now = await self._ask(db, context, prisma=prisma, deployed=deployed)
        said = await prisma_status(context) if prisma else ()
        return (*found, *said, *await own_command(context, self._limits)), details, now

    async def _plans(self, db: Session, context: Context) -> Findings:
        """How the application's costliest statements are run now, against how they were at the backup."""
        before = context.run.fact(StepName.BACKUP, query_plans.FACT)
        return await query_plans.compared(db, query_plans.of_fact(before)) if before else ()

    async def _ask(
        self, db: Session, context: Context, *, prisma: bool, deployed: bool
    ) -> tuple[Findings, tuple[str, ...], str]:
        folder = Path(context.run.fact(StepName.BACKUP, "folder") or "")
        manifest, _ = read_manifest(folder)
        before, now = read_catalog_file(folder), await read_catalog(db)
        files = tuple(read_migration(context.target, each) for each in context.run.plan.migrations)
        scripts = await as_run(context, db, files)
        changed, details = checks.schema(before, now)
        applied = context.run.fact(StepName.APPLY, "fingerprint") or ""
        names = checks.table_names(before, now)
        counting = partial(checks.row_counts, db, manifest, names, scripts, self._limits)
        findings = [
            *await checks.attempt("The marks", partial(checks.marked, db, context, scripts)),
            *(await checks.attempt("Prisma's list", partial(listed, db, context, scripts)) if prisma else ()),
            *changed,
            *checks.consistent(manifest.fingerprint, applied, fingerprint(now)),
            *await checks.attempt("Indexes", partial(checks.indexes, db, before)),
            *await checks.attempt("Constraints", partial(checks.constraints, db, before)),
            *await checks.attempt("Row counts", counting),
            *await checks.attempt("The target's own checks", partial(checks.orphan_checks, db, context)),
            *await database_health(db),
            *(await self._plans(db, context) if deployed else ()),
        ]
        return tuple(findings), details, fingerprint(now)
