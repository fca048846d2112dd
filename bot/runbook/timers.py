"""What time will ask of a run.  Derived from its state alone: a fresh clock re-arms everything from the store."""

from dataclasses import dataclass
from enum import StrEnum

from bot.runbook.baseline import MOST
from bot.runbook.people import Timing
from bot.runbook.run import Question, Run, State
from bot.runbook.steps import Route

DEADMAN_AHEAD = 600.0  # seconds: the channel hears of a silent bot after ten minutes at the latest
DEADMAN_EVERY = 240.0  # and that message is put off every four, so that one missed turn raises no alarm


class TimerKind(StrEnum):
    STATUS = "status"  # the runbook's update every 15 minutes
    REMIND = "remind"  # an unanswered question, climbing
    EXPIRE = "expire"  # a question nobody answered: described and asked anew
    NUDGE = "nudge"  # a held, stuck or handed-over run asks its people again
    SAMPLE = "sample"  # one measurement
    BASELINE = "baseline"  # one measurement before the first change
    KICK = "kick"  # a step whose job may have got lost
    DEADLINE = "deadline"  # the plan's rollback deadline: once before it passes, once when it has


@dataclass(frozen=True, kw_only=True, order=True)
class Timer:
    """One moment at which something is due.  ``due`` is POSIX seconds and identifies the slot."""

    due: float
    kind: TimerKind


def timers(run: Run) -> frozenset[Timer]:
    """Everything that is due for ``run``, now or later."""
    if run.final:
        return frozenset()
    timing = run.plan.timing
    found = {Timer(kind=TimerKind.STATUS, due=run.status_at + timing.status_every)}
    match run.state:
        case State.ASKING if run.question:
            found |= _question_timers(run.question, timing)
        case State.WATCHING:
            latest = run.samples[-1].at if run.samples else run.since
            found.add(Timer(kind=TimerKind.SAMPLE, due=latest + timing.sample_every))
        case State.PREPARING | State.WORKING:
            found.add(Timer(kind=TimerKind.KICK, due=run.since + timing.kick_every))
        case _:  # held, stuck, handed over: people are waited for
            found.add(Timer(kind=TimerKind.NUDGE, due=run.nudged_at + timing.nudge_every))
    return frozenset(found | _baseline_timers(run) | _deadline_timers(run))


def _baseline_timers(run: Run) -> set[Timer]:
    """At the pace of the watch until there are enough; then seldom, so that a long wait for people stays short here."""
    if run.state not in (State.PREPARING, State.ASKING, State.WORKING) or not run.before_any_change:
        return set()
    timing = run.plan.timing
    pace = timing.sample_every if len(run.baseline) < MOST else timing.status_every
    latest = run.baseline[-1].at if run.baseline else run.started_at
    return {Timer(kind=TimerKind.BASELINE, due=latest + pace)}


def _deadline_timers(run: Run) -> set[Timer]:
    """Only while going forward: on the way back, or in somebody's hands, it is no longer what is waited for."""
    deadline, length = run.deadline, run.plan.rollback_deadline
    if deadline is None or length is None or run.deadline_told > 1 or run.route is not Route.FORWARD:
        return set()
    ahead = 0.0 if run.deadline_told else min(run.plan.timing.deadline_warning, length)
    return {Timer(kind=TimerKind.DEADLINE, due=deadline - ahead)}


def _question_timers(question: Question, timing: Timing) -> set[Timer]:
    found = {Timer(kind=TimerKind.EXPIRE, due=question.expires_at)}
    if question.reminded < len(timing.remind_after):
        due = question.asked_at + timing.remind_after[question.reminded]
        found.add(Timer(kind=TimerKind.REMIND, due=due))
    return found
