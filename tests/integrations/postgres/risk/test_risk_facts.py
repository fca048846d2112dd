"""What is read of a real database, and what is said of it in the question to apply."""

import psycopg
import pytest

from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.digest import canonical
from bot.runbook.risk import Risk
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.connect import session
from integrations.postgres.risk.facts import read_facts
from integrations.postgres.risk.lines import MOST, spoken_lines
from integrations.postgres.risk.summary import look
from integrations.postgres.script import read_script
from tests.integrations.postgres.conftest import QUICK, Stage
from tests.integrations.postgres.risk.judged import judged
from tests.integrations.postgres.risk.score import base


async def test_facts_of_a_real_database(pg: EmbeddedPostgres) -> None:
    """Sizes, keys of both sides, partitions, views' sources, types, functions and settings are as they are."""
    async with base(pg) as name, session(pg.dsn(name), "facts") as db:
        facts = await read_facts(db)

    users = facts.relations["public.users"]
    assert users.rows == 400
    assert users.bytes > 0
    assert users.columns["name"].type == "character varying(100)"
    assert facts.relations["public.orders"].columns["cents"].generated == "s"
    assert facts.relations["public.visits_rest"].default_partition
    assert facts.relations["public.events_2024"].parents == ("public.events",)
    assert facts.relations["public.empty_one"].empty
    assert facts.relations["public.scratch"].persistence == "u"
    key = next(each for each in facts.constraints if each.name == "order_items_order_id_fkey")
    assert (key.references, key.on_delete) == ("public.orders", "c")
    assert "relation public.active_users" in {each.user for each in facts.edges if "public.users" in each.of}
    assert {each.key: each.constrained for each in facts.types}["public.positive"]
    assert next(each for each in facts.functions if each.key == "public.count_users").volatility == "s"
    assert facts.builtins["random"] == "v"
    assert ("text", "character varying") in facts.casts
    assert facts.search_path == ("postgres", "public")
    assert facts.major >= 18


async def test_long_transactions_are_seen(pg: EmbeddedPostgres) -> None:
    """Whoever has a transaction open is named, with its age."""
    async with (
        base(pg) as name,
        await psycopg.AsyncConnection.connect(pg.dsn(name), application_name="report") as other,
    ):
        await other.execute("select pg_sleep(0.2)")
        async with session(pg.dsn(name), "facts") as db:
            load = (await read_facts(db)).load

    assert load.oldest >= 0.2
    assert load.oldest_who == "report"


async def test_the_question_to_apply_says_the_risk(stage: Stage) -> None:
    """Its lines name the whole and the statement; the approval is bound to what is destroyed, not to sizes."""
    stage.write("001_drop.sql", "alter table cases add column court text; drop table audit_log cascade;")
    await stage.backed_up()

    found = await Apply(QUICK).describe(stage.at(StepName.APPLY))

    assert any(line.startswith("⚠️ Risk: High, because: destroys") for line in found.lines)
    assert any("001_drop.sql line 1: destroys" in line and "ACCESS EXCLUSIVE" in line for line in found.lines)
    assert found.destroys == ("destroys the partitioned table audit_log", *found.destroys[1:])
    assert canonical(found.destroys) == found.inputs["destroys"]
    assert "rows" not in found.inputs["destroys"]
    assert Risk.HIGH is found.risk


async def test_a_harmless_migration_is_said_to_be_so(stage: Stage) -> None:
    """Two lines are enough for it."""
    stage.write("001_add.sql", "alter table cases add column court text")
    script = read_script(stage.target.migrations, "001_add.sql")
    async with session(stage.target.dsn, "risk") as db:
        found = await look(stage.target, [script], db)

    assert () == found.report.destroys == found.report.dangers
    assert found.lines == (
        "Risk: Low, because: nothing is destroyed, rewritten or blocked for long",
        "Reads or writes wait: only for the moment of each lock (from line 1 of 001_add.sql to its end)",
    )


async def test_a_database_that_does_not_answer_is_said(stage: Stage) -> None:
    """The question is asked all the same, from the SQL alone."""
    stage.write("001_drop.sql", "drop table cases")
    script = read_script(stage.target.migrations, "001_drop.sql")
    db = await psycopg.AsyncConnection.connect(stage.target.dsn, autocommit=True)
    await db.close()

    found = await look(stage.target, [script], db)

    assert any("destroys the relation cases" in line for line in found.lines)
    assert any("not found out: the database's tables and sizes" in line for line in found.lines)
    assert "cannot be judged: the database's own triggers and functions could not be read" in found.report.destroys


@pytest.mark.parametrize("count", [1, 5, 60])
def test_lines_never_get_long(count: int) -> None:
    """However many statements are risky, a dozen lines that fit into the question name the first of them."""
    lines = spoken_lines(
        judged("".join(f"drop table table_with_a_long_name_number_{n} cascade;\n" for n in range(count)))
    )

    assert len(lines) <= MOST
    assert sum(map(len, lines)) < 1600
    assert count < 20 or "more statements of medium or high risk" in lines[-1]


async def test_a_locked_table_hides_much_and_nothing_false_is_said_of_it(stage: Stage) -> None:
    """Sizes wait for the lock, so the database is not known: the worst is said, but not that things are not there."""
    stage.write("001_fill.sql", "alter table cases add column mark bytea default sha256('x')")
    script = read_script(stage.target.migrations, "001_fill.sql")
    async with (
        await psycopg.AsyncConnection.connect(stage.target.dsn) as holder,
        session(stage.target.dsn, "risk") as db,
    ):
        await holder.execute("lock table cases in access exclusive mode")
        found = await look(stage.target, [script], db)

    text = "\n".join(found.lines)
    assert Risk.HIGH is found.report.level
    assert "the function sha256() could not be looked up" in text
    assert "is not in the database" not in text
