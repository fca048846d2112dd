"""Several sources make one sample: the worst of those that know it, by name; what nobody knows stays unknown."""

import pytest

from bot.runbook.criteria import judge
from bot.runbook.rates import rates_of
from bot.runbook.readings import Figure, Reading, reading, silent, together
from bot.runbook.samples import Gap, Judgement, Sample
from bot.runbook.thresholds import RUNBOOK, Thresholds

OWN = Sample(at=1.0, healthy=("web",), error_rate=0.02, p95_ms=100.0, pool=0.5)


def test_of_each_figure_the_worst_counts_with_its_source() -> None:
    """For throughput the least is the worst; between equals the bot's own measurement counts."""
    found = together(
        OWN,
        (
            Reading(source="New Relic", error_rate=0.06, p95_ms=100.0, throughput=80.0),
            Reading(source="Render", error_rate=0.05, latency_ms=40.0, throughput=60.0),
        ),
    )
    assert (0.06, 100.0, 40.0, 0.5, 60.0) == (
        found.error_rate, found.p95_ms, found.latency_ms, found.pool, found.throughput
    )  # fmt: skip
    assert ["New Relic", "", "Render", "", "Render"] == [
        found.source(each) for each in ("error_rate", "p95_ms", "latency_ms", "pool", "throughput")
    ]


def test_without_a_source_the_sample_is_as_it_was() -> None:
    """And a source that says nothing adds nothing but its name."""
    assert OWN == together(OWN, ())
    found = together(OWN, (silent("Prometheus", "no answer within 12 s"),))
    assert (0.02, None, ("Prometheus",)) == (
        found.error_rate, found.latency_ms, tuple(each.source for each in found.gaps)
    )  # fmt: skip


@pytest.mark.parametrize("value", [-0.1, 1.1, 6.0])
def test_what_cannot_be_is_no_data(value: float) -> None:
    """A rate in per cent would be a breach out of nothing."""
    found = reading("Prometheus", ((Figure.ERROR_RATE, value, ""), (Figure.P95, 1200.0, "")))
    assert (None, 1200.0, (Figure.ERROR_RATE,)) == (
        found.error_rate, found.p95_ms, tuple(each.figure for each in found.gaps)
    )  # fmt: skip


def watched(*samples: Sample, thresholds: Thresholds = RUNBOOK) -> Judgement:
    return judge(samples, now=samples[-1].at, sustained_for=300.0, sample_every=30.0, thresholds=thresholds).judgement


def told(n: int, rate: float | None, **more: object) -> Sample:
    """A measurement in which the probe sees nothing wrong and New Relic says ``rate``."""
    own = Sample(at=30.0 * n, healthy=("web",), error_rate=0.0, failed_rate=0.0)
    said = silent("New Relic", "away") if rate is None else Reading(source="New Relic", error_rate=rate)
    return together(own, (said,))


def test_a_source_that_falls_silent_after_a_bad_figure_is_not_overruled() -> None:
    """New Relic said 12 % and is away: that the probe sees nothing is no evidence, and no breach either."""
    bad = [told(n, 0.12) for n in range(5)]
    soon = watched(*bad, told(5, None))
    later = watched(*bad, *(told(n, None) for n in range(5, 20)))
    back = watched(*bad, *(told(n, None) for n in range(5, 20)), told(20, 0.01))
    assert (Judgement.HEALTHY, Judgement.NO_DATA, Judgement.HEALTHY) == (soon, later, back)


def test_a_source_that_was_fine_may_fall_silent() -> None:
    """What it knew is known by another one still."""
    assert Judgement.HEALTHY is watched(*(told(n, 0.01) for n in range(5)), *(told(n, None) for n in range(5, 40)))


def test_who_alone_knew_a_figure_and_falls_silent_is_no_data() -> None:
    """Known before, not known any more: its window cannot be judged either way."""
    alone = [Sample(at=30.0 * n, healthy=("web",), error_rate=0.01 if n < 5 else None) for n in range(20)]
    assert Judgement.NO_DATA is watched(*alone)


def test_the_verdict_names_the_source() -> None:
    """Of what is a breach, of what is worth a look, and of what is not known."""
    breach = judge([told(n, 0.12) for n in range(12)], now=330.0, sustained_for=300.0, sample_every=30.0)
    slow = together(OWN, (Reading(source="Render", p95_ms=1500.0),))
    alert = judge([slow], now=1.0, sustained_for=300.0, sample_every=30.0)
    gap = judge([told(0, None)], now=0.0, sustained_for=300.0, sample_every=30.0)

    assert "Error rate over 10% for 330 s (now 12.0%, New Relic)." == breach.reason
    assert "P95 response time 1500 ms, threshold 1000 ms (Render)." == alert.reason
    assert gap.reason.endswith(" Not all is known from New Relic.")


@pytest.mark.parametrize(
    ("own", "value", "expected"),
    [
        ({"error_rate": 0.2}, {"error_rate": 0.15}, Judgement.ALERT),
        ({"error_rate": 0.2, "error_rate_alert": 0.2}, {"error_rate": 0.15}, Judgement.HEALTHY),
        ({"failed_rate": 0.01}, {"failed_rate": 0.02}, Judgement.BREACH),
        ({"connection_failures": 0.5}, {"connection_failures": 0.4}, Judgement.HEALTHY),
        ({"p95_ms": 2000.0}, {"p95_ms": 1500.0}, Judgement.HEALTHY),
        ({"latency_ms": 30.0}, {"latency_ms": 40.0}, Judgement.ALERT),
        ({"pool": 0.5}, {"pool": 0.6}, Judgement.ALERT),
    ],
)
def test_a_target_may_have_numbers_of_its_own(
    own: dict[str, float], value: dict[str, float], expected: Judgement
) -> None:
    """In both directions; each would be judged otherwise by the runbook's."""
    samples = [Sample(at=30.0 * n, healthy=("web",), **value) for n in range(12)]  # type: ignore[arg-type]
    assert expected is watched(*samples, thresholds=Thresholds(**own))
    assert expected is not watched(*samples)


def test_gaps_cover_their_figure_or_all() -> None:
    """A whole source that is away says nothing of any figure."""
    assert Gap(source="x").covers("pool")
    assert not Gap(source="x", figure="p95_ms").covers("pool")
    assert ["error_rate", "failed_rate", "connection_failures", "unhealthy"] == [
        each.figure for each in rates_of([OWN], RUNBOOK)
    ]
