"""The sample migrations, run as the owner with psql, and the services' SQL on either side of them."""

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from bot.demo.casework import SAMPLE, Casework, run_script
from bot.demo.errors import ScriptFailed
from bot.demo.sample_work import FIRST_RELEASE, Refused, background, login, workflows

MIGRATIONS = SAMPLE / "migrations"
FINGERPRINT = """
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || coalesce(column_default, '')
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT viewname || definition FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT relname || ' ' || relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT description FROM pg_description WHERE objoid >= 16384
UNION ALL SELECT 'names ' || md5(string_agg(x, '' ORDER BY x)) FROM
  (SELECT coalesce(to_jsonb(u) ->> 'full_name', to_jsonb(u) ->> 'display_name') AS x FROM users u) AS names
UNION ALL SELECT 'rows ' || (SELECT count(*) FROM cases) || ' ' || (SELECT count(*) FROM case_notes)
ORDER BY 1
"""


async def column(dsn: str, query: str) -> list[object]:
    """The first column of a query."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
        return [row[0] for row in await (await db.execute(query)).fetchall()]


async def migrate(casework: Casework, name: str, *, one_transaction: bool = True) -> None:
    """Run one sample migration as the owner."""
    await run_script(casework.owner_dsn, MIGRATIONS / f"{name}.sql", one_transaction=one_transaction)


async def test_001_does_what_it_says(casework: Casework) -> None:
    """Every case gets a priority and its last activity, every document a checksum; the new key is validated."""
    await migrate(casework, "001_add_case_priority")

    assert [0] == await column(
        casework.app_dsn, "SELECT count(*) FROM cases WHERE last_activity_at IS NULL OR priority NOT IN (1, 2, 3)"
    )
    assert [0] == await column(casework.app_dsn, "SELECT count(*) FROM documents WHERE length(checksum) <> 64")
    assert [True] == await column(
        casework.app_dsn, "SELECT convalidated FROM pg_constraint WHERE conname = 'time_entries_approved_by_fk'"
    )
    assert [True] == await column(casework.app_dsn, "SELECT count(*) > 0 FROM case_watchers")


@pytest.mark.parametrize("name", ["001_add_case_priority", "003_rename_user_name"])
async def test_down_is_the_way_back(casework: Casework, name: str) -> None:
    """Up and down leave the schema, its grants and its comments as they were, and up works again."""
    before = await column(casework.owner_dsn, FINGERPRINT)
    await migrate(casework, name)
    changed = await column(casework.owner_dsn, FINGERPRINT)
    await migrate(casework, f"{name}.down")
    after = await column(casework.owner_dsn, FINGERPRINT)
    await migrate(casework, name)

    assert before != changed
    assert before == after
    assert changed == await column(casework.owner_dsn, FINGERPRINT)


async def test_002_cannot_run_in_one_transaction(casework: Casework) -> None:
    """PostgreSQL refuses it inside a transaction; outside of one both indexes are made and valid."""
    with pytest.raises(ScriptFailed, match="CREATE INDEX CONCURRENTLY cannot run inside a transaction block"):
        await migrate(casework, "002_add_search_index")
    await migrate(casework, "002_add_search_index", one_transaction=False)

    assert [True, True] == await column(
        casework.owner_dsn,
        "SELECT indisvalid FROM pg_index WHERE indexrelid IN"
        " ('documents_search_idx'::regclass, 'clients_name_idx'::regclass)",
    )


async def test_900_fails_at_its_end_and_changes_nothing(casework: Casework) -> None:
    """A foreign key violation after real changes takes all of them back."""
    before = await column(casework.owner_dsn, FINGERPRINT)
    with pytest.raises(ScriptFailed, match='violates foreign key constraint "hearings_case_id_fkey"'):
        await migrate(casework, "900_broken")

    assert before == await column(casework.owner_dsn, FINGERPRINT)


@pytest.mark.parametrize(
    ("release", "migrations"),
    [
        (FIRST_RELEASE, ()),
        (FIRST_RELEASE, ("001_add_case_priority",)),
        (FIRST_RELEASE, ("001_add_case_priority", "002_add_search_index")),
        (FIRST_RELEASE, ("001_add_case_priority", "001_add_case_priority.down")),
        ("2.0.0", ("003_rename_user_name",)),
        (FIRST_RELEASE, ("003_rename_user_name", "003_rename_user_name.down")),
    ],
)
async def test_the_services_work_on_every_schema(casework: Casework, release: str, migrations: tuple[str, ...]) -> None:
    """Login, case creation, upload, search, dashboard and the sweep run as the services' role, before and after."""
    for name in migrations:
        await migrate(casework, name, one_transaction=not name.startswith("002"))
    async with await psycopg.AsyncConnection[DictRow].connect(casework.app_dsn, row_factory=dict_row) as db:
        answers = {path: await work(db, {}) for (_, path), work in workflows(release).items()}
        await background(db)
        with pytest.raises(Refused, match="wrong password"):
            await login(db, {"password": "guess"}, name="email")

    assert "C-000601" == answers["/cases"]["number"]
    assert answers["/cases"]["id"] == answers["/documents"]["case_id"]
    assert (1, True) == (answers["/login"]["id"], bool(answers["/login"]["name"]))
    assert 0 < len(answers["/search"]["results"]) <= 10
    assert ["name", "cases", "hours"] == list(answers["/dashboard"])


@pytest.mark.parametrize(("release", "migrations"), [(FIRST_RELEASE, ("003_rename_user_name",)), ("2.0.0", ())])
async def test_a_release_needs_the_schema_it_was_written_for(
    casework: Casework, release: str, migrations: tuple[str, ...]
) -> None:
    """Release 1 after 003, and release 2 before it, log nobody in and show no dashboard; all else goes on."""
    for name in migrations:
        await migrate(casework, name)
    broken = set[str]()
    async with await psycopg.AsyncConnection[DictRow].connect(casework.app_dsn, row_factory=dict_row) as db:
        for (_, path), work in workflows(release).items():
            try:
                async with db.transaction():
                    await work(db, {})
            except psycopg.errors.UndefinedColumn:
                broken.add(path)

    assert {"/login", "/dashboard"} == broken
