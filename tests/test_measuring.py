"""The probe and the sources together: whatever a source does, there is a sample."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.measuring import ComposedProbe
from bot.ports import StepError
from bot.runbook.people import Timing
from bot.runbook.readings import Reading
from bot.runbook.samples import Gap, Sample
from bot.target import Target
from tests.integrations.services.making import target


class Own:
    """The bot's own probe, which sees 2 % errors."""

    async def sample(self, target: Target) -> Sample:
        return Sample(at=5.0, healthy=("web",), error_rate=0.02)


class Told:
    """A source that says ``rate``, raises ``error``, or never answers."""

    def __init__(self, name: str, rate: float | None = None, error: Exception | None = None) -> None:
        self.name = name
        self.rate = rate
        self.error = error

    async def measure(self, target: Target) -> Reading:
        if self.error is not None:
            raise self.error
        if self.rate is None:
            await asyncio.Event().wait()
        return Reading(source=self.name, error_rate=self.rate)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Told("Render", error=StepError("Render answered 500")), "Render answered 500"),
        (Told("Render", error=KeyError("data")), "its answer could not be read"),
        (Told("Render"), "no answer within 0.04 s"),
    ],
)
async def test_a_source_that_fails_is_named_and_breaks_nothing(tmp_path: Path, bad: Told, why: str) -> None:
    """The others' figures are there, the worst of them first."""
    made = replace(target(tmp_path), timing=Timing(sample_every=0.1))
    found = await ComposedProbe(Own(), {made.name: (bad, Told("New Relic", 0.06))}).sample(made)
    assert (0.06, "New Relic", ("web",)) == (found.error_rate, found.source("error_rate"), found.healthy)
    assert (Gap(source="Render", why=why),) == found.gaps


async def test_other_targets_sources_are_not_asked(tmp_path: Path) -> None:
    """Each target has its own."""
    made = target(tmp_path)
    found = await ComposedProbe(Own(), {"other": (Told("New Relic", 0.5),)}).sample(made)
    assert await Own().sample(made) == found
