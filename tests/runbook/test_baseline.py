"""How it was before: measured as long as nothing is changed, compared afterwards, and never growing without end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.baseline import FEWEST, MOST, NEARLY, NOTHING, Baseline, baseline_of, compared, in_force, kept
from bot.runbook.criteria import Criterion, Health, judge, settled
from bot.runbook.run import Run
from bot.runbook.samples import Judgement, Sample
from bot.runbook.thresholds import RUNBOOK
from bot.runbook.timers import TimerKind, timers
from tests.script import Script, good

SHARES = ("error_rate", "failed_rate", "connection_failures", "error_rate_alert", "pool")


def before(**figures: float) -> Baseline:
    """How it is with the same figures ten times."""
    return baseline_of([Sample(at=float(n), **figures) for n in range(10)])  # type: ignore[arg-type]


def after(baseline: Baseline, **figures: float) -> Health:
    """The verdict after five and a half minutes of the same figures."""
    samples = [Sample(at=30.0 * n, healthy=("web",), **figures) for n in range(12)]  # type: ignore[arg-type]
    return judge(samples, now=330.0, sustained_for=300.0, sample_every=30.0, before=baseline)


@pytest.mark.parametrize(
    ("then", "now", "criterion"),
    [
        ({"failed_rate": 0.06}, {"failed_rate": 0.06}, None),  # 6 % before are not blamed on us
        ({"failed_rate": 0.06}, {"failed_rate": 0.12}, None),
        ({"failed_rate": 0.06}, {"failed_rate": 0.125}, Criterion.FAILED),  # a doubling is
        ({"failed_rate": 0.01}, {"failed_rate": 0.06}, Criterion.FAILED),
        (
            {"failed_rate": 0.04},
            {"failed_rate": 0.06},
            Criterion.FAILED,
        ),  # within the limit before
        ({"error_rate": 0.2}, {"error_rate": 0.3}, None),
        ({"error_rate": 0.2}, {"error_rate": 0.45}, Criterion.ERROR_RATE),
        ({"error_rate": 0.6}, {"error_rate": 0.75}, None),
        ({"error_rate": 0.6}, {"error_rate": 0.85}, Criterion.ERROR_RATE),  # nothing can double from there
        ({"connection_failures": 0.5}, {"connection_failures": 0.5}, None),
        ({"connection_failures": 0.5}, {"connection_failures": 1.0}, Criterion.CONNECTIONS),
        ({"error_rate": 0.2}, {"failed_rate": 0.06}, Criterion.FAILED),  # each figure by itself
    ],
)
def test_only_what_has_doubled_is_blamed(
    then: dict[str, float], now: dict[str, float], criterion: Criterion | None
) -> None:
    """Of what was over a number already before; the runbook's own holds for all else."""
    assert criterion is after(before(**then), **now).criterion


def test_the_verdict_says_how_it_was() -> None:
    """With the limit that was in force."""
    found = after(before(failed_rate=0.06), failed_rate=0.2)
    assert "Failed requests over 12% for 330 s (now 20.0%; before the migration 6.0%)." == found.reason
    fine = after(before(error_rate=0.01, p95_ms=80.0), error_rate=0.02, p95_ms=90.0)
    assert fine.reason.endswith(" Before and now: error rate 1.0% → 2.0%, p95 80 ms → 90 ms.")
    assert "" == compared(Sample(at=0.0, error_rate=0.1), NOTHING)


@pytest.mark.parametrize("figures", [{"p95_ms": 1500.0}, {"latency_ms": 150.0}, {"pool": 0.95}])
def test_what_was_worth_a_look_before_is_no_alert(figures: dict[str, float]) -> None:
    """A service that was slow before may end its watch as slow as it was."""
    assert Judgement.ALERT is after(NOTHING, **figures).judgement
    health = after(before(**figures), **figures)
    assert Judgement.HEALTHY is health.judgement
    samples = [Sample(at=30.0 * n, healthy=("web",), **figures) for n in range(12)]  # type: ignore[arg-type]
    alert = replace(health, judgement=Judgement.ALERT)
    assert settled(samples, alert, sustained_for=300.0, before=before(**figures))
    assert not settled(samples, alert, sustained_for=300.0)


def test_a_bad_moment_before_excuses_nothing() -> None:
    """It is a median, and of two measurements there is none."""
    bad = [Sample(at=float(n), error_rate=0.9 if n < 4 else 0.01) for n in range(10)]
    assert 0.01 == baseline_of(bad).error_rate
    assert baseline_of(bad[: FEWEST - 1]).error_rate is None
    assert (None, 0) == (baseline_of([]).p95_ms, baseline_of([]).measurements)


@given(st.floats(0, 1), st.floats(0, 1e4))
def test_a_baseline_never_makes_a_number_smaller_and_leaves_room_for_a_breach(share: float, ms: float) -> None:
    """A share can always still be passed; what was within the runbook's number, and not just below, changes nothing."""
    known = {"error_rate": share, "failed_rate": share, "connection_failures": share, "pool": share}
    found = in_force(RUNBOOK, Baseline(measurements=5, p95_ms=ms, latency_ms=ms, **known))
    for name in SHARES:
        assert getattr(RUNBOOK, name) <= getattr(found, name) <= max(getattr(RUNBOOK, name), (1 + share) / 2)
        if share <= getattr(RUNBOOK, name) * (1.0 if name in ("pool", "connection_failures") else NEARLY):
            assert getattr(RUNBOOK, name) == getattr(found, name)
    assert max(RUNBOOK.p95_ms, 2 * ms if ms > RUNBOOK.p95_ms else 0) == found.p95_ms
    assert RUNBOOK == in_force(RUNBOOK, NOTHING)


def due(run: Run) -> float | None:
    return next((each.due for each in timers(run) if each.kind is TimerKind.BASELINE), None)


def test_it_is_measured_until_the_stop_and_not_afterwards() -> None:
    """From the start, while people are asked and while steps work; a measurement that comes too late is refused."""
    script = Script()
    assert due(script.run) is not None
    script.until("stop_services").ask()
    slot = due(script.run)
    assert slot is not None
    taken = i.TakeBaseline(due=slot, sample=good(slot))
    script.say(taken)
    assert (good(slot),) == script.run.baseline
    with pytest.raises(r.Stale):
        script.say(taken)
    script.until("apply")
    assert script.run.services_down
    assert due(script.run) is None
    with pytest.raises(r.Stale):
        script.say(i.TakeBaseline(due=slot + 30.0, sample=good(slot)))
    assert (good(slot),) == script.run.baseline


def test_it_does_not_grow_without_end() -> None:
    """A question that waits for hours: the newest twenty are kept, and from then on it is measured seldom."""
    script = Script().until("backup").ask()
    for n in range(MOST + 5):
        slot = due(script.run)
        assert slot is not None
        gap = slot - (script.run.baseline[-1].at if script.run.baseline else script.run.started_at)
        timing = script.plan.timing
        assert (timing.sample_every if n < MOST else timing.status_every) == gap
        script.say(i.TakeBaseline(due=slot, sample=good(slot)))
    assert MOST == len(script.run.baseline)
    assert MOST == len(kept(tuple(Sample(at=float(n)) for n in range(50)), Sample(at=50.0)))


def test_the_watch_is_judged_by_it() -> None:
    """The run keeps it over all of its steps: what was usual before is no alert in the watch."""

    def slow(at: float) -> Sample:
        return replace(good(at), p95_ms=1500.0)

    script = Script().until("backup").ask()
    for _ in range(FEWEST):
        slot = due(script.run)
        assert slot is not None
        script.say(i.TakeBaseline(due=slot, sample=slow(slot)))
    script.until("monitor").sample(slow)
    assert Judgement.HEALTHY is script.run.judgement
    unaware = Script().until("monitor").sample(slow)
    assert Judgement.ALERT is unaware.run.judgement
    assert any(isinstance(page.event, e.BaselineTaken) for page in script.pages)


def test_a_workflow_that_was_broken_before_is_not_held_against_the_migration() -> None:
    """It broke nothing that was broken; another one that breaks now counts as ever."""
    was = baseline_of([Sample(at=float(n), healthy=("web",), broken=("upload",)) for n in range(5)])
    assert ("upload",) == was.broken
    both = [Sample(at=30.0 * n, healthy=("web",), broken=("search", "upload")) for n in range(3)]
    one = [replace(each, broken=("upload",)) for each in both]

    now = {"now": 60.0, "sustained_for": 300.0, "sample_every": 30.0}
    assert Judgement.HEALTHY is judge(one, **now, before=was).judgement
    health = judge(both, **now, before=was)
    assert (Judgement.BREACH, True) == (health.judgement, health.reason.endswith(": search."))
    assert Judgement.BREACH is judge(one, **now).judgement


def test_a_workflow_that_failed_once_before_is_no_excuse() -> None:
    """Half of the time, or less, is not how it was."""
    samples = [Sample(at=float(n), healthy=("web",), broken=("upload",) if n % 2 else ()) for n in range(6)]
    assert () == baseline_of(samples).broken
