"""What is called worse, what is calm, and that noise is neither."""

from dataclasses import replace
from itertools import islice

import pytest

from bot.runbook.follow_up import events as e
from bot.runbook.follow_up.trends import LONG, NEWEST, Course, Trend, findings
from bot.runbook.samples import Sample
from tests.runbook.follow_up.watched import T0, YARDSTICK, Tale, noisy, sample


def course(trend: Trend, samples: list[Sample], yardstick: tuple[Sample, ...] = YARDSTICK) -> Course:
    return next(each.course for each in findings(yardstick, samples) if each.trend is trend)


def day(seed: int, **how: object) -> Tale:
    """288 looks of noise, against a watch of the same noise."""
    tale = Tale(yardstick=tuple(islice(noisy(seed + 10_000), 60)))
    for each in islice(noisy(seed, **how), 288):  # type: ignore[arg-type]
        tale.look(each)
    return tale


@pytest.mark.parametrize("seed", range(20))
def test_a_noisy_but_healthy_day_raises_nothing(seed: int) -> None:
    """Nor does a spike now and then."""
    assert [] == day(seed).told(e.TrendRaised)


@pytest.mark.parametrize("seed", range(10))
def test_what_doubles_is_raised_once_within_half_an_hour(seed: int) -> None:
    """Said when most of the newest half hour shows it, and not again."""
    tale = day(seed, worse=lambda number: 6.0 if number >= 100 else 1.0)
    raised = [each for each in tale.told(e.TrendRaised) if isinstance(each, e.TrendRaised)]
    assert {Trend.ERRORS, Trend.P95, Trend.LATENCY} == {each.trend for each in raised}
    assert 3 == len(raised)
    first = T0 + 300.0 * 101
    assert all(first <= each.at <= first + 300.0 * NEWEST for each in raised)


@pytest.mark.parametrize("seed", range(10))
def test_what_creeps_up_is_raised_before_it_is_far_above(seed: int) -> None:
    """Through the noise, at most once more after it was calm for two hours."""
    tale = day(seed, worse=lambda number: 1.0 + max(0, number - 60) * 0.03)
    raised = [each.trend for each in tale.told(e.TrendRaised) if isinstance(each, e.TrendRaised)]
    assert Trend.P95 in raised
    assert all(raised.count(each) <= 2 for each in raised) and len(raised) <= 4


def test_a_creeping_error_rate_is_called_trending_up() -> None:
    """Not yet well above, but rising without a break."""
    rising = [sample(T0 + 300 * n, p95=210.0 + 5.0 * n) for n in range(LONG)]
    (found,) = [each for each in findings(YARDSTICK, rising) if each.trend is Trend.P95]
    assert Course.WORSE is found.course
    assert found.reason.startswith("trending up: ")


def test_between_worse_and_calm_nothing_is_said() -> None:
    """What hangs about the border neither comes nor goes."""
    tale = Tale()
    for p95 in [500.0] * 8 + [330.0] * 20 + [500.0] * 8 + [330.0] * 20:
        tale.look(sample(0, p95=p95))
    assert (1, 0) == (len(tale.told(e.TrendRaised)), len(tale.told(e.TrendCalmed)))
    for _ in range(LONG):
        tale.look(sample(0))
    assert (1, 1) == (len(tale.told(e.TrendRaised)), len(tale.told(e.TrendCalmed)))
    for _ in range(NEWEST):
        tale.look(sample(0, p95=500.0))
    assert 2 == len(tale.told(e.TrendRaised))


def test_over_the_runbooks_number_is_worse_however_slow_it_was() -> None:
    """A service near the limit is not allowed half as much again."""
    before = tuple(replace(each, p95_ms=980.0) for each in YARDSTICK)
    assert Course.WORSE is course(Trend.P95, [sample(0, p95=1010.0)] * NEWEST, before)


def test_without_a_yardstick_or_enough_looks_nothing_is_judged() -> None:
    """What was not measured is no judgement."""
    assert Course.OPEN is course(Trend.P95, [sample(0, p95=9000.0)] * NEWEST, ())
    assert Course.OPEN is course(Trend.P95, [sample(0, p95=9000.0)] * (NEWEST - 1))
    assert Course.OPEN is course(Trend.ERRORS, [replace(sample(0), error_rate=None)] * NEWEST)


def test_a_service_that_does_not_answer_twice_is_raised_and_calms() -> None:
    """Once may be the network."""
    tale = Tale()
    ill = sample(0, unhealthy=("web",), healthy=())
    for each in (ill, sample(0), ill, ill, ill, sample(0), sample(0)):
        tale.look(each)
    assert ["TrendRaised", "TrendCalmed"] == [type(each).__name__ for each in tale.events if "Trend" in str(type(each))]


def test_silence_is_raised_too() -> None:
    """Three looks that bring nothing are not health."""
    tale = Tale()
    for _ in range(4):
        tale.look(Sample(at=0))
    (raised,) = tale.told(e.TrendRaised)
    assert isinstance(raised, e.TrendRaised) and raised.trend is Trend.DATA
