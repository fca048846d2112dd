"""Salvage files: what was written since the copy can be read into it again, and nothing stands in the way back."""

import hashlib
import json
import shutil
from collections import namedtuple
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import conninfo

from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.steps import StepName
from integrations.postgres.baseline import Baseline
from integrations.postgres.salvage import BORDER, DELETED, REMAIN, REWRITTEN, Salvage, save
from integrations.postgres.settings import Limits
from tests.integrations.postgres.conftest import QUICK, Stage
from tests.integrations.postgres.copies import Copies

NOTE = "insert into case_notes (case_id, author_id, body) values (1, 1, 'late')"
ODD = r"""
create schema "s ""x";
create table "s ""x"."o'dd" (
    id bigint generated always as identity primary key, "Te""xt" text, empty text, raw bytea, tags text[],
    doc jsonb, at timestamptz, span interval, number numeric, real8 float8,
    twice bigint generated always as (id * 2) stored);
"""
VALUES = r"""
insert into "s ""x"."o'dd" ("Te""xt", empty, raw, tags, doc, at, span, number, real8) values
    (E'a "quoted", line\nnext\r\nlast\\.\t', '', '\x00ff0a22', array['x,"y', null, ''], '{"k": "v\"\n"}',
     '2026-03-01 12:00:00.123456+05', '1 mon 2 days 03:04:05.6', 1e-20, 0.1::float8 + 0.2::float8),
    (E'\\.', null, null, null, 'null', 'infinity', null, 'NaN', '-Infinity'),
    (E'\u00e9\u20ac\U0001f600', '\N', '', '{}', '[]', null, null, null, null);
"""


@pytest_asyncio.fixture
async def copies(stage: Stage, casework_template: EmbeddedPostgres) -> AsyncIterator[Copies]:
    """The sample as live database, whose copies are dropped afterwards."""
    made = Copies(stage=stage, pg=casework_template)
    yield made
    await made.remove()


def folder_of(copies: Copies) -> Path:
    return copies.stage.target.backups / "run-7.salvage"


async def saved(copies: Copies, base: Baseline, limits: Limits = QUICK) -> Salvage:
    return await save(copies.stage.at(StepName.APPLY), base, folder_of(copies), limits)


def listed(folder: Path) -> dict[str, dict[str, str]]:
    """The tables in the list of a salvage, by name."""
    return {each["table"]: each for each in json.loads((folder / "salvage.json").read_text())["tables"]}


async def load(copies: Copies, folder: Path, entry: dict[str, str]) -> None:
    """Read a file into the newest copy, with the command that its list names."""
    dsn = conninfo.make_conninfo(copies.stage.target.dsn, dbname=copies.made[-1])
    async with (
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db,
        db.cursor() as cursor,
        cursor.copy(entry["load"].encode()) as copy,
    ):
        await copy.write((folder / entry["file"]).read_bytes())


async def test_what_was_saved_can_be_loaded_again(copies: Copies) -> None:
    """Quotes, line ends, NULL and empty text, bytes, arrays, JSON, infinities: after loading, nothing is missing."""
    await copies.live(*[each for each in ODD.split(";\n") if each.strip()])
    base = await copies.base()
    await copies.live(VALUES, *[NOTE] * 2)

    found = await saved(copies, base)

    folder = found.folder
    assert folder is not None
    tables = listed(folder)
    odd = tables["s \"x.o'dd"]
    data = (folder / odd["file"]).read_bytes()
    assert (folder_of(copies), 2, 5) == (folder, found.tables, found.rows)
    assert (3, len(data), hashlib.sha256(data).hexdigest()) == (odd["rows"], odd["bytes"], odd["sha256"])
    assert f"Saved 5 rows of 2 tables written since the copy: {folder} (" in found.lines[0]
    assert DELETED == found.lines[1]
    for entry in tables.values():
        await load(copies, folder, entry)
    assert {} == await copies.truth()


async def test_files_are_private_and_whole(copies: Copies) -> None:
    """Mode 0600 in a folder 0700, and no half-made folder beside it."""
    base = await copies.base()
    await copies.live(NOTE)

    await saved(copies, base)

    folder = folder_of(copies)
    assert {0o600} == {each.stat().st_mode & 0o777 for each in folder.iterdir()}
    assert 0o700 == folder.stat().st_mode & 0o777
    assert [folder] == list(folder.parent.iterdir())


async def test_a_finished_salvage_stays_as_it_is(copies: Copies) -> None:
    """The same run asks again: the same answer, and no file is touched; another run's folder is never overwritten."""
    base = await copies.base()
    await copies.live(NOTE)
    first = await saved(copies, base)
    was = {each.name: each.stat().st_mtime_ns for each in folder_of(copies).iterdir()}
    await copies.live(NOTE)

    again = await saved(copies, base)
    copies.stage.run = replace(copies.stage.run, id="run-8")
    foreign = await saved(copies, base)

    assert first == again
    assert was == {each.name: each.stat().st_mtime_ns for each in folder_of(copies).iterdir()}
    assert (None, 0) == (foreign.folder, foreign.rows)
    assert "is no finished salvage of this run" in foreign.lines[0]


async def test_leftovers_of_a_dead_attempt_are_replaced(copies: Copies) -> None:
    """A half-made folder is begun anew."""
    base = await copies.base()
    await copies.live(NOTE)
    partial = folder_of(copies).with_name("run-7.salvage.partial")
    partial.mkdir(parents=True)
    (partial / "0000_public.cases.csv").write_text("half")

    found = await saved(copies, base)

    assert 1 == found.rows
    assert not partial.exists()


async def test_the_migrations_own_rows_are_not_saved(copies: Copies) -> None:
    """Only what people wrote is in the files, also of a table that the migration has rewritten."""
    await copies.stage.backed_up()
    base = await copies.base()
    text = "update clients set city = 'x';\nalter table documents alter column size_bytes type numeric;\n"
    await copies.apply("001_all.sql", text)
    await copies.live("update documents set title = 'mine' where id = 3", "insert into clients (name) values ('new')")

    found = await saved(copies, base)

    tables = listed(folder_of(copies))
    assert {"public.clients": 1, "public.documents": 1} == {name: each["rows"] for name, each in tables.items()}
    assert "mine" in (folder_of(copies) / tables["public.documents"]["file"]).read_text()
    assert 2 == len(found.lines)


async def test_rewritten_rows_that_cannot_be_told_apart(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather all rows than none; a table too large for that is named, and stays in the kept database."""
    base = await copies.base()
    await copies.live("alter table documents alter column size_bytes type numeric")
    small = await saved(copies, base)
    shutil.rmtree(folder_of(copies))
    monkeypatch.setattr("integrations.postgres.salvage.LARGEST_REWRITTEN", 1)

    large = await saved(copies, base)

    assert (base.rows["public.documents"][0], 0) == (small.rows, large.rows)
    assert REWRITTEN in small.lines[2]
    assert REMAIN in large.lines[2]


async def test_rows_in_doubt_are_saved(copies: Copies) -> None:
    """Whether a savepoint of a session then at work is in the copy cannot be seen: rather one row too many is saved."""
    early = await copies.session()
    await early.execute(NOTE.encode())
    async with early.transaction():
        await early.execute("update clients set city = 'Bern' where id = 2")
    await copies.live("update clients set city = 'Thun' where id = 1")
    base = await copies.base()
    await early.commit()
    await early.close()

    found = await saved(copies, base)

    assert {"public.case_notes": 1, "public.clients": 2, "": 0} == {
        name: each["rows"] for name, each in listed(folder_of(copies)).items()
    }
    assert f"⚠️ {BORDER}" == found.lines[2]


async def test_a_table_that_cannot_be_saved_is_a_note(copies: Copies) -> None:
    """Locked for longer than a query may take, or not this role's: the others are saved."""
    base = await copies.base()
    await copies.live(NOTE, "update clients set city = 'Thun' where id = 1")
    async with await psycopg.AsyncConnection.connect(copies.pg.dsn(copies.stage.run.plan.database)) as other:
        await other.execute("create table hidden (id int)")
        await other.commit()
        await other.execute("lock table case_notes in access exclusive mode")

        found = await saved(copies, base, replace(QUICK, query_time=0.3))

    assert (1, 1) == (found.tables, found.rows)
    assert {f"⚠️ case_notes: not read within 0.3 s; {REMAIN}", f"⚠️ hidden: this role may not read it; {REMAIN}"} == set(
        found.lines[2:]
    )


async def test_all_or_nothing_where_nothing_else_is_kept(copies: Copies) -> None:
    """One table that cannot be saved leaves no folder; once it can, an earlier folder without it is put aside."""
    base, context = await copies.base(), copies.stage.at(StepName.APPLY)
    await copies.live(NOTE)
    async with await psycopg.AsyncConnection.connect(copies.pg.dsn(copies.stage.run.plan.database)) as other:
        await other.execute("create table hidden (id int)")
        await other.commit()
        earlier = await saved(copies, base)
        refused = await save(context, base, folder_of(copies), QUICK, whole=True)
        await other.execute("drop table hidden")

    whole = await save(context, base, folder_of(copies), QUICK, whole=True)

    assert ((f"hidden: this role may not read it; {REMAIN}",), ()) == (earlier.unsaved, whole.unsaved)
    assert None is refused.folder
    assert refused.lines[0].endswith("as files: hidden: this role may not read it.")
    assert whole.folder == folder_of(copies)
    assert {"public.case_notes"} == listed(whole.folder).keys()
    assert (whole.folder.parent / "run-7.salvage.1" / "salvage.json").is_file()
    assert whole == await save(context, base, folder_of(copies), QUICK, whole=True)


async def test_a_full_disk_is_a_note(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little room: nothing half-written stays, and the way back goes on."""
    base = await copies.base()
    await copies.live(NOTE)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("integrations.postgres.sink.shutil.disk_usage", lambda _: usage(100, 90, 10))

    found = await saved(copies, base)

    assert 0 == found.rows
    assert any("only 10 B free" in line for line in found.lines)
    assert [] == list(folder_of(copies).glob("*.csv"))


async def test_an_unwritable_folder_is_a_note(copies: Copies) -> None:
    """A file stands where the folder should be: said, not raised."""
    base = await copies.base()
    copies.stage.target.backups.write_text("a file")

    found = await saved(copies, base)

    assert None is found.folder
    assert "could not be saved as files" in found.lines[0]
    assert "which is kept" in found.lines[0]


async def test_an_unreachable_database_is_a_note(copies: Copies) -> None:
    """Even then the way back is not held up."""
    base = await copies.base()

    found = await save(copies.stage.at(StepName.APPLY), base, folder_of(copies), QUICK, database="nowhere")

    assert None is found.folder
    assert "cannot be reached" in found.lines[0]
    assert [] == list(folder_of(copies).parent.iterdir())
