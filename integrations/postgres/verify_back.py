"""The runbook's rollback step 4: is the database what it was at the backup?  It only reads."""

from pathlib import Path

from psycopg import sql

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.run import Database
from bot.runbook.samples import Verdict
from bot.runbook.steps import StepName
from integrations.postgres.beside import FILE, look, maintenance, names_of
from integrations.postgres.catalog import Catalog, difference, fingerprint, read_catalog
from integrations.postgres.checks import Finding, Findings
from integrations.postgres.connect import Session, masked, rows, session
from integrations.postgres.go_back import RESTORED
from integrations.postgres.manifest import Manifest, read_catalog_file, read_manifest
from integrations.postgres.markers import read_markers
from integrations.postgres.settings import Limits
from integrations.postgres.snapshot import count_rows
from integrations.postgres.words import plural


class VerifyBack:
    """Compares the database with the backup after the way back."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def describe(self, context: Context) -> Description:
        """Which questions will be asked."""
        lines = (
            f"Of {masked(context.target.dsn)}: the schema against the backup's, marks of this run's files, row counts "
            "against the backup's snapshot, sequences, and whether the failed database is kept",
        )
        return Description(inputs={"checks": "\n".join(lines)}, lines=lines)

    async def check(self, context: Context) -> Outcome | None:
        """Never already so: it is asked anew every time."""
        return None

    async def run(self, context: Context) -> Outcome:
        """Ask every question; ``StepError`` when one of them is answered by a violation."""
        folder = Path(context.run.fact(StepName.BACKUP, "folder") or "")
        manifest, _ = read_manifest(folder)
        async with session(context.target.dsn, context.application_name) as db:
            await db.execute("SET default_transaction_read_only = on")
            now = await read_catalog(db)
            findings = [_schema(folder, manifest, now), await _unmarked(db, context)]
            if context.run.fact(StepName.GO_BACK, "rung") == RESTORED:
                findings += [*await _rows(db, manifest, self._limits), *await _sequences(db), await _kept(context)]
        wrong = [each.text for each in findings if each.violation]
        if wrong:
            raise StepError(
                "The database is not what it was at the backup: " + "; ".join(wrong) + ".",
                "Find out who changed it, mend it by hand and type /migrate retry; or take the run over. "
                "The failed database and the backup are both kept.",
                database=Database.UNKNOWN,
            )
        return Outcome(evidence=tuple(map(str, findings)), facts={"fingerprint": fingerprint(now)})

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Is the schema still the one that was checked?"""
        async with session(context.target.dsn, context.application_name) as db:
            now = fingerprint(await read_catalog(db))
        if now != outcome.facts["fingerprint"]:
            return Verdict(ok=False, reason="The schema changed while it was being verified.")
        return Verdict(ok=True, reason="The schema is the backup's.")

    def undo(self, context: Context) -> str:
        """It only reads."""
        return "Nothing needs undoing: verifying only reads."


def _schema(folder: Path, manifest: Manifest, now: Catalog) -> Finding:
    if fingerprint(now) == manifest.fingerprint:
        return Finding(text=f"The schema is the backup's (fingerprint {manifest.fingerprint[:12]}…)")
    found = difference(read_catalog_file(folder), now)
    return Finding(text=f"the schema differs: {'; '.join(found[:8])}", violation=True)


async def _unmarked(db: Session, context: Context) -> Finding:
    found = await read_markers(db, context.run.id)
    if found:
        return Finding(text=f"files of this run are marked as applied: {', '.join(found)}", violation=True)
    return Finding(text="No file of this run is marked as applied")


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


async def _sequences(db: Session) -> Findings:
    """A sequence behind its column gives out numbers that are taken; it was so at the backup, so it is only told."""
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
