"""Items that need no look of their own: what the plan, the rehearsal and the risk check already show."""

from dataclasses import replace

from bot.runbook.drill import BackTime
from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.preparation.standing import Standing, status
from bot.runbook.risk import RiskReport
from bot.runbook.run import Risk
from bot.runbook.rungs import Rung
from tests.runbook.preparation.people import DAY, T0, draft, drilled, planned

UNLOOKED = replace(planned(), files="f1")


def rehearsed(**changes: object) -> Preparation:
    return replace(UNLOOKED, drill=drilled("f1", **changes))


def standing(p: Preparation, item: Item) -> Standing:
    return status(p, item).standing


def test_local_is_the_rehearsal_without_an_error() -> None:
    """Failed, it fails; and so it does while the files as they are were not rehearsed, unless that cannot be."""
    assert Standing.PROVEN is standing(rehearsed(), Item.LOCAL)
    assert Standing.FAILED is standing(rehearsed(ok=False, problem="a column is missing"), Item.LOCAL)
    assert Standing.FAILED is standing(replace(rehearsed(), files="f2"), Item.LOCAL)
    assert Standing.OPEN is standing(replace(UNLOOKED, no_drill="no CREATEDB"), Item.LOCAL)


def test_performance_is_measured_or_at_least_estimated() -> None:
    """With neither, it is not assessed."""
    estimated = RiskReport(level=Risk.LOW, reasons=("r",), downtime=2.0, downtime_basis="line 1")
    unknown = replace(estimated, downtime=None)

    assert "Measured on a copy: 1 statement" in status(rehearsed(), Item.PERFORMANCE).why[0]
    assert (
        "wait 2 seconds (line 1)" in status(replace(UNLOOKED, risk=estimated, risk_files="f1"), Item.PERFORMANCE).why[0]
    )
    assert Standing.FAILED is standing(replace(UNLOOKED, risk=unknown, risk_files="f1"), Item.PERFORMANCE)
    assert Standing.FAILED is standing(replace(UNLOOKED, risk=estimated, risk_files="f0"), Item.PERFORMANCE)


def test_a_backup_is_verified_by_restoring_it() -> None:
    """A rehearsal of whatever files shows it; one that made no backup does not."""
    assert Standing.PROVEN is standing(replace(rehearsed(), files="f2"), Item.BACKUP_VERIFIED)
    assert Standing.FAILED is standing(rehearsed(backup_seconds=None), Item.BACKUP_VERIFIED)


def test_the_way_back_is_tested_by_going_it() -> None:
    """One that could not be gone is named; none at all fails."""
    stuck = BackTime(rung=Rung.RESTORE, seconds=None, problem="no room")

    assert Standing.PROVEN is standing(rehearsed(), Item.ROLLBACK_TESTED)
    assert "no room" in status(rehearsed(back=(stuck,)), Item.ROLLBACK_TESTED).why[0]
    assert Standing.FAILED is standing(rehearsed(back=(stuck,)), Item.ROLLBACK_TESTED)
    assert Standing.FAILED is standing(UNLOOKED, Item.ROLLBACK_TESTED)


def test_down_is_rehearsed_or_not_applicable() -> None:
    """Planned and not run, it is no way back."""
    without = draft()
    without = replace(without, plan=replace(without.plan, down=()))

    assert Standing.PROVEN is standing(rehearsed(), Item.DOWN)
    assert "Not applicable" in status(replace(UNLOOKED, draft=without), Item.DOWN).why[0]
    assert Standing.FAILED is standing(rehearsed(down_seconds=None, down_problem="it failed"), Item.DOWN)
    assert Standing.FAILED is standing(UNLOOKED, Item.DOWN)


def test_the_risk_is_assessed_once_the_sql_was_judged() -> None:
    """High risk is assessed too: whether to go is people's decision."""
    high = RiskReport(level=Risk.HIGH, reasons=("destroys rows of cases",))

    assert "High: destroys rows of cases" in status(replace(UNLOOKED, risk=high, risk_files="f1"), Item.RISK).why[0]
    assert Standing.FAILED is standing(UNLOOKED, Item.RISK)


def test_downtime_features_and_deadline_stand_in_the_plan() -> None:
    """What is not written there is missing."""
    bare = draft()
    bare = replace(bare, features="", plan=replace(bare.plan, downtime=False, rollback_deadline=None))
    without = replace(UNLOOKED, draft=bare)

    items = (Item.DOWNTIME, Item.FEATURES, Item.DEADLINE)
    assert [Standing.PROVEN] * 3 == [standing(UNLOOKED, item) for item in items]
    assert [Standing.PROVEN, Standing.OPEN, Standing.FAILED] == [standing(without, item) for item in items]


def test_who_was_told_in_time() -> None:
    """An announcement a day ahead tells the stakeholders too; a late one is only an announcement."""
    early, late = (replace(UNLOOKED, announced_at=at) for at in (T0 - DAY, T0 - 3600))

    items = (Item.ANNOUNCED, Item.NOTIFIED)
    assert [Standing.PROVEN] * 2 == [standing(early, item) for item in items]
    assert [Standing.PROVEN, Standing.OPEN] == [standing(late, item) for item in items]
    assert [Standing.OPEN] * 2 == [standing(UNLOOKED, item) for item in items]
