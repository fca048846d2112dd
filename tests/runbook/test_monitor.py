"""Half an hour of watching against the runbook's numbers."""

import pytest

from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.criteria import Criterion, judge, settled
from bot.runbook.run import State
from bot.runbook.samples import Judgement, Sample
from bot.runbook.steps import Route, StepName
from bot.runbook.timers import TimerKind
from tests.runbook.play import Play, kinds, play

FINE = {"healthy": ("web",), "error_rate": 0.0, "failed_rate": 0.0}


def watching() -> Play:
    return play().until(StepName.MONITOR)


def test_a_healthy_watch_ends_by_itself() -> None:
    """The last sample after the whole time finishes the step, with how much was measured."""
    a = watching()
    told = a.watch()

    assert ["Sampled", "StepFinished", "Entered"] == kinds(told)
    assert a.run.done[-1].evidence[0].startswith("3 measurements")


def test_a_sustained_breach_stops_the_run_and_asks_for_a_decision() -> None:
    """Error rate over 10 % for longer than the limit: the way back is asked for at once, with the number."""
    a = watching()
    a.measure(healthy=("web",), error_rate=0.2)
    assert State.WATCHING == a.run.state
    a.measure(healthy=("web",), error_rate=0.2)

    assert (Route.ROLLBACK, State.PREPARING) == (a.run.route, a.run.state)
    assert Criterion.ERROR_RATE is a.run.breach
    assert a.run.reason.startswith(Criterion.ERROR_RATE.value) and "over 10% for 10 s" in a.run.reason


def test_a_watch_that_ends_in_silence_is_not_healthy() -> None:
    """No data at the end of the watch: people decide, the bot does not call it done."""
    a = watching()
    a.measure(**FINE)
    a.measure(**FINE)
    told = a.measure()

    assert ["Sampled", "HealthJudged", "StepFailed"] == kinds(told)
    assert Judgement.NO_DATA == a.run.judgement


def test_a_judgement_is_told_only_when_it_changes() -> None:
    """Two healthy samples make one piece of news."""
    a = watching()

    assert ["Sampled", "HealthJudged"] == kinds(a.measure(**FINE))
    assert ["Sampled"] == kinds(a.measure(**FINE))


def test_a_sample_counts_once() -> None:
    """Two clocks measure for the same slot: the second is told that it is taken care of."""
    a = watching()
    due = a.run.since + a.run.plan.timing.sample_every
    a.measure(**FINE)

    with pytest.raises(r.Stale):
        a.say(i.TakeSample(due=due, sample=Sample(at=due)))


def test_a_hold_during_the_watch_waits_for_its_end() -> None:
    """Watching is harmless; what comes after it waits."""
    a = watching()
    a.people(i.PullCord, "outsider", reason="wait")
    told = a.watch()

    assert ["StepFinished", "Entered", "Held"] == kinds(told)[-3:]


def test_the_sample_timer_does_not_measure_by_itself() -> None:
    """A tick of its kind changes nothing: a sample comes with its measurement."""
    assert () == watching().tick(TimerKind.SAMPLE)


@pytest.mark.parametrize(
    ("values", "judgement", "words"),
    [
        (FINE, Judgement.HEALTHY, "within the runbook's numbers"),
        ({**FINE, "p95_ms": 1001.0}, Judgement.ALERT, "P95 response time 1001 ms"),
        ({**FINE, "latency_ms": 101.0}, Judgement.ALERT, "Database latency 101 ms"),
        ({**FINE, "pool": 0.91}, Judgement.ALERT, "Connection pool 91% used"),
        ({**FINE, "unhealthy": ("gateway",)}, Judgement.ALERT, "Gateway does not answer as healthy"),
        ({**FINE, "p95_ms": 1000.0, "latency_ms": 100.0, "pool": 0.90}, Judgement.HEALTHY, "within"),
        ({}, Judgement.NO_DATA, "No measurement"),
    ],
)
def test_one_sample_against_each_number_of_the_book(
    values: dict[str, object], judgement: Judgement, words: str
) -> None:
    """A value at its threshold is still fine; over it people should look; nothing at all is its own verdict."""
    found = judge([Sample(at=0.0, **values)], now=0.0, sustained_for=300.0, sample_every=30.0)

    assert judgement == found.judgement
    assert words in found.reason


def test_failed_requests_have_their_own_limit() -> None:
    """More than 5 % failed requests for more than 5 minutes is a breach, whatever the error rate."""
    samples = [Sample(at=30.0 * n, healthy=("web",), error_rate=0.0, failed_rate=0.06) for n in range(12)]

    before = judge(samples[:11], now=300.0, sustained_for=300.0, sample_every=30.0)
    after = judge(samples, now=330.0, sustained_for=300.0, sample_every=30.0)
    assert (Judgement.HEALTHY, Judgement.BREACH) == (before.judgement, after.judgement)
    assert "Failed requests over 5% for 330 s" in after.reason


def test_old_samples_are_no_data() -> None:
    """What was healthy ten minutes ago says nothing about now."""
    assert Judgement.NO_DATA == judge([], now=0.0, sustained_for=300.0, sample_every=30.0).judgement
    stale = judge([Sample(at=0.0, **FINE)], now=391.0, sustained_for=300.0, sample_every=30.0)
    assert Judgement.NO_DATA == stale.judgement


@pytest.mark.parametrize(
    ("slow", "unhealthy", "ends"),
    [(1, 0, True), (10, 0, True), (12, 0, False), (0, 1, False)],
    ids=["one slow answer", "five minutes of them", "longer", "a service that does not answer"],
)
def test_a_watch_ends_on_a_passing_alert_but_not_on_a_lasting_one(slow: int, unhealthy: int, ends: bool) -> None:
    """An alert that lasts no longer than the window is told, and the run goes on; a dead service is not passed over."""
    samples = [
        Sample(
            at=30.0 * number,
            healthy=("web",),
            unhealthy=("gateway",) if number >= 60 - unhealthy else (),
            error_rate=0.0,
            latency_ms=500.0 if number >= 60 - slow else 4.0,
        )
        for number in range(60)
    ]
    health = judge(samples, now=samples[-1].at, sustained_for=300.0, sample_every=30.0)

    assert Judgement.ALERT == health.judgement
    assert ends == settled(samples, health, sustained_for=300.0)


def test_a_watch_does_not_end_on_a_rate_over_its_limit() -> None:
    """A spike in the last measurement: watched on until it has passed, or has lasted long enough to count."""
    for last, expected in ((FINE, "StepFinished"), ({**FINE, "error_rate": 0.5}, "RollbackAsked")):
        a = watching()
        a.measure(**FINE)
        a.measure(**FINE)
        assert ["Sampled"] == kinds(a.measure(healthy=("web",), error_rate=0.5, failed_rate=0.0))
        assert State.WATCHING == a.run.state
        assert expected in kinds(a.measure(**last))
