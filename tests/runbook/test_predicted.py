"""What a rehearsal foretold against what a run took: the lines people read, and when there is nothing to compare."""

from dataclasses import replace

import pytest

from bot.runbook.drill import BackTime, DrillReport
from bot.runbook.predicted import Compared, compared, lines
from bot.runbook.run import Done, Run, State
from bot.runbook.rungs import Rung
from bot.runbook.steps import Route, StepName
from tests.kit import plan

REPORT = DrillReport(
    at=0.0, ok=True, files="f", apply_seconds=2.1, backup_seconds=10.0, verify_seconds=0.9,
    back=(BackTime(rung=Rung.SWITCH, seconds=0.5), BackTime(rung=Rung.RESTORE, seconds=30.0)),
)  # fmt: skip


def done(step: StepName, seconds: str, **facts: str) -> Done:
    """A step whose own clock says that; the engine's says a second more."""
    return Done(step=step, began_at=0.0, ended_at=float(seconds or 0) + 1, facts=(("seconds", seconds), *facts.items()))


def finished(*steps: Done, **changes: object) -> Run:
    """A run that has done these steps."""
    run = Run(
        id="r", plan=plan(), version=1, state=State.COMPLETED, route=Route.FORWARD, position=7, started_at=0.0,
        since=0.0, done=steps,
    )  # fmt: skip
    return replace(run, **changes)  # type: ignore[arg-type]


def test_apply_and_backup_are_compared_by_the_steps_own_clock() -> None:
    """The error is a share of what was predicted."""
    run = finished(done(StepName.BACKUP, "9.0"), done(StepName.APPLY, "2.3"))

    assert ("Apply: predicted 2.1 s, actual 2.3 s (+10 %)", "Backup: predicted 10.0 s, actual 9.0 s (-10 %)") == lines(
        REPORT, run
    )


def test_time_lost_to_locks_is_said_apart() -> None:
    """Nobody holds a lock on the copy, so that time cannot be predicted."""
    (line,) = lines(REPORT, finished(done(StepName.APPLY, "5.1", lock_wait="3.0")))

    assert "Apply: predicted 2.1 s, actual 5.1 s (+143 %); 3.0 s of it waiting for locks" == line


@pytest.mark.parametrize(("rung", "predicted"), [(Rung.SWITCH, 0.5), (Rung.RESTORE, 30.0), (Rung.PLATFORM, None)])
def test_the_way_back_is_compared_with_its_own_rung(rung: Rung, predicted: float | None) -> None:
    """A rung that was not rehearsed has no prediction, and another rung's is not taken for it."""
    (found,) = compared(REPORT, finished(done(StepName.GO_BACK, "1.0", rung=rung.value)))

    assert (predicted, 1.0) == (found.predicted, found.actual)


def test_downtime_is_the_plans_and_the_databases_part_the_rehearsals() -> None:
    """People and services are in the first, and only apply and verify in the second."""
    run = finished(
        done(StepName.APPLY, "2.1"),
        Done(step=StepName.VERIFY, began_at=10.0, ended_at=10.9),
        down_at=100.0,
        up_at=700.0,
        down_seconds=600.0,
        plan=plan(downtime_minutes=20),
    )

    assert (
        "Downtime: planned 20 minutes, actual 10 minutes (-50 %)",
        "Downtime, the database's part (apply and verify): predicted 3.0 s, actual 3.0 s (+0 %)",
    ) == lines(REPORT, run)[1:]


@pytest.mark.parametrize("report", [None, replace(REPORT, ok=False)])
def test_without_a_rehearsal_that_got_through_nothing_is_predicted(report: DrillReport | None) -> None:
    """A migration that failed on the copy says nothing of the time that the mended one takes."""
    assert ("Apply: not rehearsed, actual 2.3 s",) == lines(report, finished(done(StepName.APPLY, "2.3")))


def test_what_was_not_measured_is_left_out() -> None:
    """Nothing done, services that are not up again, and work that an earlier attempt had done."""
    assert () == lines(REPORT, finished(down_at=1.0))
    assert () == lines(REPORT, finished(done(StepName.APPLY, "0.000")))


def test_a_share_of_next_to_nothing_is_not_said() -> None:
    """0.01 s that became 0.02 s is no hundred percent that anybody should read."""
    assert "X: predicted 0.01 s, actual 0.02 s" == Compared(what="X", predicted=0.01, actual=0.02).line
