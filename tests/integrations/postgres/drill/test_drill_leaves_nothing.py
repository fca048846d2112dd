"""Nothing of a rehearsal stays, however it ends, and nothing but a rehearsal's own is ever removed."""

import asyncio
import signal

import psycopg
import pytest
from psycopg import sql

from bot.demo import casework as sample
from bot.ports import StepError
from integrations.postgres.drill.rehearsal import PostgresDrill
from integrations.postgres.template import HALF_MADE
from tests.integrations.postgres.conftest import QUICK
from tests.integrations.postgres.drill.hall import NAME, Hall
from tests.integrations.postgres.drill.killed_drill import killed_at

UP = "alter table cases add column court text;\n"
MOMENTS = ("written", "backed up", "Restoring into", "copied", "statement 1", "applied", "switched")


async def _do(hall: Hall, statement: str, *names: object) -> None:
    """A statement about databases, by a superuser."""
    async with await psycopg.AsyncConnection.connect(hall.pg.dsn(), autocommit=True) as db:
        parts = [each if isinstance(each, sql.Composable) else sql.Identifier(str(each)) for each in names]
        await db.execute(sql.SQL(statement).format(*parts))  # type: ignore[arg-type]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_after_a_kill_the_next_one_cleans_up(hall: Hall, moment: str) -> None:
    """Databases, sessions, dumps: whatever the dead one had begun, the next rehearsal of the target removes."""
    file, before = hall.write("1.sql", UP), await hall.content()

    assert -signal.SIGKILL == await killed_at(moment, hall.stage.target, file)
    assert await hall.left()

    report = await hall.rehearse(file)
    assert report.ok, report.problem
    assert [] == await hall.left()
    assert before == await hall.content()


@pytest.mark.parametrize("moment", ["written", "Restoring into", "statement 1", "Verifying"])
async def test_a_cancelled_one_removes_its_own(hall: Hall, moment: str) -> None:
    """At whatever it is: when the cancellation is through, nothing is left."""
    file, cancelled = hall.write("1.sql", UP), False

    async def progress(text: str, fraction: float | None) -> None:
        nonlocal cancelled
        if moment in text and not cancelled:
            cancelled = rehearsing.cancel()

    rehearsing = asyncio.create_task(
        PostgresDrill(QUICK).rehearse(hall.stage.target, (file,), (), name=NAME, progress=progress)
    )

    with pytest.raises(asyncio.CancelledError):
        await rehearsing
    assert cancelled
    assert [] == await hall.left()


async def test_two_at_once_are_refused(hall: Hall) -> None:
    """The second is told who is at work; the first is not disturbed."""
    file, reached, go_on = hall.write("1.sql", UP), asyncio.Event(), asyncio.Event()

    async def progress(text: str, fraction: float | None) -> None:
        if "statement 1" in text:
            reached.set()
            await go_on.wait()

    first = asyncio.create_task(
        PostgresDrill(QUICK).rehearse(hall.stage.target, (file,), (), name="first", progress=progress)
    )
    await asyncio.wait_for(reached.wait(), 60)

    with pytest.raises(StepError, match="Another rehearsal is at work on") as refused:
        await hall.rehearse(file)
    assert "migrate/drill-first/backup" in refused.value.problem
    assert "pg_terminate_backend" in refused.value.advice
    go_on.set()
    assert (await first).ok
    assert [] == await hall.left()


async def test_a_database_with_content_of_that_name_is_nobodys_to_drop(hall: Hall) -> None:
    """A person made it: the rehearsal is refused, and the database stays."""
    name = f"{hall.casework.name}_restore_drill-{NAME}"
    await _do(hall, "create database {} template {}", name, hall.casework.name)

    with pytest.raises(StepError, match="not provably a rehearsal's"):
        await hall.rehearse(hall.write("1.sql", UP))

    assert [name] == await hall.left()


async def test_others_leftovers_are_named_and_stay(hall: Hall) -> None:
    """A name like that of an older rehearsal proves nothing, nor does its mark on a database of another name."""
    live = hall.casework.name
    looks_like, marked = f"{live}_standby_drill-old", f"{live}_precious"
    await _do(hall, "create database {} template {}", looks_like, live)
    await _do(hall, "create database {} template {}", marked, live)
    await _do(hall, "comment on database {} is {}", marked, sql.Literal(f"{HALF_MADE}drill-old"))
    strange = f"{live}_failed_drill-old"
    await _do(hall, "create database {}", strange)  # empty, and yet another role's
    await _do(hall, "comment on database {} is {}", strange, sql.Literal(f"{HALF_MADE}drill-old"))

    report = await hall.rehearse(hall.write("1.sql", UP))

    assert report.ok, report.problem
    assert any(f"Left alone: There is a database {looks_like}" in each for each in report.notes)
    assert any(f"Left alone: {strange}: must be owner" in each for each in report.notes)
    assert sorted([looks_like, marked, strange]) == sorted(await hall.left())


async def test_a_targets_database_is_never_dropped(hall: Hall) -> None:
    """Even with the name and the mark of a leftover: whatever is configured as a target stays."""
    name = f"{hall.casework.name}_restore_drill-old"
    await _do(hall, "create database {} owner {}", name, sample.OWNER)
    await _do(hall, "comment on database {} is {}", name, sql.Literal(f"{HALF_MADE}drill-old"))
    file = hall.write("1.sql", UP)

    drill = PostgresDrill(QUICK, protected={name})
    report = await drill.rehearse(hall.stage.target, (file,), (), name=NAME, progress=hall.progress)

    assert any("is the database of a target" in each for each in report.notes)
    assert [name] == await hall.left()
    await hall.rehearse(file)
    assert [] == await hall.left()  # where it is no target's, it is what it says


async def test_a_runs_own_copies_are_not_touched(hall: Hall) -> None:
    """The standby copy of a run that is under way has another name and another mark."""
    kept = f"{hall.casework.name}_standby_run-7"
    await _do(hall, "create database {}", kept)
    await _do(hall, "comment on database {} is {}", kept, sql.Literal(f"{HALF_MADE}run-7"))

    report = await hall.rehearse(hall.write("1.sql", UP))

    assert report.ok, report.problem
    assert [kept] == await hall.left()
