"""Switching to the standby copy: what it brings back, what every crash leaves, and what it refuses."""

import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.run import Done, Licence
from bot.runbook.rungs import Envelope, Rung
from bot.runbook.steps import Standby, StepName
from integrations.postgres.beside import FAILED, RESTORED, STANDBY, beside
from integrations.postgres.go_back import GoBack
from integrations.postgres.keep import keep_rows
from integrations.postgres.scene import look_around
from integrations.postgres.verify_back import VerifyBack
from integrations.postgres.ways import ladder
from tests.integrations.postgres.back import Backstage, Crash
from tests.integrations.postgres.conftest import QUICK, Stage
from tests.integrations.postgres.killed import killed_at

LATE = "insert into case_notes (case_id, author_id, body) values (1, 1, 'late')"
MOMENTS = ["rows kept", "fenced side", "fenced live", "emptied", "live renamed", "side renamed", "opened"]


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    yield made
    await made.remove()


async def there(back: Backstage) -> dict[str, bool]:
    """The databases of this test, and whether each takes connections."""
    live = back.casework.name
    found = await back.as_superuser(
        f"select datname, datallowconn from pg_database where datname like '{live}%'", "postgres"
    )
    return {str(name): bool(is_open) for name, is_open in found}


def switched(back: Backstage) -> dict[str, bool]:
    return {back.names.live: True, beside(back.stage.at(StepName.BACKUP), FAILED): False}


@pytest.mark.parametrize(("kind", "told"), [(Standby.TEMPLATE, "about 1 row"), (Standby.RESTORE, "1 row")])
async def test_the_copy_takes_the_place(back: Backstage, kind: Standby, told: str) -> None:
    """Schema and rows are the copy's, rows written since are saved as files, the failed database is kept as it was.

    A copy made by the server has no snapshot to count from: its figure is the statistics', and said to be.
    """
    back.plan(standby=kind)
    await back.stage.backed_up()
    await back.stand_by(kind)
    before = await back.content()
    await back.apply()
    await back.as_superuser(LATE)
    failed = await back.content()
    step, context = GoBack(QUICK), await back.approved()
    assert await step.check(context) is None

    outcome = await step.run(context)

    assert before == await back.content()
    assert switched(back) == await there(back)
    assert (Rung.SWITCH, "1", "1") == tuple(outcome.facts[name] for name in ("rung", "rows_lost", "rows_saved"))
    assert float(outcome.facts["switch_seconds"]) < 5
    assert f"Lost at the moment of switching: {told}" in "\n".join(outcome.evidence)
    assert (await step.verify(context, outcome)).ok
    again = await step.check(context)
    assert again is not None
    assert "settled by its note" in again.evidence[0]
    kept = beside(back.stage.at(StepName.BACKUP), FAILED)
    await back.as_superuser(f'alter database "{kept}" allow_connections true', "postgres")
    assert failed == await back.content(kept)
    assert Path(outcome.facts["salvage"]).parent == back.stage.target.backups.absolute()


async def test_verified_against_the_copys_own_schema(back: Backstage) -> None:
    """A copy made after the backup keeps what was written between the two: its rows are told, not held against it."""
    back.plan(standby=Standby.TEMPLATE)
    await back.stage.backed_up()
    await back.as_superuser("delete from case_notes where id = 1")
    await back.stand_by(Standby.TEMPLATE)
    await back.apply()
    outcome = await GoBack(QUICK).run(await back.approved())
    back.record(StepName.GO_BACK, tuple(outcome.facts.items()))

    verified = await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))

    text = "\n".join(verified.evidence)
    assert "The schema is the standby copy's" in text
    assert "keeps what came between" in text
    assert "❌" not in text
    assert "⚠️" not in text


async def test_the_targets_own_checks_are_asked_after_the_way_back(back: Backstage) -> None:
    """Orphans and a failing validation command are violations after it, too."""
    await back.migrate(Standby.TEMPLATE)
    outcome = await GoBack(QUICK).run(await back.approved())
    back.record(StepName.GO_BACK, tuple(outcome.facts.items()))
    checks = (("never fine", "select 3"),)
    back.stage.target = replace(back.stage.target, orphan_checks=checks, verify_command=("false",))

    with pytest.raises(StepError, match=r"never fine: 3 \(must be 0\); `false` ended with 1"):
        await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_crash_anywhere_in_the_switch_is_settled(back: Backstage, moment: str) -> None:
    """Whatever the crash left, the way is described alike, granted or asked anew, and the next attempt finishes it."""
    await back.migrate(Standby.TEMPLATE)
    before = await back.content(beside(back.stage.at(StepName.BACKUP), STANDBY))

    def crash(at: str) -> None:
        if at == moment:
            raise Crash(at)

    context = await back.approved()
    with pytest.raises(Crash):
        await GoBack(QUICK, after=crash).run(context)
    granted = context.run.grant
    assert granted == (await back.approved()).run.grant
    step, second = GoBack(QUICK), replace(context, attempt=2)

    outcome = await step.check(second) or await step.run(second)

    assert (moment == "opened") == ("settled by its note" in outcome.evidence[0])
    assert (await step.verify(second, outcome)).ok
    assert switched(back) == await there(back)
    assert before == await back.content()


@pytest.mark.parametrize("moment", ["fenced live", "live renamed", "side renamed"])
async def test_a_killed_process_leaves_nothing_undecided(back: Backstage, moment: str) -> None:
    """A real SIGKILL between the sub-steps: the next attempt, in another process, ends where the first would have."""
    await back.migrate(Standby.TEMPLATE)
    before = await back.content(beside(back.stage.at(StepName.BACKUP), STANDBY))
    context = await back.approved()

    assert -signal.SIGKILL == await killed_at(moment, context)
    step, second = GoBack(QUICK), replace(context, attempt=2)
    outcome = await step.check(second) or await step.run(second)

    assert (await step.verify(second, outcome)).ok
    assert switched(back) == await there(back)
    assert before == await back.content()


async def test_with_both_copies_there_the_begun_switch_is_finished(back: Backstage) -> None:
    """Restored beside, then killed between the renamings while the standby copy is there, too: no guess is made."""
    await back.migrate(Standby.TEMPLATE)
    back.stage.run = replace(back.stage.run, rung_wanted=Rung.RESTORE)
    context = await back.approved()
    assert context.run.way is not None
    assert Rung.RESTORE == context.run.way.rung

    def crash(at: str) -> None:
        if at == "live renamed":
            raise Crash(at)

    with pytest.raises(Crash):
        await GoBack(QUICK, after=crash).run(context)
    back.stage.run = replace(back.stage.run, grant=None, way=None, rung_wanted=Rung.SWITCH)
    asked = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)
    assert Rung.RESTORE == asked.rung
    assert any("can only be finished" in each.why for each in asked.options)

    outcome = await GoBack(QUICK).run(await back.approved(attempt=2))

    assert Rung.RESTORE == outcome.facts["rung"]
    names = {beside(back.stage.at(StepName.BACKUP), each): each for each in (RESTORED, STANDBY, FAILED)}
    assert [FAILED, STANDBY] == sorted(names[name] for name in await there(back) if name in names)


@pytest.mark.parametrize("rung", [Rung.SWITCH, Rung.RESTORE])
async def test_a_database_that_a_person_closed_is_not_switched(back: Backstage, rung: Rung) -> None:
    """The bot closes its copy first: a live database that alone is closed is no begun switch, and is left to people."""
    await back.migrate(Standby.TEMPLATE)
    back.stage.run = replace(back.stage.run, rung_wanted=rung)
    context = await back.approved()
    await back.as_superuser(LATE)
    await back.as_superuser(f'alter database "{back.names.live}" allow_connections false', "postgres")
    before, scene = await there(back), await look_around(context, QUICK)

    assert None is scene.begun
    for gone in (GoBack(QUICK).run(context), keep_rows(scene, rung, QUICK)):
        with pytest.raises(StepError, match="no switch of this run has closed it") as caught:
            await gone
        assert f'ALTER DATABASE "{back.names.live}" ALLOW_CONNECTIONS true' in caught.value.advice

    assert before == await there(back)


async def test_more_lost_than_was_shown_is_not_gone(back: Backstage) -> None:
    """Somebody writes while the services are stopped, after the approval: it is asked anew with the new figures."""
    await back.migrate(Standby.TEMPLATE)
    context = await back.approved()
    await back.as_superuser(LATE)

    with pytest.raises(StepError, match="would now lose about 1 row; when it was approved it was nothing") as caught:
        await GoBack(QUICK).run(context)

    assert "asked anew" in caught.value.advice
    assert await there(back) == {back.names.live: True, beside(back.stage.at(StepName.BACKUP), STANDBY): True}
    outcome = await GoBack(QUICK).run(await back.approved())
    assert "1" == outcome.facts["rows_lost"]


@pytest.mark.parametrize("rows", [0, 1])
async def test_the_envelope_holds_to_the_last_moment(back: Backstage, rows: int) -> None:
    """What is lost in the end is held against what was signed, however little it was at the breach."""
    await back.migrate(Standby.RESTORE)
    await back.approved()
    run = back.stage.run
    assert run.grant is not None
    envelope = Envelope(rows=rows, minutes=10.0)
    back.stage.run = replace(
        run, plan=replace(run.plan, envelope=envelope), grant=replace(run.grant, by=Licence.ENVELOPE)
    )
    await back.as_superuser(LATE)
    going = GoBack(QUICK).run(back.at(StepName.GO_BACK))
    if rows:
        assert "1" == (await going).facts["rows_lost"]
        return
    with pytest.raises(StepError, match="would lose 1 row, more than the 0 that the rollback envelope covers"):
        await going

    assert (await there(back))[back.names.live]


async def test_what_services_wrote_until_the_stop_is_expected(back: Backstage) -> None:
    """They ran when it was approved and were stopped on the way: the exact figures are evidence, and it goes on."""
    await back.migrate(Standby.TEMPLATE)
    back.stage.run = replace(
        back.stage.run, done=(*back.stage.run.done, Done(step=StepName.RESTART_SERVICES, began_at=5, ended_at=6))
    )
    context = await back.approved()
    await back.as_superuser(LATE)

    outcome = await GoBack(QUICK).run(context)

    assert any("1 row (when it was approved: nothing; the services were at work" in each for each in outcome.evidence)


async def test_saved_rows_can_be_read(back: Backstage) -> None:
    """The salvage folder holds the very row that the copy does not have."""
    await back.migrate(Standby.TEMPLATE)
    await back.as_superuser(LATE)

    outcome = await GoBack(QUICK).run(await back.approved())

    folder = Path(outcome.facts["salvage"])
    files = [each for each in folder.iterdir() if "case_notes" in each.name]
    assert 1 == len(files)
    assert any("saved" in each.lower() and str(folder) in each for each in outcome.evidence)


async def test_a_copy_dropped_after_the_approval_stops_it(back: Backstage) -> None:
    """The live database stays as it is, and other ways are asked for."""
    await back.migrate(Standby.TEMPLATE)
    context = await back.approved()
    await back.as_superuser(f'drop database "{beside(context, STANDBY)}"', "postgres")

    with pytest.raises(StepError, match=r"is no longer there\. Nothing was switched"):
        await GoBack(QUICK).run(context)

    assert {back.names.live: True} == await there(back)


async def test_the_platforms_way_is_in_peoples_hands(back: Backstage) -> None:
    """Approved all the same, it says the exact steps and touches nothing."""
    await back.migrate(Standby.TEMPLATE)
    back.stage.run = replace(back.stage.run, rung_wanted=Rung.PLATFORM)
    live = await back.content()

    with pytest.raises(StepError, match="1\\) in the hosting platform's console") as caught:
        await GoBack(QUICK).run(await back.approved())

    assert "/migrate takeover" in caught.value.advice
    assert live == await back.content()


async def test_whoever_is_connected_to_the_copy_is_put_out(back: Backstage) -> None:
    """A person looking into the standby copy does not keep the database away."""
    await back.migrate(Standby.TEMPLATE)
    side = beside(back.stage.at(StepName.BACKUP), STANDBY)
    looker = await psycopg.AsyncConnection.connect(psycopg.conninfo.make_conninfo(back.casework.app_dsn, dbname=side))
    await looker.execute("select 1")

    await GoBack(QUICK).run(await back.approved())

    assert switched(back) == await there(back)
    await looker.close()
