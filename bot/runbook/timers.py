"""What time will ask of a run.  Derived from its state alone: a fresh clock re-arms everything from the store."""

from dataclasses import dataclass
from enum import StrEnum

from bot.runbook.people import Timing
from bot.runbook.run import Question, Run, State

DEADMAN_AHEAD = 600.0  # seconds: the channel hears of a silent bot after ten minutes at the latest
DEADMAN_EVERY = 240.0  # and that message is put off every four, so that one missed turn raises no alarm


class TimerKind(StrEnum):
    STATUS = "status"  # the runbook's update every 15 minutes
    REMIND = "remind"  # an unanswered question, climbing
    EXPIRE = "expire"  # a question nobody answered: described and asked anew
    NUDGE = "nudge"  # a held, stuck or handed-over run asks its people again
    SAMPLE = "sample"  # one measurement
    KICK = "kick"  # a step whose job may have got lost


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
    return frozenset(found)


def _question_timers(question: Question, timing: Timing) -> set[Timer]:
    found = {Timer(kind=TimerKind.EXPIRE, due=question.expires_at)}
    if question.reminded < len(timing.remind_after):
        due = question.asked_at + timing.remind_after[question.reminded]
        found.add(Timer(kind=TimerKind.REMIND, due=due))
    return found
