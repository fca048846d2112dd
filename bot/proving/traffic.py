"""How busy an hour of the week usually is, from the transactions that were counted at the bot's own looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import fmean, median

from bot.proving.subject import Looked, fine, untold, wrong
from bot.runbook.preparation.preparation import Window

HOURS = 168  # of a week
ENOUGH = 3  # rates of an hour before it is said to be known: three weeks, or a few looks in one
WEEK_KNOWN = 84  # hours that must be known before one is called low: half of a week
LONGEST = 5400.0  # seconds between two looks; a longer rate would smear over hours
SHORTEST = 60.0  # a shorter one is chance
KEPT = 8 * 7 * 86400.0  # seconds for which counts are kept: traffic of two months ago says little
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Profile = dict[int, float]


@dataclass(frozen=True, kw_only=True)
class Count:
    """All transactions so far, at one moment; ``since`` is when the server began to count."""

    at: float
    transactions: int
    since: str


def hour_of(at: float) -> int:
    """The hour of the week, 0 is Monday 00:00 UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.weekday() * 24 + moment.hour


def profile(counts: Iterable[Count]) -> Profile:
    """Hour of the week -> transactions a second, of the hours that are known."""
    found: dict[int, list[float]] = {}
    for before, after in pairwise(sorted(counts, key=lambda each: each.at)):
        seconds, done = after.at - before.at, after.transactions - before.transactions
        if SHORTEST <= seconds <= LONGEST and before.since == after.since and done >= 0:
            found.setdefault(hour_of((before.at + after.at) / 2), []).append(done / seconds)
    return {hour: fmean(rates) for hour, rates in found.items() if len(rates) >= ENOUGH}


def judged(counts: Iterable[Count], window: Window) -> Looked:
    """Is every hour of the window one of the quieter half of the week?"""
    known = profile(counts)
    hours = _hours(window)
    lacking = [hour for hour in hours if hour not in known]
    if lacking or len(known) < WEEK_KNOWN:
        said = f"Traffic: {len(known)} of {HOURS} hours of the week are measured so far"
        more = f", not {_named(lacking[0])}" if lacking else ""
        return untold(f"{said}{more}; tick with evidence that the window is a quiet time")
    usual, busiest = median(known.values()), max(hours, key=lambda hour: known[hour])
    rate = f"{known[busiest]:.1f} transactions a second, the week's median is {usual:.1f}"
    if known[busiest] <= usual:
        return fine(f"Low traffic: in the window's busiest hour ({_named(busiest)}) {rate}")
    quiet = min(known, key=lambda hour: known[hour])
    return wrong(
        f"Not a quiet time: {_named(busiest)} has {rate}."
        f" Postpone to a quieter one; the quietest is {_named(quiet)} with {known[quiet]:.1f}."
    )


def _hours(window: Window) -> list[int]:
    """Every hour that the window touches, each once."""
    first, last = int(window.start // 3600), int(max(window.start, window.end - 1) // 3600)
    return list(dict.fromkeys(hour_of(each * 3600.0) for each in range(first, min(last, first + HOURS) + 1)))


def _named(hour: int) -> str:
    return f"{_DAYS[hour // 24]} {hour % 24:02d}:00 UTC"
