"""What a return to a copy loses: the figures are held against what is really missing in a real copy."""

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.postgres.baseline import take_baseline
from integrations.postgres.losses import GONE, TableLoss, measure
from integrations.postgres.snapshot import open_snapshot
from integrations.postgres.weigh import OVERWRITTEN
from tests.integrations.postgres.conftest import QUICK, Stage
from tests.integrations.postgres.copies import Copies, counted

NOTE = "insert into case_notes (case_id, author_id, body) values (1, 1, 'late')"


@pytest_asyncio.fixture
async def copies(stage: Stage, casework_template: EmbeddedPostgres) -> AsyncIterator[Copies]:
    """The sample as live database, whose copies are dropped afterwards."""
    made = Copies(stage=stage, pg=casework_template)
    yield made
    await made.remove()


async def test_what_people_wrote_is_counted_exactly(copies: Copies) -> None:
    """Inserted, updated (twice), deleted and undone rows: the figures are those missing in the copy, and proven."""
    base = await copies.base()
    await copies.live(
        *[NOTE] * 5,
        "update case_notes set body = 'a' where id = 1",
        "update case_notes set body = 'b' where id = 1",
        "update clients set city = 'Thun' where id <= 3",
        "delete from time_entries where id in (1, 2)",
        "begin; delete from documents; insert into clients (name) values ('x'); rollback",
    )

    found = await copies.measured(base)

    assert await copies.truth() == counted(found)
    assert {
        "public.case_notes": (5, 1, 0), "public.clients": (0, 3, 0), "public.time_entries": (0, 0, 2),
    } == counted(found)  # fmt: skip
    assert 11 == found.rows
    assert found.lines[0].startswith("Lost: ")
    assert (
        f"5 rows inserted, 4 changed, 2 deleted since the backup's snapshot ({base.moment}), in 3 tables: "
        in (found.lines[0])
    )
    assert "case_notes +5 ~1" in found.lines[0]
    assert "time_entries −2" in found.lines[0]
    assert all("late" not in line for line in found.lines)


async def test_nothing_written_is_said(copies: Copies) -> None:
    """An untouched database loses nothing, and that is proven."""
    base = await copies.base()

    found = await copies.measured(base)

    assert ((), 0, True) == (found.tables, found.rows, found.exact)
    assert "Lost: nothing: nobody but the migration has written a row" in found.lines[0]
    assert 2 == len(found.lines)


async def test_a_transaction_open_at_the_snapshot_is_lost(copies: Copies) -> None:
    """It began before the copy and committed after it: all of it is lost, its subtransactions included or named."""
    early = await copies.session()
    await early.execute(NOTE.encode())
    await copies.live("update clients set city = 'Thun' where id = 1")  # between the open one and the snapshot
    base = await copies.base()
    await early.commit()
    await early.close()

    found = await copies.measured(base)

    assert await copies.truth() == counted(found) == {"public.case_notes": (1, 0, 0)}
    assert found.exact


async def test_unknown_subtransactions_are_named(copies: Copies) -> None:
    """Where an open transaction's savepoints cannot be seen, the rows at the border are told of instead of hidden."""
    early = await copies.session()
    await early.execute(NOTE.encode())
    async with early.transaction():
        await early.execute("update clients set city = 'Bern' where id = 2")
    await copies.live("update clients set city = 'Thun' where id = 1")
    base = await copies.base()
    await early.commit()
    await early.close()

    found = await copies.measured(base)

    clients = next(each for each in found.tables if each.table == "public.clients")
    assert (None, False, False) == (base.parts, found.exact, clients.exact)
    assert "up to 2 more rows, written just before the copy" in clients.note


async def test_a_superuser_sees_subtransactions(copies: Copies) -> None:
    """An exported snapshot lists them, so that a superuser's figures stay exact."""
    early = await copies.session()
    await early.execute(NOTE.encode())
    async with early.transaction():
        await early.execute("update clients set city = 'Bern' where id = 2")
    await copies.live("update clients set city = 'Thun' where id = 1")
    stage = copies.stage
    stage.target, was = replace(stage.target, dsn=copies.pg.dsn(stage.run.plan.database)), stage.target
    base = await copies.base()
    stage.target = was
    await early.commit()
    await early.close()

    found = await copies.measured(base)

    assert 1 == len(base.parts or ())
    assert await copies.truth() == counted(found) == {"public.case_notes": (1, 0, 0), "public.clients": (0, 1, 0)}
    assert found.exact


async def test_writers_while_the_snapshot_is_open(copies: Copies) -> None:
    """What is committed while the dump runs is not in the copy, and counted."""

    async def write() -> None:
        await copies.live(NOTE, "delete from time_entries where id = 3", "update cases set title = 't' where id = 4")

    base = await copies.base(during=write)
    await copies.live(NOTE)

    found = await copies.measured(base)

    assert await copies.truth() == counted(found)
    assert (2, 0, 0) == counted(found)["public.case_notes"]


async def test_acts_that_left_no_row_are_no_loss(copies: Copies) -> None:
    """Reported late or undone, in a table that the migration writes over: the rows there are correct the acts."""
    await copies.stage.backed_up()
    async with await copies.session() as early:
        await early.execute(f"{NOTE}; {NOTE}; commit; begin; select 1".encode())  # in the copy, and not yet reported
        base = await copies.base()
        await early.rollback()
        await early.execute(f"{NOTE}; rollback; begin; {NOTE}".encode())
    before = await copies.measured(base)
    await copies.apply("001_all.sql", "update case_notes set body = upper(body);\n")

    found = await copies.measured(base)

    assert {"public.case_notes": (1, 0, 0)} == counted(before) == counted(found)
    assert (True, False) == (before.exact, found.exact)
    assert found.lines[0].startswith("Lost: about 1 row inserted")
    assert "about 1 row" == found.words


async def test_what_is_not_yet_reported_is_not_called_proven(copies: Copies) -> None:
    """An update reported late hides what a session has replaced and not reported at all: that is "about"."""
    async with await copies.session() as early:
        await early.execute(b"update case_notes set body = 'a' where id = 1; commit; begin; select 1")
        base = await copies.base()
    async with await copies.session() as late:
        await late.execute(f"delete from case_notes where id = 3; {NOTE}; commit; begin; select 1".encode())
        found = await copies.measured(base)

    assert {"public.case_notes": (1, 0, 1)} == await copies.truth()
    assert (False, True) == (found.exact, "about" in found.lines[0])


async def test_acts_of_the_moment_of_the_copy_are_counted(copies: Copies) -> None:
    """What is written once the snapshot is taken is in the counts, however late these are read."""
    async with open_snapshot(copies.stage.at(StepName.BACKUP)) as snapshot:
        await copies.live("update clients set city = 'Bern' where id = 2")
        late = await take_baseline(snapshot.db, snapshot.name)
        base = await take_baseline(snapshot.db, snapshot.name, snapshot.counters)

    assert 1 == late.counters["public.clients"][1] - base.counters["public.clients"][1]


async def test_the_migrations_own_changes_are_no_loss(copies: Copies) -> None:
    """A file that updates a whole table loses nothing of people's; the row somebody wrote beside it is counted."""
    await copies.stage.backed_up()
    base = await copies.base()
    await copies.apply("001_all.sql", "alter table clients add column x int;\nupdate clients set x = 1;\n")
    await copies.live(NOTE, "insert into clients (name) values ('new')")

    found = await copies.measured(base)

    assert await copies.truth() == counted(found) == {"public.case_notes": (1, 0, 0), "public.clients": (1, 0, 0)}
    assert found.exact
    assert 2 == len(found.lines)


async def test_own_subtransactions_are_no_loss(copies: Copies) -> None:
    """A DO block with an exception handler writes under other numbers; they are noted as the migration's as well."""
    await copies.stage.backed_up()
    base = await copies.base()
    text = "do $$ begin for n in 1..3 loop begin update clients set city = 'Zug' where id = n; {}"
    text = text.format("exception when division_by_zero then null; end; end loop; end $$;\n")
    await copies.apply("001_parts.sql", text)
    await copies.live("update clients set city = 'Chur' where id = 9")

    found = await copies.measured(base)

    assert {"public.clients": (0, 1, 0)} == counted(found)
    assert found.exact


async def test_own_subtransactions_beside_other_writers(copies: Copies) -> None:
    """While others write, theirs could be taken for the migration's: that is said, unless it has none."""
    await copies.stage.backed_up()
    base = await copies.base()
    async with await copies.session() as other:
        await other.execute(NOTE.encode())
        await copies.apply("001_plain.sql", "update clients set city = 'Zug' where id = 1;\n")
        plain = await copies.measured(base)
        text = "do $$ begin update clients set city = 'x' where id = 2; exception when others then null; end $$;\n"
        await copies.apply("002_part.sql", text)

    found = await copies.measured(base)

    assert ((), 1) == (plain.tables, plain.unproven)  # who is connected may not have reported what he wrote beneath
    assert all("001_plain.sql" not in line for line in plain.lines)
    assert any("Some of what 002_part.sql wrote" in line for line in found.lines)


async def test_people_beneath_the_migration_are_counted_by_statistics(copies: Copies) -> None:
    """What people changed and the migration wrote over has lost its trace in the rows; the statistics have it."""
    await copies.stage.backed_up()
    base = await copies.base()
    await copies.live("update clients set city = 'Chur' where id in (1, 2)")
    await copies.apply("001_all.sql", "update clients set name = upper(name);\n")

    found = await copies.measured(base)

    assert {"public.clients": (0, 2, 0)} == counted(found)
    assert (OVERWRITTEN, False) == (found.tables[0].note, found.tables[0].exact)
    assert "about" in found.lines[0]


async def test_a_rewritten_table_loses_what_people_wrote(copies: Copies) -> None:
    """ALTER TYPE writes every row anew; by the migration's own number they are told from people's."""
    await copies.stage.backed_up()
    base = await copies.base()
    await copies.apply("001_wide.sql", "alter table documents alter column size_bytes type numeric;\n")
    await copies.live("update documents set title = 't' where id = 1", "delete from documents where id = 2")

    found = await copies.measured(base)

    assert await copies.truth() == counted(found) == {"public.documents": (0, 1, 1)}


async def test_rewritten_by_an_unknown_hand(copies: Copies) -> None:
    """Without the migration's note every row of a rewritten table looks new: that is said, and statistics are used."""
    base = await copies.base()
    await copies.live(
        "alter table documents alter column size_bytes type numeric", "update documents set title = 't' where id = 1"
    )

    found = await copies.measured(base)

    assert {"public.documents": (0, 1, 0)} == counted(found)
    assert "rows look new" in found.tables[0].note
    assert (None, False) == (found.tables[0].changed, found.exact)


async def test_the_migration_empties_a_table(copies: Copies) -> None:
    """TRUNCATE by the migration is not taken for people's deleting."""
    await copies.stage.backed_up()
    base = await copies.base()
    await copies.apply("001_empty.sql", "truncate case_notes;\n")
    await copies.live(NOTE)

    found = await copies.measured(base)

    assert {"public.case_notes": (1, 0, 0)} == counted(found)
    assert not found.exact


async def test_statistics_reset_meanwhile(copies: Copies) -> None:
    """Without the statistics the rows themselves still tell; what only those knew is no longer called proven."""
    base = await copies.base()
    await copies.live(NOTE, "delete from time_entries where id = 3", "update clients set city = 'Zug' where id = 1")
    async with await psycopg.AsyncConnection.connect(copies.pg.dsn(copies.stage.run.plan.database)) as db:
        await db.execute("select pg_stat_reset()")

    found = await copies.measured(base)

    exact = {each.table: each.exact for each in found.tables}
    assert await copies.truth() == counted(found)
    assert {"public.case_notes": True, "public.time_entries": True, "public.clients": False} == exact
    assert any("statistics were reset" in line for line in found.lines)


async def test_tables_made_renamed_and_dropped_since(copies: Copies) -> None:
    """Rows of a new table are lost, a renamed one is known again, and of a dropped one nothing can be told."""
    await copies.stage.backed_up()
    await copies.live("create table old (id int primary key)", "insert into old values (1), (2)")
    copies.stage.run = replace(copies.stage.run, done=())
    base = await copies.base()
    text = "create table fresh (id int primary key);\ninsert into fresh values (1);\n"
    await copies.live("drop table old")
    copies.stage.target = replace(copies.stage.target, backups=copies.stage.target.backups / "again")
    await copies.apply("001_new.sql", text + "alter table documents rename to papers;\n")
    await copies.live("insert into fresh values (2), (3)", "update papers set title = 't' where id = 1")

    found = await copies.measured(base)

    assert {"public.fresh": (2, 0, 0), "public.papers": (0, 1, 0)} == counted(found)
    assert [TableLoss(table="public.old", inserted=0, updated=0, deleted=0, changed=None, exact=False, note=GONE)] == [
        each for each in found.tables if not each.rows
    ]


async def test_partitions_are_counted_where_their_rows_are(copies: Copies) -> None:
    """A row that moves to another partition is one deleted here and one inserted there."""
    await copies.live("insert into audit_log (action, entity, entity_id, at) values ('a', 'b', 1, '2031-01-01')")
    ((leaf, key),) = await copies.stage.ask("select tableoid::regclass::text, id from audit_log order by at limit 1")
    base = await copies.base()
    await copies.live(f"update audit_log set at = '2032-01-01' where id = {key}")

    found = await copies.measured(base)

    assert await copies.truth() == counted(found)
    assert {f"public.{leaf}": (0, 0, 1), "public.audit_log_later": (1, 0, 0)} == counted(found)


async def test_hostile_names(copies: Copies) -> None:
    """Names are quoted wherever they go."""
    await copies.live(
        'create schema "o\'dd sch""ema"',
        'create table "o\'dd sch""ema"."we""ird; drop table x.y %s {new}\n" (id int primary key)',
    )
    base = await copies.base()
    await copies.live('insert into "o\'dd sch""ema"."we""ird; drop table x.y %s {new}\n" values (1)')

    found = await copies.measured(base)

    assert await copies.truth() == counted(found)
    assert 1 == found.rows
    assert all("\n" not in line for line in found.lines)


async def test_a_table_that_cannot_be_read_is_estimated(copies: Copies) -> None:
    """Too large, or locked for longer than a query may take: the statistics answer, and it says about."""
    base = await copies.base()
    await copies.live(*[NOTE] * 3)
    large = await copies.measured(base, replace(QUICK, exact_count_below=0))
    async with await copies.session() as blocker:
        await blocker.execute("lock table case_notes in access exclusive mode")
        locked = await copies.measured(base, replace(QUICK, query_time=0.3))

    assert {"public.case_notes": (3, 0, 0)} == counted(large) == counted(locked)
    assert (False, False) == (large.exact, locked.exact)
    assert "not read within 0.3 s" in locked.tables[0].note
    assert locked.lines[0].startswith("Lost: about 3 rows inserted")


async def test_a_run_of_an_earlier_version_is_measured(copies: Copies) -> None:
    """Without notes of its own the migration's changes are counted, too, and that is said."""
    await copies.stage.backed_up()
    base = await copies.base()
    await copies.apply("001_all.sql", "update clients set name = upper(name);\n")
    await copies.live("drop table migrate_bot.own_changes")

    found = await copies.measured(base)

    ((clients,),) = await copies.stage.ask("select count(*) from clients")
    assert {"public.clients": (0, clients, 0)} == counted(found)
    assert not found.exact
    assert any("001_all.sql wrote is counted, too" in line for line in found.lines)


async def test_the_note_cannot_fail_a_migration(copies: Copies) -> None:
    """A role that may not write the note migrates all the same."""
    await copies.stage.backed_up()
    base = await copies.base()
    await copies.apply("001_a.sql", "alter table clients add column a int;\n")
    async with await psycopg.AsyncConnection.connect(
        copies.pg.dsn(copies.stage.run.plan.database), autocommit=True
    ) as db:
        await db.execute("alter table migrate_bot.own_changes owner to postgres")

    await copies.apply("002_b.sql", "alter table clients add column b int;\n")

    assert [("001_a.sql",), ("002_b.sql",)] == await copies.stage.ask("select file from migrate_bot.applied order by 1")
    assert any("002_b.sql" in line for line in (await copies.measured(base)).lines)


async def test_without_counts_the_statistics_answer(copies: Copies) -> None:
    """A copy whose rows were not counted: proven when nobody is connected, said to be about while somebody is."""
    base = replace(await copies.base(), rows={})
    untouched = await copies.measured(base)
    await copies.live(*[NOTE] * 2)
    quiet = await copies.measured(base)
    async with await copies.session() as other:
        await other.execute("select 1")
        busy = await copies.measured(base)

    assert ((), True, 0) == (untouched.tables, untouched.exact, untouched.unproven)
    assert {"public.case_notes": (2, 0, 0)} == counted(quiet) == counted(busy)
    assert (True, False) == (quiet.exact, busy.exact)
    assert any("nothing seems deleted, but only the statistics say so" in line for line in busy.lines)


async def test_large_objects_are_told_of(copies: Copies) -> None:
    """They are in no table, and in no salvage file: their number is said."""
    base = await copies.base()
    await copies.live("select lo_create(0)", "select lo_create(0)")

    found = await copies.measured(base)

    assert {"large objects": (2, 0, 0)} == counted(found)
    assert any("in no salvage file" in line for line in found.lines)


async def test_an_unreachable_database_is_an_error(copies: Copies) -> None:
    """Only then is there nothing to say."""
    base = await copies.base()

    with pytest.raises(StepError, match="cannot be reached"):
        await measure(copies.stage.at(StepName.APPLY), base, QUICK, database="nowhere")
