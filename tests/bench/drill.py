"""Three migrations rehearsed and then really applied: what was predicted against what it took; not collected by pytest.

Usage: ``python -m tests.bench.drill [--scale 1] [--json]``.  Scale 1 is about 338,000 rows.  The server is durable
(fsync on) and on this machine; backup, apply and way back are the bot's own steps, on the database that was rehearsed.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.demo import casework as sample
from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.drill import DrillReport
from bot.runbook.predicted import Compared, compared
from bot.runbook.run import Plan, Run, State
from bot.runbook.steps import Route, StepName
from bot.target import Target
from integrations.postgres.drill.rehearsal import PostgresDrill
from integrations.postgres.go_back import GoBack
from integrations.postgres.settings import Limits
from tests.conftest import short_folder
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import POLICY, Stage

PASSWORDS = dict.fromkeys((sample.OWNER, sample.APP, sample.BOT), "bench")
MIGRATIONS = {
    "fill a new column": (
        "alter table documents add column reviewed boolean;\n"
        "update documents set reviewed = false;\n"
        "alter table documents alter column reviewed set not null;\n"
    ),
    "rewrite a table, add a key": (
        "alter table documents alter column size_bytes type numeric(20, 0);\n"
        "create table reviews (id bigint primary key, document_id bigint references documents (id));\n"
        "insert into reviews select id, id from documents;\n"
    ),
    "indexes concurrently": (
        "create index concurrently documents_title_lower on documents (lower(title));\n"
        "create index concurrently notes_words on case_notes using gin (to_tsvector('simple', body));\n"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One migration, rehearsed and done."""

    name: str
    report: DrillReport
    figures: tuple[Compared, ...]


async def tried(pg: EmbeddedPostgres, work: Path, number: int, name: str) -> Tried:
    """Rehearse it, then back up, apply and go back for real."""
    live = await sample.copy_template(pg, PASSWORDS, f"shop_{number}")
    back = Backstage(stage=_stage(live, work / str(number)), pg=pg, casework=live)
    back.stage.write(f"{number}.sql", MIGRATIONS[name])
    files = back.stage.run.plan.migrations
    report = await PostgresDrill().rehearse(back.stage.target, files, (), name=f"bench-{number}", progress=_unseen)
    if not report.ok:
        raise AssertionError(report.problem)
    await back.stage.backed_up()
    await back.apply()
    outcome = await GoBack(Limits()).run(await back.approved())
    back.record(StepName.GO_BACK, tuple(outcome.facts.items()))
    found = compared(report, back.stage.run)
    await back.remove()
    await sample.drop_database(pg, live.name)
    return Tried(name=name, report=report, figures=found)


def _stage(live: Casework, folder: Path) -> Stage:
    """A run of that database, with nothing done."""
    (folder / "migrations").mkdir(parents=True)
    target = Target(
        name="shop", dsn=live.owner_dsn, channel="C1", policy=POLICY, migrations=folder / "migrations",
        backups=folder / "backups", state=folder,
    )  # fmt: skip
    plan = Plan(
        target="shop", database=live.name, name="n", purpose="p", migrations=(), starter="U0", starter_name="Zoe",
        channel="C1", policy=POLICY,
    )  # fmt: skip
    run = Run(
        id="run-1", plan=plan, version=1, state=State.WORKING, route=Route.FORWARD, position=3, started_at=0.0,
        since=0.0,
    )  # fmt: skip
    return Stage(target=target, run=run)


async def _unseen(text: str, fraction: float | None) -> None:
    """Nobody looks on."""


async def bench(scale: float, names: Sequence[str]) -> list[Tried]:
    """Each of them on a fresh copy of the sample."""
    with short_folder(lasting=True) as work:
        async with EmbeddedPostgres(work / "data", durable=True) as pg:
            await sample.create_roles(pg, PASSWORDS)
            await sample.ensure_template(pg, PASSWORDS, scale=scale)
            return [await tried(pg, work, number, name) for number, name in enumerate(names, start=1)]


def readable(found: Sequence[Tried]) -> str:
    """For people: each statement as it was measured, then what was predicted against what it took."""
    lines = []
    for each in found:
        lines.append(f"{each.name} (copy in {each.report.copy_seconds:.1f} s)")
        for one in each.report.statements:
            rewrote = f", rewrites {', '.join(one.rewrote)}" if one.rewrote else ""
            lines.append(
                f"    {one.seconds:6.2f} s  {one.wal / 1e6:6.1f} MB WAL  {one.lock} on {one.relation}{rewrote}"
            )
        lines += [f"  {figure.line}" for figure in each.figures]
    return "\n".join(lines)


def summary(found: Sequence[Tried]) -> str:
    """For machines, in one line; ``error`` is the share by which the actual exceeds the predicted."""
    return json.dumps(
        {
            each.name: {
                one.what: {"predicted": one.predicted, "actual": one.actual, "error": one.error} for one in each.figures
            }
            for each in found
        }
    )


def main() -> None:
    """The whole run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.drill", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1 is about 338,000 rows")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    wanted = parser.parse_args()
    found = asyncio.run(bench(wanted.scale, list(MIGRATIONS)))
    print(readable(found))
    if wanted.json:
        print(summary(found))


if __name__ == "__main__":
    main()
