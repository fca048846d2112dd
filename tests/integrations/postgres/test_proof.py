"""Losses proven by primary keys against the copy itself."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.postgres.baseline import Baseline
from integrations.postgres.losses import Losses
from integrations.postgres.proof import compare
from tests.integrations.postgres.conftest import QUICK, Stage
from tests.integrations.postgres.copies import Copies, counted

# inserted and deleted again, beside an update: the statistics cannot tell this from a deleted row and two new ones
MUDDLE = (
    "insert into case_notes (case_id, author_id, body) values (1, 1, 'a'), (1, 1, 'b'), (1, 1, 'c')",
    "delete from case_notes where body = 'c'",
    "update case_notes set body = 'd' where id = 1",
)


@pytest_asyncio.fixture
async def copies(stage: Stage, casework_template: EmbeddedPostgres) -> AsyncIterator[Copies]:
    """The sample as live database, whose copies are dropped afterwards."""
    made = Copies(stage=stage, pg=casework_template)
    yield made
    await made.remove()


async def proven(copies: Copies, base: Baseline, losses: Losses) -> Losses:
    return await compare(copies.stage.at(StepName.APPLY), base, copies.made[-1], losses, QUICK)


async def test_keys_settle_what_statistics_cannot(copies: Copies) -> None:
    """Rows inserted and deleted again are about at first, and exactly the truth when looked up in the copy."""
    base = await copies.base()
    await copies.live(*MUDDLE)
    about = await copies.measured(base)

    found = await proven(copies, base, about)

    assert not about.exact
    assert found.exact
    assert await copies.truth() == counted(found) == {"public.case_notes": (2, 1, 0)}
    assert "about" not in found.lines[0]


async def test_keys_settle_without_statistics(copies: Copies) -> None:
    """After a reset, deleted and replaced rows are still told apart, also by a key of several columns."""
    await copies.live(
        'create table pairs (a text, "b ""b" timestamptz, primary key (a, "b ""b"))',
        "insert into pairs values ('x', '2026-01-01'), ('y', '2026-01-01')",
    )
    base = await copies.base()
    await copies.live("delete from pairs where a = 'x'", "insert into pairs values ('z', 'infinity')")
    await copies.live("delete from clients where id = 0", "update clients set city = 'Thun' where id < 4")
    async with await psycopg.AsyncConnection.connect(copies.pg.dsn(copies.stage.run.plan.database)) as db:
        await db.execute("select pg_stat_reset()")

    found = await proven(copies, base, await copies.measured(base))

    assert await copies.truth() == counted(found) == {"public.pairs": (1, 0, 1), "public.clients": (0, 3, 0)}
    assert found.exact


async def test_rows_are_counted_in_the_copy(copies: Copies) -> None:
    """Where they were not counted when it was made, the copy itself still has them."""
    base = replace(await copies.base(), rows={})
    await copies.live(*MUDDLE, "delete from case_notes where id = 2")

    found = await proven(copies, base, await copies.measured(base))

    assert await copies.truth() == counted(found) == {"public.case_notes": (2, 1, 1)}
    assert found.exact


async def test_what_the_migration_wrote_over_stays_about(copies: Copies) -> None:
    """No key brings back what people had changed in rows that the migration then changed."""
    await copies.stage.backed_up()
    base = await copies.base()
    await copies.live("update clients set city = 'Chur' where id in (1, 2)")
    await copies.apply("001_all.sql", "update clients set name = upper(name) where id < 3;\n")
    await copies.live("update clients set city = 'Chur' where id = 5")
    about = await copies.measured(base)

    found = await proven(copies, base, about)

    assert (counted(about), False) == (counted(found), found.exact)


async def write_about(copies: Copies, seed: int, quitting: asyncio.Event) -> None:
    """One busy session: short and long transactions, savepoints, and now and then a change of mind."""
    dice = random.Random(seed)
    acts = (
        "insert into clients (name) values ('new')",
        "update clients set city = 'c' || random() where id = {row}",
        "insert into case_notes (case_id, author_id, body) values (1, 1, 'note')",
        "update case_notes set body = 'b' || random() where id = {row}",
        "delete from case_notes where id = {row}",
    )
    async with await copies.session() as db:
        while not quitting.is_set():
            async with db.transaction(force_rollback=dice.random() < 0.2):
                for _ in range(dice.randint(1, 3)):
                    async with db.transaction(force_rollback=dice.random() < 0.2):
                        # rows of its own, so that the writers never wait for each other
                        await db.execute(dice.choice(acts).format(row=dice.randint(1, 30) * 4 + seed).encode())
                await db.execute("select pg_sleep(%s)", (dice.random() / 50,))


async def test_busy_writers_around_the_snapshot(copies: Copies) -> None:
    """Four sessions write before, during and after the copy: what is called exact is what is missing, row by row."""
    quitting = asyncio.Event()
    writers = [asyncio.create_task(write_about(copies, seed, quitting)) for seed in range(4)]

    async def much() -> None:
        for _ in range(20):
            await copies.live("update cases set title = title || 'x' where id = 1")

    await much()
    base = await copies.base(during=much)
    await much()
    quitting.set()
    await asyncio.gather(*writers)
    about = await copies.measured(base)

    found = await proven(copies, base, about)

    truth = await copies.truth()
    assert truth.keys() == counted(found).keys()
    for losses in (about, found):
        wrong = [each for each in losses.tables if each.exact and counted(losses)[each.table] != truth[each.table]]
        assert [] == wrong
    doubtful = [each for each in found.tables if not each.exact]
    assert all(each.border for each in doubtful)


async def test_a_missing_copy_is_an_error(copies: Copies) -> None:
    """Without the copy there is nothing to compare with."""
    base = await copies.base()
    losses = await copies.measured(base)
    context = replace(copies.stage.at(StepName.APPLY))

    with pytest.raises(StepError, match="cannot be reached"):
        await compare(context, base, "nowhere", losses, QUICK)
