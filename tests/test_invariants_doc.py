"""The list of promises is true: each is kept by a file that exists and proven by a test that exists."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAMILIES = ("AP", "ST", "RE", "UX", "LE", "SV", "DB", "MS", "SE", "WB", "PR", "EX", "AF")
ROW = re.compile(r"^\| (?P<number>[A-Z]{2}-\d+) \| (?P<promise>.+?) \| (?P<kept>\S+) \| (?P<proven>\S+) \|$")


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One line of the list."""

    number: str
    promise: str
    kept: str
    proven: str


def promises() -> list[Promise]:
    """Every line of the list; a line that cannot be read fails by itself."""
    lines = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if re.match(r"^\|\s*[A-Z]{2}-", line)]
    found = [ROW.match(line) for line in rows]
    assert all(found), [line for line, match in zip(rows, found, strict=True) if not match]
    return [Promise(**match.groupdict()) for match in found if match]


@cache
def named_in(path: Path) -> frozenset[str]:
    """The names of the tests in a file, read without importing it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions) and node.name[:5] == "test_")


def test_the_list_is_long_enough_and_numbered_without_gaps() -> None:
    """At least forty promises, and in each family the numbers 1, 2, 3 and so on, each once."""
    listed = promises()
    counted = Counter(each.number[:2] for each in listed)

    assert len(listed) >= 40
    assert set(FAMILIES) == set(counted)
    expected = [f"{family}-{n}" for family in FAMILIES for n in range(1, counted[family] + 1)]
    assert expected == [each.number for each in listed]


def test_no_two_promises_are_the_same() -> None:
    """Each line promises something of its own."""
    listed = promises()

    assert len(listed) == len({each.promise for each in listed})


def test_each_promise_is_kept_by_a_file() -> None:
    """The file that is named exists."""
    missing = [f"{each.number}: {each.kept}" for each in promises() if not (ROOT / each.kept).is_file()]

    assert [] == missing


def test_each_promise_is_proven_by_a_test() -> None:
    """The test that is named exists, in the file that is named."""
    missing = []
    for each in promises():
        path, _, name = each.proven.partition("::")
        if each.proven != "pending" and (not (ROOT / path).is_file() or name not in named_in(ROOT / path)):
            missing.append(f"{each.number}: {each.proven}")

    assert [] == missing


def test_no_proof_is_pending() -> None:
    """A promise without a proof is a wish."""
    assert [] == [each.number for each in promises() if each.proven == "pending"]
