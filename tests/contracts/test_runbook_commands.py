"""Every command of the runbook itself has its row in our table of what is done instead."""

import re
from pathlib import Path

from tests.test_commands_doc import commands

_FENCE = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _typed(runbook: str) -> set[str]:
    """The lines of its bash blocks without comments, and without the announcements that stand in such blocks too."""
    blocks = [block for block in _FENCE.findall(runbook) if not block.lstrip("# \n").startswith(('"', "Post"))]
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return {
        line for line in lines if line and not line.startswith(("#", '"')) and not re.match(r"[A-Z][a-z ]+[:\w]", line)
    }


def test_every_command_of_the_runbook_is_in_the_table(facts: Path) -> None:
    """None is left to be typed by hand."""
    typed = _typed((facts.parent / "runbook.md").read_text(encoding="utf-8"))
    assert len(typed) >= 30
    assert set() == typed - commands()
