"""STAGING: a second real database, migrated by the bot, by Prisma, or not at all."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest_asyncio

from bot.demo import casework as sample
from bot.runbook.preparation.checklist import Item
from integrations.postgres import markers
from integrations.postgres.connect import session
from integrations.postgres.proofs import staging
from integrations.postgres.script import read_script
from tests.integrations.postgres.proofs.conftest import ADD, Looking, said

PRISMA = """
create table _prisma_migrations (
    id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz,
    migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
    started_at timestamptz not null default clock_timestamp(), applied_steps_count int not null default 0)
"""


@pytest_asyncio.fixture
async def staged(looking: Looking) -> AsyncIterator[Looking]:
    """A target with a staging database beside it, and one file planned."""
    name = f"staging_{secrets.token_hex(4)}"
    await sample.create_database(looking.server, name, owner=sample.OWNER)
    parts = psycopg.conninfo.conninfo_to_dict(looking.target.dsn)
    dsn = looking.server.dsn(name, user=sample.OWNER, password=str(parts["password"]))
    looking.target = replace(looking.target, staging_dsn=dsn)
    looking.write("001.sql", ADD)
    yield looking
    await sample.drop_database(looking.server, name)


async def mark(staged: Looking, state: str = "done") -> None:
    """As a run of the bot on staging would."""
    async with session(staged.target.staging_dsn, "migrate/m-9/apply") as db:
        await markers.ensure_table(db)
        await markers.mark(db, "m-9", read_script(staged.target.migrations, "001.sql"), state)


async def on_staging(staged: Looking, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(staged.target.staging_dsn, autocommit=True) as db:
        for each in statements:
            await db.execute(each)  # type: ignore[call-overload]


def row(name: str, text: str, finished: str = "now()", back: str = "null") -> str:
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return (
        "insert into _prisma_migrations (id, checksum, migration_name, finished_at, rolled_back_at)"
        f" values ('{secrets.token_hex(8)}', '{checksum}', '{name}', {finished}, {back})"
    )


async def test_none_is_configured(looking: Looking) -> None:
    """Then a person says so with evidence."""
    looking.write("001.sql", ADD)

    found = await looking.at(Item.STAGING, staging.look)

    assert found.ok is None
    assert (staging.NOT_CONFIGURED,) == found.findings


async def test_applied_by_the_bot(staged: Looking) -> None:
    """The bot's own mark, of the same bytes."""
    await mark(staged)

    found = await staged.at(Item.STAGING, staging.look)

    assert found.ok
    assert "1 file applied on staging_" in said(found)


async def test_other_bytes_than_planned(staged: Looking) -> None:
    """What was tried on staging is not what would run."""
    await mark(staged)
    (staged.target.migrations / "001.sql").write_text(ADD + "-- and one line more\n")

    found = await staged.at(Item.STAGING, staging.look)

    assert found.ok is False
    assert "001.sql is applied on staging with other content" in said(found)


async def test_never_applied_there(staged: Looking) -> None:
    """Whether the bot has been there or not."""
    nowhere = await staged.at(Item.STAGING, staging.look)
    await mark(staged, "begun")
    begun = await staged.at(Item.STAGING, staging.look)

    assert "001.sql is not applied on staging" in said(nowhere)
    assert "only half applied" in said(begun)
    assert [False, False] == [nowhere.ok, begun.ok]


async def test_applied_by_prisma(staged: Looking) -> None:
    """A finished row with the file's checksum."""
    await on_staging(staged, PRISMA, row("001", ADD))

    assert (await staged.at(Item.STAGING, staging.look)).ok


async def test_a_failed_row_of_prisma(staged: Looking) -> None:
    """Any of them: zero failed rows are asked for."""
    await on_staging(staged, PRISMA, row("001", ADD), row("000_before", "select 1", finished="null"))

    found = await staged.at(Item.STAGING, staging.look)

    assert found.ok is False
    assert "Staging has a failed migration: 000_before" in said(found)


async def test_rolled_back_by_prisma(staged: Looking) -> None:
    """`prisma migrate status` would call this up to date; the row says that it is not applied."""
    await on_staging(staged, PRISMA, row("001", ADD, finished="null", back="now()"))
    back = await staged.at(Item.STAGING, staging.look)
    await on_staging(staged, row("001", ADD))

    assert back.ok is False
    assert "was rolled back on staging" in said(back)
    assert (await staged.at(Item.STAGING, staging.look)).ok


async def test_an_invalid_index_there(staged: Looking) -> None:
    """What CREATE INDEX CONCURRENTLY leaves when it fails."""
    await mark(staged)
    await on_staging(staged, "create table twice (n int)", "insert into twice values (1), (1)")
    try:
        await on_staging(staged, "create unique index concurrently broken on twice (n)")
    except psycopg.errors.UniqueViolation:
        found = await staged.at(Item.STAGING, staging.look)

    assert found.ok is False
    assert "Invalid indexes on staging: public.broken" in said(found)


async def test_staging_is_the_target_itself(staged: Looking) -> None:
    """Written differently, it is still the same database: that proves nothing."""
    same = staged.target.dsn.replace("127.0.0.1", "localhost") + "?application_name=x"
    staged.target = replace(staged.target, staging_dsn=same)
    await mark(staged)

    found = await staged.at(Item.STAGING, staging.look)

    assert found.ok is False
    assert "is the target itself" in said(found)


async def test_staging_is_away(staged: Looking) -> None:
    """It is configured, so it is asked for; the password is not told."""
    staged.target = replace(staged.target, staging_dsn="postgresql://u:top-secret@127.0.0.1:1/staging")

    found = await staged.at(Item.STAGING, staging.look)

    assert found.ok is False
    assert "Staging: The database u@127.0.0.1:1/staging cannot be reached" in said(found)
    assert "top-secret" not in said(found)
