"""Salvage takes no longer than it may: what was written to comes first, and what is certainly untouched is not read."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.steps import StepName
from integrations.postgres.baseline import Baseline
from integrations.postgres.salvage import LATE, REMAIN, Salvage, save
from integrations.postgres.settings import Limits
from tests.integrations.postgres.conftest import QUICK, Stage, Until
from tests.integrations.postgres.copies import Copies

OURS = "migrate/test"
NOTE = "insert into case_notes (case_id, author_id, body) values (1, 1, 'late')"
ALONE = (
    "select not exists (select from pg_stat_activity where datname = current_database() "
    "and backend_type = 'client backend' and application_name not like 'migrate/%')"
)


@pytest_asyncio.fixture
async def copies(stage: Stage, casework_template: EmbeddedPostgres) -> AsyncIterator[Copies]:
    """The sample as live database, whose copies are dropped afterwards."""
    made = Copies(stage=stage, pg=casework_template)
    yield made
    await made.remove()


async def saved_beside_a_lock(
    copies: Copies, base: Baseline, limits: Limits, until: Until, locked: str, *, whole: bool = False
) -> Salvage:
    """Save when everybody has left, while a session of the bot keeps one table locked."""
    async with await psycopg.AsyncConnection.connect(copies.stage.target.dsn, application_name=OURS) as other:
        if locked:
            await other.execute(f"lock table {locked} in access exclusive mode".encode())

        async def alone() -> bool:
            async with await psycopg.AsyncConnection.connect(copies.stage.target.dsn, application_name=OURS) as db:
                return (True,) == await (await db.execute(ALONE.encode())).fetchone()

        await until(alone)
        folder: Path = copies.stage.target.backups / "run-7.salvage"
        return await save(copies.stage.at(StepName.APPLY), base, folder, limits, whole=whole)


@pytest.mark.parametrize("by_server", [True, False])
async def test_an_untouched_table_is_not_read_where_that_is_certain(
    copies: Copies, until: Until, by_server: bool
) -> None:
    """The statistics are proof for a copy that was made with nobody connected; for a backup they are not."""
    base = await copies.base()
    await copies.live(NOTE)
    limits = replace(QUICK, query_time=0.3)

    found = await saved_beside_a_lock(copies, replace(base, rows={}) if by_server else base, limits, until, "clients")

    assert (1, 1) == (found.tables, found.rows)
    assert (() if by_server else (f"⚠️ clients: not read within 0.3 s; {REMAIN}",)) == found.lines[2:]


async def test_there_is_one_time_for_all(copies: Copies, until: Until) -> None:
    """Tables that were written to come first; the others that are not read in time are named, in one line."""
    base = await copies.base()
    await copies.live("update documents set size_bytes = 4711 where id = 1")

    found = await saved_beside_a_lock(copies, base, replace(QUICK, salvage_time=3.0), until, "case_notes")

    assert (1, 1) == (found.tables, found.rows)
    (late,) = found.lines[2:]
    assert late.startswith("⚠️ case_notes, ")
    assert late.endswith(f": {LATE}")
    assert f"case_notes: {LATE}" in found.unsaved


async def test_all_or_nothing_takes_its_time(copies: Copies, until: Until) -> None:
    """Where no failed database is kept, no table is left out because of the time."""
    base = await copies.base()
    await copies.live(NOTE)

    found = await saved_beside_a_lock(copies, base, replace(QUICK, salvage_time=0.0), until, "", whole=True)

    assert ((), 1) == (found.unsaved, found.rows)
