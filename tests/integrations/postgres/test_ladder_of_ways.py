"""The ladder: every rung with its cost or why it is not there, which is asked for, and the line before the point of
no return."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.rungs import Envelope, Option, Rung
from bot.runbook.steps import Standby, StepName
from bot.target import Target
from integrations.postgres.beside import STANDBY, beside
from integrations.postgres.offer_down import drops
from integrations.postgres.ways import ladder, options_of, point_of_no_return
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK, Stage

BOTH = pytest.mark.parametrize("kind", [Standby.TEMPLATE, Standby.RESTORE])


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    yield made
    await made.remove()


async def options(back: Backstage) -> dict[Rung, Option]:
    found = await options_of(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)
    return {each.rung: each for each in found}


async def test_every_rung_is_named_in_order(back: Backstage) -> None:
    """Five rungs, least loss first, each possible with a cost or impossible with a reason."""
    await back.migrate(Standby.TEMPLATE, down=True)

    found = await options(back)

    assert list(Rung) == list(found)
    assert "marked as applied or begun: 001_bad.sql" in found[Rung.NOTHING].why
    assert (True, 0, "the values in cases.court") == (
        found[Rung.DOWN].possible, found[Rung.DOWN].rows, found[Rung.DOWN].loses,
    )  # fmt: skip
    assert "measured in this run's rehearsal" in found[Rung.DOWN].basis
    assert (True, 1.0, 0) == (found[Rung.SWITCH].possible, found[Rung.SWITCH].seconds, found[Rung.SWITCH].rows)
    assert "nothing: the services have been stopped since" == found[Rung.SWITCH].loses
    assert found[Rung.RESTORE].possible
    assert "restoring takes about 4 times as long" in found[Rung.RESTORE].basis
    assert found[Rung.PLATFORM].possible
    assert "5) close the run" in found[Rung.PLATFORM].basis
    assert found[Rung.PLATFORM].rows is None


@BOTH
async def test_rows_lost_are_counted_for_each_copy(back: Backstage, kind: Standby) -> None:
    """What was written after the copy is lost with it; what came between backup and copy only with the backup."""
    back.plan(standby=kind)
    await back.stage.backed_up()
    await back.as_superuser("insert into case_notes (case_id, author_id, body) values (1, 1, 'between')")
    await back.stand_by(kind)
    await back.apply()
    await back.as_superuser("insert into case_notes (case_id, author_id, body) values (1, 1, 'x'), (1, 1, 'y')")

    found = await options(back)

    assert {Standby.TEMPLATE: (2, 3), Standby.RESTORE: (3, 3)}[kind] == (
        found[Rung.SWITCH].rows, found[Rung.RESTORE].rows,
    )  # fmt: skip
    basis = found[Rung.RESTORE].basis
    assert ("this run's own restore" in basis) == (kind is Standby.RESTORE)


async def test_the_least_loss_is_asked_for(back: Backstage) -> None:
    """The DOWN script while it loses no row; with it gone, the standby copy; the rest are its choices."""
    await back.migrate(Standby.TEMPLATE, down=True)
    first = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)
    (back.stage.target.migrations / "001_bad.down.sql").write_text("select 1;")

    second = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)

    assert Rung.DOWN == first.rung
    assert {"001_bad.down.sql"} == first.attachments.keys()
    assert "down 1 001_bad.down.sql" in first.inputs
    assert Rung.SWITCH == second.rung
    others = {each.rung: each for each in second.options}
    assert "a file has changed since the rehearsal" in others[Rung.DOWN].why
    assert others[Rung.RESTORE].possible
    assert {"standby", "baseline"} <= second.inputs.keys()


async def test_a_down_that_drops_what_services_wrote_is_never_free(back: Backstage) -> None:
    """With services back, what it drops is of unknown size: outside every envelope, and the switch goes first."""
    await back.migrate(Standby.TEMPLATE, down=True)
    back.record(StepName.RESTART_SERVICES, ())

    described = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)

    down = next(each for each in described.options if each.rung is Rung.DOWN)
    assert (True, None, "the values in cases.court") == (down.possible, down.rows, down.loses)
    assert not Envelope(rows=10**9, minutes=60).covers(down).ok
    assert Rung.SWITCH == described.rung
    back.stage.run = replace(back.stage.run, rung_wanted=Rung.DOWN)
    asked = "\n".join((await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)).lines)
    assert "Lost, but for the saved files: the values in cases.court" in asked


async def test_a_down_that_drops_nothing_stays_free(back: Backstage) -> None:
    """Nothing it takes away holds rows, so services that are back change nothing."""
    back.stage.write("001_bad.sql", "create index cases_late on cases (id);")
    (back.stage.target.migrations / "001_bad.down.sql").write_text("drop index cases_late;")
    back.plan(down=("001_bad.down.sql",))
    await back.stage.backed_up()
    await back.stand_by(Standby.TEMPLATE)
    await back.apply()
    back.record(StepName.RESTART_SERVICES, ())

    assert 0 == (await options(back))[Rung.DOWN].rows


async def test_a_picked_way_is_asked_for_while_it_can_be_gone(back: Backstage) -> None:
    """People's choice counts; an impossible one is not described instead of the recommended one."""
    await back.migrate(Standby.TEMPLATE)
    back.stage.run = replace(back.stage.run, rung_wanted=Rung.RESTORE)
    assert Rung.RESTORE == (await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)).rung

    back.stage.run = replace(back.stage.run, rung_wanted=Rung.DOWN)

    assert Rung.SWITCH == (await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)).rung


async def test_what_was_granted_is_not_priced_again(back: Backstage) -> None:
    """While the grant is held the way stays, the digest stays, and nothing is measured."""
    await back.migrate(Standby.TEMPLATE)
    asked = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)
    context = await back.approved()
    await back.as_superuser("insert into case_notes (case_id, author_id, body) values (1, 1, 'late')")

    again = await ladder(context, QUICK)

    assert asked.inputs == again.inputs
    assert (asked.rung, ()) == (again.rung, again.options)


async def test_a_copy_that_is_not_what_was_proven_is_no_way(back: Backstage) -> None:
    """Gone, changed, or another one under its name: each is said."""
    await back.migrate(Standby.TEMPLATE)
    side = beside(back.stage.at(StepName.BACKUP), STANDBY)
    await back.as_superuser("alter table cases add column sneaked int", side)
    assert f"the schema of {side} has been changed" in (await options(back))[Rung.SWITCH].why

    await back.as_superuser("update migrate_bot.standby set note = replace(note, '0', '1')", side)
    assert "is not the standby copy that this run has proven" in (await options(back))[Rung.SWITCH].why

    await back.as_superuser(f'drop database "{side}"', "postgres")
    assert f"{side} is no longer there" == (await options(back))[Rung.SWITCH].why


async def test_a_role_that_cannot_rename_has_no_switch(back: Backstage) -> None:
    """Member of the owner, but without its rights by itself: neither copy can be put in place; the GRANT is said."""
    await back.migrate(Standby.TEMPLATE)
    live = back.names.live
    await back.as_superuser(
        "create role crate_owner; grant crate_owner to casework_owner with inherit false", "postgres"
    )
    await back.as_superuser(f'alter database "{live}" owner to crate_owner', "postgres")
    try:
        before = await options(back)
        await back.as_superuser("grant crate_owner to casework_owner with inherit true", "postgres")
        after = await options(back)
    finally:
        await back.as_superuser(f'alter database "{live}" owner to casework_owner', "postgres")
        await back.as_superuser("drop role crate_owner", "postgres")

    for rung in (Rung.SWITCH, Rung.RESTORE):
        assert not before[rung].possible
        assert "cannot act as the owner “crate_owner”" in before[rung].why
        assert "GRANT crate_owner TO casework_owner WITH INHERIT TRUE;" in before[rung].why
        assert after[rung].possible


async def test_a_copy_that_lacks_what_a_superuser_gives_is_no_switch(back: Backstage) -> None:
    """What was left to do by hand is the reason, until somebody has done it."""
    await back.as_superuser(f"alter database \"{back.names.live}\" set log_min_duration_statement to '71s'")
    await back.migrate(Standby.TEMPLATE)
    side = beside(back.stage.at(StepName.BACKUP), STANDBY)

    before = (await options(back))[Rung.SWITCH]
    await back.as_superuser(f"alter database \"{side}\" set log_min_duration_statement to '71s'")

    assert not before.possible
    assert f"{side} still lacks" in before.why
    assert "log_min_duration_statement" in before.why
    assert (await options(back))[Rung.SWITCH].possible


async def test_without_a_standby_copy_it_is_said_why(back: Backstage) -> None:
    """The reason the copy was not made is the reason there is no switch."""
    back.plan(standby=Standby.TEMPLATE)
    await back.stage.backed_up()
    dsn = psycopg.conninfo.make_conninfo(back.casework.app_dsn, application_name="report")
    async with await psycopg.AsyncConnection.connect(dsn):
        await back.stand_by(Standby.TEMPLATE)
    await back.apply()

    found = await options(back)

    assert "report (user casework_app)" in found[Rung.SWITCH].why
    assert Rung.RESTORE == (await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)).rung


async def test_a_backup_with_a_part_missing_is_no_way(back: Backstage) -> None:
    """Its sizes are looked at within a moment; with no other way, people are told how to do it by hand."""
    await back.migrate(Standby.NONE)
    (back.stage.target.backups / "run-7" / "toc.dat").unlink()

    described = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)

    assert Rung.PLATFORM == described.rung
    assert any("toc.dat is missing" in each.why for each in described.options)
    assert "recover casework_owner@127.0.0.1" in described.lines[0]


async def test_prismas_list_speaks_against_nothing_happened(back: Backstage) -> None:
    """A migration that Prisma lists as begun after the backup is in, whatever the schema says."""
    await back.as_superuser(
        "create table _prisma_migrations (id text, migration_name text, started_at timestamptz default now(), "
        "finished_at timestamptz); grant select on _prisma_migrations to casework_owner"
    )
    await back.as_superuser("insert into _prisma_migrations values ('1', 'before')")
    await back.stage.backed_up()
    assert (await options(back))[Rung.NOTHING].possible

    await back.as_superuser("insert into _prisma_migrations values ('2', '20250120_add_court')")

    assert "20250120_add_court" in (await options(back))[Rung.NOTHING].why


async def test_the_platforms_no_is_passed_on(back: Backstage) -> None:
    """What the platform cannot do is not offered."""

    class Without:
        async def offer(self, target: Target, moment: str) -> tuple[bool, str]:
            return False, f"this plan keeps no history of {moment[:10]}"

    await back.migrate(Standby.NONE)

    found = await options_of(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK, Without())

    assert "this plan keeps no history" in found[-1].why


async def test_after_the_deadline_it_is_said_what_has_changed(back: Backstage) -> None:
    """The plan's rollback deadline has passed: the question says so, and is asked all the same."""
    await back.migrate(Standby.TEMPLATE)
    back.plan(rollback_deadline=60.0)
    back.stage.run = replace(back.stage.run, deadline_told=2)

    described = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)

    assert any("rollback deadline passed at 00:01 UTC" in line for line in described.lines)


async def test_the_line_before_the_point_of_no_return(back: Backstage) -> None:
    """The best undo with its seconds and the rows lost now; beneath the migration's own writes these are about."""
    back.plan(standby=Standby.TEMPLATE)
    await back.stage.backed_up()
    await back.stand_by(Standby.TEMPLATE)

    before = await point_of_no_return(back.forward(StepName.APPLY), QUICK)
    await back.apply()
    await back.as_superuser("insert into case_notes (case_id, author_id, body) values (1, 1, 'late')")
    after = await point_of_no_return(back.forward(StepName.RESTART_SERVICES), QUICK)

    assert "Undo: switch to the standby copy, about 1 s; rows lost now: none" == before
    assert "Undo: switch to the standby copy, about 1 s; rows lost now: about 1" == after


async def test_the_line_is_never_an_error(back: Backstage) -> None:
    """Nothing known, nobody there: it says so, and the question is asked all the same."""
    context = back.forward(StepName.APPLY)
    gone = replace(context, target=replace(context.target, dsn="postgresql://nobody@127.0.0.1:1/casework"))

    assert (await point_of_no_return(gone, QUICK)).startswith("Undo: what it would take could not be found out now (")
    assert (await point_of_no_return(context, QUICK)).startswith("Undo: ")


async def test_it_answers_within_seconds(back: Backstage) -> None:
    """People wait for the question: all five rungs are priced in a few seconds."""
    await back.migrate(Standby.TEMPLATE, down=True)
    began = time.monotonic()

    await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)

    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alter table a.b drop column c, drop column d;", ["the values in a.b.c", "the values in a.b.d"]),
        ("drop table x.y; drop schema z cascade;", ["the rows of table x.y", "everything in the schema z"]),
        ("truncate t; delete from u;", ["the rows of table t", "deleted rows of u"]),
        ("create index on t (c);", []),
        ("not sql", ["whatever it drops (it cannot be parsed)"]),
    ],
)
def test_what_a_script_drops_is_said_in_words(text: str, said: list[str]) -> None:
    """Columns, tables, schemas and rows by their names."""
    assert said == list(drops(text))
