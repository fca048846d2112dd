"""What children say is kept, in its order, also when the step that listens is stopped."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.ports import Context
from bot.runbook.apply import begin
from bot.runbook.events import Started
from integrations.process import Exit
from integrations.spoken import ending, spoken
from tests import kit


def _context(kept: list[str]) -> Context:
    """A step's context whose log is slow, and kept in ``kept``."""

    async def log(line: str) -> None:
        await asyncio.sleep(0)
        kept.append(line)

    async def unused(*_: object) -> None:
        return None

    run = begin("m-1", Started(plan=kit.plan(), at=0.0))
    made = Context(
        run=run,
        target=kit.target(Path("/nowhere")),
        attempt=1,
        current=unused,  # type: ignore[arg-type]
        progress=unused,
        blockers=unused,  # type: ignore[arg-type]
    )
    return replace(made, log=log)


async def test_lines_are_kept_in_order_behind_the_command() -> None:
    """All of them are kept when the block ends."""
    kept: list[str] = []
    async with spoken(_context(kept), "psql -f 001.sql") as say:
        for number in range(3):
            say(f"line {number}")
        say(f"psql {ending(Exit(code=3, seconds=1.25))}")

    assert ["$ psql -f 001.sql", "line 0", "line 1", "line 2", "psql ended with code 3 after 1.2 s"] == kept


async def test_what_was_said_before_an_error_is_kept() -> None:
    """The last words matter most."""
    kept: list[str] = []
    with pytest.raises(asyncio.CancelledError):
        async with spoken(_context(kept), "pg_dump") as say:
            say("could not open file")
            raise asyncio.CancelledError

    assert ["$ pg_dump", "could not open file"] == kept
