"""The table of who proves what is whole, and names tests that exist."""

import re

from bot.runbook.preparation.checklist import CHECKLIST
from tests.test_invariants_doc import ROOT, named_in

ROW = re.compile(r"^\| (?P<item>[a-z_]+) \| (?P<text>.+?) \| (?P<shown>.+?) \| (?P<test>\S+) \|$", re.MULTILINE)
TABLE = (ROOT / "docs" / "checklist.md").read_text("utf-8")


def test_every_item_is_listed_in_the_runbooks_order_and_words() -> None:
    """All 28, each once."""
    listed = [(each["item"], each["text"]) for each in ROW.finditer(TABLE)]

    assert 28 == len(listed)
    assert [(line.item.value, line.text) for line in CHECKLIST] == listed


def test_every_item_names_a_test_that_exists() -> None:
    """In the file that is named."""
    missing = []
    for each in ROW.finditer(TABLE):
        path, _, name = each["test"].partition("::")
        if not (ROOT / path).is_file() or name not in named_in(ROOT / path):
            missing.append(f"{each['item']}: {each['test']}")

    assert [] == missing
