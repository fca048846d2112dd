"""The runbook as data: every step, in order, on each of the six routes a run can take.

Titles, times and durations are those of the runbook's "Timeline Overview"; the way back is its
"Rollback Steps".  A route is a tuple, so reading it top to bottom is reading the runbook.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache


class StepName(StrEnum):
    """One name per kind of work; the adapter that does it is found by this name."""

    ANNOUNCE_START = "announce_start"
    BACKUP = "backup"
    STOP_SERVICES = "stop_services"
    STANDBY = "standby"
    APPLY = "apply"
    VERIFY = "verify"
    RESTART_SERVICES = "restart_services"
    MONITOR = "monitor"
    ANNOUNCE_COMPLETE = "announce_complete"
    ANNOUNCE_CANCELLED = "announce_cancelled"
    ANNOUNCE_STOPPED = "announce_stopped"
    ANNOUNCE_ROLLBACK = "announce_rollback"
    GO_BACK = "go_back"
    VERIFY_BACK = "verify_back"
    WATCH_BACK = "watch_back"
    ANNOUNCE_ROLLED_BACK = "announce_rolled_back"
    ANNOUNCE_CLOSED = "announce_closed"
    CLEAN_UP = "clean_up"
    ANNOUNCE_CLEANED = "announce_cleaned"


class Route(StrEnum):
    """Where a run is heading; each ends in exactly one final state."""

    FORWARD = "forward"  # the runbook's eight steps
    CANCEL = "cancel"  # nothing was touched: say so and end
    RETURN = "return"  # services are down, the database is as it was: bring them up, say so
    ROLLBACK = "rollback"  # the runbook's "Rollback Steps"
    CLOSE = "close"  # a named person finished by hand and says how
    CLEANUP = "cleanup"  # remove the databases that an ended run has kept


class Standby(StrEnum):
    """How a run makes its standby copy, the one it can switch back to in a second."""

    NONE = "none"
    RESTORE = "restore"  # restored from the backup, services still running: it proves that the backup restores
    TEMPLATE = "template"  # copied by the server after the stop: nothing written since is lost


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the runbook.

    ``minutes`` is the runbook's expected duration and ``at`` its minute on the timeline (T+at).
    ``asked_by`` names the step whose question covers this one: most destructive steps ask for themselves, the
    steps of a rollback are all covered by the one question at its start.  ``None``: not destructive, not asked.
    ``watches`` marks a period of samples instead of a piece of work.  ``interruptible``: an abort may cut it
    short.  ``grave``: the approval must be typed, not just clicked.  ``standby``: only in runs that make their
    standby copy in that way.
    """

    name: StepName
    title: str
    minutes: int
    at: int | None = None
    asked_by: StepName | None = None
    watches: bool = False
    interruptible: bool = False
    downtime_only: bool = False
    grave: bool = False
    standby: Standby | None = None

    @property
    def destructive(self) -> bool:
        return self.asked_by is not None


_N = StepName


def _restart() -> Step:
    return Step(name=_N.RESTART_SERVICES, title="Restart services", minutes=5, at=23, asked_by=_N.RESTART_SERVICES)


def _covered(name: StepName, title: str, minutes: int) -> Step:
    """A destructive step of the rollback, covered by the question at its start."""
    return Step(name=name, title=title, minutes=minutes, asked_by=_N.ANNOUNCE_ROLLBACK)


_V1: dict[Route, tuple[Step, ...]] = {
    Route.FORWARD: (
        Step(name=_N.ANNOUNCE_START, title="Announce maintenance start", minutes=2, at=0),
        Step(
            name=_N.BACKUP,
            title="Create pre-migration backup",
            minutes=5,
            at=0,
            asked_by=_N.BACKUP,
            interruptible=True,
        ),
        Step(
            name=_N.STOP_SERVICES,
            title="Stop services",
            minutes=3,
            at=5,
            asked_by=_N.STOP_SERVICES,
            downtime_only=True,
        ),
        Step(name=_N.APPLY, title="Apply database migration", minutes=10, at=8, asked_by=_N.APPLY),
        Step(name=_N.VERIFY, title="Verify migration success", minutes=5, at=18),
        replace(_restart(), downtime_only=True),
        Step(name=_N.MONITOR, title="Monitor application health", minutes=30, at=28, watches=True),
        Step(name=_N.ANNOUNCE_COMPLETE, title="Announce migration complete", minutes=2, at=58),
    ),
    Route.CANCEL: (Step(name=_N.ANNOUNCE_CANCELLED, title="Announce that nothing was changed", minutes=1),),
    Route.RETURN: (
        _restart(),
        Step(name=_N.ANNOUNCE_STOPPED, title="Announce that services are back", minutes=1),
    ),
    Route.ROLLBACK: (
        Step(
            name=_N.ANNOUNCE_ROLLBACK,
            title="Announce rollback decision",
            minutes=1,
            asked_by=_N.ANNOUNCE_ROLLBACK,
            grave=True,
        ),
        _covered(_N.STOP_SERVICES, "Stop services", 3),
        _covered(_N.GO_BACK, "Go back to the state before", 15),
        Step(name=_N.VERIFY_BACK, title="Verify rollback success", minutes=5),
        _covered(_N.RESTART_SERVICES, "Restart services", 5),
        Step(name=_N.ANNOUNCE_ROLLED_BACK, title="Announce rollback complete", minutes=2),
    ),
    Route.CLOSE: (Step(name=_N.ANNOUNCE_CLOSED, title="Announce how it was ended by hand", minutes=1),),
}

_COPY = Step(name=_N.STANDBY, title="Prepare the standby copy", minutes=5, interruptible=True)


def _v2() -> dict[Route, tuple[Step, ...]]:
    """Version 2: a standby copy before the migration, 15 minutes of watching after the way back, and cleaning up."""
    forward, back = _V1[Route.FORWARD], _V1[Route.ROLLBACK]
    return {
        **_V1,
        Route.FORWARD: (
            *forward[:2],
            replace(_COPY, standby=Standby.RESTORE),
            forward[2],
            replace(_COPY, standby=Standby.TEMPLATE),
            *forward[3:],
        ),
        Route.ROLLBACK: (
            *back[:-1],
            Step(name=_N.WATCH_BACK, title="Monitor the way back", minutes=15, watches=True),
            back[-1],
        ),
        Route.CLEANUP: (
            Step(
                name=_N.CLEAN_UP,
                title="Remove the kept databases",
                minutes=1,
                asked_by=_N.CLEAN_UP,
                grave=True,
            ),
            Step(name=_N.ANNOUNCE_CLEANED, title="Announce what was removed", minutes=1),
        ),
    }


#: Every runbook version a stored run may still be following.  A new version is a new key: a run keeps
#: the one it was started with, so an upgrade in the middle of an approval changes nothing for it.
RUNBOOKS: dict[int, dict[Route, tuple[Step, ...]]] = {1: _V1, 2: _v2()}
CURRENT_RUNBOOK = 2


@cache
def route_steps(runbook: int, route: Route, *, downtime: bool, standby: Standby = Standby.NONE) -> tuple[Step, ...]:
    """The steps of one route; those for downtime fall away for zero downtime (runbook step 3), and so does the
    standby copy where none, or another kind, is made."""
    return tuple(
        step
        for step in RUNBOOKS[runbook][route]
        if (downtime or not step.downtime_only) and step.standby in (None, standby)
    )
