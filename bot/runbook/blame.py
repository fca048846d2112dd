"""Was it the migration?  What speaks for it and what against it, before anybody is asked to go back.

A breach says that something is wrong, not why.  Errors that only a changed schema makes, and figures that have doubled,
speak for the migration; what was so before it, and what has not changed, speak against it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.runbook.baseline import Baseline, baseline_of
from bot.runbook.run import Run
from bot.runbook.samples import ErrorKind

MOST = 5  # of either side
#: SQLSTATEs that a changed schema makes (PostgreSQL documentation, Appendix A), and what they mean here.
SHAPED = {
    "42703": "a column is missing",
    "42P01": "a table is missing",
    "42883": "a function is missing",
    "42704": "a type is missing",
    "23502": "a value is missing",
    "23503": "a row that is referred to is missing",
    "23505": "a value is there twice",
    "23514": "a value breaks a check",
    "42501": "a right is missing",
}
_FIGURES = (
    ("error_rate", "error rate", "{:.1%}", 0.01),
    ("failed_rate", "failed requests", "{:.1%}", 0.01),
    ("p95_ms", "p95 response time", "{:.0f} ms", 50.0),
    ("latency_ms", "database latency", "{:.0f} ms", 10.0),
)  # the last number: less than that is no change


@dataclass(frozen=True, kw_only=True)
class Blame:
    """Sentences without a full stop."""

    speaks_for: tuple[str, ...] = ()
    speaks_against: tuple[str, ...] = ()


def new_kinds(run: Run) -> tuple[ErrorKind, ...]:
    """What the services' logs had in this watch and not before the first change, the most frequent first."""
    known = {(each.service, each.text) for sample in run.baseline for each in sample.errors}
    found: dict[tuple[str, str], ErrorKind] = {}
    for each in (each for sample in run.samples for each in sample.errors):
        key = (each.service, each.text)
        if key not in known and (key not in found or found[key].count < each.count):
            found[key] = each
    return tuple(sorted(found.values(), key=lambda each: (-each.count, each.service, each.text)))


def blame(run: Run) -> Blame:
    """Of a watch, with the measurements from before the first change beside it; empty outside of one."""
    if not run.samples:
        return Blame()
    before, fresh = baseline_of(run.baseline), new_kinds(run)
    shaped = [each for each in fresh if each.state in SHAPED]
    speaks_for = [_shaped(each) for each in shaped] + list(_grown(run, before))
    speaks_against = [*_as_before(run, before), *_unchanged(run, before), *_quiet(run, fresh)]
    return Blame(speaks_for=tuple(speaks_for[:MOST]), speaks_against=tuple(speaks_against[:MOST]))


def _shaped(kind: ErrorKind) -> str:
    return f"{kind.service}: {SHAPED[kind.state]} ({kind.state}), {kind.times}, not seen before: {kind.text}"


def _grown(run: Run, before: Baseline) -> Iterator[str]:
    for name, words, form, small in _FIGURES:
        then, now = before.figure(name), getattr(run.samples[-1], name)
        if then is not None and now is not None and now > 2 * then and now - then > small:
            yield f"{words} {form.format(then)} before, {form.format(now)} now"


def _as_before(run: Run, before: Baseline) -> Iterator[str]:
    """It was so already."""
    for name, words, form, small in _FIGURES[:2]:
        then, now = before.figure(name), getattr(run.samples[-1], name)
        if then is not None and now is not None and then > small and now <= 2 * then:
            yield f"{words} was {form.format(then)} before, too"
    yield from (f"{name} did not work before, too" for name in run.samples[-1].broken if name in before.broken)
    there = {(each.service, each.text) for sample in run.baseline for each in sample.errors}
    for each in run.samples[-1].errors:
        if (each.service, each.text) in there:
            yield f"{each.service} logged this before the migration, too: {each.text}"


def _unchanged(run: Run, before: Baseline) -> Iterator[str]:
    then, now = before.latency_ms, run.samples[-1].latency_ms
    if then is not None and now is not None and now <= max(2 * then, then + 10.0):
        yield f"the database answers as fast as before ({now:.0f} ms)"


def _quiet(run: Run, fresh: tuple[ErrorKind, ...]) -> Iterator[str]:
    """Only where the logs were read at all: silence of what was not asked proves nothing."""
    if fresh or not any(each.logs_read for each in run.samples):
        return
    yield "the services' logs have no new kind of error"
