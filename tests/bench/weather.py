"""Measurements as a service in use gives them, from a seed: noisy hours without a fault, and breaches of each kind.

Requests and errors are counted, so a rate has the noise of its traffic.  A healthy hour may have spikes of one
measurement, bursts of up to four minutes, lost measurements, slow answers, and a service that was bad already before
the migration and is no worse.  A breach begins at some moment between two measurements and stays.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.runbook.baseline import MOST
from bot.runbook.criteria import Criterion
from bot.runbook.samples import Sample

EVERY = 30.0  # seconds between two measurements (runbook step 7 as the bot does it)
HOUR = 120  # measurements
LAST = 0.25  # of a breach's measurements at most are lost where there are holes
FINE = ("web", "gateway")


@dataclass(frozen=True, kw_only=True)
class Hour:
    """``before`` the migration and ``after`` it; ``onset`` (seconds) and ``criterion`` are those of a breach."""

    before: tuple[Sample, ...]
    after: tuple[Sample, ...]
    onset: float = 0.0
    criterion: Criterion | None = None


@dataclass(frozen=True, kw_only=True)
class Climate:
    """What a service is like: ``requests`` between two measurements, ``errors`` a share of them, times in ms."""

    requests: int
    errors: float
    p95: float
    latency: float
    pool: float


def climate(dice: random.Random) -> Climate:
    """Little traffic or much; in one service of seven 6 to 9 % of the requests fail on any day."""
    sick = dice.random() < 1 / 7
    return Climate(
        requests=int(10 ** dice.uniform(1.5, 3.5)),
        errors=dice.uniform(0.06, 0.09) if sick else 10 ** dice.uniform(-4.0, -1.6),
        p95=dice.uniform(60, 800),
        latency=dice.uniform(2, 70),
        pool=dice.uniform(0.1, 0.75),
    )


def healthy(seed: int) -> Hour:
    """An hour in which nothing is wrong."""
    dice = random.Random(seed)
    usual = climate(dice)
    before = tuple(_measured(dice, usual, at) for at in _moments(-MOST, 0))
    return Hour(before=before, after=tuple(_passing(dice, usual)))


def _passing(dice: random.Random, usual: Climate) -> Iterator[Sample]:
    """Spikes, one burst of at most four minutes, and holes; none of them lasts."""
    burst = range(start := dice.randrange(10, 110), start + dice.randint(1, 8)) if dice.random() < 0.3 else range(0)
    blinked = False  # twice in a row would be a critical workflow that does not work
    for number, at in enumerate(_moments(0, HOUR)):
        found = _measured(dice, usual, at)
        chance = dice.random()
        if number in burst:
            found = _failing(dice, found, usual, dice.uniform(0.12, 0.6))
        elif chance < 0.01:
            found = _failing(dice, found, usual, dice.uniform(0.1, 0.9))
        elif chance < 0.02:
            found = Sample(at=at)
        elif chance < 0.025:
            found = replace(found, healthy=FINE[1:], unhealthy=FINE[:1])
        elif chance < 0.03:
            found = replace(found, p95_ms=dice.uniform(1000, 9000), latency_ms=dice.uniform(100, 900))
        elif chance < 0.035:
            found = replace(found, connection_failures=0.5)
        elif chance < 0.04 and not blinked:
            found = replace(found, broken=("search",))
        blinked = bool(found.broken)
        yield found


def _measured(dice: random.Random, usual: Climate, at: float) -> Sample:
    requests = max(1, int(dice.gauss(usual.requests, usual.requests / 10)))
    rate = _binomial(dice, requests, usual.errors) / requests
    p95, latency = usual.p95 * dice.lognormvariate(0, 0.1), usual.latency * dice.lognormvariate(0, 0.1)
    pool = min(0.89, usual.pool * dice.lognormvariate(0, 0.05))
    return Sample(
        at=at, healthy=FINE, error_rate=rate, failed_rate=rate, p95_ms=p95, latency_ms=latency, pool=pool,
        connection_failures=0.0, throughput=requests * 60 / EVERY,
    )  # fmt: skip


def _binomial(dice: random.Random, tries: int, share: float) -> int:
    """How many of ``tries`` fail: exactly where they are few, by its normal limit where they are many."""
    if tries * share > 30:
        return max(0, min(tries, round(dice.gauss(tries * share, (tries * share * (1 - share)) ** 0.5))))
    return sum(dice.random() < share for _ in range(tries))


def _failing(dice: random.Random, sample: Sample, usual: Climate, share: float) -> Sample:
    rate = _binomial(dice, usual.requests, share) / usual.requests
    return replace(sample, error_rate=rate, failed_rate=rate)


def _moments(first: int, last: int) -> Sequence[float]:
    return [number * EVERY for number in range(first, last)]


def _errors(dice: random.Random, sample: Sample, usual: Climate) -> Sample:
    """Well over ten per cent, and over twice what was usual."""
    return _failing(dice, sample, usual, min(0.95, max(0.10, 2 * usual.errors) * dice.uniform(1.8, 5)))


def _failed(_dice: random.Random, sample: Sample, usual: Climate) -> Sample:
    """Requests fail of which the services do not speak of as errors: over five per cent, or over twice the usual."""
    return replace(sample, error_rate=min(usual.errors, 0.04), failed_rate=max(0.05, 2 * usual.errors) * 1.6)


def _connections(dice: random.Random, sample: Sample, _usual: Climate) -> Sample:
    return replace(sample, connection_failures=dice.uniform(0.06, 1.0))


def _unhealthy(_dice: random.Random, sample: Sample, _usual: Climate) -> Sample:
    return replace(sample, healthy=FINE[1:], unhealthy=FINE[:1])


def _broken(_dice: random.Random, sample: Sample, _usual: Climate) -> Sample:
    return replace(sample, broken=("user login",))


Fault = Callable[[random.Random, Sample, Climate], Sample]
FAULTS: Mapping[str, tuple[Criterion, Fault]] = {
    "error rate": (Criterion.ERROR_RATE, _errors),
    "failed requests": (Criterion.FAILED, _failed),
    "connections": (Criterion.CONNECTIONS, _connections),
    "unhealthy": (Criterion.CRITICAL, _unhealthy),
    "broken workflow": (Criterion.CRITICAL, _broken),
}


def breach(seed: int, kind: str, *, holes: bool = False) -> Hour:
    """The same weather, and from some moment on a fault of this kind that stays; ``holes``: some of it is not seen."""
    dice = random.Random(seed)
    usual = replace(climate(dice), requests=int(10 ** dice.uniform(2.3, 3.5)))
    before = tuple(_measured(dice, usual, at) for at in _moments(-MOST, 0))
    onset = dice.uniform(0, 45 * EVERY)
    criterion, fault = FAULTS[kind]
    after = []
    for at in _moments(0, HOUR):
        found = _measured(dice, usual, at)
        if at >= onset:
            found = fault(dice, found, usual)
            if holes and dice.random() < LAST:
                found = Sample(at=at)
        after.append(found)
    return Hour(before=before, after=tuple(after), onset=onset, criterion=criterion)
