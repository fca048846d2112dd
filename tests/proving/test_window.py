"""WINDOW: freezes, maintenance, and how busy that hour usually is."""

from dataclasses import replace

import pytest

from bot.ports import StepError
from bot.proving.traffic import HOURS, Count, hour_of, judged, profile
from bot.proving.window import Frozen, WindowProof, require_no_freeze
from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.preparation import Window
from bot.target import Freeze, Target
from tests.proving.looks import SmallCalendar, SmallMaintenance, said, subject
from tests.runbook.preparation.people import DAY, T0

HOUR = 3600.0
LATER = Freeze(start=T0 + 7200 + DAY, end=T0 + 9 * DAY, why="Christmas")
INSIDE = Freeze(start=T0 - DAY, end=T0 + 60, why="Court\nfilings")
AWAY = StepError("It does not answer.", "Mend it.")


def counted(rates: dict[int, float], weeks: int = 4, since: str = "s") -> tuple[Count, ...]:
    """A count on the hour, every hour for some weeks before the window; the hour's rate, else 10."""
    begin, found, total = T0 - weeks * 7 * DAY, [], 0.0
    begin -= begin % HOUR
    for step in range(weeks * HOURS + 1):
        at = begin + step * HOUR
        found.append(Count(at=at, transactions=round(total), since=since))
        total += rates.get(hour_of(at), 10.0) * HOUR
    return tuple(found)


QUIET = {hour_of(T0 + step * HOUR): 2.0 for step in range(-1, 4)}


async def kept(_target: Target) -> tuple[Count, ...]:
    return counted(QUIET)


async def failing(_target: Target) -> tuple[Count, ...]:
    raise AWAY


async def test_a_quiet_free_window_is_proven() -> None:
    """With the figures it rests on."""
    proof = WindowProof(calendar=SmallCalendar(), maintenance=SmallMaintenance(), traffic=kept)

    found = (await proof.look(subject()))[Item.WINDOW]

    assert found.ok
    assert "No freeze in the window" in said(found)
    assert "No maintenance of the platform in the window" in said(found)
    assert "2.0 transactions a second, the week's median is 10.0" in said(found)


async def test_a_window_in_a_freeze() -> None:
    """Named first, on one line; traffic does not outvote it."""
    found = (await WindowProof(calendar=SmallCalendar((INSIDE,)), traffic=kept).look(subject()))[Item.WINDOW]

    assert found.ok is False
    assert found.findings[0].startswith("The window is in a freeze: Court filings, ")


async def test_a_freeze_that_is_near_is_a_warning() -> None:
    """Only within the days that the target wants to hear of."""
    proof = WindowProof(calendar=SmallCalendar((LATER,)), traffic=kept)
    near = (await proof.look(subject()))[Item.WINDOW]
    far = (await proof.look(subject(freeze_warning=DAY / 2)))[Item.WINDOW]

    assert near.ok
    assert "⚠️ A freeze begins 24 hours after the window: Christmas" in said(near)
    assert "Christmas" not in said(far)


@pytest.mark.parametrize("border", [T0 - DAY, T0 + 7200])
async def test_a_freeze_that_only_touches_the_window(border: float) -> None:
    """Until the very second, and from it on, is not inside."""
    freeze = Freeze(start=border, end=border + DAY, why="x")

    found = (await WindowProof(calendar=SmallCalendar((freeze,)), traffic=kept).look(subject()))[Item.WINDOW]

    assert found.ok


async def test_a_calendar_that_cannot_be_read_proves_nothing() -> None:
    """It is configured, so what it says is wanted."""
    found = (await WindowProof(calendar=SmallCalendar(failure=AWAY), traffic=kept).look(subject()))[Item.WINDOW]

    assert found.ok is False
    assert "The freeze calendar cannot be read: It does not answer. Mend it." == found.findings[0]


async def test_maintenance_of_the_platform() -> None:
    """Planned in the window, or not to be asked."""
    planned = WindowProof(maintenance=SmallMaintenance(("upgrades the database at 22:00",)), traffic=kept)
    unknown = WindowProof(maintenance=SmallMaintenance(failure=AWAY), traffic=kept)

    assert "The platform plans upgrades the database" in said((await planned.look(subject()))[Item.WINDOW])
    assert [False, False] == [(await each.look(subject()))[Item.WINDOW].ok for each in (planned, unknown)]


async def test_traffic_that_nobody_measured_is_for_people() -> None:
    """Neither low nor high."""
    without = (await WindowProof().look(subject()))[Item.WINDOW]
    away = (await WindowProof(traffic=failing).look(subject()))[Item.WINDOW]

    assert [None, None] == [without.ok, away.ok]
    assert "Traffic could not be measured: It does not answer." in said(away)


def test_a_busy_hour_fails_and_a_quieter_one_is_named() -> None:
    """One busy hour in the window is enough."""
    busy = {**QUIET, hour_of(T0 + HOUR): 99.0, 5: 0.5}

    found = judged(counted(busy), subject().draft.window)

    assert found.ok is False
    assert "has 99.0 transactions a second" in said(found)
    assert "the quietest is Monday 05:00 UTC with 0.5" in said(found)


def test_an_hour_is_known_after_three_rates() -> None:
    """Two weeks are not enough, three are."""
    window = subject().draft.window

    assert judged(counted(QUIET, weeks=2), window).ok is None
    assert judged(counted(QUIET, weeks=3), window).ok


def test_half_of_the_week_must_be_known() -> None:
    """A median of a few hours says nothing of the week."""
    window = subject().draft.window
    few = [each for each in counted(QUIET) if hour_of(each.at) in {*QUIET, *(hour + 1 for hour in QUIET)}]

    found = judged(few, window)

    assert found.ok is None
    assert f"of {HOURS} hours of the week are measured so far" in said(found)


def test_what_is_no_rate_is_left_out() -> None:
    """Long pauses, counters that were reset, and counts a few seconds apart."""
    at = T0 - T0 % HOUR
    pause = [Count(at=at + step * 3 * HOUR, transactions=step, since="s") for step in range(9)]
    reset = [Count(at=at + step * HOUR, transactions=100 - step, since="s") for step in range(9)]
    again = [Count(at=at + step * HOUR, transactions=step, since=str(step)) for step in range(9)]
    close = [Count(at=at + step, transactions=step * 1000, since="s") for step in range(9)]

    assert [{}, {}, {}, {}] == [profile(each) for each in (pause, reset, again, close)]


def test_a_window_of_seconds_and_one_of_weeks() -> None:
    """Every hour that is touched counts, each once."""
    short = Window(start=T0, end=T0 + 1)
    long = Window(start=T0, end=T0 + 30 * DAY)

    assert judged(counted(QUIET), short).ok
    assert judged(counted({**QUIET, 5: 99.0}), long).ok is False


async def test_planning_into_a_freeze_is_refused() -> None:
    """With its name; one that is near is said, and a calendar that cannot be read too."""
    about = subject()
    window, own = about.draft.window, about.target
    with pytest.raises(Frozen, match=r"Court filings.*Choose another window\."):
        await require_no_freeze(SmallCalendar((INSIDE,)), own, window)

    (near,) = await require_no_freeze(SmallCalendar((LATER,)), own, window)
    (unread,) = await require_no_freeze(SmallCalendar(failure=AWAY), own, window)
    assert near.startswith("⚠️ A freeze begins")
    assert unread.startswith("⚠️ The freeze calendar cannot be read")
    assert () == await require_no_freeze(None, own, window)
    assert () == await require_no_freeze(SmallCalendar((LATER,)), replace(own, freeze_warning=0), window)
