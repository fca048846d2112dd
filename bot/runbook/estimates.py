"""How long the steps of a run will take: from past runs of the target, from the rehearsal, else from the runbook.

Every estimate is a 90th percentile: what fits by it fits nine times out of ten.  They say themselves how far off they
have been.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil

from bot.runbook.drill import DrillReport
from bot.runbook.expected import Expected
from bot.runbook.run import Plan, Run, State
from bot.runbook.rungs import Rung
from bot.runbook.steps import Route, StepName, route_steps
from bot.runbook.wording import counted

_RUNBOOK = "the runbook"
ENOUGH = 3  # past runs from which on their times are better than the runbook's
_FEW = 5  # below so many the longest one is taken with a margin, for want of a tenth
_MARGIN = 1.2
_COPY_MARGIN = 1.5  # of what was measured on a copy: production is in use
_ORDER = (Rung.DOWN, Rung.SWITCH, Rung.RESTORE)


def expected(plan: Plan, history: Iterable[Run], judged: float | None = None) -> tuple[Expected, ...]:
    """Every step of the way forward, in its order.

    ``history`` are ended runs of the same target, newest first; ``judged`` is how long the risk check thinks that
    reads or writes wait, which counts where nothing was measured and it is longer than the runbook's minutes.
    """
    runs = [run for run in history if run.state in (State.COMPLETED, State.ROLLED_BACK)]
    steps = route_steps(plan.runbook, Route.FORWARD, downtime=plan.downtime, standby=plan.standby)
    found = (_one(step.name, step.minutes * 60.0, plan, runs) for step in steps if not step.watches)
    return tuple(_at_least(each, judged) for each in found)


def _at_least(each: Expected, judged: float | None) -> Expected:
    if each.step is not StepName.APPLY or each.basis != _RUNBOOK or (judged or 0.0) <= each.seconds:
        return each
    return replace(each, seconds=judged or 0.0, basis="the risk check's estimate")


def _one(step: StepName, minutes: float, plan: Plan, runs: Sequence[Run]) -> Expected:
    measured = _rehearsed(step, plan)
    if measured is not None:
        basis = f"measured on a copy, times {_COPY_MARGIN:g}"
        return Expected(step=step, seconds=measured * _COPY_MARGIN, basis=basis)
    past = [done.seconds for run in runs if step is not StepName.APPLY and (done := run.result(step))]
    if len(past) >= ENOUGH:
        basis = f"the last {counted(len(past), 'run')}, nine of ten"
        return Expected(step=step, seconds=percentile(past), basis=basis)
    return Expected(step=step, seconds=minutes, basis=_RUNBOOK)


def _rehearsed(step: StepName, plan: Plan) -> float | None:
    """What the rehearsal says of a step, if it does."""
    drill = plan.drill
    if drill is None:
        return None
    match step:
        case StepName.APPLY:
            return drill.apply_seconds if drill.ok else None
        case StepName.BACKUP:
            return drill.backup_seconds
        case StepName.STANDBY:  # the server's own copy is quicker than a restore, so this is the most it takes
            return drill.copy_seconds or None
    return None


def percentile(seconds: Sequence[float]) -> float:
    """The 90th, by nearest rank; of a few, the longest with a margin."""
    ranked = sorted(seconds)
    if len(ranked) < _FEW:
        return ranked[-1] * _MARGIN
    return ranked[ceil(0.9 * len(ranked)) - 1]


def way_back(drill: DrillReport | None) -> tuple[float, str] | None:
    """How long going back takes at the worst of the ways that were rehearsed, and the basis."""
    found = [(each.seconds, each.rung) for each in drill.back if each.seconds is not None] if drill else []
    if not found:
        return None
    seconds, rung = max(found)
    return seconds * _COPY_MARGIN, f"{rung} measured on a copy, times {_COPY_MARGIN:g}"


def error(history: Iterable[Run]) -> str:
    """How far the estimates of past runs were off, in words; empty where nothing is known."""
    off = [
        abs(each.seconds - done.seconds) / max(each.seconds, 1.0)
        for run in history
        for each in run.plan.expected
        if (done := run.result(each.step))
    ]
    if not off:
        return ""
    return f"past estimates were off by {sum(off) / len(off):.0%} on average ({counted(len(off), 'step')})"
