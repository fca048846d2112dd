"""The standby copy: both ways of making it, what a crash leaves, and what is no reason to stop."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.steps import Standby, StepName
from integrations.postgres import note as notes
from integrations.postgres.beside import REHEARSAL, STANDBY, CannotMake, beside, maintenance
from integrations.postgres.catalog import fingerprint
from integrations.postgres.standby import Standby as StandbyStep
from integrations.postgres.template import HALF_MADE, require_room
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK, Stage

BOTH = pytest.mark.parametrize("kind", [Standby.TEMPLATE, Standby.RESTORE])
HURRIED = StandbyStep(QUICK, patience=0.1)


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    yield made
    await made.remove()


def side_of(back: Backstage) -> str:
    return beside(back.stage.at(StepName.BACKUP), STANDBY)


async def there(back: Backstage) -> list[str]:
    """The databases of this test."""
    live = back.casework.name
    found = await back.as_superuser(f"select datname from pg_database where datname like '{live}%' order by 1")
    return [str(name) for (name,) in found]


@BOTH
async def test_five_answers(back: Backstage, kind: Standby) -> None:
    """It is described, made, proven by its note, found again, and touches nothing of the original."""
    await back.stage.backed_up()
    before = await back.content()
    back.plan(standby=kind)
    context, step = back.forward(StepName.STANDBY), HURRIED
    assert side_of(back) in (await step.describe(context)).lines[0]
    assert await step.check(context) is None

    outcome = await step.run(context)

    assert before == await back.content(side_of(back)) == await back.content()
    assert kind == outcome.facts["standby"]
    assert side_of(back) == outcome.facts["standby_database"]
    assert fingerprint(before[0]) == outcome.facts["fingerprint"]
    assert int(outcome.facts["bytes"]) > 1_000_000
    assert (await step.verify(context, outcome)).ok
    again = await step.check(context)
    assert again is not None
    assert outcome.facts == again.facts
    assert "settled by its note" in again.evidence[0]
    assert "beside the database" in step.undo(context)


@BOTH
async def test_the_note_is_kept_twice(back: Backstage, kind: Standby) -> None:
    """In the copy and beside the backup, the same, with where the copy stands; the ledger has its digest."""
    await back.stage.backed_up()
    outcome = await back.stand_by(kind)
    context = back.forward(StepName.STANDBY)

    in_copy = await notes.noted(context, side_of(back), is_open=True)
    in_file = await notes.noted(context, side_of(back), is_open=False)

    assert in_copy == in_file
    assert in_copy.sha256 == outcome.facts["baseline"]
    assert in_copy.baseline is not None
    assert in_copy.baseline.lsn in "\n".join(outcome.evidence)


@BOTH
async def test_a_half_made_copy_is_made_anew(back: Backstage, kind: Standby) -> None:
    """What says that it is half-made by this run is dropped, also when nobody can connect to it."""
    await back.stage.backed_up()
    side = side_of(back)
    await back.as_superuser(f'create database "{side}" owner casework_owner', "postgres")
    await back.as_superuser("create table half (id int)", side)
    await back.as_superuser(f"comment on database \"{side}\" is '{HALF_MADE}run-7'", "postgres")

    await back.stand_by(kind)

    assert await back.content() == await back.content(side)


async def test_a_copy_made_and_not_yet_marked_is_ours(back: Backstage) -> None:
    """A crash between the copy and its mark: the copy has the line that was written before it was made."""
    await back.stage.backed_up()
    side = side_of(back)
    back.plan(standby=Standby.TEMPLATE)
    await notes.announce_copy(back.forward(StepName.STANDBY), side)
    await back.as_superuser(f'create database "{side}" owner casework_owner template "{back.names.live}"', "postgres")
    assert await HURRIED.check(back.forward(StepName.STANDBY, 2)) is None

    await back.stand_by(Standby.TEMPLATE)

    assert [back.names.live, side] == await there(back)


@BOTH
async def test_a_foreign_database_is_never_dropped(back: Backstage, kind: Standby) -> None:
    """A database of that name which nobody can say is the run's stops the step, and stays."""
    await back.stage.backed_up()
    side = side_of(back)
    await back.as_superuser(f'create database "{side}" owner casework_owner', "postgres")
    await back.as_superuser("create table precious (id int)", side)

    with pytest.raises(StepError, match="no half-made copy of this run") as caught:
        await back.stand_by(kind)

    assert Database.UNTOUCHED == caught.value.database
    assert [(1,)] == await back.as_superuser("select 1 from pg_class where relname = 'precious'", side)


async def test_somebody_connected_is_named_and_the_run_goes_on(back: Backstage) -> None:
    """The server copies no database in use: who it is, is said loudly, and there is simply no standby copy."""
    await back.stage.backed_up()
    dsn = psycopg.conninfo.make_conninfo(back.casework.app_dsn, application_name="report")
    async with await psycopg.AsyncConnection.connect(dsn):
        outcome = await back.stand_by(Standby.TEMPLATE)

    assert Standby.NONE == outcome.facts["standby"]
    assert "report (user casework_app) (pid" in outcome.facts["why"]
    assert outcome.evidence[0].startswith("⚠️ There is no standby copy")
    assert [back.names.live] == await there(back)


@BOTH
async def test_without_createdb_the_run_goes_on(back: Backstage, kind: Standby) -> None:
    """A missing right says nothing about the backup: it is told with what to grant."""
    await back.stage.backed_up()
    await back.as_superuser("alter role casework_owner nocreatedb", "postgres")
    try:
        outcome = await back.stand_by(kind)
    finally:
        await back.as_superuser("alter role casework_owner createdb", "postgres")

    assert Standby.NONE == outcome.facts["standby"]
    assert "CREATEDB" in outcome.evidence[1]


async def test_with_no_database_to_work_from_the_run_goes_on(back: Backstage) -> None:
    """A role that may connect to nothing but its own database can make no copy: that is said, and no error."""
    await back.stage.backed_up()
    for name in ("postgres", "template1"):
        await back.as_superuser(f"revoke connect on database {name} from public", "postgres")
    back.plan(standby=Standby.TEMPLATE)
    try:
        assert await HURRIED.check(back.forward(StepName.STANDBY)) is None
        outcome = await HURRIED.run(back.forward(StepName.STANDBY))
    finally:
        for name in ("postgres", "template1"):
            await back.as_superuser(f"grant connect on database {name} to public", "postgres")

    assert Standby.NONE == outcome.facts["standby"]
    assert "permission denied for database" in outcome.facts["why"]


async def test_too_little_room_is_said(back: Backstage) -> None:
    """A copy the server's disk would not hold is not tried, where the bot may know how much is free."""
    async with maintenance(back.stage.at(StepName.BACKUP)) as db:
        assert "free on the server's disk" in await require_room(db, 1)
        with pytest.raises(CannotMake, match="free; a copy needs about"):
            await require_room(db, 10**18)


async def test_a_backup_that_does_not_restore_ends_it(back: Backstage) -> None:
    """With a damaged backup the run must not come to the migration: nothing is made, and it is said which file."""
    await back.stage.backed_up()
    victim = back.spoil_backup()

    with pytest.raises(StepError, match=victim) as caught:
        await back.stand_by(Standby.RESTORE)

    assert Database.UNTOUCHED == caught.value.database
    assert [back.names.live] == await there(back)


async def test_an_aborted_copy_leaves_nothing_that_counts(back: Backstage) -> None:
    """The step may be cut short: what it leaves is no copy, and the next attempt makes one."""
    await back.stage.backed_up()
    back.plan(standby=Standby.RESTORE)
    context = back.forward(StepName.STANDBY)
    begun = asyncio.Event()

    async def progress(text: str, fraction: float | None) -> None:
        if text.startswith("Restoring"):
            begun.set()

    work = asyncio.create_task(HURRIED.run(replace(context, progress=progress)))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await HURRIED.check(back.forward(StepName.STANDBY, 2)) is None

    outcome = await HURRIED.run(back.forward(StepName.STANDBY, 2))

    assert Standby.RESTORE == outcome.facts["standby"]
    assert await back.content() == await back.content(side_of(back))


async def test_down_is_rehearsed_on_a_copy(back: Backstage) -> None:
    """Forward and back on a throw-away copy: its time and its bytes are facts, and nothing of it stays."""
    back.stage.write("001_add.sql", "alter table cases add column court text;\n")
    (back.stage.target.migrations / "001_add.down.sql").write_text("alter table cases drop column court;\n")
    back.plan(down=("001_add.down.sql",))
    await back.stage.backed_up()

    outcome = await back.stand_by(Standby.TEMPLATE)

    assert 64 == len(outcome.facts["down_rehearsed"])
    assert float(outcome.facts["down_seconds"]) > 0
    assert "down_problem" not in outcome.facts
    assert [back.names.live, side_of(back)] == await there(back)


@pytest.mark.parametrize(
    ("down", "said"),
    [
        ("alter table cases drop column no_such;", "does not exist"),
        ("alter table cases rename column court to kept;", r"\+ column public.cases.kept"),
    ],
)
async def test_a_down_that_does_not_go_back_is_no_way(back: Backstage, down: str, said: str) -> None:
    """It fails, or the schema is not as before: a problem in words, and the run goes on with its copy."""
    back.stage.write("001_add.sql", "alter table cases add column court text;\n")
    (back.stage.target.migrations / "001_add.down.sql").write_text(down)
    back.plan(down=("001_add.down.sql",))
    await back.stage.backed_up()

    outcome = await back.stand_by(Standby.RESTORE)

    with pytest.raises(AssertionError, match=said):
        raise AssertionError(outcome.facts["down_problem"])
    assert "down_rehearsed" not in outcome.facts
    assert Standby.RESTORE == outcome.facts["standby"]


async def test_a_dead_rehearsal_is_dropped(back: Backstage) -> None:
    """A throw-away copy of an attempt that died, not even marked, is known by what it holds."""
    back.stage.write("001_add.sql", "alter table cases add column court text;\n")
    (back.stage.target.migrations / "001_add.down.sql").write_text("alter table cases drop column court;\n")
    await back.stage.backed_up()
    await back.stand_by(Standby.TEMPLATE)
    name = beside(back.stage.at(StepName.BACKUP), REHEARSAL)
    await back.as_superuser(f'create database "{name}" owner casework_owner template "{side_of(back)}"', "postgres")
    back.plan(down=("001_add.down.sql",))

    outcome = await back.stand_by(Standby.TEMPLATE)

    assert "proven by an earlier attempt" in outcome.evidence[0]
    assert "down_rehearsed" in outcome.facts
    assert name not in await there(back)
