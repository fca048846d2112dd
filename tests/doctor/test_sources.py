"""The doctor and the sources of metrics, and workflows that it must not try."""

from pathlib import Path

import pytest

from bot.doctor.findings import Verdict
from bot.doctor.sources import look_at_source
from bot.ports import StepError
from bot.runbook.readings import Reading, silent
from bot.target import Target, Workflow
from integrations.health.checkup import look_at_health
from tests.integrations.services.making import free_port, target


class Told:
    """A source that gives ``answer``."""

    name = "New Relic"

    def __init__(self, answer: Reading | StepError) -> None:
        self._answer = answer

    async def measure(self, target: Target) -> Reading:
        if isinstance(self._answer, StepError):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    ("answer", "verdict", "why", "fix"),
    [
        (Reading(source="New Relic", error_rate=0.0, p95_ms=90.0), Verdict.OK, "knows error_rate, p95_ms", ""),
        (silent("New Relic", "no request"), Verdict.WARN, "lacks data (everything: no request)", "look again"),
        (Reading(source="New Relic"), Verdict.WARN, "it is asked for nothing", "look again"),
        (StepError("New Relic answered 401", "Check NR_KEY."), Verdict.FAIL, "New Relic answered 401", "Check NR_KEY."),
    ],
)
async def test_a_source_is_measured_once(
    tmp_path: Path, answer: Reading | StepError, verdict: Verdict, why: str, fix: str
) -> None:
    """What it knows, what it lacks, or why it cannot be asked, each with what to do."""
    (found,) = await look_at_source(Told(answer), target(tmp_path))
    assert verdict is found.verdict
    assert why in found.why
    assert fix in found.fix


async def test_a_workflow_that_may_change_something_is_not_tried(tmp_path: Path) -> None:
    """Nobody listens there, and nobody is asked."""
    write = Workflow(name="case creation", url=f"http://127.0.0.1:{free_port()}/cases", method="POST")
    made = target(tmp_path)
    (found,) = await look_at_health(Target(**{**made.__dict__, "workflows": (write,)}))
    assert (Verdict.OK, True) == (found.verdict, found.why.startswith("not tried"))
