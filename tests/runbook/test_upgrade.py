"""The bot is upgraded in the middle of a run: the run keeps the runbook it was started with."""

from dataclasses import replace

import pytest

from bot.runbook import intents as i
from bot.runbook import steps
from bot.runbook.apply import begin, fold
from bot.runbook.codec import decode, encode
from bot.runbook.run import Database, Plan, State
from bot.runbook.steps import Route, Step, StepName
from tests.runbook.play import CORE, Play, play


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot whose current runbook is version 3: it verifies twice, and stops services before the backup."""
    old = steps.RUNBOOKS[1]
    announce, backup, stop, apply, verify, *rest = old[Route.FORWARD]
    forward = (announce, stop, backup, apply, verify, replace(verify, title="Verify once more"), *rest)
    monkeypatch.setitem(steps.RUNBOOKS, 3, {**old, Route.FORWARD: forward})
    monkeypatch.setattr(steps, "CURRENT_RUNBOOK", 3)


def test_a_run_goes_on_under_the_runbook_it_was_started_with(request: pytest.FixtureRequest) -> None:
    """Started and asked under version 1, approved under version 3: version 1's steps follow."""
    a = play(quorum=2, runbook=1).until(StepName.BACKUP)
    a.ask()
    a.approve("anna")
    stored = [encode(event) for event in a.events]

    request.getfixturevalue("upgraded")
    first, *rest = [decode(*each) for each in stored]
    b = Play(run=fold(begin("m-1", first), rest), now=a.now)
    b.approve("boris")
    run = b.to_the_end()

    assert State.COMPLETED == run.state
    assert [each.name for each in steps.RUNBOOKS[1][Route.FORWARD]] == [each.step for each in run.done]


@pytest.mark.usefixtures("upgraded")
def test_a_run_started_after_the_upgrade_follows_the_new_runbook() -> None:
    """Both versions are followed side by side."""
    run = play(runbook=3).to_the_end()

    assert [each.name for each in steps.RUNBOOKS[3][Route.FORWARD]] == [each.step for each in run.done]


def test_an_event_of_a_newer_version_is_refused_by_name() -> None:
    """A kind nobody here has heard of cannot be skipped: it says to upgrade."""
    with pytest.raises(ValueError, match=r"“Teleported”.*Upgrade"):
        decode("Teleported", "{}")


def test_fields_of_other_versions_do_not_matter() -> None:
    """An unknown field is passed over, an absent one has its default, a needed one must be there."""
    a = play()
    kind, body = encode(a.begin()[0])

    assert decode(kind, body) == decode(kind, body[:-1] + ',"colour":"blue"}')
    assert "" == decode("StepFailed", '{"step":"backup","problem":"x","at":1}').advice
    with pytest.raises(ValueError, match="lacks “attempt”"):
        decode("StepBegan", '{"step":"backup","digest":"","at":1}')


def test_a_run_of_the_first_runbook_goes_back_without_its_later_steps() -> None:
    """Version 1 knows no watch after the way back: a run that was started with it ends as it always did."""
    a = play(runbook=1).until(StepName.VERIFY)
    a.begin()
    a.fail(database=Database.CHANGED)
    a.people(i.RollBack, "owner", reason="wrong data")
    run = a.to_the_end()

    assert State.ROLLED_BACK == run.state
    assert StepName.WATCH_BACK not in {each.step for each in run.done}


@pytest.mark.parametrize("route", list(Route))
def test_every_route_of_the_book_can_be_read_from_top_to_bottom(route: Route) -> None:
    """Names are unique in a route, each has a title and a duration, and it ends by an announcement."""
    found: tuple[Step, ...] = steps.route_steps(2, route, downtime=True, standby=steps.Standby.TEMPLATE)

    assert len(found) == len({each.name for each in found})
    assert all(each.title and each.minutes for each in found)
    assert found[-1].name.startswith("announce_")
    assert all(each.destructive is (each.asked_by is not None) for each in found)


def test_a_plan_has_the_numbers_of_the_runbook() -> None:
    """One hour in all, updates every 15 minutes, 30 minutes of watching, 5 minutes over the limit."""
    timing = CORE.people.Timing()
    plan = Plan.__dataclass_fields__["total_minutes"].default

    assert (60, 900.0, 1800.0, 300.0) == (plan, timing.status_every, timing.monitor_for, timing.sustained_for)


def test_a_faster_demo_waits_less_and_keeps_its_floors() -> None:
    """Only waits are compressed; people keep their time to answer, and a lost job its kick."""
    fast = CORE.people.Timing().faster(1000.0)

    assert (0.9, 1.8, 0.2, 3600.0, 1200.0, 60.0) == (
        fast.status_every,
        fast.monitor_for,
        fast.sample_every,
        fast.question_life,
        fast.grant_life,
        fast.kick_every,
    )
