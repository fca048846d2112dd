"""What a file that did not go in leaves behind, said truthfully."""

from bot.advice import explain
from bot.ports import Context, StepError, StepPaused
from bot.runbook.criteria import Criterion, schema, sql_error
from bot.runbook.fixes import Fix
from bot.runbook.run import Blocker, Database
from bot.runbook.steps import StepName
from integrations.postgres import markers
from integrations.postgres.begun import committed_before
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import Session
from integrations.postgres.ladder import Climb
from integrations.postgres.psql import Failure
from integrations.postgres.script import Script
from integrations.postgres.separate import SUFFIX, can_be_separated
from integrations.postgres.words import plural

NOTHING = "Nothing was changed."


async def setback(
    context: Context, db: Session, script: Script, climb: Climb, blockers: tuple[Blocker, ...], kept: str
) -> StepError | StepPaused:
    """The error for a climb that did not reach the top; a hold with nothing changed is a pause."""
    failure = climb.failure or Failure(state="", text="psql said it went well, yet the database has no mark of it")
    database, left = await _left_behind(context, db, script, failure)
    if database is Database.UNTOUCHED:
        await markers.unmark(db, context.run.id, script)
    if climb.held and database is Database.UNTOUCHED:
        return StepPaused(f"Held before try {climb.tries + 1} of {script.name}. {NOTHING}")
    problem = f"{_where(script, failure)}: {_words(failure)}"
    if climb.held:
        problem = f"{script.name} is held after {plural(climb.tries, 'try', 'tries')}"
    elif failure.lock:
        problem = (
            f"{script.name} did not get its lock in {plural(climb.tries, 'try', 'tries')} ({climb.seconds:.0f} s)"
            + names(blockers)
        )
    left = f"{left} Left over: {kept}; drop it by hand." if kept else left
    advice = explain(failure.state, failure.text)
    only_validated = script.name.endswith(SUFFIX)  # the constraint is in, for new rows: that is no failed migration
    if only_validated and not failure.lock:
        advice = f"{advice} The constraint is in and holds for new rows; /migrate retry validates the old ones again."
    met = None if climb.held or failure.lock or only_validated else await _criterion(context, db, failure)
    helpful = () if climb.held else _fixes(context, script, failure, database)
    return StepError(f"{problem}. {left}", advice, database=database, criterion=met, fixes=helpful)


def _fixes(context: Context, script: Script, failure: Failure, database: Database) -> tuple[Fix, ...]:
    """What may help beside trying again as before; nothing for a file that is in by half."""
    if database is Database.UNKNOWN:
        return ()
    found = list(lock_and_time(failure))
    taken = Fix.VALIDATE_LATER in context.run.fixes
    if failure.state in _VALIDATING and not taken and can_be_separated(script, failure.statement):
        found.append(Fix.VALIDATE_LATER)
    return tuple(found)


def lock_and_time(failure: Failure) -> tuple[Fix, ...]:
    """For a lock that was not had: patience.  For a statement that took too long: more time."""
    if failure.lock:
        return (Fix.WHEN_FREE,)
    return (Fix.LONGER,) if "statement timeout" in failure.text else ()


_VALIDATING = ("23503", "23514", "55P03", "57014")  # rows break it; or its lock, or its time, ran out


async def _criterion(context: Context, db: Session, failure: Failure) -> Criterion | None:
    """Which rollback criterion of the runbook this is; none for what another try may get past."""
    if not sql_error(failure.state, failure.text).ok:
        return Criterion.SQL_ERROR
    before = context.run.fact(StepName.BACKUP, "fingerprint") or ""
    return None if schema(before, "", fingerprint(await read_catalog(db))).ok else Criterion.SCHEMA


async def _left_behind(context: Context, db: Session, script: Script, failure: Failure) -> tuple[Database, str]:
    """A rolled-back transaction, an unchanged fingerprint and no marker together prove that nothing happened."""
    found = await markers.read_markers(db, context.run.id)
    done = [each.file for each in found.values() if each.state == "done"]
    half = bool(script.outside) and committed_before(script, failure)
    if done:
        rest = "is in part in" if half else "is not in"
        return Database.CHANGED, f"{', '.join(done)} went in before; {script.name} {rest}."
    same = fingerprint(await read_catalog(db)) == context.run.fact(StepName.BACKUP, "fingerprint")
    if half:
        return (
            Database.UNKNOWN,
            f"{script.name} could not be one transaction ({script.outside}), so a part of it is in.",
        )
    if not same:
        return Database.UNKNOWN, f"{script.name} was rolled back, yet the schema is not as it was at the backup."
    return Database.UNTOUCHED, NOTHING


def _where(script: Script, failure: Failure) -> str:
    if failure.statement is None:
        return script.name
    return f"{script.name}, statement {failure.statement + 1} of {len(script.statements)} (line {failure.line})"


def _words(failure: Failure) -> str:
    return f"ERROR {failure.state}: {failure.text.rstrip('.')}" if failure.state else failure.text.rstrip(".")


def names(blockers: tuple[Blocker, ...]) -> str:
    """Who kept the lock, as the end of a sentence."""
    if not blockers:
        return "; nobody was seen to hold it for longer than a moment"
    named = "; ".join(
        f"{each.application or 'a session without a name'} (user {each.user}, pid {each.pid}, "
        f"in its transaction for {each.age_seconds:.0f} s: {each.query})"
        for each in blockers
    )
    return f"; it was kept by {named}"
