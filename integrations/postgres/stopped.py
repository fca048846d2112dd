"""Proof from the database that an application has stopped: nobody is connected, and nothing is written."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.rows import class_row

from bot.runbook.samples import Verdict
from integrations.postgres.blocks import blocks
from integrations.postgres.catalog import HIDDEN
from integrations.postgres.connect import rows, session
from integrations.postgres.words import plural

OURS = "migrate/"
NAME = "migrate/-/observer"
# A session reports its counters up to a second late (PGSTAT_MIN_INTERVAL); an idle one up to ten, but that one is
# still connected and so found by ``application_sessions``; a leaving one reports at once.
STATS_LAG = 1.5


@dataclass(frozen=True, kw_only=True)
class ApplicationSession:
    """A client connected to the target that is none of ours; ``missing`` is the grant without which it is hidden."""

    pid: int
    application: str
    user: str
    client: str
    state: str
    missing: str


async def application_sessions(dsn: str, *, ignore: str = OURS) -> tuple[ApplicationSession, ...]:
    """Who is connected, except sessions whose application name begins with ``ignore``."""
    async with session(dsn, NAME) as db, db.cursor(row_factory=class_row(ApplicationSession)) as cursor:
        await cursor.execute(blocks("queries.sql")["application_sessions"], {"ignore": ignore})
        return tuple(await cursor.fetchall())


async def writes_still(dsn: str, seconds: float) -> Verdict:
    """Did no table gain, lose or change a row for ``seconds`` (at least the statistics' own lag)?"""
    await asyncio.sleep(STATS_LAG)  # what was written before we came may still be on its way into the counters
    before = await _counters(dsn)
    await asyncio.sleep(max(seconds, STATS_LAG))
    now = await _counters(dsn)
    moved = {name: now.get(name, 0) - count for name, count in before.items() if now.get(name, 0) != count}
    moved |= {name: count for name, count in now.items() if name not in before and count}
    if moved:
        busiest = sorted(moved.items(), key=lambda each: -abs(each[1]))[:5]
        named = ", ".join(f"{name} ({count:+,})" for name, count in busiest)
        return Verdict(ok=False, reason=f"Rows are still being written: {named}.")
    return Verdict(
        ok=True, reason=f"No row was written in {plural(len(now), 'table')} for {max(seconds, STATS_LAG):.1f} s."
    )


async def _counters(dsn: str) -> Mapping[str, int]:
    """Rows written so far by table; a fresh session sees fresh statistics."""
    async with session(dsn, NAME) as db:
        return {str(name): int(str(count)) for name, count in await rows(db, "tuple_counters", {"hidden": HIDDEN})}
