"""The backup step with Render's export beside it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.ports import Context
from bot.runbook.steps import StepName
from integrations.render.database import Databases
from integrations.render.second_backup import WithExport
from tests.integrations.render.hosting import Hosted, hosted
from tests.integrations.services.making import context, run_at
from tests.kit import SmallStep

LATER = 1_795_370_402.0  # after the stand-in's first moments on 22 November 2026


@pytest.fixture
async def render(tmp_path: Path) -> AsyncIterator[Hosted]:
    async with hosted(tmp_path) as made:
        yield made


def step(render: Hosted, first: SmallStep) -> WithExport:
    return WithExport(first, {"casework": (Databases(render.api), render.fake.estate.postgres)})


def at_backup(render: Hosted, *, started: float = 0.0) -> Context:
    return context(replace(run_at(StepName.BACKUP), started_at=started), render.of)


async def test_it_says_does_and_proves_both(render: Hosted) -> None:
    """Described and digested with the database, done once, and no address of the export in the record."""
    first, here = SmallStep(), at_backup(render)
    both, postgres = step(render, first), render.fake.estate.postgres
    described = await both.describe(here)
    assert (postgres, True) == (described.inputs["export"], postgres in described.lines[-1])
    assert await both.check(here) is None
    outcome = await both.run(here)
    made = render.fake.estate.exports
    assert (1, [made[0]["id"]]) == (first.runs, [outcome.facts["render_export"]])
    assert "secret-token" not in str(outcome)
    assert outcome.evidence[-1].startswith("Second backup: Render's export ")
    assert (await both.verify(here, outcome)).ok
    assert both.undo(here) == first.undo(here)


async def test_a_retry_makes_only_what_is_missing(render: Hosted) -> None:
    """The first that is there already is not made again, and neither is this run's export."""
    first, here = SmallStep(effects=1), at_backup(render)
    both = step(render, first)
    assert await both.check(here) is None
    await both.run(here)
    await both.run(here)
    assert (0, 1) == (first.runs, len(render.fake.estate.exports))
    assert await both.check(here) is not None


async def test_an_export_from_before_the_run_does_not_count(render: Hosted) -> None:
    """It lacks what was written since."""
    render.fake.estate.exports.append({"id": "exp-old", "createdAt": "2026-11-20T03:00:00Z", "url": "https://x.test"})
    render.fake.estate.exports.append({"id": "exp-odd", "createdAt": "yesterday", "url": "https://x.test"})
    here = at_backup(render, started=LATER)
    assert await step(render, SmallStep(effects=1)).check(here) is None


async def test_other_targets_have_their_backup_alone(render: Hosted) -> None:
    """Nothing is asked of Render for them."""
    first, here = SmallStep(), at_backup(render)
    alone = WithExport(first, {})
    assert await alone.describe(here) == await first.describe(here)
    await alone.run(here)
    assert await alone.check(here) == await first.check(here)
    assert [] == render.fake.estate.exports
