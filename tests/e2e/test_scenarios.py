"""The demo's scenarios, as the README promises them: exit 0 only if the run ended as the scenario says."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot import store
from bot.demo.scenarios import SCENARIOS
from bot.demo.world import prepare
from tests.conftest import short_folder

SPEED = "600"  # thirty minutes of watching in three seconds; the work itself is never compressed
SCALE = 0.1  # 34,000 rows: what a scenario shows does not depend on how many there are
WHOLE = "happy"  # played in a folder of its own, as a newcomer does: everything made, at its full size
PLAYED = [
    *((name, "local") for name in SCENARIOS if name != WHOLE),
    *((name, "render") for name in ("happy", "bad-health")),
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> AsyncIterator[Path]:
    """A demo's folder with its server and a small sample, made once: each scenario starts it over, fresh."""
    with short_folder() as folder:
        world = await prepare(folder / "demo", scale=SCALE)
        await world.postgres.stop()
        yield world.folder


@pytest.mark.parametrize(("name", "on"), PLAYED)
async def test_the_scenario_ends_as_it_says(name: str, on: str, stage: Path, tmp_path: Path) -> None:
    """Played by a cast through the workspace, on a real database with real services; the exported chain is whole."""
    await _plays(name, on, stage, tmp_path / "ledger.json")


async def test_a_newcomers_first_scenario(tmp_path: Path) -> None:
    """Nothing is there yet: one command makes everything, and the run ends as it says."""
    with short_folder() as folder:
        await _plays(WHOLE, "local", folder / "demo", tmp_path / "ledger.json")


async def _plays(name: str, on: str, folder: Path, file: Path) -> None:
    place = ("--platform", on, "--folder", str(folder))
    code, said = await _demo("--scenario", name, "--json", str(file), *place)
    assert 0 == code, said
    record = json.loads(file.read_text())
    head = ""
    for line in record["events"]:
        head = store.chained(head, record["run"], line)
        assert line["hash"] == head
    assert record["head"] == head
    assert ("🚨 Database migration starting now" in said) is (name != "unprepared")


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
