"""The sample production database and the demo's folder."""

import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from bot.demo import casework as sample
from bot.demo.casework import Casework
from bot.demo.errors import ScriptFailed
from bot.demo.postgres import EmbeddedPostgres
from bot.demo.world import NotADemoFolder, World, prepare

TABLES = ("users", "clients", "cases", "documents", "case_notes", "time_entries", "audit_log")


async def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    """All rows of a query."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
        return await (await db.execute(query)).fetchall()


async def run(dsn: str, statement: str) -> None:
    """Execute and commit."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
        await db.execute(statement)


async def counts(dsn: str) -> Mapping[str, int]:
    """Rows by table."""
    each = " UNION ALL ".join(f"SELECT '{table}', count(*)::int FROM {table}" for table in TABLES)
    return {str(table): int(str(count)) for table, count in await rows(dsn, each)}


@pytest_asyncio.fixture
async def full(pg: EmbeddedPostgres) -> AsyncIterator[str]:
    """The sample's rows at full scale, in a database of their own."""
    name = f"full_{secrets.token_hex(4)}"
    await sample.create_database(pg, name, owner="postgres")
    await sample.run_script(pg.dsn(name), sample.SAMPLE / "schema.sql")
    await sample.run_script(pg.dsn(name), sample.SAMPLE / "data.sql", variables={"scale": "1"})
    yield pg.dsn(name)
    await sample.drop_database(pg, name)


async def test_full_scale_is_a_third_of_a_million_rows(full: str) -> None:
    """At scale 1 there are at least 300,000 rows, and every key, check and view holds over them."""
    await sample.run_script(full, sample.SAMPLE / "constraints.sql")
    found = await counts(full)

    assert 300_000 <= sum(found.values())
    assert (400, 30_000, 90_000) == (found["users"], found["cases"], found["documents"])


async def test_the_sample_is_the_same_every_time(casework: Casework, pg: EmbeddedPostgres) -> None:
    """Two builds hold the same rows, byte for byte."""
    digest = " UNION ALL ".join(
        f"SELECT '{t}', md5(string_agg(t::text, '' ORDER BY t.id)) FROM "
        + (f"(SELECT {'id, email, password_hash' if t == 'users' else '*'} FROM {t}) AS t")
        for t in TABLES
    )
    again = f"again_{secrets.token_hex(4)}"
    await sample.create_database(pg, again, owner="postgres")
    await sample.run_script(pg.dsn(again), sample.SAMPLE / "schema.sql")
    await sample.run_script(pg.dsn(again), sample.SAMPLE / "data.sql", variables={"scale": "0.02"})
    rebuilt = await rows(pg.dsn(again), digest)
    await sample.drop_database(pg, again)

    assert await rows(casework.superuser_dsn, digest) == rebuilt


async def test_it_has_what_a_real_schema_has(casework: Casework) -> None:
    """Enum, identity, owned sequence, checks, keys, partitions, views, trigger and comments are all there."""
    found = await rows(
        casework.owner_dsn,
        """
        SELECT (SELECT count(*) FROM pg_enum),
               (SELECT count(*) FROM pg_attribute WHERE attidentity = 'a' AND attrelid = 'cases'::regclass),
               pg_get_serial_sequence('cases', 'number'),
               (SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conname LIKE '%\\_%' AND conrelid IN
                 ('users'::regclass, 'clients'::regclass, 'cases'::regclass,
                  'documents'::regclass, 'time_entries'::regclass)),
               (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0),
               (SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_log'::regclass),
               (SELECT count(*) FROM pg_views WHERE schemaname = 'public'),
               (SELECT count(*) FROM pg_matviews WHERE ispopulated),
               (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
               (SELECT count(*) FROM pg_description WHERE objoid IN ('cases'::regclass, 'audit_log'::regclass))
        """,
    )

    assert [(5, 1, "public.case_number_seq", 6, 9, 13, 2, 1, 1, 3)] == found


async def test_a_change_of_status_is_recorded(casework: Casework) -> None:
    """The trigger writes who and what to the audit log, into the partition for the rest of time."""
    for status in ("closed", "archived"):  # the first of them is no change: it is closed
        await run(casework.app_dsn, f"UPDATE cases SET status = '{status}' WHERE number = 'C-000010'")

    assert [("case.status", 10, "closed", "archived")] == await rows(
        casework.app_dsn, "SELECT action, entity_id, detail ->> 'from', detail ->> 'to' FROM audit_log_later"
    )


async def test_services_may_not_change_the_schema(casework: Casework) -> None:
    """The services' role reads and writes rows and nothing else."""
    for forbidden in (
        "CREATE TABLE mine ()",
        "ALTER TABLE cases ADD COLUMN x int",
        "TRUNCATE cases",
        "DROP VIEW open_cases",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await run(casework.app_dsn, forbidden)

    assert [(True,)] == await rows(casework.app_dsn, "SELECT count(*) > 0 FROM open_cases")


async def test_the_owner_can_do_what_a_migration_needs(casework: Casework) -> None:
    """The owner makes and renames databases and sees and ends the services' sessions, without being superuser."""
    side = f"{casework.name}_side"
    await run(casework.owner_dsn, f"CREATE DATABASE {side}")
    await run(casework.owner_dsn, f"ALTER DATABASE {side} RENAME TO {side}_kept")
    await run(casework.owner_dsn, f"DROP DATABASE {side}_kept")
    service = await psycopg.AsyncConnection.connect(casework.app_dsn, application_name="casework-web")
    await service.execute("SELECT 'busy'")
    seen = await rows(
        casework.owner_dsn,
        "SELECT query, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'casework-web'",
    )
    await service.close()

    assert [("SELECT 'busy'", True)] == seen
    assert [(False,)] == await rows(casework.owner_dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")


async def test_a_script_that_fails_says_where(casework: Casework, tmp_path: Path) -> None:
    """psql's own words are in the error; the password is not."""
    script = tmp_path / "wrong.sql"
    script.write_text("SELECT 1;\nSELEKT 2;\n")

    with pytest.raises(ScriptFailed, match=r'wrong.sql:2: ERROR:  syntax error at or near "SELEKT"') as failed:
        await sample.run_script(casework.owner_dsn, script)
    assert str(psycopg.conninfo.conninfo_to_dict(casework.owner_dsn)["password"]) not in str(failed.value)


async def small(folder: Path, *, fresh: bool = False) -> World:
    """The demo's world, with few rows."""
    return await prepare(folder, fresh=fresh, scale=0.002)


async def test_preparing_again_keeps_everything(server_folder: Path) -> None:
    """The second start finds rows, edited migrations, passwords and ports as people left them."""
    world = await small(server_folder)
    await run(world.production.owner_dsn, "INSERT INTO clients (name) VALUES ('Kept')")
    await run(world.store_dsn, "CREATE TABLE kept ()")
    (world.migrations / "003_mine.sql").write_text("SELECT 1;")
    await world.postgres.stop()
    again = await small(server_folder)
    kept = await rows(again.production.app_dsn, "SELECT count(*) FROM clients WHERE name = 'Kept'")
    await again.postgres.stop()

    assert [(1,)] == kept
    assert (world.production, world.store_dsn, world.ports) == (again.production, again.store_dsn, again.ports)
    assert (again.migrations / "003_mine.sql").exists()
    assert 0o600 == (server_folder / "passwords.json").stat().st_mode & 0o777


async def test_fresh_starts_over(server_folder: Path) -> None:
    """``fresh`` forgets rows, side databases and files; only the sample is there again."""
    world = await small(server_folder)
    await run(world.production.owner_dsn, "INSERT INTO clients (name) VALUES ('Gone')")
    await run(world.production.owner_dsn, "CREATE DATABASE casework_prod_evidence")
    (world.migrations / "003_mine.sql").write_text("SELECT 1;")
    (world.backups / "old.dump").write_text("old")
    await world.postgres.stop()
    again = await small(server_folder, fresh=True)
    left = await rows(again.production.app_dsn, "SELECT count(*) FROM clients WHERE name = 'Gone'")
    databases = await sample.databases(again.postgres)
    await again.postgres.stop()

    assert [(0,)] == left
    assert ("casework_prod", "migrate_bot") == databases
    assert not (again.migrations / "003_mine.sql").exists()
    assert [] == list(again.backups.iterdir())


async def test_a_folder_with_other_content_is_left_alone(tmp_path: Path) -> None:
    """The demo never makes itself at home, or deletes, where somebody keeps files."""
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(NotADemoFolder, match="Name an empty or a new folder"):
        await prepare(tmp_path, fresh=True)
    assert ["thesis.txt"] == [path.name for path in tmp_path.iterdir()]
