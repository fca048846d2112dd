"""Verifying the way back: its answers, and what it finds."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.go_back import GoBack
from integrations.postgres.verify_back import VerifyBack
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK, Stage


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    yield made
    await made.remove()


async def gone_back(back: Backstage) -> None:
    """A failed migration, and the way back from it, recorded."""
    await back.backup_and_break()
    outcome = await GoBack(QUICK).run(await back.approved())
    back.record(StepName.GO_BACK, tuple(outcome.facts.items()))


async def refused(back: Backstage) -> StepError:
    with pytest.raises(StepError) as caught:
        await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))
    return caught.value


async def test_five_answers(back: Backstage) -> None:
    """Everything is as at the backup; the failed database is named; it is asked anew every time and changes nothing."""
    await gone_back(back)
    step, context = VerifyBack(QUICK), back.at(StepName.VERIFY_BACK)
    assert "row counts" in (await step.describe(context)).lines[0]
    assert await step.check(context) is None

    outcome = await step.run(context)

    text = "\n".join(outcome.evidence)
    assert "The schema is the backup's" in text
    assert "No file of this run is marked as applied" in text
    assert "tables with exactly the backup's number of rows" in text
    assert "sequences ahead of their columns" in text
    assert f"kept as {back.names.failed}" in text
    assert "⚠️" not in text
    assert (await step.verify(context, outcome)).ok
    assert "only reads" in step.undo(context)


async def test_a_changed_schema_a_mark_and_lost_rows_are_violations(back: Backstage) -> None:
    """Whatever is not as at the backup is named, all of it at once."""
    await gone_back(back)
    await back.as_superuser("alter table cases add column late int; delete from case_notes where id = 1")
    await back.as_superuser(
        "create table migrate_bot.applied (run_id text, file text, sha256 text, state text, at timestamptz);"
        "grant all on migrate_bot.applied to casework_owner;"
        "insert into migrate_bot.applied values ('run-7', '001_bad.sql', 'x', 'done', now())"
    )

    error = await refused(back)

    assert "+ column public.cases.late integer" in error.problem
    assert "marked as applied: 001_bad.sql" in error.problem
    assert "public.case_notes: " in error.problem
    assert Database.UNKNOWN == error.database


async def test_rows_written_since_the_switch_are_only_told(back: Backstage) -> None:
    """More rows than at the backup are no loss: before the switch the counts were compared exactly."""
    await gone_back(back)
    await back.as_superuser("insert into case_notes (case_id, author_id, body) values (1, 1, 'new')")

    outcome = await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))

    assert any(each.startswith("⚠️ public.case_notes: ") for each in outcome.evidence)


async def test_a_sequence_behind_is_told(back: Backstage) -> None:
    """A sequence that gives out taken numbers is named."""
    await gone_back(back)
    await back.as_superuser("select setval('cases_id_seq', 5)")

    outcome = await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))

    assert any("Sequences behind their columns" in each and "public.cases_id_seq" in each for each in outcome.evidence)


async def test_a_removed_failed_database_is_told(back: Backstage) -> None:
    """The evidence is looked for, not assumed."""
    await gone_back(back)
    await back.remove()

    outcome = await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))

    assert any("is no longer there" in each for each in outcome.evidence)


async def test_after_nothing_happened_rows_are_not_compared(back: Backstage) -> None:
    """With nothing restored, what was written since the backup is rightly there."""
    await back.stage.backed_up()
    outcome = await GoBack(QUICK).run(await back.approved())
    back.record(StepName.GO_BACK, tuple(outcome.facts.items()))
    await back.as_superuser("delete from case_notes where id = 1")

    verified = await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))

    assert 2 == len(verified.evidence)
