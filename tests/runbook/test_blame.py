"""What speaks for the migration as the cause and what against it, as plain rules over measurements."""

from dataclasses import replace
from typing import Any

import pytest

from bot.runbook.blame import MOST, blame, new_kinds
from bot.runbook.samples import ErrorKind, Sample
from tests.integrations.picture.test_picture import watch

COLUMN = ErrorKind(service="web", text='column "full_name" does not exist', count=12, state="42703")
OLD = ErrorKind(service="web", text="mail server does not answer", count=3)


def run_of(before: dict[str, Any], after: dict[str, Any]) -> Any:
    """Five measurements before the first change, and two after the restart."""
    made = watch(*(Sample(at=1500.0 + n, logs_read=True, **after) for n in range(2)))
    return replace(made, baseline=tuple(Sample(at=600.0 + n, logs_read=True, **before) for n in range(5)))


def test_a_missing_column_that_nobody_missed_before_speaks_for_it() -> None:
    """With its SQLSTATE, its words and how often."""
    found = blame(run_of({"error_rate": 0.01}, {"error_rate": 0.12, "errors": (COLUMN,)}))
    assert (
        'web: a column is missing (42703), 12 times, not seen before: column "full_name" does not exist',
        "error rate 1.0% before, 12.0% now",
    ) == found.speaks_for
    assert () == found.speaks_against


def test_what_was_so_before_speaks_against_it() -> None:
    """A service with six per cent errors, an old kind of error, and a database as fast as ever."""
    figures = {"error_rate": 0.06, "latency_ms": 4.0, "errors": (OLD,), "broken": ("upload",)}
    found = blame(run_of(figures, figures))
    assert () == found.speaks_for
    assert (
        "error rate was 6.0% before, too",
        "upload did not work before, too",
        "web logged this before the migration, too: mail server does not answer",
        "the database answers as fast as before (4 ms)",
        "the services' logs have no new kind of error",
    ) == found.speaks_against


def test_logs_that_nobody_read_prove_nothing() -> None:
    made = watch(Sample(at=1500.0, error_rate=0.2))
    assert () == blame(made).speaks_against


@pytest.mark.parametrize("state", ["", "40001"])
def test_an_error_that_no_schema_makes_is_new_and_speaks_for_nothing(state: str) -> None:
    """A deadlock or a mail server may be anybody's fault."""
    made = run_of({}, {"errors": (replace(OLD, state=state),)})
    assert ["web"] == [each.service for each in new_kinds(made)]
    assert () == blame(made).speaks_for


def test_each_side_is_short_enough_to_be_read() -> None:
    many = tuple(replace(COLUMN, text=f"column c{n} does not exist", count=n + 1) for n in range(20))
    found = blame(run_of({}, {"errors": many}))
    assert MOST == len(found.speaks_for)
    assert "20 times" in found.speaks_for[0]


def test_outside_of_a_watch_nothing_is_said() -> None:
    assert ((), ()) == (blame(watch()).speaks_for, blame(watch()).speaks_against)
