"""What time will ask of a plan, derived from its state alone."""

from dataclasses import dataclass
from enum import StrEnum

from bot.runbook.preparation.preparation import AHEAD, Moment, Preparation, Stage

PROVE_EVERY = 900.0  # seconds between two looks during the last day
PROVE_SELDOM = 3600.0  # and before that
_SHORTEST = 5.0  # however fast the demo's time runs


class PlanTimer(StrEnum):
    """Besides the runbook's moments, whose timers carry their own names."""

    PROVE = "prove"  # look again at everything automatic: files change, credentials expire
    KICK = "kick"  # a start whose job may have got lost
    NUDGE = "nudge"  # a missed plan asks its people
    END = "end"  # the window is over


@dataclass(frozen=True, kw_only=True, order=True)
class Due:
    """One moment at which something is due; ``due`` identifies the slot."""

    due: float
    kind: str


def plan_timers(p: Preparation) -> frozenset[Due]:
    """Everything that is due for ``p``, now or later."""
    timing = p.draft.plan.timing
    match p.stage:
        case Stage.OPEN:
            moments = {Due(due=p.due(each), kind=each.value) for each in Moment if each not in p.came}
            end = Due(due=p.draft.window.end, kind=PlanTimer.END.value)
            return frozenset({*moments, end, _prove(p)})
        case Stage.STARTING:
            return frozenset({Due(due=p.since + timing.kick_every, kind=PlanTimer.KICK.value)})
        case Stage.MISSED:
            return frozenset({Due(due=p.nudged_at + timing.nudge_every, kind=PlanTimer.NUDGE.value)})
        case _:
            return frozenset()


def _prove(p: Preparation) -> Due:
    speed = p.draft.plan.timing.speed
    last = max(p.proved_at, p.created_at)
    soon = last >= p.draft.window.start - 2 * AHEAD[Moment.ANNOUNCE] / speed
    every = max((PROVE_EVERY if soon else PROVE_SELDOM) / speed, _SHORTEST)
    return Due(due=last + every, kind=PlanTimer.PROVE.value)
