"""Which migrations a target's folder holds: SQL files, or Prisma's folders."""

from dataclasses import replace
from pathlib import Path

from bot.migrations import downs, listed
from bot.target import Prisma, Target
from tests.kit import target


def _prisma(folder: Path) -> Target:
    return replace(target(folder), prisma=Prisma(schema=folder / "schema.prisma", folder=folder))


def test_sql_files_in_name_order_without_their_down_scripts(tmp_path: Path) -> None:
    for name in ("002.sql", "001.sql", "001.down.sql", "notes.txt"):
        (tmp_path / name).write_text("select 1")

    assert ("001.sql", "002.sql") == listed(target(tmp_path))


def test_prismas_folders_in_name_order(tmp_path: Path) -> None:
    """Also one without its file, which Prisma would count as pending; other files are not migrations."""
    for name in ("20260102_two", "20260101_one", "20260103_empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "migration_lock.toml").write_text('provider = "postgresql"')

    assert ("20260101_one", "20260102_two", "20260103_empty") == listed(_prisma(tmp_path))


def test_down_scripts_count_only_when_all_are_there(tmp_path: Path) -> None:
    """Last first; beside the file, or in Prisma's folder."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two/down.sql").write_text("drop table two;")
    assert () == downs(_prisma(tmp_path), ("one", "two"))

    (tmp_path / "one/down.sql").write_text("drop table one;")

    assert ("two/down.sql", "one/down.sql") == downs(_prisma(tmp_path), ("one", "two"))
    assert () == downs(target(tmp_path), ("one.sql",))
