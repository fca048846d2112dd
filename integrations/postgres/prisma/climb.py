"""One attempt at a deploy: the repair that was approved, the tries of the lock ladder, and what a failure leaves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from bot.advice import explain
from bot.ports import Context, StepError, StepPaused
from bot.runbook.criteria import Criterion, sql_error
from bot.runbook.fixes import Fix
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.catalog import Catalog, fingerprint, read_catalog
from integrations.postgres.connect import Session, session
from integrations.postgres.ladder import Climb, Ladder
from integrations.postgres.orphans import end_orphans
from integrations.postgres.prisma.away import asked
from integrations.postgres.prisma.cli import DEPLOY, GENERATE, STATUS, advice_of, prisma, require_here, shown
from integrations.postgres.prisma.guard import standing_guard
from integrations.postgres.prisma.history import History, Row, read_history
from integrations.postgres.prisma.plan import Deploy, examine_failed
from integrations.postgres.prisma.project import project_of
from integrations.postgres.prisma.repair import mark_rolled_back, repair
from integrations.postgres.prisma.said import Said
from integrations.postgres.prisma.surgeon import Finding, Remedy, at_first, failure_of
from integrations.postgres.prisma.truth import STATUS_SECONDS, is_in, mark_done
from integrations.postgres.psql import LOCK_NOT_AVAILABLE, Failure
from integrations.postgres.script import Script
from integrations.postgres.setback import NOTHING, lock_and_time, names
from integrations.postgres.settings import Limits
from integrations.postgres.watch import Watch
from integrations.postgres.words import plural
from integrations.process import Exit
from integrations.spoken import ending

GENERATE_SECONDS = 300.0
_KNOWN = {
    Remedy.ROLLED_BACK: Database.UNTOUCHED,
    Remedy.APPLIED: Database.CHANGED,
    Remedy.FINISH: Database.CHANGED,
    Remedy.GO_BACK: Database.CHANGED,
}


class DeployWatch(Watch):
    """Prisma sends a whole file as one message, so the file is all that can be told."""

    def __init__(self, context: Context, db: Session, scripts: tuple[Script, ...], limits: Limits) -> None:
        super().__init__(context, db, Script(name=" ".join(DEPLOY), data=b""), limits)
        self._scripts = scripts

    def _where(self, query: str) -> tuple[str, float]:
        for number, each in enumerate(self._scripts):
            if query.strip() and each.text.strip().startswith(query.strip()[:900]):
                return f"{each.name} ({number + 1} of {len(self._scripts)})", number / len(self._scripts)
        return " ".join(DEPLOY), 0.0


class Work:
    """One attempt, on the session that holds the guard of this database."""

    def __init__(self, context: Context, db: Session, deploy: Deploy, before: Catalog, limits: Limits) -> None:
        self.tries, self.waited = 0, 0.0
        self._context, self._db, self._deploy, self._before, self._limits = context, db, deploy, before, limits
        self._said = Said()
        self._watch = DeployWatch(context, db, deploy.scripts, limits)

    async def everything(self) -> tuple[str, ...]:
        """Repair, deploy, prove; the lines of evidence."""
        await self._require_here()
        evidence = [await self._repair(each) for each in self._deploy.findings]
        climb = None if await self._all_in(self._db) else await self._climb()
        async with self._living() as db:
            if not await self._all_in(db):
                raise await self._give_up(db, climb)
            await mark_done(db, self._context, self._deploy.scripts)
        how = f"{climb.seconds:.1f} s, {plural(climb.tries, 'try', 'tries')}" if climb else "nothing was left to apply"
        evidence += [f"{shown(self._context, DEPLOY)}: {how}", *map(_line, self._deploy.scripts)]
        return (*evidence, *await self._generate())

    async def _require_here(self) -> None:
        """A question first: would the command act on this very database, and does it start at all?"""
        on_job = project_of(self._context.target).on_job
        ended, said = await (asked(self._context, self._db, self._ask) if on_job else self._ask())
        require_here(self._context, said)
        if not ended.ok and said.code.startswith("P1"):
            begun = any(each.late for each in self._deploy.history.rows)
            known = None if begun else Database.UNTOUCHED
            raise StepError(f"Prisma cannot begin. {said.words}.", advice_of(said, ""), database=known)

    async def _ask(self) -> tuple[Exit, Said]:
        return await prisma(self._context, STATUS, time_limit=STATUS_SECONDS)

    async def _repair(self, finding: Finding) -> str:
        script = next(each for each in self._deploy.scripts if each.name == finding.migration)
        tools = self._deploy.prepared.tools
        return await repair(self._db, self._context, tools, finding, script, self._before, self._limits)

    async def _climb(self) -> Climb:
        climb = await Ladder(self._context, self._watch, self._limits).climb(self._once, self._again)
        self.tries, self.waited = climb.tries, self._watch.waited
        return climb

    async def _once(self, lock_timeout: float) -> Failure | None:
        async with standing_guard(self._db, self._context, self._deploy.scripts, lock_timeout, self._limits):
            ended, self._said = await prisma(self._context, DEPLOY)
        async with self._living() as db:
            await end_orphans(db, self._context.application_name, self._limits)
            if await self._all_in(db):
                return None
        text = self._said.words or f"prisma {ending(ended)}"
        if ended.ok:
            text = "Prisma said it went well, yet its list lacks a migration of the plan"
        return Failure(state=LOCK_NOT_AVAILABLE if self._said.lock else self._said.state, text=text)

    async def _again(self, failure: Failure) -> bool:
        """A try that got no lock has changed nothing: it is marked so, as was approved, and made anew."""
        for row in (await read_history(self._db, self._context)).failed:
            script = next((each for each in self._deploy.scripts if each.name == row.name), None)
            alone = script is not None and len(script.statements) == 1
            if script is None or not row.logs or (script.outside and not alone):
                return False
            try:
                await mark_rolled_back(self._db, self._context, script, self._before)
            except StepError:
                return False
        return True

    async def _all_in(self, db: Session) -> bool:
        history = await read_history(db, self._context)
        return all(is_in(history, each) for each in self._deploy.scripts)

    async def _give_up(self, db: Session, climb: Climb | None) -> Exception:
        """The error that says what is known of the database now, and the surgeon's proposal."""
        failure = (climb and climb.failure) or Failure(state="", text="nothing was applied")
        history = await read_history(db, self._context)
        done = [each.name for each in self._deploy.scripts if is_in(history, each)]
        findings = await self._findings(db, history, failure)
        known = await self._known(db, done, findings)
        if climb and climb.held and known is Database.UNTOUCHED and not history.failed:
            return StepPaused(f"Held before try {climb.tries + 1} of {shown(self._context, DEPLOY)}. {NOTHING}")
        left = NOTHING if known is Database.UNTOUCHED else "What is known of the database is in the proposal."
        if done:
            left = f"{', '.join(done)} went in before."
        problem = f"{self._problem(climb, failure, history.failed)}. {left}"
        met = None if failure.lock or (climb and climb.held) else _criterion(failure)
        helpful = () if climb and climb.held else _fixes(failure, findings)
        return StepError(problem, self._advice(failure, findings), database=known, criterion=met, fixes=helpful)

    async def _findings(self, db: Session, history: History, failure: Failure) -> tuple[Finding, ...]:
        found = await examine_failed(db, self._context, self._deploy.scripts, history)
        scripts = {each.name: each for each in self._deploy.scripts}
        failed = {row.name: row for row in history.failed}
        if failure.lock:
            return found
        return tuple(
            at_first(each, failed[each.migration], scripts[each.migration], *failure_of(failed[each.migration]))
            for each in found
        )

    async def _known(self, db: Session, done: list[str], findings: tuple[Finding, ...]) -> Database:
        if done:
            return Database.CHANGED
        if findings:
            return _KNOWN.get(findings[0].remedy, Database.UNKNOWN)
        before = self._context.run.fact(StepName.BACKUP, "fingerprint")
        return Database.UNTOUCHED if fingerprint(await read_catalog(db)) == before else Database.UNKNOWN

    def _problem(self, climb: Climb | None, failure: Failure, failed: tuple[Row, ...]) -> str:
        name = failed[0].name if failed else self._said.migration or " ".join(("prisma", *DEPLOY))
        if climb and climb.held:
            return f"{name} is held after {plural(climb.tries, 'try', 'tries')}"
        if failure.lock and climb:
            tries = plural(climb.tries, "try", "tries")
            return f"{name} did not get its lock in {tries} ({climb.seconds:.0f} s){names(self._watch.last)}"
        return f"{name}: {failure.text.rstrip('.')}"

    def _advice(self, failure: Failure, findings: tuple[Finding, ...]) -> str:
        cause = advice_of(self._said, explain(failure.state, failure.text))
        if not findings:
            return f"{cause} Proposed: apply it again (/migrate retry). Proof: Prisma's list has no failed migration."
        proposals = " ".join(each.words for each in findings)
        more = " With /migrate retry the question says exactly that." if findings[0].can_be_done else ""
        return f"{proposals}{more} About the cause: {cause}"

    async def _generate(self) -> tuple[str, ...]:
        """Runbook, "New Columns/Tables Not Visible": the client anew; its failure is not the migration's."""
        project = self._context.target.prisma
        if project is None or not project.generate:
            return ()
        ended, said = await prisma(self._context, GENERATE, time_limit=GENERATE_SECONDS)
        glyph = "" if ended.ok else "⚠️ "
        more = "" if ended.ok else f": {said.words or 'see the logs'}"
        return (f"{glyph}{shown(self._context, GENERATE)} {ending(ended)}{more}",)

    @asynccontextmanager
    async def _living(self) -> AsyncIterator[Session]:
        """The guard's session, or a fresh one if the server has ended it."""
        try:
            await self._db.execute("SELECT")
        except psycopg.OperationalError:
            async with session(self._context.target.dsn, self._context.application_name) as fresh:
                yield fresh
        else:
            yield self._db


def _fixes(failure: Failure, findings: tuple[Finding, ...]) -> tuple[Fix, ...]:
    """What may help beside trying again as before: setting the list right is part of that, where it is proven how."""
    if findings and not all(each.can_be_done for each in findings):
        return ()
    return (*lock_and_time(failure), *((Fix.RESOLVE,) if findings else ()))


def _criterion(failure: Failure) -> Criterion | None:
    return None if sql_error(failure.state, failure.text).ok else Criterion.SQL_ERROR


def _line(script: Script) -> str:
    count = plural(len(script.statements), "statement")
    return f"{script.name}: {count}, listed as applied (sha256 {script.sha256[:12]}…)"
