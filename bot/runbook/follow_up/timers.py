"""What time will ask of a follow-up, derived from its state alone."""

from dataclasses import dataclass
from enum import StrEnum

from bot.runbook.follow_up.follow_up import FollowUp, Stage

NUDGE_EVERY = 86400.0  # seconds: the question about support tickets is asked again once a day
MOST_NUDGES = 3  # then it is closed without an answer, and that is said
_SHORTEST = 5.0  # however fast the demo's time runs


class FollowTimer(StrEnum):
    LOOK = "look"
    DAY = "day"  # the runbook's 24 hours are over
    REVIEW = "review"  # 48 hours
    NUDGE = "nudge"


@dataclass(frozen=True, kw_only=True, order=True)
class Due:
    """One moment at which something is due; ``due`` identifies the slot."""

    due: float
    kind: FollowTimer


def follow_timers(f: FollowUp) -> frozenset[Due]:
    """Everything that is due for ``f``, now or later."""
    match f.stage:
        case Stage.WATCHING:
            found = {
                Due(due=f.looked_at + f.pace, kind=FollowTimer.LOOK),
                Due(due=f.review_due, kind=FollowTimer.REVIEW),
            }
            day = set() if f.day_over else {Due(due=f.day_ends, kind=FollowTimer.DAY)}
            return frozenset(found | day)
        case Stage.REVIEWING:
            every = max(NUDGE_EVERY / f.plan.timing.speed, _SHORTEST)
            return frozenset({Due(due=f.nudged_at + every, kind=FollowTimer.NUDGE)})
        case _:
            return frozenset()
