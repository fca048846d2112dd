"""What a rehearsal foretold against what the run then took: the migration, the backup, the way back, the downtime."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.runbook.drill import DrillReport
from bot.runbook.run import Done, Run
from bot.runbook.rungs import TITLES, Rung
from bot.runbook.steps import StepName
from bot.runbook.wording import duration

_LEAST = 0.05  # seconds; a share of less says nothing


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One figure foretold and then measured, in seconds; ``predicted`` is ``None`` where it was not rehearsed."""

    what: str
    predicted: float | None
    actual: float
    aside: str = ""
    how: str = "predicted"

    @property
    def error(self) -> float | None:
        """By how much the actual exceeds the predicted, as a share of that: 0.1 is ten percent longer."""
        if self.predicted is None or self.predicted < _LEAST:
            return None
        return self.actual / self.predicted - 1

    @property
    def line(self) -> str:
        """``Apply: predicted 2.1 s, actual 2.3 s (+10 %)``."""
        before = "not rehearsed" if self.predicted is None else f"{self.how} {_seconds(self.predicted)}"
        share = "" if self.error is None else f" ({self.error:+.0%})".replace("%", " %")
        aside = f"; {self.aside}" if self.aside else ""
        return f"{self.what}: {before}, actual {_seconds(self.actual)}{share}{aside}"


def compared(report: DrillReport | None, run: Run) -> tuple[Compared, ...]:
    """Every figure that the run has measured; without a rehearsal they stand alone."""
    return (*_apply(report, run), *_backup(report, run), *_way_back(report, run), *_downtime(report, run))


def lines(report: DrillReport | None, run: Run) -> tuple[str, ...]:
    """The same for people."""
    return tuple(each.line for each in compared(report, run))


def _apply(report: DrillReport | None, run: Run) -> Iterator[Compared]:
    actual = _took(run.result(StepName.APPLY))
    if actual is None:
        return
    waited = float(run.fact(StepName.APPLY, "lock_wait") or 0)
    aside = f"{_seconds(waited)} of it waiting for locks" if waited >= _LEAST else ""
    predicted = report.apply_seconds if report and report.ok else None  # a migration that failed there took no time
    yield Compared(what="Apply", predicted=predicted, actual=actual, aside=aside)


def _backup(report: DrillReport | None, run: Run) -> Iterator[Compared]:
    actual = _took(run.result(StepName.BACKUP))
    if actual is not None:
        yield Compared(what="Backup", predicted=report.backup_seconds if report else None, actual=actual)


def _way_back(report: DrillReport | None, run: Run) -> Iterator[Compared]:
    actual, rung = _took(run.result(StepName.GO_BACK)), run.fact(StepName.GO_BACK, "rung")
    if actual is None or rung is None:
        return
    predicted = report.back_seconds(Rung(rung)) if report else None
    yield Compared(what=f"Way back ({TITLES[Rung(rung)]})", predicted=predicted, actual=actual)


def _downtime(report: DrillReport | None, run: Run) -> Iterator[Compared]:
    """The plan's figure is for all of it; the rehearsal knows the database's part, not people and services."""
    if run.up_at is None or not run.down_seconds:
        return
    planned = run.plan.downtime_minutes * 60.0
    yield Compared(what="Downtime", predicted=planned, actual=run.down_seconds, how="planned")
    done = [_took(run.result(step)) for step in (StepName.APPLY, StepName.VERIFY)]
    actual = sum(each for each in done if each is not None)
    if None not in done and run.result(StepName.GO_BACK) is None:
        predicted = report.apply_seconds + (report.verify_seconds or 0.0) if report and report.ok else None
        yield Compared(what="Downtime, the database's part (apply and verify)", predicted=predicted, actual=actual)


def _took(done: Done | None) -> float | None:
    """By the step's own clock where it has one; work that an earlier attempt had done was not measured."""
    if done is None:
        return None
    own = dict(done.facts).get("seconds")
    return (float(own) or None) if own is not None else done.seconds


def _seconds(seconds: float) -> str:
    if seconds >= 60:
        return duration(seconds)
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"
