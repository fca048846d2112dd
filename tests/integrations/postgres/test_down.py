"""The DOWN scripts as the way back: run as approved, settled by their marks, proven by the schema."""

import json
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.rungs import Rung
from bot.runbook.steps import Standby, StepName
from integrations.postgres.beside import STANDBY, beside
from integrations.postgres.go_back import GoBack
from integrations.postgres.plan import backup_folder
from integrations.postgres.verify_back import VerifyBack
from integrations.postgres.ways import ladder
from tests.integrations.postgres.back import DOWN, GOOD, Backstage, Crash
from tests.integrations.postgres.conftest import QUICK, Stage
from tests.integrations.postgres.killed import killed_at

LATE = "insert into case_notes (case_id, author_id, body) values (1, 1, 'late')"
MARKS = "select run_id, file, state from migrate_bot.applied order by 1, 2"


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    yield made
    await made.remove()


async def two(back: Backstage, first: str = "drop index cases_court;", second: str = DOWN) -> None:
    """Two files forward, two back, applied."""
    back.stage.write("001_add.sql", GOOD)
    back.stage.write("002_index.sql", "create index cases_court on cases (court);\n")
    for name, text in (("002_index.down.sql", first), ("001_add.down.sql", second)):
        (back.stage.target.migrations / name).write_text(text)
    back.plan(down=("002_index.down.sql", "001_add.down.sql"), standby=Standby.TEMPLATE)
    await back.stage.backed_up()
    await back.stand_by(Standby.TEMPLATE)
    await back.apply()


async def test_down_brings_the_schema_back_and_keeps_the_rows(back: Backstage) -> None:
    """The schema is the backup's, rows written since stay, the migration's marks are gone, nothing is renamed."""
    await back.migrate(Standby.TEMPLATE, down=True)
    await back.as_superuser(LATE)
    step, context = GoBack(QUICK), await back.approved()
    assert context.run.way is not None
    assert Rung.DOWN == context.run.way.rung
    assert await step.check(context) is None

    outcome = await step.run(context)

    assert (Rung.DOWN, "0") == (outcome.facts["rung"], outcome.facts["rows_lost"])
    assert [(1,)] == await back.as_superuser("select count(*) from case_notes where body = 'late'")
    assert [("run-7/down", "001_bad.down.sql", "done")] == await back.as_superuser(MARKS)
    assert [] == await back.as_superuser("select 1 from pg_attribute where attname = 'court'")
    assert (await step.verify(context, outcome)).ok
    again = await step.check(context)
    assert again is not None
    assert "settled by their marks" in again.evidence[0]
    back.record(StepName.GO_BACK, tuple(outcome.facts.items()))
    verified = await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))
    assert "No file of this run is marked as applied" in "\n".join(verified.evidence)


async def test_dropped_values_are_saved_first(back: Backstage) -> None:
    """What people wrote into the new column goes into the salvage files before it is dropped."""
    await back.migrate(Standby.TEMPLATE, down=True)
    await back.as_superuser("update cases set court = 'Berne' where id = 1")

    outcome = await GoBack(QUICK).run(await back.approved())

    assert "1" == outcome.facts["rows_saved"]


async def test_what_is_dropped_of_unknown_size_is_told(back: Backstage) -> None:
    """Services were back and wrote: the outcome does not call it nothing, and names where the values are."""
    await back.migrate(Standby.TEMPLATE, down=True)
    back.record(StepName.RESTART_SERVICES, ())
    await back.as_superuser("update cases set court = 'Berne' where id = 1")
    back.stage.run = replace(back.stage.run, rung_wanted=Rung.DOWN)

    outcome = await GoBack(QUICK).run(await back.approved())

    assert ("unknown", "1") == (outcome.facts["rows_lost"], outcome.facts["rows_saved"])
    assert "⚠️ Dropped: the values in cases.court; what was written there is in the saved files only" in outcome.evidence


async def test_what_cannot_be_saved_is_not_dropped(back: Backstage) -> None:
    """DOWN keeps no failed database: one table that cannot be saved stops it before anything is touched."""
    await back.migrate(Standby.TEMPLATE, down=True)
    await back.as_superuser("update cases set court = 'Berne' where id = 1")
    context = await back.approved()
    await back.as_superuser("create table hidden (id int); insert into hidden values (1)")

    with pytest.raises(StepError, match=r"DOWN keeps no failed database.*hidden: this role may not read it") as caught:
        await GoBack(QUICK).run(context)

    assert "kept failed database" not in caught.value.problem
    assert "pick the switch" in caught.value.advice
    assert [("run-7", "001_bad.sql", "done")] == await back.as_superuser(MARKS)
    await back.as_superuser("drop table hidden")
    assert "1" == (await GoBack(QUICK).run(context)).facts["rows_saved"]


async def test_without_a_baseline_nothing_is_dropped(back: Backstage) -> None:
    """Which rows are new cannot be told, so none is saved, and none may be dropped."""
    await back.migrate(Standby.TEMPLATE, down=True)
    context = await back.approved()
    await back.as_superuser(f'drop database "{beside(context, STANDBY)}"', "postgres")
    manifest = backup_folder(context) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"baseline": None}))

    with pytest.raises(StepError, match="DOWN keeps no failed database"):
        await GoBack(QUICK).run(context)

    assert [("run-7", "001_bad.sql", "done")] == await back.as_superuser(MARKS)


@pytest.mark.parametrize("moment", ["rows kept", "down 002_index.down.sql", "down 001_add.down.sql"])
async def test_a_crash_anywhere_is_settled_by_the_marks(back: Backstage, moment: str) -> None:
    """What is in is not run again, and what is not is run: in the order of the plan."""
    await two(back)

    def crash(at: str) -> None:
        if at == moment:
            raise Crash(at)

    context = await back.approved()
    with pytest.raises(Crash):
        await GoBack(QUICK, after=crash).run(context)
    step, second = GoBack(QUICK), replace(context, attempt=2)

    outcome = await step.check(second) or await step.run(second)

    assert (await step.verify(second, outcome)).ok
    text = "\n".join(outcome.evidence)
    assert ("already run (settled by its mark)" in text) == (moment == "down 002_index.down.sql")
    assert ("settled by their marks" in text) == (moment == "down 001_add.down.sql")


async def test_a_killed_process_after_the_commit_is_settled(back: Backstage) -> None:
    """A real SIGKILL when the last script is in and not yet recorded: the marks say so."""
    await back.migrate(Standby.TEMPLATE, down=True)
    context = await back.approved()

    assert -signal.SIGKILL == await killed_at("down 001_bad.down.sql", context)

    outcome = await GoBack(QUICK).check(replace(context, attempt=2))
    assert outcome is not None
    assert "settled by their marks" in outcome.evidence[0]


async def test_a_script_that_fails_leaves_the_migration_in(back: Backstage) -> None:
    """It worked in the rehearsal and not here: it is rolled back, said so, and the standby copy is asked for next."""
    await back.migrate(Standby.TEMPLATE, down=True)
    await back.as_superuser("create view uses as select court from cases")
    context = await back.approved()

    with pytest.raises(StepError, match="the migration is in as before") as caught:
        await GoBack(QUICK).run(context)

    assert Database.CHANGED == caught.value.database
    assert [("run-7", "001_bad.sql", "done")] == await back.as_superuser(MARKS)


async def test_a_lock_that_is_not_had_is_tried_again_and_given_up(back: Backstage) -> None:
    """It climbs the lock ladder as the migration does, and never waits behind the application for long."""
    await back.migrate(Standby.TEMPLATE, down=True)
    context = await back.approved()
    async with await psycopg.AsyncConnection.connect(back.stage.target.dsn) as holder:
        await holder.execute("select 1 from cases limit 1")
        with pytest.raises(StepError, match="55P03"):
            await GoBack(QUICK).run(context)
        await holder.rollback()

    outcome = await GoBack(QUICK).run(await back.approved(attempt=2))

    assert Rung.DOWN == outcome.facts["rung"]


async def test_a_schema_that_is_not_as_before_is_said(back: Backstage) -> None:
    """Something else has changed since the rehearsal: the scripts ran, it is not the backup, other ways are asked."""
    await back.migrate(Standby.TEMPLATE, down=True)
    context = await back.approved()
    await back.as_superuser("alter table case_notes add column sneaked int")

    with pytest.raises(StepError, match=r"\+ column public.case_notes.sneaked") as caught:
        await GoBack(QUICK).run(context)

    assert Database.UNKNOWN == caught.value.database
    back.stage.run = replace(back.stage.run, grant=None)
    assert Rung.SWITCH == (await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)).rung


async def test_a_changed_script_is_not_run(back: Backstage) -> None:
    """One byte changed after the approval: the way is not the approved one."""
    await back.migrate(Standby.TEMPLATE, down=True)
    context = await back.approved()
    (back.stage.target.migrations / "001_bad.down.sql").write_text("drop table case_notes;")

    with pytest.raises(StepError, match="not the one that was approved"):
        await GoBack(QUICK).run(context)


async def test_what_no_transaction_can_hold_goes_down_too(back: Backstage) -> None:
    """DROP INDEX CONCURRENTLY as the last script: its mark is set, and the migration's are taken away all the same."""
    await two(back, DOWN, "drop index concurrently if exists no_such;\n")

    outcome = await GoBack(QUICK).run(await back.approved())

    assert Rung.DOWN == outcome.facts["rung"]
    assert [
        ("run-7/down", "001_add.down.sql", "done"), ("run-7/down", "002_index.down.sql", "done"),
    ] == await back.as_superuser(MARKS)  # fmt: skip
