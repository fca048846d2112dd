"""The rehearsal as a whole: what it reports, what it proves, and that production has no part in it."""

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from bot.demo import casework as sample
from bot.ports import Drill, StepError
from bot.runbook.drill import DrillReport
from bot.runbook.rungs import Rung
from integrations.postgres.drill.rehearsal import PostgresDrill
from tests.conftest import PASSWORDS
from tests.integrations.postgres.conftest import Stage
from tests.integrations.postgres.drill.hall import NAME, Hall
from tests.integrations.postgres.elder import elder

UP = "alter table cases add column court text;\nupdate cases set court = 'Berne';\n"
DOWN = "alter table cases drop column court;\n"


@pytest_asyncio.fixture
async def old(stage: Stage) -> AsyncIterator[Hall]:
    """The sample on a server of PostgreSQL 15, with a newer client."""
    async with elder() as server:
        made = await sample.copy_template(server, PASSWORDS, "elder_casework")
        target = replace(stage.target, dsn=made.owner_dsn)
        yield Hall(stage=Stage(target=target, run=stage.run), pg=server, casework=made)


async def _require_whole(hall: Hall) -> None:
    """A rehearsal that goes well, of files of both kinds, while somebody works on the live database."""
    up, index = hall.write("1.sql", UP), hall.write("2.sql", "create index concurrently i on documents (title);\n")
    down = hall.write("d.sql", f"drop index i;\n{DOWN}")
    before = await hall.content()
    async with await psycopg.AsyncConnection.connect(hall.casework.app_dsn) as client:
        await client.execute("update cases set title = title where id = 1")  # and stays in its transaction
        async with hall.spied() as locks:
            report = await hall.rehearse(up, index, down=(down,))
        await client.rollback()

    assert "" == report.problem
    assert report.ok
    assert ("", NAME) == (report.down_problem, report.name)
    assert {("AccessShareLock", True)} == locks
    assert before == await hall.content()
    assert [] == await hall.left()
    measured = [(each.file, each.line, each.lock, each.relation, each.rewrote) for each in report.statements]
    assert [
        ("1.sql", 1, "ACCESS EXCLUSIVE", "public.cases", ()),
        ("1.sql", 2, "ROW EXCLUSIVE", "public.cases", ()),
        ("2.sql", 1, "SHARE UPDATE EXCLUSIVE", "public.documents", ()),
    ] == measured
    assert all(each.seconds > 0 and each.wal > 0 for each in report.statements)
    assert report.wal >= sum(each.wal for each in report.statements)
    assert report.size_after > report.size_before > 0
    assert any("Marked as applied: 1.sql, 2.sql" in each for each in report.verified)
    _require_times(report)


def _require_times(report: DrillReport) -> None:
    assert 0 < sum(each.seconds for each in report.statements) < report.apply_seconds
    switch, restore = report.back_seconds(Rung.SWITCH), report.back_seconds(Rung.RESTORE)
    assert switch and restore and report.copy_seconds
    assert restore == pytest.approx(report.copy_seconds + switch)
    assert report.back_seconds(Rung.DOWN) == report.down_seconds
    assert report.down_seconds and report.backup_seconds and report.verify_seconds


async def test_everything_is_measured_and_nothing_touched(hall: Hall) -> None:
    """Both kinds of files and the DOWN script; on the live database it only ever reads."""
    drill: Drill = PostgresDrill()  # it fits the port

    assert drill
    await _require_whole(hall)


async def test_on_an_older_server(old: Hall) -> None:
    """PostgreSQL 15 with the client of another major version."""
    await _require_whole(old)


async def test_a_failing_migration_is_told_with_its_line(hall: Hall) -> None:
    """What came before is still reported, the ways back are still measured, and values of rows are not told.

    The failed statement has let go of its locks before anybody can look.
    """
    up = hall.write("1.sql", f"{UP}\n\nalter table cases\n  add constraint few unique (status);\n")

    report = await hall.rehearse(up, down=(hall.write("d.sql", DOWN),))

    assert not report.ok
    assert "1.sql, line 5: ERROR 23505: could not create unique index" in report.problem
    assert "=(…)" in report.problem
    assert ["ACCESS EXCLUSIVE", "ROW EXCLUSIVE", ""] == [each.lock for each in report.statements]
    assert ((), None, None) == (report.verified, report.verify_seconds, report.down_seconds)
    assert report.back_seconds(Rung.RESTORE)
    assert [] == await hall.left()


async def test_the_line_is_the_one_postgresql_points_at(hall: Hall) -> None:
    """In a statement of many lines."""
    report = await hall.rehearse(hall.write("1.sql", "select 1;\nselect\n  id,\n  nowhere\nfrom cases;\n"))

    assert 'line 4: ERROR 42703: column "nowhere" does not exist' in report.problem


async def test_what_only_the_commit_finds(hall: Hall) -> None:
    """A deferred constraint is a failure of the migration, too."""
    text = (
        "alter table cases add column parent bigint references cases (id) deferrable initially deferred;\n"
        "update cases set parent = 0 where id = 1;\n"
    )

    report = await hall.rehearse(hall.write("1.sql", text))

    assert "ERROR 23503" in report.problem
    assert 2 == len(report.statements)


async def test_a_file_outside_a_transaction_that_fails(hall: Hall) -> None:
    """What was done before it stays on the copy, and on the copy only."""
    text = "alter table cases add column court text;\ncreate unique index concurrently few on cases (status);\n"

    report = await hall.rehearse(hall.write("1.sql", text))

    assert "1.sql, line 2: ERROR 23505" in report.problem
    assert ["ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"] == [each.lock for each in report.statements]
    assert [] == await hall.left()


async def test_a_verification_that_fails(hall: Hall) -> None:
    """The migration gets in, but what it leaves is a reason to go back."""
    checks = (("cases without a court", "select count(*) from public.cases where court is null"),)
    hall.stage.target = replace(hall.stage.target, orphan_checks=checks)

    report = await hall.rehearse(hall.write("1.sql", "alter table cases add column court text;\n"))

    assert not report.ok
    assert "The migration is in, but: cases without a court" in report.problem
    assert any(each.startswith("❌ cases without a court") for each in report.verified)


async def test_the_targets_own_command_is_pointed_at_the_copy(hall: Hall) -> None:
    """It gets the copy's address by environment, never the live database's."""
    script = "import os; print(os.environ['PGDATABASE'], os.environ['DATABASE_URL'].count('_restore_drill-'))"
    hall.stage.target = replace(hall.stage.target, verify_command=(sys.executable, "-c", script))

    report = await hall.rehearse(hall.write("1.sql", UP))

    assert any(f"{hall.casework.name}_restore_drill-{NAME} 1" in each for each in report.verified), report.verified


@pytest.mark.parametrize(
    ("down", "why"),
    [
        ("select 1;\n", "after them the schema is not as before: + column public.cases.court"),
        ("drop table nothing;\n", "d.sql: ERROR 42P01"),
        ("drop role casework_app;\n", "reaches beyond the copy"),
    ],
)
async def test_down_scripts_that_are_no_way_back(hall: Hall, down: str, why: str) -> None:
    """The migration is as good as before, but that rung has no time."""
    report = await hall.rehearse(hall.write("1.sql", UP), down=(hall.write("d.sql", down),))

    assert report.ok
    assert why in report.down_problem
    (rung,) = [each for each in report.back if each.rung is Rung.DOWN]
    assert (None, report.down_problem) == (rung.seconds, rung.problem)


async def test_data_within_the_file_is_measured_as_a_whole(hall: Hall) -> None:
    """COPY with its rows in the file: psql runs it, and the report says that there is one figure."""
    name = hall.write("1.sql", "copy clients (name) from stdin;\nAda\nBert\n\\.\nalter table cases add court text;\n")

    report = await hall.rehearse(name)

    assert report.ok, report.problem
    (only,) = report.statements
    assert ("1.sql", "the whole file") == (only.file, only.head)
    assert any("No figures of single statements for 1.sql" in each for each in report.notes)


async def test_a_young_backup_is_used_again(hall: Hall) -> None:
    """The newest whole backup of this very database, and it stays where it is."""
    outcome = await hall.stage.backed_up()
    hall.stage.target = replace(hall.stage.target, drill_backup_within=3600.0)

    report = await hall.rehearse(hall.write("1.sql", UP))

    assert report.ok, report.problem
    assert "the backup of run run-7" in report.source
    assert report.backup_seconds
    assert Path(outcome.facts["folder"]).is_dir()
    assert ["run-7"] == await hall.left()


@pytest.mark.parametrize("flaw", ["old", "damaged"])
async def test_a_backup_that_is_old_or_damaged_is_not(hall: Hall, flaw: str) -> None:
    """Then a new one is made."""
    folder = Path((await hall.stage.backed_up()).facts["folder"])
    within = 1e-6 if flaw == "old" else 3600.0
    if flaw == "damaged":
        (folder / "toc.dat").write_bytes(b"x")
    hall.stage.target = replace(hall.stage.target, drill_backup_within=within)

    report = await hall.rehearse(hall.write("1.sql", UP))

    assert "a backup made for it" in report.source


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("create role nobody;\n", "CREATE ROLE"),
        ("select 1;\nalter system set work_mem = '1GB';\n", "line 2 has ALTER SYSTEM"),
        ("do $$ begin execute 'drop database casework'; end $$;\n", "drop database"),
        ("grant connect on database postgres to public;\n", "database, role or tablespace"),
        ("select pg_terminate_backend(1);\n", "pg_terminate_backend"),
        ("copy cases from stdin;\n\\.\ncreate role nobody;\n", "create role"),
    ],
)
async def test_what_reaches_beyond_the_copy_is_not_rehearsed(hall: Hall, text: str, what: str) -> None:
    """It would really be done on production's server; nothing is even begun."""
    with pytest.raises(StepError) as refused:
        await hall.rehearse(hall.write("1.sql", text))

    assert what in refused.value.problem
    assert "reaches beyond the copy" in refused.value.problem
    assert [] == hall.said


async def test_a_write_to_a_foreign_table_is_not_rehearsed(hall: Hall) -> None:
    """The copy's foreign tables are those of production."""
    async with await psycopg.AsyncConnection.connect(hall.casework.superuser_dsn, autocommit=True) as db:
        await db.execute("create extension file_fdw; create server files foreign data wrapper file_fdw")
        await db.execute("create foreign table far (id int) server files options (filename '/dev/null')")
    hall.stage.target = replace(hall.stage.target, dsn=hall.casework.superuser_dsn)

    with pytest.raises(StepError, match=r"foreign table public\.far"):
        await hall.rehearse(hall.write("1.sql", "insert into far values (1);\n"))

    assert [] == await hall.left()


async def test_without_the_right_to_make_databases(hall: Hall) -> None:
    """There is no rehearsal, and the error says what to grant."""
    hall.stage.target = replace(hall.stage.target, dsn=hall.casework.app_dsn)

    with pytest.raises(StepError, match=r"ALTER ROLE casework_app CREATEDB;"):
        await hall.rehearse(hall.write("1.sql", UP))


async def test_without_tools(hall: Hall, tmp_path: Path) -> None:
    """There is no rehearsal, and the error says what to install."""
    hall.stage.target = replace(hall.stage.target, client_tools=tmp_path)

    with pytest.raises(StepError, match="pg_dump, pg_restore and psql") as refused:
        await hall.rehearse(hall.write("1.sql", UP))

    assert "Install postgresql-client" in refused.value.advice
    assert [] == await hall.left()


@pytest.mark.parametrize("name", ["../x", "", "a b", "x" * 60])
async def test_a_name_that_cannot_be_one(hall: Hall, name: str) -> None:
    """It becomes a part of databases' and folders' names."""
    with pytest.raises(StepError, match="cannot name a rehearsal"):
        await PostgresDrill().rehearse(hall.stage.target, ("1.sql",), (), name=name, progress=hall.progress)
