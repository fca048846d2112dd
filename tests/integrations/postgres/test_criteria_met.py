"""Which failure of a step meets which of the runbook's rollback criteria, found out on a real server."""

from dataclasses import replace

import psycopg
import pytest

from bot.ports import StepError
from bot.runbook.criteria import Criterion
from bot.runbook.run import Database, Done
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.verify import Verify
from tests.integrations.postgres.conftest import QUICK, Stage

GOOD = "alter table cases add column court text;"


async def applied(stage: Stage, text: str = GOOD) -> None:
    """Back up and apply one file, recorded as the engine would."""
    stage.write("001.sql", text)
    await stage.backed_up()
    outcome = await Apply(QUICK).run(await stage.approved())
    done = Done(step=StepName.APPLY, began_at=2, ended_at=3, facts=tuple(outcome.facts.items()))
    stage.run = replace(stage.run, done=(*stage.run.done, done))


async def failed_apply(stage: Stage, text: str) -> StepError:
    stage.write("001.sql", text)
    await stage.backed_up()
    with pytest.raises(StepError) as caught:
        await Apply(QUICK).run(await stage.approved())
    return caught.value


async def failed_verify(stage: Stage) -> StepError:
    with pytest.raises(StepError) as caught:
        await Verify(QUICK).run(stage.at(StepName.VERIFY))
    return caught.value


async def test_a_failing_statement_is_the_first_criterion(stage: Stage) -> None:
    """Also when nothing has changed: the runbook says so of any SQL error."""
    error = await failed_apply(stage, f"{GOOD} insert into cases (id) values (1);")

    assert (Criterion.SQL_ERROR, Database.UNTOUCHED) == (error.criterion, error.database)


async def test_a_lock_that_was_not_had_meets_none(stage: Stage) -> None:
    """Nothing has changed and another try may do: people choose, no way back is opened."""
    async with await psycopg.AsyncConnection.connect(stage.target.dsn) as holder:
        await holder.execute("lock table cases in share mode")
        error = await failed_apply(stage, GOOD)

    assert (None, Database.UNTOUCHED) == (error.criterion, error.database)


async def test_a_violation_is_the_integrity_criterion(stage: Stage) -> None:
    """The target's own check finds rows that break a rule."""
    checks = (("cases without a title", "select 3"),)
    stage.target = replace(stage.target, orphan_checks=checks)
    await applied(stage)

    assert Criterion.INTEGRITY is (await failed_verify(stage)).criterion


async def test_a_question_without_an_answer_meets_none(stage: Stage) -> None:
    """What could not be asked stops the run, but proves no violation."""
    stage.target = replace(stage.target, orphan_checks=(("nonsense", "select count(*) from no_such_table"),))
    await applied(stage)

    assert None is (await failed_verify(stage)).criterion


async def test_a_schema_that_is_neither_before_nor_after_is_inconsistent(stage: Stage) -> None:
    """Somebody changed it beside the migration: the fingerprint is none of the two the run knows."""
    await applied(stage)
    async with await psycopg.AsyncConnection.connect(stage.target.dsn, autocommit=True) as db:
        await db.execute("alter table clients add column surprise int")
    error = await failed_verify(stage)

    assert Criterion.SCHEMA is error.criterion
    assert "neither of the known ones" in error.problem
