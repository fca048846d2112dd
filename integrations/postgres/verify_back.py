"""The runbook's rollback step 4: is the database what the way back has promised?  It only reads."""

from functools import partial
from pathlib import Path

from psycopg import sql

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.criteria import Criterion
from bot.runbook.run import Database
from bot.runbook.rungs import Rung
from bot.runbook.samples import Verdict
from bot.runbook.steps import Standby, StepName
from integrations.postgres import checks
from integrations.postgres.beside import FILE, look, maintenance, names_of
from integrations.postgres.catalog import Catalog, difference, fingerprint, read_catalog
from integrations.postgres.checks import Finding, Findings
from integrations.postgres.connect import Session, masked, rows, session
from integrations.postgres.manifest import Manifest, read_catalog_file, read_manifest
from integrations.postgres.markers import read_markers
from integrations.postgres.note import recorded
from integrations.postgres.plan import backup_folder
from integrations.postgres.settings import Limits
from integrations.postgres.snapshot import count_rows
from integrations.postgres.untouched import prisma_since
from integrations.postgres.validation import own_command
from integrations.postgres.words import plural

REPLACED = (Rung.SWITCH, Rung.RESTORE)


class VerifyBack:
    """Holds the database against the copy or the backup that was gone back to."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def describe(self, context: Context) -> Description:
        """Which questions will be asked."""
        target = context.target
        lines = (
            f"Of {masked(target.dsn)}: the schema against the one before the migration, marks of this run's files and "
            "Prisma's list, row counts against the backup's snapshot, sequences, and whether the failed database is "
            "kept",
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
            now = await read_catalog(db)
            findings = await self._ask(db, context, now)
        findings += await own_command(context, self._limits)
        wrong = [each.text for each in findings if each.violation]
        if wrong:
            raise StepError(
                "The database is not what it was before the migration: " + "; ".join(wrong) + ".",
                "Find out who changed it, mend it by hand and type /migrate retry; or take the run over. "
                "The failed database and the backup are both kept.",
                database=Database.UNKNOWN,
                criterion=_criterion(findings),
            )
        return Outcome(evidence=tuple(map(str, findings)), facts={"fingerprint": fingerprint(now)})

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Is the schema still the one that was checked?"""
        async with session(context.target.dsn, context.application_name) as db:
            now = fingerprint(await read_catalog(db))
        if now != outcome.facts["fingerprint"]:
            return Verdict(ok=False, reason="The schema changed while it was being verified.")
        return Verdict(ok=True, reason="The schema is the one before the migration.")

    def undo(self, context: Context) -> str:
        """It only reads."""
        return "Nothing needs undoing: verifying only reads."

    async def _ask(self, db: Session, context: Context, now: Catalog) -> Findings:
        folder = backup_folder(context)
        manifest, _ = read_manifest(folder)
        rung = _rung(context)
        findings = [_schema(context, folder, manifest, now), await _unmarked(db, context), *await _prisma(db, context)]
        if rung in REPLACED:
            after_stop = rung is Rung.SWITCH and recorded(context).get("standby") == Standby.TEMPLATE
            counting = partial(_totals if after_stop else _rows, db, manifest, self._limits)
            findings += await checks.attempt("Row counts", counting)
            findings += [*await checks.attempt("Sequences", partial(_sequences, db)), await _kept(context)]
        findings += await checks.attempt("The target's own checks", partial(checks.orphan_checks, db, context))
        return tuple(findings)


def _rung(context: Context) -> Rung:
    """Of a way that was gone before rungs had their names, a restore."""
    found = context.run.fact(StepName.GO_BACK, "rung")
    return Rung(found) if found in list(Rung) else Rung.NOTHING if found == "untouched" else Rung.RESTORE


def _criterion(findings: Findings) -> Criterion | None:
    """Integrity before schema: the graver one is named."""
    return next((each.met for each in findings if each.violation and each.met), None)


def _schema(context: Context, folder: Path, manifest: Manifest, now: Catalog) -> Finding:
    """The backup's; of a standby copy taken after it, the one that was noted then."""
    promised, whose = manifest.fingerprint, "the backup's"
    if _rung(context) is Rung.SWITCH:
        promised, whose = recorded(context).get("fingerprint", promised), "the standby copy's"
    if fingerprint(now) == promised:
        return Finding(text=f"The schema is {whose} (fingerprint {promised[:12]}…)")
    found = difference(read_catalog_file(folder), now) or (f"it is the backup's, not {whose}",)
    return Finding(text=f"the schema differs: {'; '.join(found[:8])}", violation=True, met=Criterion.SCHEMA)


async def _unmarked(db: Session, context: Context) -> Finding:
    found = await read_markers(db, context.run.id)
    if found:
        return Finding(text=f"files of this run are marked as applied: {', '.join(found)}", violation=True)
    return Finding(text="No file of this run is marked as applied")


async def _prisma(db: Session, context: Context) -> Findings:
    """The runbook's ``npm run db:migrate:status``, asked of Prisma's own table."""
    if not await rows(db, "prisma_tables", None, FILE):
        return ()
    if listed := await prisma_since(db, context):
        text = f"_prisma_migrations lists since the backup: {', '.join(listed)}; with prisma migrate resolve mend it"
        return (Finding(text=text, violation=True),)
    return (Finding(text="_prisma_migrations lists nothing since the backup"),)


async def _rows(db: Session, manifest: Manifest, limits: Limits) -> Findings:
    """Fewer rows are a violation.  More were written since the switch: before it the counts were compared exactly."""
    now = await count_rows(db, limits)
    found, same = [], 0
    for name, (count, exact) in sorted(manifest.rows.items()):
        there, counted = now.get(name, (0, True))
        if not exact or not counted:
            found.append(Finding(text=f"{name} is too large to be counted", notable=True))
        elif there != count:
            text = f"{name}: {count:,} rows at the backup, {there:,} now"
            found.append(Finding(text=text, violation=there < count, notable=True))
        else:
            same += 1
    return (*found, Finding(text=f"{plural(same, 'table')} with exactly the backup's number of rows"))


async def _totals(db: Session, manifest: Manifest, limits: Limits) -> Findings:
    """A copy taken after the backup rightly has what was written between the two: only told."""
    now = await count_rows(db, limits)
    was, total = (sum(count for count, _ in each.values()) for each in (manifest.rows, now))
    text = f"Rows: {was:,} at the backup, {total:,} now; the standby copy was made after it and keeps what came between"
    return (Finding(text=text),)


async def _sequences(db: Session) -> Findings:
    """A sequence behind its column gives out numbers that are taken; it was so before, so it is only told."""
    behind, keys = [], await rows(db, "counted_keys", None, FILE)
    for sequence_schema, sequence, schema, table, column in map(lambda row: tuple(map(str, row)), keys):
        query = sql.SQL(
            "SELECT coalesce((SELECT max({}) FROM {}) > CASE WHEN is_called THEN last_value ELSE last_value - 1 END, "
            "false) FROM {}"
        ).format(sql.Identifier(column), sql.Identifier(schema, table), sql.Identifier(sequence_schema, sequence))
        if (await (await db.execute(query)).fetchall())[0][0]:
            behind.append(f"{sequence_schema}.{sequence}")
    if behind:
        text = f"Sequences behind their columns, as they were at the backup: {', '.join(behind)}"
        return (Finding(text=text, notable=True),)
    return (Finding(text=f"{plural(len(keys), 'sequence')} ahead of their columns"),)


async def _kept(context: Context) -> Finding:
    names = names_of(context)
    async with maintenance(context) as db:
        standing = await look(db, names)
        if not standing.has_failed:
            return Finding(text=f"{names.failed} is no longer there: somebody has removed it", notable=True)
    return Finding(text=f"The failed database is kept as {names.failed}")
