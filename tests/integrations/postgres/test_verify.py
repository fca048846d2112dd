"""The verify step: what it says of a good migration, and what it does not let pass."""

import sys
from dataclasses import replace

import psycopg
import pytest

from bot.ports import Outcome, StepError
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.verify import Verify
from tests.integrations.postgres.conftest import QUICK, Stage

GOOD = (
    "alter table cases add column court text not null default 'none';\n"
    "create table courts (id int primary key, name text);\n"
    "create index cases_court_idx on cases (court);"
)


async def verified(stage: Stage, text: str) -> Outcome:
    """Back up, apply and verify one file."""
    stage.write("001.sql", text)
    await stage.backed_up()
    await Apply(QUICK).run(await stage.approved())
    return await Verify(QUICK).run(stage.at(StepName.VERIFY))


async def refused(stage: Stage, text: str) -> str:
    """The same, where verifying must fail; what it says."""
    with pytest.raises(StepError) as caught:
        await verified(stage, text)
    assert Database.CHANGED == caught.value.database
    assert "/migrate rollback" in caught.value.advice
    return caught.value.problem


async def execute(stage: Stage, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(stage.target.dsn, autocommit=True) as db:
        for each in statements:
            await db.execute(each.encode())


async def test_good_migration_is_shown_in_readable_lines(stage: Stage) -> None:
    """Marks, schema differences, indexes, constraints and rows are each said with what was found."""
    outcome = await verified(stage, GOOD)

    assert "✅ Marked as applied: 001.sql" in outcome.evidence
    assert "+ column public.cases.court text not null default 'none'::text" in outcome.evidence
    assert "+ table public.courts with ()" not in outcome.evidence
    assert "✅ All indexes are valid" in outcome.evidence
    assert "✅ All constraints are validated" in outcome.evidence
    assert any(each.startswith("✅ Rows: ") for each in outcome.evidence)


async def test_five_answers(stage: Stage) -> None:
    """It describes its questions, is never already done, verifies the schema again, and needs no undoing."""
    outcome = await verified(stage, GOOD)
    verify, context = Verify(QUICK), stage.at(StepName.VERIFY)

    assert "row counts" in " ".join((await verify.describe(context)).lines)
    assert await verify.check(context) is None
    assert (await verify.verify(context, outcome)).ok
    assert "only reads" in verify.undo(context)
    await execute(stage, "alter table clients add column late int")
    assert not (await verify.verify(context, outcome)).ok


async def test_orphans_of_a_key_that_was_not_validated(stage: Stage) -> None:
    """A foreign key added NOT VALID over orphans is a violation, with their exact number."""
    said = await refused(
        stage,
        "alter table cases add column court_id int; create table courts (id int primary key);\n"
        "update cases set court_id = 7 where id <= 3;\n"
        "alter table cases add constraint court_fk foreign key (court_id) references courts not valid;",
    )

    assert "Foreign key public.cases.court_fk is NOT VALID; 3 orphans" in said


async def test_key_without_orphans_is_only_noted(stage: Stage) -> None:
    """NOT VALID without orphans is worth a look, no more."""
    outcome = await verified(
        stage,
        "create table courts (id int primary key); alter table cases add column court_id int\n"
        "constraint court_fk references courts; alter table cases drop constraint court_fk;\n"
        "alter table cases add constraint court_fk foreign key (court_id) references courts not valid;",
    )

    assert "⚠️ Foreign key public.cases.court_fk is NOT VALID; no orphans: validate it" in outcome.evidence


async def test_lost_rows_are_named(stage: Stage) -> None:
    """Tables that lost rows since the backup's snapshot are named with both counts."""
    outcome = await verified(stage, "delete from case_notes where id <= 10;")

    assert "⚠️ public.case_notes: 1,200 → 1,190 rows (-10)" in outcome.evidence


async def test_rows_nobody_said_to_remove(stage: Stage) -> None:
    """If no file says that it removes rows, the line says that, too."""
    stage.write("001.sql", GOOD)
    await stage.backed_up()
    await Apply(QUICK).run(await stage.approved())
    await execute(stage, "delete from case_notes where id <= 10")

    outcome = await Verify(QUICK).run(stage.at(StepName.VERIFY))

    assert any("nothing in the files says that it removes rows" in each for each in outcome.evidence)


async def test_vanished_table_is_a_violation(stage: Stage) -> None:
    """A table that is gone without any file naming it stops the run."""
    said = await refused(stage, "do $$ begin execute 'drop table ' || 'time_' || 'entries' || ' cascade'; end $$;")

    assert "Table public.time_entries is gone, and no file of the migration names it" in said


async def test_dropped_table_that_a_file_names_is_noted(stage: Stage) -> None:
    """A table dropped by the migration's own words is a difference, no violation."""
    outcome = await verified(stage, "drop table time_entries cascade;")

    assert "⚠️ Table public.time_entries is gone" in outcome.evidence


async def test_invalid_index_is_a_violation(stage: Stage) -> None:
    """An index that a cancelled build left behind is found."""
    stage.write("001.sql", GOOD)
    await stage.backed_up()
    await Apply(QUICK).run(await stage.approved())
    with pytest.raises(psycopg.errors.UniqueViolation):
        await execute(stage, "create unique index concurrently once_idx on cases (status)")

    with pytest.raises(StepError, match=r"Invalid indexes: public\.once_idx"):
        await Verify(QUICK).run(stage.at(StepName.VERIFY))


async def test_own_checks_must_return_zero(stage: Stage) -> None:
    """The target's own queries are asked; one that finds rows, or cannot be asked, is a violation."""
    stage.target = replace(
        stage.target, orphan_checks=(("No case", "select 0"), ("Cases", "select count(*) from public.cases"))
    )
    assert "Cases: 600 (must be 0)" in await refused(stage, GOOD)

    stage.target = replace(stage.target, orphan_checks=(("Odd", "select * from nowhere"),))
    with pytest.raises(StepError, match="The target's own checks could not be checked"):
        await Verify(QUICK).run(stage.at(StepName.VERIFY))


async def test_own_checks_cannot_write(stage: Stage) -> None:
    """Verifying only reads, whatever the configured query tries."""
    stage.target = replace(
        stage.target, orphan_checks=(("Sly", "with d as (delete from public.case_notes returning 1) select 0"),)
    )

    assert "read-only transaction" in await refused(stage, GOOD)


async def test_own_command(stage: Stage) -> None:
    """The project's validation command gets the database by environment; its failure is a violation, redacted."""
    code = "import os, sys; print(os.environ['DATABASE_URL']); sys.exit(int(sys.argv[1]))"
    stage.target = replace(stage.target, verify_command=(sys.executable, "-c", code, "0"))
    outcome = await verified(stage, GOOD)
    stage.target = replace(stage.target, verify_command=(sys.executable, "-c", code, "4"))
    with pytest.raises(StepError) as caught:
        await Verify(QUICK).run(stage.at(StepName.VERIFY))

    assert any("ended with 0" in each for each in outcome.evidence)
    assert "ended with 4" in caught.value.problem
    assert stage.target.dsn not in caught.value.problem + str(outcome)


async def test_missing_mark_is_a_violation(stage: Stage) -> None:
    """Without the marker the migration is not taken for applied."""
    stage.write("001.sql", GOOD)
    await stage.backed_up()

    with pytest.raises(StepError, match=r"No mark of 001\.sql"):
        await Verify(QUICK).run(stage.at(StepName.VERIFY))
