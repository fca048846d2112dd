"""One migration file run on the copy, measured statement by statement, on a session like psql's.

The statements, their transaction and their limits are those of the apply step.  What only psql can run (COPY with its
data in the file, what does not parse) is run by psql as the step does it, and measured as a whole.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import psycopg
from psycopg.pq import TransactionStatus

from integrations.postgres.connect import Session
from integrations.postgres.drill.held import Watch, holding
from integrations.postgres.drill.measure import Held, locks_of, taken, wal_of
from integrations.postgres.drill.stand import Stand, by_psql
from integrations.postgres.markers import insert_statement
from integrations.postgres.own import note_statement
from integrations.postgres.psql import CONNECTION_CHECK, Failure, without_values
from integrations.postgres.risk.model import UNKNOWN, Lock
from integrations.postgres.script import Script
from integrations.postgres.statements import Statement, normalised

_HEAD = 80  # characters of a statement that people see
_BY_ITSELF = ("do_stmt", "call_stmt")  # they may commit, so nothing may be wrapped around them


@dataclass
class _Did:
    """What one statement did; filled in as far as it got."""

    seconds: float = 0.0
    locks: dict[str, Lock] = field(default_factory=dict)
    rewrote: tuple[str, ...] = ()


async def run_file(stand: Stand, script: Script) -> Failure | None:
    """Run it with its marks; why it failed, in the words of the apply step."""
    if not script.statements or any(each.kind == "copy_stmt" for each in script.statements):
        return await by_psql(stand, script)
    try:
        async with _like_psql(stand, script) as db:
            return await _File(stand, db, script).run()
    except psycopg.Error as error:
        return _failure(error)


@asynccontextmanager
async def _like_psql(stand: Stand, script: Script) -> AsyncIterator[Session]:
    """A session with the settings that the apply step gives to psql, and none of ours."""
    word = "SET" if script.outside else "SET LOCAL"
    db = await psycopg.AsyncConnection.connect(
        stand.dsn, autocommit=True, application_name=stand.context.application_name, client_encoding="utf8"
    )
    try:
        if not script.outside:
            await db.execute("BEGIN")
        for each in (
            CONNECTION_CHECK.format(stand.limits.connect_check),
            f"{word} lock_timeout = {int(stand.lock_timeout * 1000)}",
            f"{word} statement_timeout = {int(stand.context.target.statement_timeout * 1000)}",
            "SET standard_conforming_strings = on",
        ):
            await db.execute(each.encode())
        yield db
    finally:
        await db.close()  # what is not committed is rolled back


class _File:
    """One file on its session, statement after statement."""

    def __init__(self, stand: Stand, db: Session, script: Script) -> None:
        self._stand, self._db, self._script = stand, db, script
        self._pid = db.info.backend_pid
        self._held: Held = {}

    async def run(self) -> Failure | None:
        """All statements, then the marks and the commit."""
        count = len(self._script.statements)
        for number, each in enumerate(self._script.statements):
            text = f"{self._script.name} on the copy: statement {number + 1} of {count}"
            await self._stand.context.progress(text, number / count)
            try:
                await self._one(number, each)
            except psycopg.Error as error:
                return _failure(error, each, number)
        return None if self._script.outside else await self._commit()

    async def _commit(self) -> Failure | None:
        """It may still fail: deferred constraints are checked now."""
        run = self._stand.context.run.id
        notes = (insert_statement(run, self._script), note_statement(run, self._script))
        try:
            for text in ("RESET ROLE", *notes, "COMMIT"):
                await self._db.execute(text.encode())
        except psycopg.Error as error:
            return _failure(error)
        return None

    async def _one(self, number: int, each: Statement) -> None:
        """Run and measure it; its time counts even where it fails."""
        eye, did, began = self._stand.eye, _Did(), time.monotonic()
        wal = await wal_of(eye)
        try:
            await self._measured(number, each, did)
        finally:
            seconds = did.seconds or time.monotonic() - began
            head, wrote = normalised(each.text)[:_HEAD], await wal_of(eye) - wal
            self._stand.note(self._script, each.first_line, head, seconds, did.locks, did.rewrote, wrote)

    async def _measured(self, number: int, each: Statement, did: _Did) -> None:
        """A statement that would commit by itself is held open for a look, unless that would change what it does."""
        if not self._idle or each.setting or each.kind == "transaction_stmt":
            await self._in_block(number, each, did)
        elif each.outside or each.kind in _BY_ITSELF:
            await self._by_itself(number, each, did)
        else:
            await self._db.execute("BEGIN")
            await self._in_block(number, each, did)
            did.seconds += await self._timed("COMMIT")
        if self._idle:
            self._held = {}

    @property
    def _idle(self) -> bool:
        return self._db.info.transaction_status is TransactionStatus.IDLE

    async def _in_block(self, number: int, each: Statement, did: _Did) -> None:
        """Locks stay to the end of the transaction, and its files only it can see; a failed one has let go of all."""
        did.seconds = await self._timed(each.text)
        held = await locks_of(self._stand.eye, self._pid)
        did.locks, self._held = self._named(number, held), held
        if not self._idle:
            whole = [oid for oid, mode in held.items() if mode is Lock.ACCESS_EXCLUSIVE]
            did.rewrote = await self._stand.rewritten(self._db, whole)

    def _named(self, number: int, held: Held) -> dict[str, Lock]:
        """Locks it took anew; and of those held already, the ones that the risk check expects of it."""
        known = self._stand.known
        all_held, expected = known.named(held), self._stand.judged.get((self._script.name, number + 1), {})
        again = {name: mode for name, mode in expected.items() if all_held.get(name, 0) >= mode}
        new = known.named(taken(self._held, held))
        return {name: max(again.get(name, Lock.ACCESS_SHARE), new.get(name, Lock.ACCESS_SHARE)) for name in again | new}

    async def _by_itself(self, number: int, each: Statement, did: _Did) -> None:
        """Nobody can look at it afterwards, so it is looked at while it works."""
        stand = self._stand
        expected = dict(stand.judged.get((self._script.name, number + 1), {}))
        about = stand.known.tables if UNKNOWN in expected or not expected else stand.known.tables & expected.keys()
        hold = partial(holding, stand.dsn, stand.context.application_name, sorted(about))
        watch = Watch(eye=stand.eye, pid=self._pid, holding=hold)
        try:
            did.seconds = await watch.run(self._timed(each.text))
        finally:
            did.locks = stand.known.named(watch.found)
            stand.waited += watch.waited
            if not did.locks and UNKNOWN not in expected:
                did.locks = expected
                stand.expected += bool(expected)
        did.rewrote = await stand.rewritten(stand.eye, stand.files)

    async def _timed(self, text: str) -> float:
        began = time.monotonic()
        await self._db.execute(text.encode(), prepare=False)
        return time.monotonic() - began


def _failure(error: psycopg.Error, each: Statement | None = None, number: int | None = None) -> Failure:
    """As psql would have told it, without people's data."""
    said = error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
    detail = f" {without_values(error.diag.message_detail)}" if error.diag.message_detail else ""
    line = 0
    if each is not None:
        before = each.text[: int(error.diag.statement_position or 1) - 1]
        line = each.first_line + before.count("\n")
    return Failure(state=error.sqlstate or "", text=said + detail, line=line, statement=number)
