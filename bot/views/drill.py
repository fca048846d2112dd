"""A rehearsal in lines: what was measured on the copy, what was proven there, and how long each way back takes."""

from collections.abc import Iterator

from bot.runbook.drill import BackTime, DrillReport, Measured
from bot.runbook.rungs import TITLES
from bot.runbook.wording import duration, one_line

_MOST = 40  # statements that are listed; the report itself has them all


def drill_lines(report: DrillReport) -> tuple[str, ...]:
    """All of it as plain text, the verdict first."""
    return tuple(_lines(report))


def _lines(report: DrillReport) -> Iterator[str]:
    yield f"{'✅ Rehearsed' if report.ok else '❌ The rehearsal found trouble'}, on {report.source}"
    if report.problem:
        yield f"Problem: {one_line(report.problem, 1000)}"
    if report.backup_seconds is not None:
        yield f"Backup: {_time(report.backup_seconds)}; restored into the copy in {_time(report.copy_seconds)}"
    if report.statements:
        grown = (report.size_after - report.size_before) / 1e6
        yield f"Apply: {_time(report.apply_seconds)}, {report.wal / 1e6:.1f} MB WAL, size {grown:+.1f} MB"
    yield from map(_statement, report.statements[:_MOST])
    if more := len(report.statements) - _MOST:
        yield from [f"  … and {more} more statements"] if more > 0 else []
    if report.verify_seconds is not None:
        yield f"Verify: {_time(report.verify_seconds)}"
    yield from (f"  {each}" for each in report.verified)
    yield from (f"  {each}" for each in report.plans)
    yield from map(_back, report.back)
    yield from report.notes


def _statement(each: Measured) -> str:
    lock = f", {each.lock} on {each.relation}" if each.lock else ""
    rewrote = f", rewrites {', '.join(each.rewrote)}" if each.rewrote else ""
    return f"  {each.file} line {each.line}: {_time(each.seconds)}{lock}{rewrote}: {one_line(each.head, 80)}"


def _back(each: BackTime) -> str:
    """A way that was gone has its time; one that was not says why."""
    if each.seconds is None:
        return f"⚠️ Way back “{TITLES[each.rung]}”: {one_line(each.problem, 500)}"
    return f"Way back “{TITLES[each.rung]}”: {_time(each.seconds)}, measured"


def _time(seconds: float) -> str:
    if seconds >= 60:
        return duration(seconds)
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
