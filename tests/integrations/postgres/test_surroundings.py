"""Tools, connection strings, the catalog, and the proof that services have stopped."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from integrations.postgres.catalog import difference, fingerprint, read_catalog
from integrations.postgres.connect import connection_env, masked, session
from integrations.postgres.statements import normalised, parse
from integrations.postgres.stopped import application_sessions, writes_still
from integrations.postgres.tools import compression, find_tools, usual_folders


def test_connection_string_becomes_environment() -> None:
    """Everything libpq has a variable for travels by environment; the rest is no secret."""
    env, arguments = connection_env("postgresql://ann:p%40ss@db:6432/prod?sslmode=require&keepalives=1")

    assert {"PGUSER": "ann", "PGPASSWORD": "p@ss", "PGHOST": "db", "PGPORT": "6432",
            "PGDATABASE": "prod", "PGSSLMODE": "require"} == env  # fmt: skip
    assert ("-d", "keepalives=1") == arguments


def test_masked_has_no_password() -> None:
    """People see role, host, port and database."""
    assert "ann@db:6432/prod" == masked("postgresql://ann:p%40ss@db:6432/prod")


def test_unreadable_connection_string_is_not_repeated() -> None:
    """A string with a typo may hold the password: it is not printed back."""
    with pytest.raises(StepError) as caught:
        connection_env("postgresql://ann:hunter2@db:port:1/x?bad")

    assert "hunter2" not in str(caught.value) + caught.value.advice


async def test_unreachable_database_says_what_to_do() -> None:
    """The runbook's advice for "can't connect", without the password."""
    with pytest.raises(StepError, match="cannot be reached") as caught:
        async with session("postgresql://ann:hunter2@127.0.0.1:1/prod", "test"):
            raise AssertionError("it must not connect")

    assert "connection pool" in caught.value.advice
    assert "hunter2" not in caught.value.problem


async def test_newest_able_tools_are_found() -> None:
    """Tools at least as new as the server; the packaged ones only when nothing else will do."""
    tools = await find_tools(18, None)

    assert tools.major >= 18
    assert (tools.folder == EmbeddedPostgres.bin_dir()) == (not tools.preferred)
    assert await compression(tools) in ("zstd:1", "0")


async def test_setting_wins_over_search() -> None:
    """A configured folder is the only one looked into."""
    assert EmbeddedPostgres.bin_dir() == (await find_tools(10, EmbeddedPostgres.bin_dir())).folder


async def test_missing_tools_say_what_to_install(tmp_path: Path) -> None:
    """The error names the package and the setting."""
    with pytest.raises(StepError, match="PostgreSQL 99 or newer") as caught:
        await find_tools(99, None, usual_folders())
    with pytest.raises(StepError, match="client_tools"):
        await find_tools(18, tmp_path)

    assert "postgresql-client-99" in caught.value.advice


async def test_catalog_difference_reads_like_a_list(casework: Casework) -> None:
    """Every kind of object is seen; a change back gives the first fingerprint back."""
    async with session(casework.owner_dsn, "test") as db:
        before = await read_catalog(db)
        await db.execute("create type public.mood as enum ('ok')")
        await db.execute("alter table public.cases add column mood public.mood, alter column title drop not null")
        await db.execute("create function public.f() returns int language sql as 'select 1'")
        now = await read_catalog(db)
        await db.execute("drop function public.f()")
        await db.execute("alter table public.cases drop column mood, alter column title set not null")
        await db.execute("drop type public.mood")
        after = await read_catalog(db)

    lines = difference(before, now)
    assert "+ enum public.mood 'ok'" in lines
    assert "+ column public.cases.mood public.mood" in lines
    assert "~ column public.cases.title: text not null → text" in lines
    assert any(each.startswith("+ function public.f()") for each in lines)
    assert 4 == len(lines)
    assert fingerprint(before) == fingerprint(after) != fingerprint(now)


async def test_bots_own_schema_is_not_the_schema(casework: Casework) -> None:
    """The marker table never changes the fingerprint."""
    async with session(casework.owner_dsn, "test") as db:
        before = fingerprint(await read_catalog(db))
        await db.execute("create schema migrate_bot create table applied (x int)")

        assert before == fingerprint(await read_catalog(db))


async def test_application_sessions_are_seen_and_ours_are_not(casework: Casework) -> None:
    """Clients of the application are named; the bot's own sessions do not count."""
    async with (
        await psycopg.AsyncConnection.connect(casework.app_dsn, application_name="casework-web"),
        await psycopg.AsyncConnection.connect(casework.owner_dsn, application_name="migrate/r/apply"),
    ):
        found = await application_sessions(casework.owner_dsn)

    assert [("casework-web", "casework_app")] == [(each.application, each.user) for each in found]


async def test_no_timeout_of_a_role_ends_our_sessions(casework: Casework) -> None:
    """Whatever times a role or a database has set, none is in force for the bot, however new the server."""
    settled = (
        "select name, setting from pg_settings where name ~ '^(idle|lock|stat|trans).*timeout$' and context = 'user'"
    )
    async with await psycopg.AsyncConnection.connect(casework.superuser_dsn, autocommit=True) as db:
        names = [str(name) for name, _ in await (await db.execute(settled.encode())).fetchall()]
        for name in names:
            await db.execute(f'alter database "{casework.name}" set {name} = 100000'.encode())

    async with session(casework.owner_dsn, "test") as db:
        found = await (await db.execute(settled.encode())).fetchall()

    assert {"0"} == {value for _, value in found}
    assert {"lock_timeout", "idle_session_timeout"} <= set(names)


async def test_still_means_still(casework: Casework) -> None:
    """No writes: the verdict is yes. A row written meanwhile: no, with the table's name."""
    quiet = await writes_still(casework.owner_dsn, 0.1)
    watching = asyncio.create_task(writes_still(casework.owner_dsn, 3.0))
    statement = b"update clients set city = 'Bern' where id = 1"
    while not watching.done():
        async with await psycopg.AsyncConnection.connect(casework.app_dsn, autocommit=True) as db:
            await db.execute(statement)
        await asyncio.sleep(0.2)
    busy = await watching

    assert quiet.ok
    assert not busy.ok
    assert "public.clients" in busy.reason


def test_queries_lose_their_literals() -> None:
    """What people see of somebody's query holds no values, even if it was cut off."""
    assert "select * from t where a = $1" == normalised("select *\n from t where a = 'secret'")
    assert "secret" not in normalised("select * from t where a = 'secret' and b = 'secr")
    assert "123456" not in normalised("select * from t where (((a = 123456")


def test_statements_know_their_lines_and_natures() -> None:
    """Lines, transaction limits and repeatability come from the parser, not from words in comments."""
    first, second, third = parse(
        "-- create index concurrently\nselect 1;\n\ncreate index concurrently if not exists i on t (a);\nvacuum t;"
    )

    assert ("", "CREATE INDEX CONCURRENTLY", "VACUUM") == (first.outside, second.outside, third.outside)
    assert [(2, 2), (4, 4), (5, 5)] == [(each.first_line, each.last_line) for each in (first, second, third)]
    assert (False, True, True) == (first.repeatable, second.repeatable, third.repeatable)
