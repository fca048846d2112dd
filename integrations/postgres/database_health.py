"""The database's own health: what a person would look at before they call it well.

Nothing here is a violation: a migration is not undone for what an ANALYZE mends.  Limits are PostgreSQL's own where
its documentation names one ("Routine Vacuuming", "Preventing Transaction ID Wraparound Failures"), else habit.
"""

from collections.abc import Callable, Iterator, Mapping

import psycopg

from bot.runbook.wording import duration
from integrations.postgres.checks import Finding, Findings
from integrations.postgres.connect import Session, rows
from integrations.postgres.words import human_bytes, plural, several

FILE = "database_health.sql"
MOST_CONNECTIONS = 0.8  # of those that ordinary roles may make
OLD_TRANSACTION = 300  # seconds: such a session keeps locks and dead rows alive
LATE_REPLICA = 30  # seconds
IDLE_SLOT = 1 << 30  # bytes of WAL kept for nobody
DEAD_ROWS, DEAD_SHARE = 10_000, 0.2  # autovacuum_vacuum_scale_factor's default
LARGE = 1 << 20  # bytes: below, a plan without statistics is hardly worse
ENDING = 0.8  # of the numbers a sequence, or its column, has
OLD_IDS = 1_500_000_000  # of the 2,147,483,648 after which the server stops writing
MOST_NAMED = 5

_Rows = list[tuple[object, ...]]


async def database_health(db: Session) -> Findings:
    """What is worth a look, with what to do about it; one line that all is well where nothing is."""
    found: list[str] = []
    for block, (values, said) in _LOOKS.items():
        try:
            async with db.transaction():  # what asks for the size of a table waits for whoever holds that exclusively
                await db.execute("SET LOCAL lock_timeout = '1s'")
                found += said(await rows(db, block, values, FILE))
        except psycopg.Error as error:  # a look that this server refuses says nothing of the migration
            found.append(f"{block.replace('_', ' ')}: could not be looked at ({error.diag.message_primary or error})")
    if found:
        return tuple(Finding(text=f"Database health: {each}", notable=True) for each in found)
    return (Finding(text="Database health: nothing to note of " + ", ".join(_LOOKS).replace("_", " ")),)


async def unanalysed(db: Session) -> tuple[str, ...]:
    """Large tables with columns that the planner knows nothing of: quoted names."""
    async with db.transaction():
        await db.execute("SET LOCAL lock_timeout = '1s'")
        found = await rows(db, "without_statistics", {"bytes": LARGE}, FILE)
    return tuple(str(name) for name, _ in found)


def _connections(found: _Rows) -> Iterator[str]:
    for used, most in found:
        if int(str(used)) > MOST_CONNECTIONS * int(str(most)):
            yield f"{used} of {most} connections are in use: services that start now may get none; shrink their pools"


def _transactions(found: _Rows) -> Iterator[str]:
    if found:
        named = several([f"{who} (pid {pid}, {duration(float(str(age)))})" for pid, who, age in found])
        yield f"open for over {duration(OLD_TRANSACTION)}: {named}; their locks and dead rows stay until they end"


def _waiting(found: _Rows) -> Iterator[str]:
    for (count,) in found:
        if count:
            yield f"{plural(int(str(count)), 'session')} waiting for a lock"


def _replicas(found: _Rows) -> Iterator[str]:
    if found:
        named = several([f"{name} ({duration(float(str(lag)))})" for name, lag in found])
        yield f"replication lags: {named}; what reads there does not see the migration yet"


def _slots(found: _Rows) -> Iterator[str]:
    if found:
        named = several([f"{name} ({human_bytes(int(str(kept)))})" for name, kept in found])
        yield f"replication slots that nobody reads keep WAL: {named}; drop them before the disk is full"


def _dead(found: _Rows) -> Iterator[str]:
    if found:
        named = several([f"{name} ({int(str(dead)):,} dead, {int(str(live)):,} live)" for name, dead, live in found])
        tables = ", ".join(str(name) for name, *_ in found[:MOST_NAMED])
        yield f"dead rows: {named}; VACUUM (ANALYZE) {tables} once nothing holds them"


def _statistics(found: _Rows) -> Iterator[str]:
    if found:
        named = several([f"{table} ({several(_list(columns))})" for table, columns in found])
        tables = ", ".join(str(table) for table, _ in found[:MOST_NAMED])
        yield f"no statistics, so plans are guesses: {named}; run ANALYZE {tables}"


def _sequences(found: _Rows) -> Iterator[str]:
    for name, last, most in found[:MOST_NAMED]:
        share = int(str(last)) / int(str(most))
        yield f"sequence {name} is {share:.0%} used up ({int(str(last)):,} of {int(str(most)):,}): widen it to bigint"


def _ids(found: _Rows) -> Iterator[str]:
    for (age,) in found:
        if int(str(age)) > OLD_IDS:
            yield f"{int(str(age)):,} transaction ids since the last freeze, of 2,147,483,648: VACUUM (FREEZE) soon"


def _list(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


_LOOKS: Mapping[str, tuple[Mapping[str, object] | None, Callable[[_Rows], Iterator[str]]]] = {
    "connections": (None, _connections),
    "long_transactions": ({"seconds": OLD_TRANSACTION}, _transactions),
    "waiting": (None, _waiting),
    "replicas": ({"seconds": LATE_REPLICA}, _replicas),
    "slots": ({"bytes": IDLE_SLOT}, _slots),
    "dead_rows": ({"rows": DEAD_ROWS, "share": DEAD_SHARE}, _dead),
    "without_statistics": ({"bytes": LARGE}, _statistics),
    "ending_sequences": ({"share": ENDING}, _sequences),
    "transaction_ids": (None, _ids),
}
