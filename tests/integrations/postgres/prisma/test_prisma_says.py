"""What Prisma prints, native engine and driver adapter, read as hints; and its codes as sentences."""

import pytest

from integrations.postgres.prisma.codes import CODES
from integrations.postgres.prisma.said import Said, read

NATIVE_FAILURE = """
Prisma schema loaded from prisma/schema.prisma
Datasource "db": PostgreSQL database "shop", schema "public" at "db.example.com:6432"

13 migrations found in prisma/migrations

Applying migration `20260101000000_first`
Applying migration `20260102000000_second`
Error: P3018

A migration failed to apply. New migrations cannot be applied before the error is recovered from.

Migration name: 20260102000000_second

Database error code: 23505

Database error:
ERROR: could not create unique index "users_email_key"
DETAIL: Key (email)=(ann@example.com) is duplicated.

DbError { severity: "ERROR", parsed_severity: Some(Error), code: SqlState(E23505), message: "could not create" }
"""
ADAPTER_FAILURE = """
Datasource "db": PostgreSQL database "shop", schema "app" using driver adapter "@prisma/adapter-pg"
Error: external connector error
Error querying the database: ERROR: canceling statement due to lock timeout
   0: sql_schema_connector::apply_migration::apply_script
           with migration_name="20260102000000_second"
"""
ADAPTER_NULL = """
Error: external connector error
Error querying the database: Null constraint violation on the fields: (`court`)
   0: sql_schema_connector::apply_migration::apply_script
"""
LOCKED = """
Error: P1002

The database server at `db.example.com:5432` was reached but timed out.

Context: Timed out trying to acquire a postgres advisory lock (SELECT pg_advisory_lock(72707369)). Timeout: 10000ms.
"""
EARLIER = """
Error: P3009

migrate found failed migrations in the target database, new migrations will not be applied.
The `20260102000000_second` migration started at 2026-01-02 09:00:00.000 UTC failed
"""


def test_a_native_failure_is_understood() -> None:
    """Code, SQLSTATE, migration, place and error; never the values of a row."""
    said = read(NATIVE_FAILURE.splitlines())

    assert ("P3018", "23505", "20260102000000_second") == (said.code, said.state, said.migration)
    assert ("shop", "public", "db.example.com:6432") == (said.database, said.schema, said.server)
    assert 'could not create unique index "users_email_key"' == said.text
    assert "ann@example.com" not in said.words


def test_a_driver_adapters_failure_is_understood_without_its_code() -> None:
    """No code and no SQLSTATE are printed: PostgreSQL's own words give the state."""
    said = read(ADAPTER_FAILURE.splitlines())

    assert ("", "55P03", "20260102000000_second") == (said.code, said.state, said.migration)
    assert ("shop", "app", "") == (said.database, said.schema, said.server)
    assert said.lock


def test_an_adapters_own_wording_of_an_error_is_understood() -> None:
    said = read(ADAPTER_NULL.splitlines())

    assert ("23502", "Null constraint violation on the fields: (`court`)") == (said.state, said.text)


def test_prismas_own_lock_counts_as_a_lock() -> None:
    """P1002 with the advisory lock in its words may be tried again; P1002 of a dead network may not."""
    held = read(LOCKED.splitlines())
    dead = read(["Error: P1002", "", "The database server at `db.example.com:5432` was reached but timed out."])

    assert "P1002" == held.code
    assert held.lock
    assert not dead.lock


def test_a_failed_migration_is_named() -> None:
    said = read(EARLIER.splitlines())

    assert ("P3009", "20260102000000_second") == (said.code, said.migration)


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("Error: Can't reach database server at `127.0.0.1:1`", "P1001"),
        ("Error: Authentication failed against the database server, the provided credentials are not valid", "P1000"),
        ('Error: Database "shop" does not exist', "P1003"),
        ("Error: User was denied access on the database `shop`", "P1010"),
        ("Error: Server has closed the connection.", "P1017"),
        ("error: Environment variable not found: DATABASE_URL.", "P1012"),
    ],
)
def test_words_stand_for_a_code_that_is_not_printed(printed: str, code: str) -> None:
    assert code == read([printed]).code


def test_what_says_nothing_means_nothing() -> None:
    assert Said() == read(["", "All migrations have been successfully applied."])


def test_every_code_is_a_sentence_with_something_to_do() -> None:
    """Meaning in half a sentence, advice in whole ones, and no code sends people to reset a database."""
    for code, known in CODES.items():
        assert known.meaning, code
        assert not known.meaning.endswith("."), code
        assert known.advice.endswith((".", "retry")), code
        assert "migrate reset" not in known.advice, code
