"""Removing what an ended run has kept: exactly that, never the live database, and nobody is put out for it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import Context, Outcome, StepError
from bot.runbook.run import Run
from bot.runbook.steps import Route, StepName
from integrations.postgres.beside import FAILED, KINDS, STANDBY, beside
from integrations.postgres.clean_up import CleanUp
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK, Stage

OLD = "m-old123"


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage with what an ended run has kept."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    for kind in KINDS:
        await made.as_superuser(f'create database "{name_of(made, kind)}" owner casework_owner', "postgres")
    await made.as_superuser(f'alter database "{name_of(made, FAILED)}" allow_connections false', "postgres")
    yield made
    for kind in KINDS:
        await made.as_superuser(f'drop database if exists "{name_of(made, kind)}" with (force)', "postgres")


def name_of(back: Backstage, kind: str) -> str:
    return beside(back.stage.at(StepName.BACKUP), kind, OLD)


def cleaning(back: Backstage, cleans: str = OLD) -> Context:
    """The context of a run that cleans up after another."""
    context = back.stage.at(StepName.BACKUP)
    plan = replace(back.stage.run.plan, cleans=cleans, migrations=())
    run: Run = replace(back.stage.run, id="m-new456", plan=plan, route=Route.CLEANUP, position=0)
    return replace(context, run=run)


async def left(back: Backstage) -> list[str]:
    found = await back.as_superuser(
        f"select datname from pg_database where datname like '{back.casework.name}%' order by 1", "postgres"
    )
    return [str(name) for (name,) in found]


async def test_five_answers(back: Backstage) -> None:
    """Each is listed with what it is, its size and who used it; all go, the live one stays, and it is final."""
    step, context = CleanUp(QUICK), cleaning(back)
    described = await step.describe(context)
    text = "\n".join(described.lines)
    assert all(f'DROP DATABASE "{name_of(back, kind)}"' in text for kind in KINDS)
    assert "the failed database, kept as evidence" in text
    assert "closed to connections" in text
    assert OLD == described.inputs["cleans"]
    assert all(name_of(back, kind) in described.inputs["databases"] for kind in KINDS)
    assert await step.check(context) is None

    outcome = await step.run(context)

    assert [back.casework.name] == await left(back)
    assert name_of(back, STANDBY) in outcome.facts["dropped"]
    assert (await step.verify(context, outcome)).ok
    assert await step.check(context) is not None
    assert "There is no way back" in step.undo(context)


async def test_the_digest_outlives_a_crash_half_way(back: Backstage) -> None:
    """Some are gone already: what was approved is still what is described, and the rest goes."""
    step, context = CleanUp(QUICK), cleaning(back)
    before = (await step.describe(context)).inputs
    await back.as_superuser(f'drop database "{name_of(back, STANDBY)}"', "postgres")

    assert before == (await step.describe(context)).inputs
    await step.run(context)

    assert [back.casework.name] == await left(back)


async def test_somebody_connected_is_named_and_not_put_out(back: Backstage) -> None:
    """A person looking at the evidence stops its removal, by name; without them it goes on."""
    step, context = CleanUp(QUICK), cleaning(back)
    dsn = psycopg.conninfo.make_conninfo(back.pg.dsn(name_of(back, STANDBY)), application_name="Ann's psql")
    async with await psycopg.AsyncConnection.connect(dsn) as ann:
        assert "connected now: 1" in "\n".join((await step.describe(context)).lines)
        with pytest.raises(StepError, match="Ann's psql"):
            await step.run(context)
        await ann.execute("select 1")
        assert not (await step.verify(context, Outcome())).ok

    await step.run(context)

    assert [back.casework.name] == await left(back)


async def test_a_target_of_that_name_is_never_dropped(back: Backstage) -> None:
    """Whatever a name comes to: a database some target lives in stays."""
    step, context = CleanUp(QUICK, protected={name_of(back, STANDBY)}), cleaning(back)

    for ask in (step.describe, step.run):
        with pytest.raises(StepError, match="is the database of a target"):
            await ask(context)

    assert 5 == len(await left(back))


@pytest.mark.parametrize("cleans", ["", "m-new456"])
async def test_without_another_run_nothing_is_removed(back: Backstage, cleans: str) -> None:
    """The plan must name an ended run, not itself."""
    with pytest.raises(StepError, match="does not say which run"):
        await CleanUp(QUICK).run(cleaning(back, cleans))

    assert 5 == len(await left(back))


async def test_other_runs_keep_theirs(back: Backstage) -> None:
    """Only that run's own names are looked at."""
    await CleanUp(QUICK).run(cleaning(back, "m-other9"))

    assert 5 == len(await left(back))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ('alter database "{live}" rename to "{live}_away"', "is not there"),
        ('alter database "{live}" allow_connections false', "is closed to connections"),
        ('drop database "{live}" with (force); create database "{live}" owner casework_owner', "has no tables"),
    ],
)
async def test_what_may_be_the_only_copy_of_production_stays(back: Backstage, spoil: str, why: str) -> None:
    """Without a live database that holds something nothing is removed, and it is said what to do first."""
    live = back.casework.name
    for each in spoil.format(live=live).split("; "):
        await back.as_superuser(each, "postgres")

    for ask in (CleanUp(QUICK).describe, CleanUp(QUICK).run):
        with pytest.raises(StepError, match=f"{live} {why}, so nothing is removed") as caught:
            await ask(cleaning(back))
        assert f"{name_of(back, STANDBY)} (the standby copy" in caught.value.problem
        assert "Put the database in its place first" in caught.value.advice

    assert set(await left(back)) >= {name_of(back, kind) for kind in KINDS}
    await back.as_superuser(f'drop database if exists "{live}_away"', "postgres")


async def test_it_stops_when_production_goes_between_two_removals(back: Backstage) -> None:
    """The live database is looked at again before every removal."""
    context = cleaning(back)

    async def closes(text: str, fraction: float | None) -> None:
        await back.as_superuser(f'alter database "{back.casework.name}" allow_connections false', "postgres")

    with pytest.raises(StepError, match="is closed to connections"):
        await CleanUp(QUICK).run(replace(context, progress=closes))

    assert 4 == len(await left(back))
