"""The DOWN scripts, run like the migration: each with its own mark, climbing the lock ladder.

The last one's transaction takes the migration's marks away, so whatever a crash leaves is settled by looking.
"""

import time

from psycopg import sql

from bot.advice import explain
from bot.ports import Context, Outcome, StepError, StepPaused
from bot.runbook.run import Database
from bot.runbook.rungs import Rung
from bot.runbook.steps import StepName
from integrations.postgres import begun, markers
from integrations.postgres.catalog import difference, fingerprint, read_catalog
from integrations.postgres.connect import Session, identity, session
from integrations.postgres.keep import keep_rows, lost_by_down
from integrations.postgres.ladder import Climb, Ladder
from integrations.postgres.manifest import read_catalog_file
from integrations.postgres.orphans import end_orphans, guarded
from integrations.postgres.plan import backup_folder
from integrations.postgres.prisma.history import forgetting
from integrations.postgres.psql import Failure, Place, run_psql
from integrations.postgres.rehearse import Scripts, down_run, downs_of, words_of
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.switch import Stop
from integrations.postgres.tools import Tools, find_tools
from integrations.postgres.watch import Watch
from integrations.postgres.ways import Way
from integrations.postgres.words import plural


async def go_down(context: Context, way: Way, limits: Limits, after: Stop) -> Outcome:
    """Save rows, run what is not yet in, and prove that the schema is the backup's."""
    began = time.monotonic()
    downs = downs_of(context)
    async with session(context.target.dsn, context.application_name) as db:
        await end_orphans(db, context.application_name, limits)
    kept, facts = await keep_rows(way.scene, Rung.DOWN, limits)
    after("rows kept")
    async with guarded(context, limits) as db:
        tools = await find_tools((await identity(db, context.target.dsn)).major, context.target.client_tools)
        await markers.ensure_table(db)
        work = _Down(context, db, tools, downs, limits)
        said = []
        for each in downs:
            said.append(await work.one(each))
            after(f"down {each.name}")
        await _require_as_before(context, db)
    return _outcome(context, (*kept, *said), facts, time.monotonic() - began)


async def went_down(context: Context) -> Outcome | None:
    """The outcome, where the database says by itself that all of it is done."""
    downs = downs_of(context)
    async with session(context.target.dsn, context.application_name) as db:
        done = markers.settled(downs, await markers.read_markers(db, down_run(context)))
        if len(done) < len(downs) or await markers.read_markers(db, context.run.id):
            return None
        if fingerprint(await read_catalog(db)) != context.run.fact(StepName.BACKUP, "fingerprint"):
            return None
    said = f"{plural(len(downs), 'DOWN script')} had been run by an earlier attempt (settled by their marks)"
    return _outcome(context, (said,), {}, 0.0)


def _outcome(context: Context, said: tuple[str, ...], facts: dict[str, str], seconds: float) -> Outcome:
    times = {"seconds": f"{seconds:.3f}", "switch_seconds": "0.000", "rows_lost": lost_by_down(context)}
    proof = "The schema is the backup's again, and no file of the migration is marked as applied"
    return Outcome(evidence=(*said, proof), facts={"rung": Rung.DOWN.value, **times, **facts})


class _Down:
    """One attempt at all scripts, on the session that holds the guard."""

    def __init__(self, context: Context, db: Session, tools: Tools, downs: Scripts, limits: Limits) -> None:
        self._context, self._db, self._tools = context, db, tools
        self._downs, self._limits = downs, limits
        self._run = down_run(context)

    async def one(self, script: Script) -> str:
        """Run a script unless it is in; its line of evidence."""
        found = await markers.read_markers(self._db, self._run)
        if markers.settled((script,), found):
            return f"{script.name}: already run (settled by its mark)"
        if script.name in found and not script.repeatable:
            raise begun.half_way(script)
        if script.outside:
            await markers.mark(self._db, self._run, script, "begun")
        climb = await self._climb(script)
        if not await self._is_in(script, climb.failure):
            raise await self._failed(script, climb)
        return f"{script.name}: {plural(len(script.statements), 'statement')}, {climb.seconds:.1f} s"

    def _last(self, script: Script) -> bool:
        return script is self._downs[-1]

    async def _climb(self, script: Script) -> Climb:
        watch = Watch(self._context, self._db, script, self._limits, (self._downs.index(script), len(self._downs)))
        also = _unmark(self._context) if self._last(script) else ()

        async def once(lock_timeout: float) -> Failure | None:
            place = Place(run=self._run, also=also)
            return await run_psql(
                self._context, self._tools, script, lock_timeout=lock_timeout, limits=self._limits, place=place
            )

        async def again(failure: Failure) -> bool:
            return begun.may_try_again(script, failure)

        return await Ladder(self._context, watch, self._limits).climb(once, again)

    async def _is_in(self, script: Script, failure: Failure | None) -> bool:
        """The database's own word: psql may have died between the commit and its answer."""
        await end_orphans(self._db, self._context.application_name, self._limits)
        if script.outside and failure is None:
            async with self._db.transaction():
                await markers.mark(self._db, self._run, script, "done")
                if self._last(script):
                    for statement in _unmark(self._context):
                        await self._db.execute(statement.encode())
        return bool(markers.settled((script,), await markers.read_markers(self._db, self._run)))

    async def _failed(self, script: Script, climb: Climb) -> Exception:
        failure = climb.failure or Failure(state="", text="psql said it went well, yet the database has no mark of it")
        done = [each for each in await markers.read_markers(self._db, self._run) if each != script.name]
        half = bool(script.outside) and begun.committed_before(script, failure)
        if climb.held and not done and not half:
            return StepPaused(f"Held before {script.name}. Nothing was changed.")
        if script.outside and not half:
            await markers.unmark(self._db, self._run, script)
        left = "A part of it is in." if half else "It was rolled back: the migration is in as before."
        if done:
            left = f"{', '.join(done)} went in before. {left}"
        return StepError(
            f"{script.name}: {words_of(failure).rstrip('.')}. {left}",
            f"{explain(failure.state, failure.text)} With /migrate retry the ways back are asked anew.",
            database=Database.UNKNOWN if done or half else Database.CHANGED,
        )


def _unmark(context: Context) -> tuple[str, ...]:
    """The migration's marks, and Prisma's lines, go in the last script's own transaction."""
    statement = sql.SQL("DELETE FROM migrate_bot.applied WHERE run_id = {}").format(sql.Literal(context.run.id))
    forget = (forgetting(context),) if context.target.prisma else ()
    return tuple(each.as_string(None) for each in (statement, *forget))


async def _require_as_before(context: Context, db: Session) -> None:
    now = await read_catalog(db)
    if fingerprint(now) == context.run.fact(StepName.BACKUP, "fingerprint"):
        return
    found = difference(read_catalog_file(backup_folder(context)), now)
    raise StepError(
        f"The DOWN scripts have run, yet the schema is not the backup's: {'; '.join(found[:8])}.",
        "Type /migrate retry: the other ways back are asked for. Nothing else was touched.",
        database=Database.UNKNOWN,
    )
