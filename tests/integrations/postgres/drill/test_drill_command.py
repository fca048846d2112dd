"""``python -m bot drill``: a rehearsal by hand, and what people read of one."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bot.runbook.drill import BackTime, DrillReport, Measured
from bot.runbook.rungs import Rung
from bot.views.drill import drill_lines
from tests.integrations.postgres.drill.hall import Hall

TARGETS = """\
[targets.casework]
dsn_env = "CASEWORK_DATABASE_URL"
channel = "C1"
migrations = "migrations"
backups = "backups"

[targets.casework.policy]
approvers = ["U1"]
"""


async def _bot(folder: Path, dsn: str, *arguments: str) -> tuple[int, str]:
    """Exit code and what was said, on either stream; the store is nowhere."""
    (folder / "targets.toml").write_text(TARGETS)
    more = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "TARGETS_FILE": str(folder / "targets.toml"),
        "CASEWORK_DATABASE_URL": dsn,
    }  # fmt: skip
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "drill", *arguments, env=os.environ | more,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await child.communicate()
    return child.returncode or 0, said.decode()


@pytest.mark.parametrize(("text", "code"), [("alter table cases add court text;\n", 0), ("drop table none;\n", 1)])
async def test_by_hand(hall: Hall, tmp_path: Path, text: str, code: int) -> None:
    """The exit code says whether it went well, and nothing is left."""
    hall.write("1.sql", text)

    ended, said = await _bot(tmp_path, hall.casework.owner_dsn, "casework", "1.sql")

    assert (code, []) == (ended, await hall.left()), said
    assert ("Rehearsed" if code == 0 else "Problem: 1.sql, line 1: ERROR 42P01") in said
    assert "Way back “Restore the backup beside, then switch”" in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(("other", "1.sql"), "There is no target other. There are: casework."), (("casework", "no.sql"), "is not in")],
)
async def test_a_refusal_is_one_line(hall: Hall, tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    """No traceback, and nothing begun."""
    ended, said = await _bot(tmp_path, hall.casework.owner_dsn, *arguments)

    assert 1 == ended
    assert why in said
    assert "Traceback" not in said


def test_every_figure_is_in_the_lines() -> None:
    """The verdict first; a way back without a time says why."""
    one = Measured(file="1.sql", line=3, head="alter table t", seconds=0.25, lock="SHARE", relation="t", rewrote=("t",))
    report = DrillReport(
        at=0.0, ok=False, files="f", source="a backup made for it", problem="it fails", copy_seconds=90.0,
        apply_seconds=2.0, statements=(one,), wal=1_500_000, size_before=0, size_after=2_000_000,
        verified=("✅ fine",), backup_seconds=4.0, verify_seconds=0.5, notes=("a note",),
        back=(BackTime(rung=Rung.SWITCH, seconds=0.2), BackTime(rung=Rung.DOWN, seconds=None, problem="no")),
    )  # fmt: skip

    assert (
        "❌ The rehearsal found trouble, on a backup made for it",
        "Problem: it fails",
        "Backup: 4.0 s; restored into the copy in 1 minute 30 seconds",
        "Apply: 2.0 s, 1.5 MB WAL, size +2.0 MB",
        "  1.sql line 3: 250 ms, SHARE on t, rewrites t: alter table t",
        "Verify: 500 ms",
        "  ✅ fine",
        "Way back “Switch to the standby copy”: 200 ms, measured",
        "⚠️ Way back “Run the DOWN migration”: no",
        "a note",
    ) == drill_lines(report)
