"""What ``prisma migrate deploy`` would do here and now: which folders, on top of which list, after which repair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.ports import Context, Description, StepError
from bot.runbook.digest import canonical
from bot.runbook.risk import RiskReport
from bot.runbook.run import Database
from integrations.postgres.catalog import read_catalog
from integrations.postgres.connect import Session, masked, rows, session
from integrations.postgres.orphans import end_orphans
from integrations.postgres.plan import Prepared, patience, prepare, require_reviewed
from integrations.postgres.prisma.away import at_rest
from integrations.postgres.prisma.cli import DEPLOY, GENERATE, shown
from integrations.postgres.prisma.codes import CODES
from integrations.postgres.prisma.history import FILE, History, Row, read_history
from integrations.postgres.prisma.model import model_of
from integrations.postgres.prisma.project import checksums, project_of, require_own_url
from integrations.postgres.prisma.surgeon import Finding, Remedy, examine
from integrations.postgres.prisma.truth import is_in
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.words import plural


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """``findings``: what is to be done first about migrations that failed; the digest covers it."""

    context: Context
    prepared: Prepared
    history: History
    findings: tuple[Finding, ...] = ()

    @property
    def scripts(self) -> tuple[Script, ...]:
        return self.prepared.scripts

    @property
    def inputs(self) -> Mapping[str, str]:
        """What an approval is bound to; what this run itself puts into the list is no part of it."""
        project = project_of(self.context.target)
        place = {"prisma runs as": shown(self.context, DEPLOY)} if project.on_job else {}
        found = {name: value for name, value in self.prepared.inputs.items() if name != "psql"}
        return found | {
            "prisma": canonical([*project.command, str(project.schema), str(project.folder)]),
            "prisma generate": str(project.generate),
            **place,
            "prisma list": canonical([self.history.edited, self.history.missing]),
            **{f"repair {each.migration}": f"{each.remedy} {list(each.rest)}" for each in self.findings},
        }

    def judged(self, report: RiskReport) -> "Deploy":
        """With what it destroys; see ``Prepared``."""
        return replace(self, prepared=self.prepared.judged(self.context, report))

    def description(self, report: RiskReport, warnings: tuple[str, ...] = ()) -> Description:
        """The same for people, with the SQL itself attached."""
        target, project = self.context.target, project_of(self.context.target)
        where = "" if project.on_job else f", in {project.folder}"
        first, last = target.lock_timeouts[0], target.lock_timeouts[-1]
        lines = (
            f"On {masked(target.dsn)}, system {self.prepared.who.system_identifier}, "
            f"PostgreSQL {self.prepared.who.version_text}",
            *(f"First: {each.words}" for each in self.findings),
            f"{shown(self.context, DEPLOY)}{where}: {plural(len(self.scripts), 'migration')}",
            *(self._how(script) for script in self.scripts),
            "The database refuses every other migration and every other content meanwhile (by their checksums)",
            f"Locks: {plural(len(target.lock_timeouts), 'try', 'tries')}, each giving up after {first:g} s to "
            f"{last:g} s; a statement after {target.statement_timeout:g} s. A try without its lock has no effect: it "
            "is marked by migrate resolve --rolled-back before the next",
            *patience(target),
            *([f"Then {shown(self.context, GENERATE)}"] if project.generate else []),
            f"Way back: the backup with manifest sha256 {self.prepared.backup[:12]}…",
            *self.history.oddities(),
            *warnings,
        )
        attachments = {f"{each.name}/migration.sql": each.text for each in self.scripts}
        return Description(
            inputs=self.inputs, lines=lines, attachments=attachments, destroys=self.prepared.destroys,
            risk=report.level, dangers=report.dangers,
        )  # fmt: skip

    def _how(self, script: Script) -> str:
        head = f"{script.name} (sha256 {script.sha256[:12]}…)"
        if script.name in self.history.applied:
            return f"{head}: is in already"
        if script.trouble:
            return f"⚠️ {head} cannot be parsed ({script.trouble}); Prisma sends it as it is."
        count = plural(len(script.statements), "statement")
        if script.outside:
            return f"{head}: {count}, not in one transaction, because: {script.outside}. What is done stays."
        return f"{head}: {count} in one transaction, all or nothing"


async def plan_deploy(context: Context, limits: Limits) -> Deploy:
    """Read and judge everything; ``StepError`` when it is not to be deployed.

    What a dead attempt left at work is ended first: what it would still do cannot be described.
    """
    require_own_url(project_of(context.target))
    _require_files(context)
    await at_rest(context, DEPLOY)
    prepared = await prepare(context)
    require_reviewed(context, prepared.scripts)
    async with session(context.target.dsn, context.application_name) as db:
        await end_orphans(db, context.application_name, limits)
        history = await read_history(db, context)
        await _require_list(db, context, history)
        require_plan(history, prepared.scripts)
        findings = await examine_failed(db, context, prepared.scripts, history)
    stuck = [each for each in findings if not each.can_be_done]
    if stuck:
        raise StepError(
            f"{', '.join(each.migration for each in stuck)} failed earlier, and what is to be done is not proven.",
            " ".join(each.words for each in stuck),
            database=Database.UNKNOWN,
        )
    return Deploy(context=context, prepared=prepared, history=history, findings=findings)


async def examine_failed(
    db: Session, context: Context, scripts: Sequence[Script], history: History
) -> tuple[Finding, ...]:
    """The surgeon's word on every migration that is listed as failed."""
    now = await read_catalog(db) if history.failed else {}
    found = []
    for row in history.failed:
        place = next(number for number, each in enumerate(scripts) if each.name == row.name)
        before = [each for each in scripts[:place] if _is_since(history.applied.get(each.name))]
        try:
            model = await model_of(context, before, scripts[place])
        except StepError as error:
            proof = f"the model to compare with cannot be made: {error.problem.rstrip('.')}"
            found.append(Finding(migration=row.name, remedy=Remedy.PEOPLE, proof=proof))
            continue
        same = row.checksum in history.files.get(row.name, ())
        found.append(examine(row, scripts[place], model, now, same_bytes=same))
    return tuple(found)


def _is_since(row: Row | None) -> bool:
    """In since the backup, so it is no part of the backup's schema."""
    return row is not None and row.late


def require_plan(history: History, scripts: Sequence[Script]) -> None:
    """Prisma applies whatever is pending, so the plan must be exactly that; ``StepError`` says what differs."""
    names = [each.name for each in scripts]
    if stray := [each for each in history.pending if each not in names]:
        raise StepError(
            f"Prisma would also apply {', '.join(stray)}, which this plan does not name.",
            "It always applies everything that is pending. Abort, and start a run with all of them.",
        )
    if stray := [each.name for each in history.failed if each.name not in names]:
        raise StepError(
            f"{', '.join(stray)} failed earlier and is still listed as failed, so Prisma applies nothing (P3009).",
            "Abort, and start a run that names it too: the bot then proposes what to do about it.",
        )
    for script in scripts:
        row = history.applied.get(script.name)
        if row and not row.late:
            raise StepError(
                f"{script.name} is applied already, since {row.started}.",
                f"Abort, and start a run with what is pending: {', '.join(history.pending) or 'nothing is'}.",
            )
        is_in(history, script)
        if not row and script.outside and script.indexes and len(script.statements) > 1:
            raise StepError(
                f"{script.name} cannot work: {script.outside} must be the only statement of its migration.",
                "Prisma sends a file as one message. Put that statement into a migration of its own.",
            )


def _require_files(context: Context) -> None:
    if lacking := [name for name, sums in checksums(context.target).items() if not sums]:
        raise StepError(f"P3015: {', '.join(lacking)} has no migration.sql that can be read.", CODES["P3015"].advice)


async def _require_list(db: Session, context: Context, history: History) -> None:
    """Prisma begins a list only in an empty database."""
    schema, on_job = project_of(context.target).database_schema, project_of(context.target).on_job
    if not history.there and on_job:
        raise StepError(
            f"The schema {schema} has no list of Prisma's migrations yet, by which a job could be held to its limits.",
            'Run the very first migration with run_on = "host", or baseline the database; then the job will do.',
        )
    if not history.there and (await rows(db, "anything", {"schema": schema}, FILE))[0][0]:
        raise StepError(
            f"P3005: the schema {schema} is not empty and has no list of Prisma's migrations.",
            "Baseline it first (prisma migrate resolve --applied NAME for each that is in). See that "
            "prisma.database_schema and the connection string are the right ones.",
        )
