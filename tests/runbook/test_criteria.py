"""The six rollback criteria, each at and beyond its border, and never out of thin air."""

import pytest

from bot.runbook.criteria import Criterion, Health, integrity, judge, schema, settled, sql_error
from bot.runbook.samples import Judgement, Sample

EVERY = 30.0
LASTING = [{}] * 12  # twelve measurements, five and a half minutes


def judged(values: list[dict[str, object]], *, every: float = EVERY) -> Health:
    """The judgement over these measurements, taken at an even pace, of a service that answers as healthy."""
    samples = [Sample(at=every * n, **{"healthy": ("web",), **each}) for n, each in enumerate(values)]  # type: ignore[arg-type]
    return judge(samples, now=samples[-1].at, sustained_for=300.0, sample_every=EVERY)


def lasting(**value: object) -> Health:
    """The judgement after five and a half minutes of the same."""
    return judged([value for _ in LASTING])


@pytest.mark.parametrize(
    ("value", "criterion"),
    [
        ({"error_rate": 0.11}, Criterion.ERROR_RATE),
        ({"failed_rate": 0.06}, Criterion.FAILED),
        ({"connection_failures": 0.06}, Criterion.CONNECTIONS),
        ({"unhealthy": ("gateway",)}, Criterion.CRITICAL),
        ({"broken": ("user login",)}, Criterion.CRITICAL),
    ],
)
def test_each_measured_criterion_is_met_over_its_limit(value: dict[str, object], criterion: Criterion) -> None:
    """Five and a half minutes over the runbook's number is a breach, by the name of the criterion."""
    health = lasting(**value)

    assert (Judgement.BREACH, criterion) == (health.judgement, health.criterion)
    assert health.reason.endswith(".")


@pytest.mark.parametrize(
    "value", [{"error_rate": 0.10}, {"failed_rate": 0.05}, {"connection_failures": 0.05}, {"broken": ()}]
)
def test_at_the_limit_nothing_is_met(value: dict[str, object]) -> None:
    """The runbook says *over*: exactly ten, or five, per cent is not a breach."""
    assert lasting(**value).judgement is not Judgement.BREACH


@pytest.mark.parametrize("count", [1, 5, 11])
def test_five_minutes_are_more_than_five_minutes(count: int) -> None:
    """Eleven measurements span five minutes exactly, and ">5 minutes" is longer."""
    assert judged([{"error_rate": 0.5}] * count).judgement is not Judgement.BREACH


def test_two_levels_for_the_error_rate() -> None:
    """Over 5 % for over 5 minutes people are asked to look (runbook "Key Metrics"); it is no reason to go back."""
    health = lasting(error_rate=0.07)

    assert (Judgement.ALERT, None) == (health.judgement, health.criterion)
    assert "over 5% for 330 s" in health.reason


def test_a_workflow_must_fail_twice() -> None:
    """One failed try may be the network's fault: it is an alert; the same one twice in a row is broken."""
    once = judged([{}, {"broken": ("search",)}])
    another = judged([{"broken": ("login",)}, {"broken": ("search",)}])
    twice = judged([{"broken": ("search", "login")}, {"broken": ("search",)}])

    assert [Judgement.ALERT, Judgement.ALERT, Judgement.BREACH] == [once.judgement, another.judgement, twice.judgement]
    assert "search" in twice.reason and "login" not in twice.reason


def test_twice_with_a_silence_between_is_not_twice_in_a_row() -> None:
    """Two failures ten minutes apart, with nothing measured between them, prove nothing."""
    assert judged([{"broken": ("search",)}] * 2, every=600.0).judgement is not Judgement.BREACH


def test_a_rate_that_is_no_longer_measured_is_no_data() -> None:
    """Health endpoints still answer, but the error rate has not been seen for a whole window: nobody knows."""
    health = judged([{"error_rate": 0.0}, *LASTING, {}, {}, {}])

    assert Judgement.NO_DATA is health.judgement
    assert "Error rate has not been measured" in health.reason


def test_a_hole_in_the_window_is_neither_for_nor_against() -> None:
    """With a hole in the middle, what was over the limit on both sides of it does not add up."""
    values: list[dict[str, object]] = [{"error_rate": 0.5}] * 6 + [{}] * 5 + [{"error_rate": 0.5}] * 6

    assert judged(values).judgement is not Judgement.BREACH


@pytest.mark.parametrize(
    ("state", "met"),
    [
        ("23503", True),
        ("42P01", True),
        ("22012", True),
        ("55P03", False),
        ("57014", False),
        ("08006", False),
        ("", False),
    ],
)
def test_only_the_sql_itself_is_an_sql_error(state: str, met: bool) -> None:
    """A lock that was not had, a time-out and a lost connection are no fault of the statement."""
    assert met is not sql_error(state, "it says so").ok


def test_a_schema_is_before_or_after_or_inconsistent() -> None:
    """A fingerprint that is neither of the two known ones is the runbook's "inconsistent state"."""
    assert schema("a" * 64, "b" * 64, "a" * 64).ok
    assert schema("a" * 64, "b" * 64, "b" * 64).ok
    assert not schema("a" * 64, "b" * 64, "c" * 64).ok
    assert "after not known" in schema("a" * 64, "", "c" * 64).reason


def test_violations_are_named() -> None:
    """Data integrity is a list that is empty, or says what is wrong."""
    assert integrity(()).ok
    assert "3 orphans; 1 duplicate" == integrity(("3 orphans", "1 duplicate")).reason


def test_a_watch_does_not_end_on_a_workflow_that_does_not_work() -> None:
    """A broken workflow in the very last measurement is not a passing alert."""
    samples = [Sample(at=30.0 * n, healthy=("web",), broken=("search",) if n == 3 else ()) for n in range(4)]
    health = judge(samples, now=90.0, sustained_for=300.0, sample_every=EVERY)

    assert Judgement.ALERT is health.judgement
    assert not settled(samples, health, sustained_for=300.0)


def test_the_words_are_the_runbooks() -> None:
    """All six of its criteria are there, word for word, and the row of step 7 that says the same."""
    assert [
        "Migration fails to apply (SQL error)",
        "Database schema in inconsistent state",
        "Application error rate >10% for >5 minutes",
        "Database connection failures >5% for >5 minutes",
        "Data integrity violations detected",
        "Critical functionality broken (user login, case creation, etc.)",
        "Failed requests >5% for >5 minutes",
    ] == [each.value for each in Criterion]


def test_six_percent_of_failed_requests_is_not_called_ten_percent_of_errors() -> None:
    """Each is met by its own name: over ten per cent it is the error rate, between five and ten the failed requests."""
    assert Criterion.FAILED is lasting(error_rate=0.06, failed_rate=0.06).criterion
    assert Criterion.ERROR_RATE is lasting(error_rate=0.11, failed_rate=0.11).criterion


@pytest.mark.parametrize(
    ("over", "missing"),
    [
        ({"healthy": (), "unhealthy": ("web",)}, {"healthy": ()}),
        ({"error_rate": 0.5}, {}),
        ({"connection_failures": 1.0}, {}),
    ],
)
def test_a_window_with_a_hole_is_no_data(over: dict[str, object], missing: dict[str, object]) -> None:
    """Over the limit on both sides of one missing measurement: neither healthy nor a breach."""
    health = judged([over] * 7 + [missing] + [over] * 7)

    assert Judgement.NO_DATA is health.judgement
    assert "not all was measured" in health.reason
    assert Judgement.BREACH is judged([over] * 7 + [missing] + [over] * 12).judgement


def test_a_watch_is_judged_from_its_beginning() -> None:
    """The bot was away for half an hour and then measured once: what happened in between is not known."""
    samples = [Sample(at=1800.0, healthy=("web",), error_rate=0.0)]
    health = judge(samples, now=1800.0, since=0.0, sustained_for=300.0, sample_every=EVERY)

    assert Judgement.NO_DATA is health.judgement
    assert "For 1800 s nothing was measured" in health.reason


def test_a_target_without_services_is_judged_by_its_database() -> None:
    """Nothing but tries to reach the database is measured: that is data, for better and for worse."""
    assert Judgement.HEALTHY is lasting(healthy=(), connection_failures=0.0).judgement
    assert Criterion.CONNECTIONS is lasting(healthy=(), connection_failures=1.0).criterion


def test_measured_too_seldom_while_over_its_limit_is_no_data() -> None:
    """Half of all requests fail, in measurements that come two minutes apart: nobody may call that healthy."""
    samples = [Sample(at=120.0 * n, healthy=("web",), error_rate=0.46) for n in range(8)]

    health = judge(samples, now=samples[-1].at, sustained_for=300.0, sample_every=EVERY)

    assert Judgement.NO_DATA is health.judgement
    assert "not all was measured" in health.reason


def test_a_spike_is_named_and_not_called_within_the_numbers() -> None:
    health = judged([{"error_rate": 0.0}] * 11 + [{"error_rate": 0.46}])

    assert Judgement.HEALTHY is health.judgement
    assert "Error rate 46.0% now, over 10%; it counts when it lasts." == health.reason
