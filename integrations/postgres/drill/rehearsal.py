"""The rehearsal: copy, apply, verify, go back; and whatever happens, nothing of it stays."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import psycopg
import structlog

from bot.ports import StepError
from bot.runbook.digest import digest_of_files
from bot.runbook.drill import BackTime, DrillReport
from bot.runbook.rungs import Rung
from bot.runbook.steps import StepName
from bot.target import Target
from integrations.postgres import query_plans
from integrations.postgres.beside import CannotMake, maintenance
from integrations.postgres.connect import Session, session
from integrations.postgres.drill.alone import alone, surely, sweep
from integrations.postgres.drill.copy import make_copy, require_possible
from integrations.postgres.drill.forward import Applied, applied
from integrations.postgres.drill.practice import Practice, Progress, practice_of
from integrations.postgres.drill.proofs import switched, verified, went_down
from integrations.postgres.drill.reach import require_within
from integrations.postgres.drill.source import source_of
from integrations.postgres.rehearse import Scripts
from integrations.postgres.script import Script, read_migration
from integrations.postgres.settings import Limits
from integrations.postgres.switch import Stop, nothing
from integrations.postgres.words import plural

Read = Callable[[Target, str], Script]
_log = structlog.get_logger()
_WAL = "WAL is what the whole server wrote meanwhile: what other databases wrote in those seconds is among it"


def read_file(target: Target, name: str) -> Script:
    """A migration as it is kept by default: a .sql file of the target's folder, or in a folder of Prisma's."""
    return read_migration(target, name)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is rehearsed; ``down_refused`` is why the DOWN scripts are not even tried."""

    practice: Practice
    ups: Scripts
    downs: Scripts
    down_refused: str


class PostgresDrill:
    """``Drill`` for PostgreSQL.

    ``protected`` are the databases of all targets.  ``read`` finds the SQL of a migration by its name.
    ``after`` is called with the name of each part when it is done.
    """

    def __init__(
        self, limits: Limits | None = None, *, protected: Collection[str] = (),
        read: Read = read_file, after: Stop = nothing,
    ) -> None:  # fmt: skip
        self._limits = limits or Limits()
        self._protected = frozenset(protected)
        self._read, self._after = read, after

    async def rehearse(
        self, target: Target, migrations: tuple[str, ...], down: tuple[str, ...], *, name: str, progress: Progress
    ) -> DrillReport:
        """Everything measured on the copy; ``StepError`` where there can be no rehearsal, with what to do."""
        practice = practice_of(target, migrations, down, name, progress)
        work = self._work(practice)
        async with alone(practice, self._limits) as db:
            left = await sweep(practice, db, self._protected)
            await require_possible(practice, db)
            try:
                report = await self._rehearsed(work, db)
            finally:
                await surely(self._clear(practice))
        return replace(report, notes=(*report.notes, *left))

    def _work(self, practice: Practice) -> _Work:
        """The files as they are now; one that is refused by the apply step, or reaches beyond the copy, is not run."""
        target, plan = practice.target, practice.run.plan
        if not plan.migrations:
            raise StepError("There is no migration to rehearse.", "Name at least one.")
        ups = tuple(self._read(target, each) for each in plan.migrations)
        require_within(ups)
        downs: Scripts = ()
        refused = ""
        try:
            downs = tuple(self._read(target, each) for each in plan.down)
            require_within(downs)
        except StepError as error:
            refused = error.problem
        return _Work(practice=practice, ups=ups, downs=downs, down_refused=refused)

    async def _clear(self, practice: Practice) -> None:
        """What cannot be removed now, the next rehearsal removes."""
        try:
            async with maintenance(practice.at(StepName.BACKUP)) as db:
                await sweep(practice, db, self._protected)
        except (StepError, psycopg.Error) as error:
            _log.warning("drill.left", target=practice.target.name, why=type(error).__name__)

    async def _rehearsed(self, work: _Work, db: Session) -> DrillReport:
        at = time.time()
        source = await source_of(work.practice, self._limits)
        self._after("backed up")
        work = replace(work, practice=source.practice)
        report = DrillReport(
            at=at, ok=False, files=_files(work.ups, work.downs), source=source.words, backup_seconds=source.seconds,
            down_problem=work.down_refused, name=work.practice.run.plan.name,
        )  # fmt: skip
        try:
            seconds, notes = await make_copy(work.practice, db, self._limits)
        except CannotMake:
            raise
        except StepError as error:
            why = f"The backup does not restore: {error.problem}"
            back = (BackTime(rung=Rung.RESTORE, seconds=None, problem=why),)
            return replace(report, problem=why, back=back, backup_seconds=None)  # it is no backup
        self._after("copied")
        report = await self._forward(work, db, replace(report, copy_seconds=seconds, notes=notes))
        return await self._back(work, db, report)

    async def _forward(self, work: _Work, db: Session, report: DrillReport) -> DrillReport:
        """Apply and, where that went well, verify and go down."""
        texts = await query_plans.costliest(work.practice.target)
        before = await self._plans(work, texts)
        did = await applied(work.practice, db, work.ups, self._limits)
        self._after("applied")
        report = replace(
            report, ok=not did.problem, problem=did.problem, apply_seconds=did.seconds, wal=did.wal,
            statements=tuple(did.stand.seen), size_before=did.size_before, size_after=did.size_after,
            notes=(*report.notes, _WAL, *_how(did)),
        )  # fmt: skip
        if did.problem:
            return report
        after = await self._plans(work, texts)
        report = replace(report, plans=tuple(map(str, query_plans.differences(before, after))))
        return await self._down(work, did, await self._verified(work, did, report))

    async def _plans(self, work: _Work, texts: tuple[str, ...]) -> query_plans.Plans:
        """How the copy would run the statements that cost the live database most."""
        if not texts:
            return ()
        async with session(work.practice.copy_dsn, work.practice.at(StepName.APPLY).application_name) as eye:
            return await query_plans.planned(eye, texts)

    async def _verified(self, work: _Work, did: Applied, report: DrillReport) -> DrillReport:
        practice = work.practice.having(StepName.APPLY, {"fingerprint": did.fingerprint})
        await practice.progress("Verifying the copy", None)
        try:
            findings, seconds = await verified(practice, self._limits)
        except StepError as error:
            return replace(report, ok=False, problem=f"The copy could not be verified: {error.problem}")
        wrong = "; ".join(each.text for each in findings if each.violation)
        problem = f"The migration is in, but: {wrong}" if wrong else ""
        said = tuple(map(str, findings))
        return replace(report, ok=not wrong, problem=problem, verified=said, verify_seconds=seconds)

    async def _down(self, work: _Work, did: Applied, report: DrillReport) -> DrillReport:
        if not work.downs or work.down_refused:
            return report
        seconds, problem = await went_down(work.practice, did.tools, work.downs, did.before, self._limits)
        return replace(report, down_seconds=seconds, down_problem=problem)

    async def _back(self, work: _Work, db: Session, report: DrillReport) -> DrillReport:
        """The rungs, each with its time: the switch is the same for both copies, only the making of one comes first."""
        await work.practice.progress("Rehearsing the switch with throw-away databases", None)
        seconds, problem = None, ""
        try:
            seconds = await switched(work.practice, db, self._limits)
        except (StepError, psycopg.Error) as error:
            problem = error.problem if isinstance(error, StepError) else str(error).strip().partition("\n")[0]
        self._after("switched")
        restore = None if seconds is None else report.copy_seconds + seconds
        rungs = [
            BackTime(rung=Rung.SWITCH, seconds=seconds, problem=problem),
            BackTime(rung=Rung.RESTORE, seconds=restore, problem=problem),
        ]
        if work.practice.run.plan.down:
            why = report.down_problem or ("" if report.down_seconds is not None else "the migration did not get in")
            rungs.insert(0, BackTime(rung=Rung.DOWN, seconds=report.down_seconds, problem=why))
        return replace(report, back=tuple(rungs))


def _how(did: Applied) -> Iterator[str]:
    """Where a figure is not what it is elsewhere."""
    if files := ", ".join(did.stand.whole):
        yield f"No figures of single statements for {files}: only psql itself can run that"
    if count := did.stand.expected:
        yield f"Too quick to be looked at, so their locks are as the risk check expects: {plural(count, 'statement')}"


def _files(ups: Scripts, downs: Scripts) -> str:
    """The same digest as the proofs have: only so does a plan know this rehearsal to be about its files."""
    migrations, back = ([(each.name, each.sha256) for each in scripts] for scripts in (ups, downs))
    return digest_of_files(migrations, back)
