"""Runbook step 4, option B: SQL files by psql, each with its marker, climbing the lock ladder."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import psycopg

from bot.ports import Context, Description, Outcome
from bot.runbook.run import Blocker
from bot.runbook.samples import Verdict
from integrations.postgres import begun, markers
from integrations.postgres.catalog import Catalog, fingerprint, read_catalog
from integrations.postgres.connect import Session, session
from integrations.postgres.ladder import Climb, Ladder
from integrations.postgres.manifest import read_catalog_file
from integrations.postgres.markers import Marker, settled
from integrations.postgres.orphans import end_orphans, guarded
from integrations.postgres.plan import (
    Prepared,
    backup_folder,
    prepare,
    require_approved,
    require_no_drift,
    require_reviewed,
)
from integrations.postgres.psql import LOCK_NOT_AVAILABLE, Failure, run_psql
from integrations.postgres.risk.summary import look
from integrations.postgres.script import Script
from integrations.postgres.setback import setback
from integrations.postgres.settings import Limits
from integrations.postgres.watch import Watch
from integrations.postgres.words import plural


class Apply:
    """Every file of the plan, in its order; what is already in by its marker is never run again."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def describe(self, context: Context) -> Description:
        """What runs, where and how; the digest covers every byte of it."""
        prepared = await prepare(context)
        require_reviewed(context, prepared.files)
        async with session(context.target.dsn, context.application_name) as db:
            warnings = await markers.earlier(db, context.run.id, prepared.scripts)
            risk = await look(context.target, prepared.scripts, db)
        return prepared.judged(context, risk.report).description(risk.report, (*risk.lines, *warnings))

    async def check(self, context: Context) -> Outcome | None:
        """End what a dead attempt left at work, then look at the markers: all files in is the outcome."""
        prepared = await prepare(context)
        async with session(context.target.dsn, context.application_name) as db:
            await end_orphans(db, context.application_name, self._limits)
            found = await markers.read_markers(db, context.run.id)
            if len(settled(prepared.scripts, found)) < len(prepared.scripts):
                return None
            now = fingerprint(await read_catalog(db))
        said = tuple(f"{each.file}: already applied at {each.at} (settled by its marker)" for each in found.values())
        return _outcome(prepared.scripts, said, now, 0.0, 0, 0.0)

    async def run(self, context: Context) -> Outcome:
        """Read once, compare with what was approved, apply what is not yet in."""
        began = time.monotonic()
        prepared = await prepare(context)
        require_approved(context, prepared.inputs)
        async with guarded(context, self._limits) as db:
            await markers.ensure_table(db)
            found = await markers.read_markers(db, context.run.id)
            before = read_catalog_file(backup_folder(context))
            if not found:
                require_no_drift(context, before, await read_catalog(db))
            work = _Work(context, db, prepared, before, self._limits)
            evidence = [await work.one(script, found) for script in prepared.scripts]
            now = fingerprint(await read_catalog(db))
        seconds = time.monotonic() - began
        return _outcome(prepared.scripts, tuple(evidence), now, seconds, work.tries, work.waited)

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """The markers of all files are there, with the bytes that were approved, and nothing is at work any more."""
        prepared = await prepare(context)
        async with session(context.target.dsn, context.application_name) as db:
            await end_orphans(db, context.application_name, self._limits)
            done = settled(prepared.scripts, await markers.read_markers(db, context.run.id))
        missing = [each.name for each in prepared.scripts if each not in done]
        if missing:
            return Verdict(ok=False, reason=f"The database has no mark of {', '.join(missing)}.")
        return Verdict(ok=True, reason=f"The database itself marks {plural(len(done), 'file')} as applied by this run.")

    def undo(self, context: Context) -> str:
        """What a failed transaction does by itself, and what a committed one needs."""
        return (
            "A file that fails in its transaction undoes itself; what is committed is undone by a rollback, the way "
            "that loses least: the rehearsed DOWN scripts, the standby copy, or the backup restored beside."
        )


class _Work:
    """One attempt at all files, on the session that holds the guard."""

    def __init__(self, context: Context, db: Session, prepared: Prepared, before: Catalog, limits: Limits) -> None:
        self.tries, self.waited = 0, 0.0
        self.last_blockers: tuple[Blocker, ...] = ()
        self._context, self._db, self._prepared = context, db, prepared
        self._before, self._limits = before, limits

    async def one(self, script: Script, found: Mapping[str, Marker]) -> str:
        """Apply a file unless it is in; its line of evidence."""
        marker = found.get(script.name)
        if settled((script,), found) and marker:
            return f"{script.name}: already applied at {marker.at} (settled by its marker)"
        if marker and await self._is_settled(script):
            return f"{script.name}: its indexes are built and valid (settled by looking)"
        if script.outside and not marker:
            await markers.mark(self._db, self._context.run.id, script, "begun")
        climb = await self._climb(script)
        if not await self._is_in(script, climb.failure):
            raise await self._give_up(script, climb)
        how = f"outside one transaction ({script.outside})" if script.outside else "in one transaction"
        return (
            f"{script.name}: {plural(len(script.statements), 'statement')} {how}, {climb.seconds:.1f} s, "
            f"{plural(climb.tries, 'try', 'tries')} (sha256 {script.sha256[:12]}…)"
        )

    async def _climb(self, script: Script) -> Climb:
        scripts = self._prepared.scripts
        share = (scripts.index(script), len(scripts))
        watch = Watch(self._context, self._db, script, self._limits, share)
        tools = self._prepared.tools

        async def once(lock_timeout: float) -> Failure | None:
            if kept := await begun.drop_leftovers(self._db, script, self._before, lock_timeout):
                return Failure(state=LOCK_NOT_AVAILABLE, text=kept, statement=0)
            return await run_psql(self._context, tools, script, lock_timeout=lock_timeout, limits=self._limits)

        async def again(failure: Failure) -> bool:
            return begun.may_try_again(script, failure)

        climb = await Ladder(self._context, watch, self._limits).climb(once, again)
        self.tries += climb.tries
        self.waited += watch.waited
        self.last_blockers = watch.last
        return climb

    async def _is_settled(self, script: Script) -> bool:
        """An earlier attempt began it: finish the bookkeeping, or make it safe to run again, or say it is not."""
        if script.repeatable:
            return False
        if not await begun.all_built(self._db, script):
            raise begun.half_way(script)
        await markers.mark(self._db, self._context.run.id, script, "done")
        return True

    async def _is_in(self, script: Script, failure: Failure | None) -> bool:
        """The database's own word: psql may have died between the commit and its answer."""
        if script.outside and failure is None:
            await markers.mark(self._db, self._context.run.id, script, "done")
            return True
        async with self._living() as db:
            await end_orphans(db, self._context.application_name, self._limits)
            return bool(settled((script,), await markers.read_markers(db, self._context.run.id)))

    async def _give_up(self, script: Script, climb: Climb) -> Exception:
        """The error that says what is known of the database now."""
        async with self._living() as db:
            kept = await begun.drop_leftovers(db, script, self._before, begun.LAST_LOCK_TIMEOUT)
            return await setback(self._context, db, script, climb, self.last_blockers, kept)

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


def _outcome(
    scripts: tuple[Script, ...], evidence: tuple[str, ...], now: str, seconds: float, tries: int, waited: float
) -> Outcome:
    facts = {
        "files": ", ".join(each.name for each in scripts),
        "fingerprint": now,
        "seconds": f"{seconds:.3f}",
        "tries": str(tries),
        "lock_wait": f"{waited:.1f}",
    }
    return Outcome(evidence=evidence, facts=facts)
