"""What the tests of the apply step do again and again."""

import contextlib
from dataclasses import replace

import psutil
import psycopg
import pytest

from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import session
from integrations.postgres.markers import ensure_table
from tests.integrations.postgres.conftest import QUICK, Stage

ADD = "alter table cases add column court text;\nupdate cases set court = 'Berne';\n"


VALID = "select indisvalid from pg_index where indexrelid = 'cases_title_idx'::regclass"


async def now(stage: Stage) -> str:
    async with session(stage.target.dsn, "test") as db:
        return fingerprint(await read_catalog(db))


async def failed(stage: Stage, attempt: int = 1) -> StepError:
    """Run the step as approved and return how it failed."""
    context = replace(await stage.approved(), attempt=attempt)
    with pytest.raises(StepError) as caught:
        await Apply(QUICK).run(context)
    return caught.value


def psql_children() -> list[tuple[int, str]]:
    """Process id and command line of every psql under us."""
    found = []
    for each in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if each.name() == "psql":
                found.append((each.pid, " ".join(each.cmdline())))
    return found


async def leave_invalid_index(stage: Stage, text: str) -> None:
    """Build it while somebody is writing, and give up: PostgreSQL leaves the index behind, invalid."""
    async with (
        await psycopg.AsyncConnection.connect(stage.target.dsn) as blocker,
        await psycopg.AsyncConnection.connect(stage.target.dsn, autocommit=True) as half,
    ):
        await blocker.execute("update cases set title = title where id = 1")
        await half.execute("set statement_timeout = 300")
        with pytest.raises(psycopg.errors.QueryCanceled):
            await half.execute(text.encode())
        await blocker.rollback()
    assert [(False,)] == await stage.ask(VALID)


async def begin_file(stage: Stage, name: str) -> None:
    """Note a file as begun, as an attempt that died would have."""
    sha = (await Apply(QUICK).describe(stage.at(StepName.APPLY))).inputs[f"file 1 {name}"]
    async with session(stage.target.dsn, "test") as db:
        await ensure_table(db)
        await db.execute("insert into migrate_bot.applied values ('run-7', %s, %s, 'begun')", (name, sha))
