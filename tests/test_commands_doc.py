"""The table of the runbook's commands is true: each row is proven by a test that exists."""

from pathlib import Path

import pytest

from tests.test_invariants_doc import ROOT, named_in

TABLE = ROOT / "docs" / "commands.md"


def rows() -> list[list[str]]:
    """The cells of each row: commands, what happens instead, the test."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.replace(r"\|", "\0").strip("|").split("|")] for line in lines]


def commands() -> set[str]:
    """Every command that the table speaks of."""
    found = [each.strip("`") for row in rows() for each in row[0].split("<br>")]
    return {each.replace("\0", "|") for each in found}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].split("<br>")[0])
def test_each_row_has_its_proof(row: list[str]) -> None:
    """File and test are there, and something is said in between."""
    _, instead, proven = row
    file, _, name = proven.partition("::")
    assert instead
    assert name in named_in(Path(ROOT / file))
