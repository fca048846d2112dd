"""SCRIPTS, ROLLBACK_SCRIPTS and SQL: the files as they would be run."""

import hashlib
from dataclasses import replace

from bot.runbook.digest import digest_of_files
from bot.runbook.preparation.checklist import Item
from bot.target import StandbyPolicy
from tests.integrations.postgres.proofs.conftest import ADD, Looking, said


async def test_whole_files_are_read_and_digested(looking: Looking) -> None:
    """Names and bytes of the migration and of DOWN, in their order, make the digest."""
    looking.write("001.sql", ADD)
    looking.write("001.down.sql", "alter table cases drop column urgency;\n", down=True)

    files = (await looking.subject()).files

    assert all(each.ok for each in files.looks.values())
    sums = [hashlib.sha256(each.text.encode()).hexdigest() for each in (*files.migrations, *files.down)]
    assert files.digest == digest_of_files([("001.sql", sums[0])], [("001.down.sql", sums[1])])
    assert "1 statement" not in said(files.looks[Item.SQL])
    assert "2 statements in 2 files read by PostgreSQL's own parser" in said(files.looks[Item.SQL])


async def test_one_byte_more_is_another_digest(looking: Looking) -> None:
    """Whatever was reviewed before no longer counts."""
    looking.write("001.sql", ADD)
    before = (await looking.subject()).files.digest
    (looking.target.migrations / "001.sql").write_text(ADD + "\n")

    assert before != (await looking.subject()).files.digest


async def test_a_file_that_is_not_there(looking: Looking) -> None:
    """Named, with what to do; there is no digest of half a plan."""
    looking.write("001.sql", ADD)
    (looking.target.migrations / "001.sql").unlink()

    files = (await looking.subject()).files

    assert files.looks[Item.SCRIPTS].ok is False
    assert "“001.sql” is not in" in files.unreadable
    assert "" == files.digest


async def test_the_marks_of_a_merge_conflict(looking: Looking) -> None:
    """A file that nobody finished merging is not accessible as a script, even where it would parse."""
    looking.write("001.sql", "/*\n<<<<<<< HEAD\n*/\n" + ADD)

    found = await looking.file(Item.SCRIPTS)

    assert found.ok is False
    assert "001.sql, line 2: the mark of a merge conflict" in said(found)


async def test_a_statement_that_is_cut_off(looking: Looking) -> None:
    """The end of a truncated file is recognised by the parser."""
    looking.write("001.sql", ADD + "create table cut (id int,")

    found = await looking.file(Item.SCRIPTS)

    assert found.ok is False
    assert "ends in the middle of a statement" in said(found)


async def test_nothing_but_comments(looking: Looking) -> None:
    """An empty migration is a mistake."""
    looking.write("001.sql", "-- to do\n")

    assert (await looking.file(Item.SCRIPTS)).ok is False


async def test_bytes_that_are_no_text(looking: Looking) -> None:
    """Only UTF-8 can be shown to a reviewer."""
    looking.write("001.sql", b"select '\xff';")

    found = await looking.file(Item.SCRIPTS)

    assert found.ok is False
    assert "is not UTF-8" in said(found)


async def test_a_syntax_error_is_placed(looking: Looking) -> None:
    """With file and line, counted in characters: the ones before it are not all ASCII."""
    looking.write("001.sql", "select 'ăîșț – ăîșț';\n\nalter tabel cases add x int;\n")

    found = await looking.file(Item.SQL)

    assert found.ok is False
    assert "alter tabel" not in said(found)
    assert '001.sql, line 3: syntax error at or near "tabel"' in said(found)


async def test_a_last_statement_without_its_semicolon(looking: Looking) -> None:
    """It runs, so it is no failure; but people are asked whether that is all."""
    looking.write("001.sql", "alter table cases add column urgency int")

    found = await looking.file(Item.SQL)

    assert found.ok
    assert "⚠️ 001.sql: its last statement has no semicolon" in said(found)


async def test_down_is_no_must(looking: Looking) -> None:
    """Without a DOWN script the other ways back are named."""
    looking.write("001.sql", ADD)

    assert "the standby copy or the backup" in said(await looking.file(Item.ROLLBACK_SCRIPTS))
    looking.target = replace(looking.target, standby=StandbyPolicy.NONE)
    assert "the way back is the backup" in said(await looking.file(Item.ROLLBACK_SCRIPTS))


async def test_down_that_is_planned_must_be_there(looking: Looking) -> None:
    """A way back that cannot be read is none."""
    looking.write("001.sql", ADD)
    looking.write("001.down.sql", "  \n", down=True)

    found = await looking.file(Item.ROLLBACK_SCRIPTS)

    assert found.ok is False
    assert "001.down.sql" in said(found)


async def test_no_file_at_all(looking: Looking) -> None:
    """A plan without files proves nothing."""
    files = (await looking.subject()).files

    assert [False, False] == [files.looks[item].ok for item in (Item.SCRIPTS, Item.SQL)]
    assert "" == files.digest
