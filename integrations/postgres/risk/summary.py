"""The risk of a migration as everybody else sees it: one report, from the files and what the database is like."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import psycopg
import structlog

from bot.ports import StepError
from bot.runbook.risk import Risk, RiskReport, StatementReport, handful
from bot.target import Target
from integrations.postgres.connect import Session
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.estimate import Measured
from integrations.postgres.risk.facts import Facts, read_facts
from integrations.postgres.risk.lines import spoken_lines
from integrations.postgres.risk.model import Assessment, StatementRisk
from integrations.postgres.risk.squawk import second_opinion
from integrations.postgres.script import Script
from integrations.postgres.statements import normalised

_HEAD, _DOES = 100, 90  # characters
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A migration's report, and the lines of it for the question whether to apply it."""

    report: RiskReport
    lines: tuple[str, ...]


async def judged(
    target: Target, scripts: Sequence[Script], db: Session | None, *, measured: Measured | None = None
) -> RiskReport:
    """The report alone; see ``look``."""
    return (await look(target, scripts, db, measured=measured)).report


async def look(
    target: Target, scripts: Sequence[Script], db: Session | None, *, measured: Measured | None = None
) -> Judged:
    """Judge the very bytes of these scripts against the database, or without it where there is no session.

    Never raises: where the check itself fails, the migration counts as high and destructive.
    """
    try:
        facts = await _facts(db)
        found = await asyncio.to_thread(assess, scripts, facts, measured)
        if db is not None and not facts.read:
            found = _blind(found)
        second = await second_opinion(scripts, found.statements, major=facts.major, exclude=target.squawk_exclude)
        return Judged(report=report(found, second), lines=(*spoken_lines(found), *second))
    except Exception as error:  # noqa: BLE001 - what cannot be judged must be asked for as such, not stop the question
        log.warning("risk.failed", target=target.name, error=type(error).__name__)
        return unjudged(f"the risk check failed on it ({type(error).__name__})")


def unjudged(why: str) -> Judged:
    """Nothing is known, so the worst is taken for granted."""
    reason = f"cannot be judged: {why}"
    note = f"⚠️ Risk: High, because it {reason}; read the SQL as if it destroyed data."
    report = RiskReport(level=Risk.HIGH, reasons=(reason,), destroys=(reason,), dangers=(reason,), notes=(why,))
    return Judged(report=report, lines=(note,))


async def _facts(db: Session | None) -> Facts:
    """One look at the catalogs, bounded in time: somebody else's lock must not hold the question up."""
    if db is None:
        return Facts()
    try:
        async with db.transaction():
            await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await db.execute("SET LOCAL statement_timeout = '15s'")
            await db.execute("SET LOCAL lock_timeout = '2s'")
            return await read_facts(db)
    except (psycopg.Error, StepError) as error:
        return Facts(missing=(f"the database's tables and sizes ({' '.join(str(error).split())[:80]})",))


def _blind(found: Assessment) -> Assessment:
    """The database did not answer: its triggers, cascades and functions are unknown, and any may destroy something."""
    why = "the database's own triggers and functions could not be read"
    last = found.statements[-1]
    blind = replace(last, level=Risk.HIGH, reasons=(f"cannot be judged: {why}", *last.reasons), unjudged=(why,))
    statements = (*found.statements[:-1], blind)
    return replace(found, level=Risk.HIGH, reasons=(*found.reasons, blind.reasons[0]), statements=statements)


def report(found: Assessment, second: Sequence[str] = ()) -> RiskReport:
    """An assessment in the core's own words; ``second`` are lines of the second opinion."""
    statements = found.statements
    return RiskReport(
        level=found.level,
        reasons=found.reasons,
        destroys=handful(each for one in statements for each in _destroys(one)),
        dangers=tuple(danger(each) for each in statements if each.level is not Risk.LOW),
        downtime=found.downtime,
        downtime_basis=found.downtime_basis,
        statements=tuple(_statement(each) for each in statements),
        notes=found.notes,
        second=tuple(second),
    )


def _destroys(each: StatementRisk) -> Iterator[str]:
    yield from (f"destroys {what}" for what in each.destroys)
    yield from (f"cannot be judged: {why}" for why in each.unjudged)


def danger(each: StatementRisk) -> str:
    """Where a statement is and what it does, or else why it is dangerous, in a few words."""
    said = each.does if each.does not in ("", "nothing") else "; ".join(each.reasons[:1])
    return f"{each.file} line {each.line}: {_short(said, _DOES)}"


def _statement(each: StatementRisk) -> StatementReport:
    relation, lock = max(each.locks.items(), key=lambda pair: pair[1], default=("", None))
    return StatementReport(
        file=each.file,
        line=each.line,
        head=_short(normalised(each.text), _HEAD),
        does=each.does,
        level=each.level,
        reasons=each.reasons,
        lock=lock.words if lock else "",
        relation=relation,
        rewrites=tuple(each.rewrites),
        scans=tuple(each.scans),
        seconds=each.seconds,
        basis=each.basis,
        destroys=tuple(_destroys(each)),
        reversible=each.reversible,
        transaction_safe=each.transaction_safe,
        safer=each.safer,
    )


def _short(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
