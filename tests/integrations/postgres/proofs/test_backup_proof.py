"""BACKUP: the real pg_dump against a real server."""

from dataclasses import replace

import pytest

from bot.runbook.preparation.checklist import Item
from bot.target import StandbyPolicy
from integrations.postgres.proofs.backup import BackupProof
from tests.integrations.postgres.conftest import Stage
from tests.integrations.postgres.elder import BIN
from tests.integrations.postgres.proofs.conftest import ADD, Looking, said
from tests.integrations.postgres.test_room import full


async def test_the_dump_works_and_has_room(looking: Looking) -> None:
    """The folder need not be there yet."""
    looking.write("001.sql", ADD)

    found = await looking.at(Item.BACKUP, BackupProof().look)

    assert found.ok
    assert "read the whole schema in" in said(found)
    assert "No backup yet" in said(found)
    assert not looking.target.backups.exists()


async def test_the_newest_backup_is_named(looking: Looking, stage: Stage) -> None:
    """One of this very database, by its manifest."""
    stage.write("001.sql", ADD)
    await stage.backed_up()

    found = await looking.at(Item.BACKUP, BackupProof().look)

    assert "Newest backup: run-7, " in said(found)


async def test_a_full_disk(looking: Looking) -> None:
    """Both figures are said."""
    found = await looking.at(Item.BACKUP, BackupProof(spare=10**18).look)

    assert found.ok is False
    assert "free; the database has" in said(found)


async def test_no_room_for_the_copy(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's disk counts too, unless no standby copy is wanted."""
    full(monkeypatch)
    found = await looking.at(Item.BACKUP, BackupProof(spare=-(10**18)).look)
    looking.target = replace(looking.target, standby=StandbyPolicy.NONE)
    without = await looking.at(Item.BACKUP, BackupProof(spare=-(10**18)).look)

    assert "The server's disk has 1.0 kB free; a copy needs about" in said(found)
    assert found.ok is False
    assert without.ok


async def test_a_table_that_may_not_be_read(looking: Looking, stranger: str) -> None:
    """pg_dump says so itself, and the names are listed; its words hold no password."""
    looking.connect_as(stranger)

    found = await looking.at(Item.BACKUP, BackupProof().look)

    assert found.ok is False
    assert "pg_dump failed" in said(found)
    assert "GRANT SELECT ON" in said(found)
    assert "stranger-secret" not in said(found)


async def test_rows_behind_a_policy(looking: Looking, stranger: str) -> None:
    """A dump without some rows would be no backup, though pg_dump of the schema works."""
    role = stranger.partition("://")[2].partition(":")[0]
    await looking.as_superuser(
        f"grant pg_read_all_data to {role}",
        "alter table clients enable row level security",
    )
    looking.connect_as(stranger)

    found = await looking.at(Item.BACKUP, BackupProof().look)

    assert found.ok is False
    assert "Row-level policies would hide rows of public.clients" in said(found)


async def test_old_client_programs(looking: Looking) -> None:
    """Those of PostgreSQL 15 cannot dump an 18."""
    looking.target = replace(looking.target, client_tools=BIN)

    found = await looking.at(Item.BACKUP, BackupProof().look)

    assert found.ok is False
    assert "PostgreSQL 18 or newer are needed" in said(found)


async def test_a_dump_that_takes_long_is_not_told(looking: Looking) -> None:
    """A large schema is no failure: a person may tick, a rehearsal proves it."""
    found = await looking.at(Item.BACKUP, BackupProof(seconds=0.001).look)

    assert found.ok is None
    assert "a rehearsal makes a whole backup" in said(found)


async def test_a_database_that_is_away(looking: Looking) -> None:
    """Said with what to check."""
    looking.connect_as("postgresql://casework_owner:top-secret@127.0.0.1:1/casework")

    found = await looking.at(Item.BACKUP, BackupProof().look)

    assert found.ok is False
    assert "cannot be reached" in said(found)
    assert "top-secret" not in said(found)


async def test_the_folder_cannot_be_made(looking: Looking) -> None:
    """What stands in its place is no folder."""
    blocking = looking.target.migrations / "file"
    blocking.write_text("x")
    looking.target = replace(looking.target, backups=blocking / "backups")

    found = await looking.at(Item.BACKUP, BackupProof().look)

    assert found.ok is False
    assert f"The bot may not write to {blocking}" in said(found)
