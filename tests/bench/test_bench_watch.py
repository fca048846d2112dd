"""The bench of the watch still runs against the code as it is, and a small part of it has the promised figures."""

from tests.bench.watch import bench, watched
from tests.bench.weather import FAULTS, breach, healthy


def test_a_small_part_has_the_promised_figures() -> None:
    """Nothing healthy is turned back, nothing broken is missed, and a verdict is one measurement late at most."""
    found = bench(hours=20, breaches=2 * len(FAULTS))

    assert (0, 0, 0) == (found.false_rollbacks, found.missed, found.wrong_criterion)
    assert 0 == found.missed_with_holes
    assert found.delay_intervals <= 1
    assert found.queries_per_interval <= 1


def test_the_weather_is_the_same_for_everybody() -> None:
    """By its seed; another seed is another hour."""
    assert healthy(7) == healthy(7)
    assert healthy(7) != healthy(8)


def test_the_bench_can_fail() -> None:
    """A breach taken for a healthy hour would be a false rollback, and a healthy hour a missed breach."""
    assert watched(breach(1, "error rate")).at is not None
    assert watched(healthy(1)).at is None
