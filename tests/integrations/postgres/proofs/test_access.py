"""CREDENTIALS and ACCESS, on a real server with real roles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.preparation.checklist import Item
from integrations.postgres.proofs import access
from tests.conftest import PASSWORDS
from tests.integrations.postgres.elder import BIN, elder
from tests.integrations.postgres.proofs.conftest import ADD, Looking, said


@asynccontextmanager
async def other(dsn: str, *statements: str, name: str = "somebody") -> AsyncIterator[psycopg.AsyncConnection[object]]:
    """Another session, in the midst of something."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name=name) as db:
        for each in statements:
            await db.execute(each)  # type: ignore[call-overload]
        yield db  # type: ignore[misc]


async def test_the_owner_may_migrate(looking: Looking) -> None:
    """Database, server, client programs and rights, each said."""
    looking.write("001.sql", ADD + "create index concurrently on cases (urgency);")

    credentials, rights = [await looking.at(item, access.look) for item in access.ITEMS]

    assert credentials.ok
    assert f"/{looking.casework.name}" in said(credentials)
    assert rights.ok
    assert "Rights looked at: cases" in said(rights)


async def test_a_wrong_password(looking: Looking) -> None:
    """The server's refusal is told; neither the right nor the wrong password is."""
    right = str(psycopg.conninfo.conninfo_to_dict(looking.target.dsn)["password"])
    looking.connect_as(looking.target.dsn.replace(right, "not-the-password"))

    credentials, rights = [await looking.at(item, access.look) for item in access.ITEMS]

    assert credentials.ok is False
    assert rights.ok is False
    assert "password authentication failed" in said(credentials)
    assert "not-the-password" not in said(credentials) + said(rights)
    assert right not in said(credentials) + said(rights)


async def test_another_database_than_planned(looking: Looking) -> None:
    """The plan names its database; a changed connection string is found out."""
    looking.write("001.sql", ADD)
    looking.draft = replace(looking.draft, plan=replace(looking.draft.plan, database="elsewhere"))

    found = await looking.at(Item.CREDENTIALS, access.look)

    assert found.ok is False
    assert "but elsewhere is planned" in said(found)


async def test_client_programs_older_than_the_server(looking: Looking) -> None:
    """pg_dump 15 cannot dump PostgreSQL 18: said with what to install."""
    looking.write("001.sql", ADD)
    looking.target = replace(looking.target, client_tools=BIN)

    found = await looking.at(Item.CREDENTIALS, access.look)

    assert found.ok is False
    assert "PostgreSQL 18 or newer are needed" in said(found)


async def test_a_role_without_rights(looking: Looking, stranger: str) -> None:
    """Everything that it lacks at once, with the statement that mends it."""
    looking.connect_as(stranger)
    looking.write("001.sql", ADD + "insert into clients (id) values (1); create table extra (id int);")

    found = await looking.at(Item.ACCESS, access.look)

    assert found.ok is False
    assert "cases belongs to casework_owner" in said(found)
    assert "lacks INSERT on clients" in said(found)
    assert "GRANT CREATE ON SCHEMA public" in said(found)
    assert "GRANT CREATE ON DATABASE" in said(found)
    assert "⚠️ No CREATEDB" in said(found)
    assert "⚠️ Sessions of other roles" in said(found)


async def test_a_member_of_the_owner_is_enough(looking: Looking, stranger: str) -> None:
    """No superuser is needed, nor the owner itself; without CREATEDB it is fine, but degraded."""
    role = psycopg.conninfo.conninfo_to_dict(stranger)["user"]
    await looking.as_superuser(f"grant casework_owner to {role}")
    looking.connect_as(stranger)
    looking.write("001.sql", ADD)

    found = await looking.at(Item.ACCESS, access.look)

    assert found.ok
    assert "⚠️ No CREATEDB" in said(found)


async def test_what_the_migration_makes_itself_needs_no_rights(looking: Looking) -> None:
    """A table that is not there yet belongs to nobody else."""
    looking.write("001.sql", "create table extra (id int primary key); alter table extra add column note text;")

    found = await looking.at(Item.ACCESS, access.look)

    assert found.ok


async def test_a_key_to_a_table_of_somebody_else(looking: Looking) -> None:
    """To refer to a table is a right of its own; owning it is not needed."""
    await looking.as_superuser("create table foreign_one (id int primary key)")
    looking.write("001.sql", "alter table cases add column one int references foreign_one (id);")
    without = await looking.at(Item.ACCESS, access.look)
    await looking.as_superuser("grant references on foreign_one to casework_owner")

    assert without.ok is False
    assert "lacks REFERENCES on foreign_one" in said(without)
    assert (await looking.at(Item.ACCESS, access.look)).ok


async def test_an_extension_that_nobody_has_installed(looking: Looking) -> None:
    """Found out before the window."""
    looking.write("001.sql", "create extension nobody_has_this;")

    found = await looking.at(Item.ACCESS, access.look)

    assert found.ok is False
    assert "The extension nobody_has_this is not installed on the server" in said(found)


async def test_a_read_only_database(looking: Looking) -> None:
    """Set for the database: every session begins so."""
    await looking.as_superuser(f'alter database "{looking.casework.name}" set default_transaction_read_only = on')
    looking.write("001.sql", ADD)

    found = await looking.at(Item.ACCESS, access.look)

    assert found.ok is False
    assert "read-only" in said(found)


async def test_somebody_holds_the_lock_of_prisma(looking: Looking) -> None:
    """Advisory lock 72707369, with who holds it; let go, it is fine again."""
    looking.write("001.sql", ADD)
    async with other(looking.casework.app_dsn, "select pg_advisory_lock(72707369)", name="deploy"):
        held = await looking.at(Item.ACCESS, access.look)

    assert held.ok is False
    assert "(deploy) holds Prisma's migration lock (advisory lock 72707369)" in said(held)
    assert (await looking.at(Item.ACCESS, access.look)).ok


async def test_the_same_number_in_another_database_is_nobodys_business(looking: Looking) -> None:
    """Advisory locks belong to a database."""
    looking.write("001.sql", ADD)
    async with other(looking.server.dsn("postgres"), "select pg_advisory_lock(72707369)"):
        assert (await looking.at(Item.ACCESS, access.look)).ok


async def test_another_tool_is_at_work(looking: Looking) -> None:
    """By its name; the bot's own rehearsal of this very plan does not count."""
    looking.write("001.sql", ADD)
    async with other(looking.casework.app_dsn, name="Flyway by Redgate"):
        busy = await looking.at(Item.ACCESS, access.look)
    guard = "select pg_advisory_lock(1835624306, 6451060)"
    async with other(looking.target.dsn, guard, name="migrate/drill-p-1/backup"):
        own = await looking.at(Item.ACCESS, access.look)
    async with other(looking.target.dsn, guard, name="migrate/m-2/apply"):
        another = await looking.at(Item.ACCESS, access.look)

    assert "calls itself a migration tool" in said(busy)
    assert own.ok
    assert "(migrate/m-2/apply) holds the guard" in said(another)


async def test_nothing_is_written(looking: Looking) -> None:
    """The look leaves no trace: not even the bot's own schema."""
    looking.write("001.sql", ADD)
    await looking.at(Item.ACCESS, access.look)

    async with await psycopg.AsyncConnection.connect(looking.casework.superuser_dsn) as db:
        row = await (await db.execute("select to_regnamespace('migrate_bot')")).fetchone()
    assert row == (None,)


async def test_an_older_server(looking: Looking) -> None:
    """PostgreSQL 15 is asked the same questions."""
    async with elder() as server:
        looking.connect_as(server.dsn("casework_elder", user="casework_owner", password=PASSWORDS["casework_owner"]))
        await looking_at_copy(server.dsn())
        looking.draft = replace(looking.draft, plan=replace(looking.draft.plan, database="casework_elder"))
        looking.write("001.sql", ADD)

        found = [await looking.at(item, access.look) for item in access.ITEMS]

    assert [True, True] == [each.ok for each in found], found


async def looking_at_copy(dsn: str) -> None:
    """The sample under a name of its own on that server."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
        await db.execute("create database casework_elder owner casework_owner template casework_template")


async def test_a_standby(looking: Looking, server_folder: Path) -> None:
    """A server in recovery answers every question and takes no write."""
    async with EmbeddedPostgres(server_folder / "data", durable=False) as server:
        await server.stop()
        (server_folder / "data" / "standby.signal").touch()
        await server.start()
        looking.connect_as(server.dsn())
        looking.draft = replace(looking.draft, plan=replace(looking.draft.plan, database="postgres"))

        found = await looking.at(Item.ACCESS, access.look)

    assert found.ok is False
    assert "This server is a standby: it takes no writes" in said(found)
