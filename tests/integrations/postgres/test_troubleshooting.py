"""Every entry of the troubleshooting table, met on a real server, or replayed where that cannot be had here."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from bot.advice import OTHERWISE, as_markdown, explain, find
from bot.advice_table import TABLE
from bot.demo import casework as sample
from bot.demo.postgres import EmbeddedPostgres

DOC = Path(__file__).parents[3] / "docs" / "troubleshooting.md"
SETUP = """
CREATE TABLE parents (id int PRIMARY KEY, name text);
CREATE TABLE children (id int, parent int, note text, amount int, at tsrange);
INSERT INTO parents VALUES (1, 'a'), (2, NULL);
INSERT INTO children VALUES (1, 1, 'long words', 70000, '[2026-01-01,2026-01-03)'),
                            (1, 9, 'no number', -1, '[2026-01-02,2026-01-04)');
CREATE VIEW users_of_it AS SELECT name FROM parents;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM parents;
CREATE TYPE mood AS ENUM ('calm');
CREATE ROLE troubled LOGIN PASSWORD 'troubled' CONNECTION LIMIT 1;
"""
#: The name of the entry, and the statements of which the last one fails.
MET = (
    ("Foreign key constraint violation", "ALTER TABLE children ADD FOREIGN KEY (parent) REFERENCES parents"),
    ("Migration timeout", "SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)"),
    ("New columns or tables not visible", "UPDATE parents SET nick = name"),
    ("New columns or tables not visible", "ALTER TABLE nobodys ADD COLUMN x int"),
    ("Table exists already", "CREATE TABLE parents (id int)"),
    ("Table exists already", "ALTER TABLE parents ADD CONSTRAINT c CHECK (id > 0);"
     "ALTER TABLE parents ADD CONSTRAINT c CHECK (id > 0)"),
    ("Column exists already", "ALTER TABLE parents ADD COLUMN name text"),
    ("Rows without a value", "ALTER TABLE parents ALTER COLUMN name SET NOT NULL"),
    ("Duplicate values", "CREATE UNIQUE INDEX ON children (id)"),
    ("Rows break a check", "ALTER TABLE children ADD CHECK (amount > 0)"),
    ("Overlapping rows", "ALTER TABLE children ADD EXCLUDE USING gist (at WITH &&)"),
    ("Not in a transaction", "CREATE INDEX CONCURRENTLY ON children (id)"),
    ("Read-only", "SET TRANSACTION READ ONLY; CREATE TABLE more (id int)"),
    ("New enum value used too early", "ALTER TYPE mood ADD VALUE 'loud'; SELECT 'loud'::mood"),
    ("Syntax error", "ALTER TABEL parents"),
    ("Unknown function or type", "SELECT nobodys_function(1)"),
    ("Unknown function or type", "ALTER TABLE parents ADD COLUMN x nobodys_type"),
    ("Others depend on it", "ALTER TABLE parents DROP COLUMN name"),
    ("Value too long", "ALTER TABLE children ALTER COLUMN note TYPE varchar(3)"),
    ("Number out of range", "ALTER TABLE children ALTER COLUMN amount TYPE smallint"),
    ("Text that is no such value", "ALTER TABLE children ALTER COLUMN note TYPE int USING note::int"),
    ("Encoding", "SELECT convert_from('\\xff'::bytea, 'UTF8')"),
    ("Types do not fit", "ALTER TABLE children ALTER COLUMN note TYPE int"),
    ("Key without uniqueness", "ALTER TABLE children ADD FOREIGN KEY (note) REFERENCES parents (name)"),
    ("Object in use", "CREATE TABLE deferred (id int PRIMARY KEY, up int REFERENCES deferred DEFERRABLE INITIALLY "
     "DEFERRED); INSERT INTO deferred VALUES (1, 1); ALTER TABLE deferred ADD COLUMN x int"),
    ("Not in that state", "REFRESH MATERIALIZED VIEW CONCURRENTLY kept"),
    ("Not supported", "ALTER TABLE parents ALTER COLUMN name TYPE varchar(50)"),
    ("Too much for the server", "DO $$ BEGIN EXECUTE 'CREATE TABLE wide ('"
     " || (SELECT string_agg('c' || n || ' int', ',') FROM generate_series(1, 1601) n) || ')'; END $$"),
    ("Permission denied", "SET ROLE troubled; ALTER TABLE parents ADD COLUMN x int"),
)  # fmt: skip
#: What no test may do to the machine, or what the packaged tools cannot: the words as they were once printed.
REPLAYED = (
    ("Disk full", "53100", 'ERROR:  could not extend file "base/16384/24576": No space left on device'),
    ("Out of memory", "53200", "ERROR:  out of memory DETAIL:  Failed on request of size 1073741823."),
    ("Could not serialize", "40001", "ERROR:  could not serialize access due to concurrent update"),
    ("Invalid index left behind", "", 'WARNING: index "cases_idx" is invalid'),
    ("Client tools too old", "", "pg_dump: error: aborting because of server version mismatch"),
    ("No TLS in the client tools", "", 'sslmode value "require" invalid when SSL support is not compiled in'),
)


@dataclass(frozen=True)
class Ward:
    """A database in which everything may go wrong."""

    pg: EmbeddedPostgres
    name: str

    @property
    def dsn(self) -> str:
        return self.pg.dsn(self.name)

    async def error(self, statements: str) -> psycopg.Error:
        """Of the last of these, in one transaction that is undone."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as db:
            with pytest.raises(psycopg.Error) as caught:
                await db.execute(statements.encode())
            await db.rollback()
        return caught.value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ward(pg: EmbeddedPostgres) -> AsyncIterator[Ward]:
    name = f"ward_{secrets.token_hex(4)}"
    await sample.create_database(pg, name, owner="postgres")
    async with await psycopg.AsyncConnection.connect(pg.dsn(name), autocommit=True) as db:
        await db.execute("DROP ROLE IF EXISTS troubled")
        await db.execute(SETUP.encode())
    yield Ward(pg, name)
    await sample.drop_database(pg, name)
    async with await psycopg.AsyncConnection.connect(pg.dsn(), autocommit=True) as db:
        await db.execute("DROP ROLE troubled")


def named(error: psycopg.Error) -> str:
    """The entry that the error leads to."""
    found = find(error.sqlstate or "", str(error))
    return found.name if found else f"nothing for {error.sqlstate}: {error}"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("entry", "statements"), MET)
async def test_what_a_statement_meets(ward: Ward, entry: str, statements: str) -> None:
    """Found by its SQLSTATE; its words alone lead there too, where the entry has words."""
    error = await ward.error(statements)
    assert entry == named(error)
    by_words = find("", str(error))
    assert by_words is None or by_words.name == entry


@pytest.mark.asyncio(loop_scope="module")
async def test_a_lock_that_is_not_had(ward: Ward) -> None:
    async with await psycopg.AsyncConnection.connect(ward.dsn) as holder:
        await holder.execute("LOCK TABLE parents IN ACCESS EXCLUSIVE MODE")
        error = await ward.error("SET LOCAL lock_timeout = '50ms'; ALTER TABLE parents ADD COLUMN x int")
    assert "Lock not available" == named(error)


@pytest.mark.asyncio(loop_scope="module")
async def test_two_that_wait_for_each_other(ward: Ward) -> None:
    async with (
        await psycopg.AsyncConnection.connect(ward.dsn) as one,
        await psycopg.AsyncConnection.connect(ward.dsn) as two,
    ):
        await one.execute("UPDATE parents SET name = 'x' WHERE id = 1")
        await two.execute("SET LOCAL deadlock_timeout = '50ms'")
        await two.execute("UPDATE parents SET name = 'y' WHERE id = 2")
        await one.execute("SET LOCAL deadlock_timeout = '10s'")
        waiting = asyncio.create_task(one.execute("UPDATE parents SET name = 'x' WHERE id = 2"))
        with pytest.raises(psycopg.errors.DeadlockDetected) as caught:
            await two.execute("UPDATE parents SET name = 'y' WHERE id = 1")
        await two.rollback()
        await waiting
        await one.rollback()
    assert "Deadlock" == named(caught.value)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_session_that_is_ended(ward: Ward) -> None:
    async with await psycopg.AsyncConnection.connect(ward.dsn, autocommit=True) as db:
        with pytest.raises(psycopg.errors.AdminShutdown) as caught:
            await db.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert "Ended by an administrator" == named(caught.value)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("entry", "change"),
    [
        ("Application cannot connect", {"port": "1"}),
        ("Password or role refused", {"user": "troubled", "password": "wrong"}),
        ("No such database", {"dbname": "nobodys"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_who_is_not_let_in(ward: Ward, entry: str, change: dict[str, str]) -> None:
    """libpq gives no SQLSTATE for it: its words count."""
    with pytest.raises(psycopg.OperationalError) as caught:
        await psycopg.AsyncConnection.connect(psycopg.conninfo.make_conninfo(ward.dsn, **change))
    assert entry == named(caught.value)


@pytest.mark.asyncio(loop_scope="module")
async def test_no_connection_is_left(ward: Ward) -> None:
    dsn = psycopg.conninfo.make_conninfo(ward.dsn, user="troubled", password="troubled")
    async with await psycopg.AsyncConnection.connect(dsn):
        with pytest.raises(psycopg.OperationalError) as caught:
            await psycopg.AsyncConnection.connect(dsn)
    assert "Too many connections" == named(caught.value)


@pytest.mark.parametrize(("entry", "state", "text"), REPLAYED)
def test_what_is_only_replayed(entry: str, state: str, text: str) -> None:
    """As it was printed by real ones."""
    found = find(state, text)
    assert found is not None
    assert (entry, found.do) == (found.name, explain(state, text))


def test_every_entry_is_met_or_replayed() -> None:
    met = {entry for entry, _ in MET} | {entry for entry, *_ in REPLAYED}
    met |= {"Lock not available", "Deadlock", "Ended by an administrator", "Too many connections"}
    met |= {"Application cannot connect", "Password or role refused", "No such database"}
    assert {each.name for each in TABLE} == met
    assert len(TABLE) >= 24


def test_what_nobody_knows_is_looked_up_in_the_log() -> None:
    assert OTHERWISE == explain("XX000", "nothing known")


def test_the_page_is_the_table() -> None:
    """``docs/troubleshooting.md`` is written from it."""
    assert as_markdown() == DOC.read_text("utf-8")
