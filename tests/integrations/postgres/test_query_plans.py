"""Plans of the application's costliest statements, on a real server: flips, costs, and what no longer plans."""

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest

from bot.demo.casework import APP, OWNER, Casework
from bot.runbook.run import Done
from bot.runbook.steps import StepName
from bot.views.drill import drill_lines
from integrations.postgres import query_plans
from integrations.postgres.apply import Apply
from integrations.postgres.connect import session
from integrations.postgres.drill.rehearsal import PostgresDrill
from integrations.postgres.query_plans import FACT, Planned, costliest, differences, of_fact
from integrations.postgres.verify import Verify
from tests.integrations.postgres.conftest import QUICK, Stage

ASKED = "select title from cases where number = 'who knows'"
OTHERS = "select count(*) from case_notes where body = 'secret 7'"


@pytest.fixture
async def counted(stage: Stage, casework: Casework) -> AsyncIterator[Stage]:
    """The application has asked, and its statements are counted."""
    async with await psycopg.AsyncConnection.connect(casework.superuser_dsn, autocommit=True) as db:
        await db.execute("create extension if not exists pg_stat_statements")
        await db.execute(f"grant pg_read_all_stats to {OWNER}".encode())
        await db.execute("select pg_stat_statements_reset()")
        async with await psycopg.AsyncConnection.connect(casework.app_dsn, autocommit=True) as app:
            for _ in range(3):
                await app.execute(ASKED)
                await app.execute(OTHERS)
        yield stage
        await db.execute(f"revoke pg_read_all_stats from {OWNER}".encode())


async def _verified(stage: Stage, text: str) -> str:
    """Back up, apply one file, verify: what is said of plans, line by line."""
    stage.write("001.sql", text)
    await stage.backed_up()
    outcome = await Apply(QUICK).run(await stage.approved())
    done = Done(step=StepName.APPLY, began_at=0, ended_at=1, facts=tuple(outcome.facts.items()))
    stage.run = replace(stage.run, done=(*stage.run.done, done))
    findings, _, _ = await Verify(QUICK).findings(stage.at(StepName.VERIFY))
    return "\n".join(str(each) for each in findings if each.text.startswith("Query plans"))


async def test_the_applications_statements_are_taken_without_values(counted: Stage) -> None:
    """Neither the bot's own questions nor anybody's data."""
    texts = await costliest(counted.target)

    assert "select title from cases where number = $1" in texts
    assert not any("pg_catalog" in each or "secret 7" in each for each in texts)


async def test_the_backup_keeps_them_for_the_verification(counted: Stage) -> None:
    """As a fact: each with its access path and its cost."""
    outcome = await counted.backed_up()
    kept = {each.text: each for each in of_fact(outcome.facts[FACT])}

    found = kept["select title from cases where number = $1"]
    assert "on cases" in str(found.shape) and found.cost > 0 and not found.problem


async def test_what_no_longer_plans_is_what_the_application_fails_with(counted: Stage) -> None:
    """Dropping a column breaks the statement that reads it; it is named, with the server's words."""
    said = await _verified(counted, "alter table cases drop column title cascade;")

    assert "⚠️ Query plans: 1 statement that the application has run can no longer be planned" in said
    assert "42703" in said and "select title from cases" in said


async def test_a_lost_index_is_a_flip(counted: Stage) -> None:
    """The index that carried it is gone: from an index to reading everything."""
    said = await _verified(counted, "drop index cases_number_key;")

    assert "⚠️ Query plans: flipped, and costlier: “select title from cases where number = $1”" in said
    assert "Index Scan using cases_number_key on cases became Seq Scan on cases" in said


async def test_a_new_index_is_a_flip_that_worries_nobody(counted: Stage) -> None:
    """Told, because it is what was wanted."""
    said = await _verified(counted, "create index notes_body on case_notes (body);\nanalyze case_notes;")

    assert "✅ Query plans: flipped, and not much costlier" in said
    assert "notes_body" in said and "⚠️" not in said


async def test_a_migration_that_touches_none_of_them(counted: Stage) -> None:
    """One line says how many were looked at."""
    said = await _verified(counted, "create table other (id int);")

    assert said.startswith("✅ Query plans: ") and said.endswith("planned as before")


async def test_a_rehearsal_says_it_before_anybody_is_hurt(counted: Stage, casework: Casework) -> None:
    """The statements are the live database's, the plans those of the copy before and after.

    As a superuser: nobody else may restore a database that has this extension.
    """
    counted.target = replace(counted.target, dsn=casework.superuser_dsn)
    counted.write("001.sql", "drop index cases_number_key;\nalter table case_notes rename body to words;")

    report = await PostgresDrill(QUICK).rehearse(counted.target, ("001.sql",), (), name="p-1", progress=unseen)

    said = "\n".join(drill_lines(report))
    assert report.ok
    assert "1 statement that the application has run can no longer be planned" in said
    assert "Index Scan using cases_number_key on cases became Seq Scan on cases" in said
    assert "select title from cases" in str(await costliest(counted.target))


async def unseen(_text: str, _fraction: float | None) -> None:
    """Nobody looks."""


async def test_what_others_have_made_is_not_evaluated(counted: Stage, casework: Casework) -> None:
    """A function, an operator, a view or a table of the application's own role: planning would run it as the bot."""
    async with await psycopg.AsyncConnection.connect(casework.superuser_dsn, autocommit=True) as db:
        await db.execute(f"create schema apps authorization {APP}".encode())
        await db.execute("create table apps.seen (note text)")
        await db.execute(f"alter table apps.seen owner to {APP}".encode())
        await db.execute(
            "create function apps.trap(text) returns text language plpgsql stable as"
            " $$ begin raise exception 'it was run by %', current_user; end $$"
        )
        await db.execute(f"alter function apps.trap owner to {APP}".encode())
        await db.execute("create function apps.same(text, text) returns boolean language sql as 'select true'")
        await db.execute("create operator apps.=== (leftarg = text, rightarg = text, function = apps.same)")
        await db.execute(f"alter operator apps.=== (text, text) owner to {APP}".encode())
        await db.execute("create view apps.shown as select * from public.cases where title = apps.trap('x')")
        await db.execute(f"alter view apps.shown owner to {APP}".encode())
        await db.execute(f"grant usage on schema apps to {OWNER}".encode())
        await db.execute(f"grant select on all tables in schema apps to {OWNER}".encode())
    asked = (
        "select id from cases where title = apps.trap('x')",
        "select id from cases where title operator(apps.===) 'x'",
        "select id from apps.shown",
        "select note from apps.seen",
        "with apps as (select 1 as n) select n, title from apps, cases where id = $1",
    )
    async with session(counted.target.dsn, "test") as db:
        found = await query_plans.planned(db, asked)

    assert [query_plans.NOT_OURS] * 4 + [""] == [each.problem for each in found]
    assert found[-1].shape


async def test_without_the_extension_nothing_is_said(stage: Stage, casework: Casework) -> None:
    """No error, and no claim."""
    async with await psycopg.AsyncConnection.connect(casework.superuser_dsn, autocommit=True) as db:
        await db.execute("drop extension if exists pg_stat_statements")

    assert "" == await _verified(stage, "create table other (id int);")


def test_what_had_no_plan_before_is_no_loss() -> None:
    """A statement that already failed says nothing of the migration."""
    old, new = Planned(text="a", problem="42P01 no"), Planned(text="a", problem="42P01 no")

    assert () == tuple(differences((old,), (new,)))
