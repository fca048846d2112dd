"""Statistics that a migration has cost, gathered for real; and the look taken during a watch."""

import json

import psycopg

from bot.runbook.upkeep import FACT
from integrations.postgres.upkeep import PostgresUpkeep
from tests.integrations.postgres.conftest import Stage
from tests.integrations.postgres.test_database_health import commit
from tests.integrations.postgres.test_verify import verified

BIG = "create table big as select n, repeat('x', 100) as word, n as amount from generate_series(1, 20000) n"
REWRITE = "alter table big alter amount type bigint using amount::bigint;"


async def test_the_verification_says_what_has_none_and_analyze_mends_it(stage: Stage) -> None:
    """From the fact to the statistics: the table is named by the server, and named again by it."""
    await commit(stage, BIG, "analyze big")
    outcome = await verified(stage, REWRITE)
    tables = tuple(json.loads(outcome.facts[FACT]))
    assert ("public.big",) == tables

    said = await PostgresUpkeep().analyze(stage.target, (*tables, "public.gone"))

    assert said[0].startswith("ANALYZE public.big: ")
    assert "public.gone is no longer there" == said[1]
    assert [(1,)] == await stage.ask("select count(*) from pg_stats where tablename = 'big' and attname = 'amount'")


async def test_a_table_that_cannot_be_had_keeps_no_other_waiting(stage: Stage) -> None:
    """It is said, and the next one is done."""
    await commit(stage, BIG, "create table small (id int)")
    async with await psycopg.AsyncConnection.connect(stage.target.dsn) as holder:
        await holder.execute("lock table small in access exclusive mode")
        said = await PostgresUpkeep().analyze(stage.target, ("public.small", "public.big"))

    assert "canceling statement due to lock timeout" in said[0]
    assert said[1].startswith("ANALYZE public.big: ")


async def test_a_name_is_never_taken_for_more_than_a_name(stage: Stage) -> None:
    """Whatever stands in the record: the server is asked for a table of that name, and there is none."""
    await commit(stage, "create table small (id int)")
    said = await PostgresUpkeep().analyze(stage.target, ("small; drop table small",))

    assert "ANALYZE small; drop table small failed" in said[0] or "is no longer there" in said[0]
    assert [(0,)] == await stage.ask("select count(*) from small")


async def test_the_look_changes_nothing_and_says_what_it_sees(stage: Stage) -> None:
    """The same words as the verification's."""
    await commit(stage, BIG, "analyze big", REWRITE.rstrip(";"))

    assert "no statistics" in " ".join(await PostgresUpkeep().look(stage.target))
