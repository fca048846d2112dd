"""The demo's scenarios, as the README promises them: exit 0 only if the run ended as the scenario says."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from bot import store
from bot.demo.scenarios import SCENARIOS
from tests.conftest import short_folder

SPEED = "600"  # thirty minutes of watching in three seconds; the work itself is never compressed


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_scenario_ends_as_it_says(name: str, tmp_path: Path) -> None:
    """Played by a cast through the workspace, on a real database with real services; the exported chain is whole."""
    file = tmp_path / "ledger.json"
    with short_folder() as folder:
        code, said = await _demo("--scenario", name, "--json", str(file), "--folder", str(folder / "demo"))
    assert 0 == code, said
    record = json.loads(file.read_text())
    head = ""
    for line in record["events"]:
        head = store.chained(head, record["run"], line)
        assert line["hash"] == head
    assert record["head"] == head
    assert "🚨 Database migration starting now" in said


async def test_an_unknown_scenario_says_which_there_are() -> None:
    """A typing error costs nothing and starts nothing."""
    code, said = await _demo("--scenario", "hapy")
    assert 2 == code
    assert "happy" in said


async def _demo(*arguments: str) -> tuple[int | None, str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--auto", "--speed", SPEED, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await child.communicate()
    return child.returncode, out.decode()
