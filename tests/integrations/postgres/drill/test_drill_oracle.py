"""What a rehearsal says of locks and rewrites, held against the oracle: the same file run by somebody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from bot.demo import casework as sample
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.steps import StepName
from bot.target import Target
from integrations.postgres import markers
from integrations.postgres.connect import session
from integrations.postgres.drill.file import run_file
from integrations.postgres.drill.measure import read_known
from integrations.postgres.drill.practice import practice_of
from integrations.postgres.drill.stand import Stand
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.facts import read_facts
from integrations.postgres.risk.model import Lock
from integrations.postgres.script import Script, read_script
from integrations.postgres.tools import find_tools
from tests.integrations.postgres.conftest import POLICY, QUICK
from tests.integrations.postgres.risk.oracle import Truth, in_transaction, outside, picture
from tests.integrations.postgres.risk.score import CORPUS, base, inside

WORDS = {mode.words: mode for mode in Lock}
#: One of each kind of lock, of rewrites and not, of what commits by itself, and of several statements on one table.
CASES = (
    "locking__attach", "locking__combined", "locking__create_index", "locking__create_trigger", "locking__do_index",
    "locking__fk", "locking__refresh_concurrently", "locking__set_not_null", "locking__validate_fk",
    "rewriting__add_column_volatile", "rewriting__cluster", "rewriting__int_to_bigint", "rewriting__refresh",
    "rewriting__rewrite_beside", "rewriting__set_unlogged", "safe__add_column", "safe__create_table_fk",
    "safe__insert_select", "safe__update_some", "destructive__truncate", "styles__begin_commit",
    "styles__prisma_enum_new",
    "outside__concurrently", "outside__detach_concurrently", "outside__drop_concurrently",
    "outside__reindex_concurrently", "outside__vacuum_full",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def template(pg: EmbeddedPostgres) -> AsyncIterator[str]:
    """The corpus' own schema."""
    async with base(pg) as name:
        yield name


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES)
async def test_the_strongest_lock_and_the_rewrites_are_the_oracles(
    pg: EmbeddedPostgres, template: str, tmp_path: Path, case: str
) -> None:
    """By the server's own word, with the file run once by each of the two on a database of its own."""
    script = read_script(CORPUS, f"{case}.sql")
    await sample.create_database(pg, "drill_case", owner="postgres", template=template)
    await sample.create_database(pg, "drill_truth", owner="postgres", template=template)
    try:
        truth = await _truth(pg.dsn("drill_truth"), script)
        stand = await _measured(tmp_path, pg.dsn("drill_case"), script)
    finally:
        for name in ("drill_case", "drill_truth"):
            await sample.drop_database(pg, name)

    wanted = max(truth.locks.values())
    strongest = max((each for each in stand.seen if each.lock), key=lambda each: WORDS[each.lock])
    assert "" == truth.failed
    assert wanted is WORDS[strongest.lock]
    assert strongest.relation in {name for name, mode in truth.locks.items() if mode is wanted}
    assert truth.rewritten == {name for each in stand.seen for name in each.rewrote}
    assert stand.expected <= (0 if inside(script) else 1)  # what commits by itself may be gone before it is looked at


async def _truth(dsn: str, script: Script) -> Truth:
    """As the oracle has it: before it commits where that can be, else by holding it up."""
    if not inside(script):
        return await outside(dsn, script)
    async with (
        await psycopg.AsyncConnection.connect(dsn) as db,
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as eye,
    ):
        return await in_transaction(db, eye, await picture(eye), script)


async def _measured(folder: Path, dsn: str, script: Script) -> Stand:
    """As a rehearsal has it, on a database that needs no making."""
    target = Target(name="t", dsn=dsn, channel="C1", policy=POLICY, migrations=CORPUS, backups=folder, state=folder)

    async def unseen(text: str, fraction: float | None) -> None:
        return None

    context = practice_of(target, (script.name,), (), "case", unseen).at(StepName.APPLY)
    async with session(dsn, context.application_name) as eye:
        await markers.ensure_table(eye)
        known, found = await read_known(eye), assess([script], await read_facts(eye))
        judged = {(each.file, each.number): each.locks for each in found.statements}
        tools = await find_tools(18, None)
        stand = Stand(context=context, eye=eye, tools=tools, known=known, judged=judged, limits=QUICK)
        assert await run_file(stand, script) is None
    return stand
