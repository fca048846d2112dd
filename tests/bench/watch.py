"""The judgement of a watch on a thousand noisy hours and a thousand breaches, and what measuring costs the target.

Usage: ``python -m tests.bench.watch [--hours 1000] [--breaches 1000] [--json]``; not collected by pytest.  Every
figure comes from the bot's own judgement, measurement by measurement, as a run takes it; the weather is ``weather.py``,
from seeds that count from 0.
"""

import argparse
import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

import psycopg

from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.baseline import Baseline, baseline_of
from bot.runbook.criteria import Criterion, Health, judge
from bot.runbook.people import Policy
from bot.runbook.samples import Judgement, Sample
from bot.target import Target
from integrations.health.pool import connections_used
from integrations.health.probe import HealthProbe
from tests.bench.weather import EVERY, FAULTS, Hour, breach, healthy
from tests.conftest import short_folder

WINDOW = 300.0  # seconds: the runbook's "for >5 minutes"
TWICE = 2  # measurements in a row that a critical workflow has, instead of a window


@dataclass(frozen=True, kw_only=True)
class Figures:
    """``delay_intervals``: the longest time past the window until the verdict, in sampling intervals, the window
    counted from the first measurement that is over; ``delay_from_onset``: from the fault itself, which nobody sees
    between two measurements.  ``queries_per_interval`` are statements in the target's database for one measurement."""

    hours: int
    breaches: int
    false_rollbacks: int
    false_alert_share: float
    missed: int
    wrong_criterion: int
    missed_with_holes: int
    unseen_with_holes: int
    delay_intervals: float
    delay_from_onset: float
    queries_per_interval: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """The first breach of an hour, if there was one; ``asked``: people were told that data is missing."""

    at: float | None
    criterion: Criterion | None
    alerts: int
    asked: bool


def watched(hour: Hour) -> Found:
    """As a run does it: every measurement is judged with all that came before it."""
    before, alerts, asked = baseline_of(hour.before), 0, False
    for number in range(1, len(hour.after) + 1):
        health = _judged(hour.after[:number], before)
        alerts += health.judgement is Judgement.ALERT
        asked = asked or health.judgement is Judgement.NO_DATA
        if health.judgement is Judgement.BREACH:
            return Found(at=hour.after[number - 1].at, criterion=health.criterion, alerts=alerts, asked=asked)
    return Found(at=None, criterion=None, alerts=alerts, asked=asked)


def _judged(samples: Sequence[Sample], before: Baseline) -> Health:
    now = samples[-1].at
    return judge(samples, now=now, since=0.0, sustained_for=WINDOW, sample_every=EVERY, before=before)


def _delays(hours: Iterable[tuple[Hour, Found]]) -> tuple[float, float]:
    """In intervals, the longest of them all: from the first measurement that shows it, and from the fault itself."""
    seen, true = [0.0], [0.0]
    for hour, found in hours:
        if found.at is None:
            continue
        window = (TWICE - 1) * EVERY if any(each.broken for each in hour.after) else WINDOW
        first = next(each.at for each in hour.after if each.at >= hour.onset)
        seen.append((found.at - first - window) / EVERY)
        true.append((found.at - hour.onset - window) / EVERY)
    return max(seen), max(true)


async def queries(folder: Path, measurements: int = 5) -> float:
    """What the target's server itself has counted, for one measurement by the real probe."""
    async with EmbeddedPostgres(folder / "data", durable=False) as server:
        async with await psycopg.AsyncConnection.connect(server.dsn(), autocommit=True) as db:
            await db.execute("CREATE EXTENSION pg_stat_statements")
            await db.execute("CREATE ROLE app LOGIN PASSWORD 'demo'")
        dsn = server.dsn("postgres", user="app", password="demo")
        target = Target(
            name="bench", dsn=dsn, channel="", policy=Policy(approvers=frozenset()), migrations=folder, backups=folder,
            state=folder,
        )  # fmt: skip
        probe = HealthProbe(pool=connections_used)
        for _ in range(measurements):
            await probe.sample(target)
        async with await psycopg.AsyncConnection.connect(server.dsn()) as db:
            counted = await db.execute(
                "SELECT coalesce(sum(calls), 0)::int FROM pg_stat_statements WHERE userid = 'app'::regrole"
            )
            row = await counted.fetchone()
    return float(row[0]) / measurements if row else 0.0


def bench(hours: int, breaches: int) -> Figures:
    """All of it, from the seeds 0 on."""
    calm = [watched(healthy(seed)) for seed in range(hours)]
    kinds = list(islice(cycle(FAULTS), breaches))
    stormy = [breach(seed, kind) for seed, kind in enumerate(kinds)]
    storms = [(hour, watched(hour)) for hour in stormy]
    holed = [watched(breach(seed, kind, holes=True)) for seed, kind in enumerate(kinds)]
    seen, true = _delays(storms)
    with short_folder() as work:
        asked = asyncio.run(queries(work))
    return Figures(
        hours=hours,
        breaches=breaches,
        false_rollbacks=sum(each.at is not None for each in calm),
        false_alert_share=sum(each.alerts for each in calm) / max(1, sum(len(healthy(0).after) for _ in calm)),
        missed=sum(found.at is None for _, found in storms),
        wrong_criterion=sum(found.at is not None and found.criterion is not hour.criterion for hour, found in storms),
        missed_with_holes=sum(each.at is None and not each.asked for each in holed),
        unseen_with_holes=sum(each.at is None for each in holed),
        delay_intervals=seen,
        delay_from_onset=true,
        queries_per_interval=asked,
    )


def main() -> None:
    """The whole run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.watch", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--hours", type=int, default=1000, help="healthy ones")
    parser.add_argument("--breaches", type=int, default=1000, help="of every kind in turn")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    wanted = parser.parse_args()
    found = asdict(bench(wanted.hours, wanted.breaches))
    print("\n".join(f"{name:24}{value:g}" for name, value in found.items()))
    if wanted.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
