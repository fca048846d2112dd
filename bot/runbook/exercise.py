"""A game day: which fault is injected when, what reaction is expected, and the score of bot and people.

Everything is computed from the ledger's events and the moments at which faults were injected.  Times are POSIX
seconds, lengths seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.runbook import events as e
from bot.runbook.criteria import Criterion
from bot.runbook.people import Timing
from bot.runbook.run import Question, Run, State
from bot.runbook.samples import Judgement
from bot.runbook.steps import StepName

SUFFIX = "~gameday"  # behind a target's name; no configured target may have it
_SLACK = 5.0  # seconds that nobody is blamed for
_SEEN_TWICE = 2  # measurements of the healthy services before the first fault of the watch
_REMINDER_COSTS = 25  # percent of a question, for each reminder it needed


class Fault(StrEnum):
    """What goes wrong on purpose, as people type it."""

    KILL = "kill"
    LOCK = "lock"
    BACKUP = "backup"
    NO_METRICS = "no-metrics"
    ERRORS = "500s"


#: One run can show all of these; a damaged backup ends the run before them, so it is a variant of its own.
DEFAULT: tuple[Fault, ...] = (Fault.KILL, Fault.LOCK, Fault.NO_METRICS, Fault.ERRORS)

TITLES: dict[Fault, str] = {
    Fault.KILL: "The worker was killed while it made the backup",
    Fault.LOCK: "A forgotten session held a lock on a table of the migration",
    Fault.BACKUP: "The backup was damaged after it had been made",
    Fault.NO_METRICS: "The services stopped giving metrics during the watch",
    Fault.ERRORS: "The services answered 500 after the restart",
}

EXPECTED: dict[Fault, str] = {
    Fault.KILL: "another worker takes the step up, and it is done once",
    Fault.LOCK: "the session is named in the channel, and the migration gets in after it",
    Fault.BACKUP: "it is refused before the migration begins",
    Fault.NO_METRICS: "the verdict is “no data”, never healthy",
    Fault.ERRORS: f"the way back is opened by “{Criterion.ERROR_RATE}”",
}


@dataclass(frozen=True, kw_only=True)
class Injection:
    """One fault as it was done: from ``at`` until ``healed``; or why it was ``not_tried``."""

    fault: Fault
    at: float
    healed: float | None = None
    not_tried: str = ""


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """When the bot first showed that it knew, and in which words."""

    at: float
    how: str


def due(fault: Fault, run: Run, wanted: Sequence[Fault], done: Sequence[Injection]) -> bool:
    """Is this the moment for it?  ``wanted`` are all faults of the game day, ``done`` those of which it is known."""
    step, over = run.step.name, {each.fault for each in done if each.healed is not None or each.not_tried}
    match fault:
        case Fault.KILL:
            return run.state is State.WORKING and step is StepName.BACKUP and run.claim is not None
        case Fault.LOCK:
            return step is StepName.APPLY and run.state in (State.PREPARING, State.ASKING)
        case Fault.BACKUP:
            return run.backed_up
        case Fault.NO_METRICS:
            return _measured(run)
        case Fault.ERRORS:  # one after the other: what is not measured is no error
            return _measured(run) and (Fault.NO_METRICS not in wanted or Fault.NO_METRICS in over)


def _measured(run: Run) -> bool:
    """Is the watch under way, and are the services measured now?"""
    watching = run.state is State.WATCHING and run.step.name is StepName.MONITOR
    rates = [each.error_rate is not None for each in run.samples]
    return watching and sum(rates) >= _SEEN_TWICE and rates[-1]


def settled(injection: Injection, run: Run, events: Sequence[e.Event], now: float) -> bool:
    """Is there nothing more to learn from it, so that it can be healed?  Seen, too late by far, or the run went on."""
    if noticed(injection, events):
        return True
    since = max(injection.at, _could_be_seen(injection, events))
    if injection.fault is Fault.LOCK and run.step.name is StepName.APPLY:
        begun = any(isinstance(each, e.StepBegan) and each.step is StepName.APPLY for each in events)
        return begun and now > since + 2 * patience(injection.fault, run.plan.timing)
    moment = {Fault.LOCK: StepName.APPLY, Fault.NO_METRICS: StepName.MONITOR, Fault.ERRORS: StepName.MONITOR}
    if injection.fault in moment and run.step.name is not moment[injection.fault]:
        return True
    return injection.fault is not Fault.BACKUP and now > since + 2 * patience(injection.fault, run.plan.timing)


def patience(fault: Fault, timing: Timing) -> float:
    """Within how many seconds it is to be noticed; what is noticed later is half a success.

    A rate must stand for the runbook's five minutes first (compressed like everything else).
    """
    match fault:
        case Fault.KILL:
            return 2 * _SLACK
        case Fault.LOCK | Fault.BACKUP:
            return 30.0  # runbook step 4: "shouldn't block for >30 seconds"
        case Fault.NO_METRICS | Fault.ERRORS:
            return timing.sustained_for + 5 * timing.sample_every + 2 * _SLACK


def noticed(injection: Injection, events: Sequence[e.Event]) -> Noticed | None:
    """The first sign that the bot knew of it."""
    for event in events:
        found = _sign(injection, event)
        if found is not None and found.at >= injection.at:
            return found
    return None


def _sign(injection: Injection, event: e.Event) -> Noticed | None:
    match injection.fault, event:
        case Fault.KILL, e.StepBegan(step=StepName.BACKUP, attempt=attempt, at=at) if attempt > 1:
            return Noticed(at=at, how=f"attempt {attempt} began on another worker")
        case Fault.LOCK, e.BlockersSeen(blockers=blockers, at=at) if blockers:
            return Noticed(at=at, how=f"named as {blockers[0].application}")
        case Fault.BACKUP, e.StepFailed(problem=problem, at=at):
            return Noticed(at=at, how=problem)
        case Fault.NO_METRICS, e.HealthJudged(judgement=Judgement.NO_DATA, reason=reason, at=at):
            return Noticed(at=at, how=reason)
        case Fault.ERRORS, e.RollbackAsked(criterion=Criterion() as criterion, at=at):
            return Noticed(at=at, how=criterion.value)
    return None


@dataclass(frozen=True, kw_only=True)
class FaultScore:
    """What became of one fault: ``seconds`` until it was noticed; ``points`` of 100, ``None`` if it was not tried."""

    fault: Fault
    seconds: float | None
    points: int | None
    how: str

    @property
    def right(self) -> bool:
        return self.points == 100


def _judged(injection: Injection, events: Sequence[e.Event], timing: Timing) -> FaultScore:
    fault = injection.fault
    if injection.not_tried:
        return FaultScore(fault=fault, seconds=None, points=None, how=f"not tried: {injection.not_tried}")
    sign = noticed(injection, events)
    if sign is None:
        return FaultScore(fault=fault, seconds=None, points=0, how="not noticed")
    seconds = max(0.0, sign.at - max(injection.at, _could_be_seen(injection, events)))
    if wrong := _wrong(injection, events):
        return FaultScore(fault=fault, seconds=seconds, points=50, how=f"{sign.how}; but {wrong}")
    if seconds > patience(fault, timing):
        return FaultScore(fault=fault, seconds=seconds, points=50, how=f"{sign.how}; but late")
    return FaultScore(fault=fault, seconds=seconds, points=100, how=sign.how)


def _could_be_seen(injection: Injection, events: Sequence[e.Event]) -> float:
    """A lock keeps nobody waiting before the migration runs."""
    if injection.fault is not Fault.LOCK:
        return injection.at
    began = [each.at for each in events if isinstance(each, e.StepBegan) and each.step is StepName.APPLY]
    return began[0] if began else injection.at


def _wrong(injection: Injection, events: Sequence[e.Event]) -> str:
    """Why the reaction was not the expected one; empty where it was."""
    later = [each for each in events if happened(each) >= injection.at]
    match injection.fault:
        case Fault.KILL:
            return "" if _finished(later, StepName.BACKUP) else "the step was not done afterwards"
        case Fault.LOCK:
            return "" if _finished(later, StepName.APPLY) else "the migration did not get in"
        case Fault.BACKUP:
            begun = any(isinstance(each, e.StepBegan) and each.step is StepName.APPLY for each in events)
            return "the migration began all the same" if begun else ""
        case Fault.NO_METRICS:
            within = [each for each in later if happened(each) <= (injection.healed or happened(each))]
            called = any(isinstance(each, e.HealthJudged) and each.judgement is Judgement.HEALTHY for each in within)
            ended = _finished(within, StepName.MONITOR)
            return "the services were called healthy without data" if called or ended else ""
        case Fault.ERRORS:
            found = noticed(injection, events)
            return "" if found and found.how == Criterion.ERROR_RATE else "by another criterion"


def _finished(events: Sequence[e.Event], step: StepName) -> bool:
    return any(isinstance(each, e.StepFinished) and each.step is step for each in events)


def happened(event: e.Event) -> float:
    """When; 0 where the event does not say."""
    at: float | None = getattr(event, "at", None)
    for part in ("approval", "hold", "keeper"):
        at = at if at is not None else getattr(getattr(event, part, None), "at", None)
    return at or 0.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One question to people: how long it took (``None``: nobody answered), reminders, and what became of it."""

    step: StepName
    seconds: float | None
    reminders: int
    how: str

    @property
    def points(self) -> int:
        return 0 if self.seconds is None else max(0, 100 - _REMINDER_COSTS * self.reminders)


def answers(events: Sequence[e.Event]) -> Iterator[Answer]:
    """Every question that people had to answer; one that the bot itself took back is nobody's to answer."""
    asked: Question | None = None
    reminders = 0
    for event in events:
        match event:
            case e.Asked(question=question):
                asked, reminders = question, 0
            case e.Reminded():
                reminders += 1
            case e.Granted() | e.Rejected() | e.Voided() | e.Aborted() | e.HandedOver() if asked is not None:
                if found := _answer(asked, event, reminders):
                    yield found
                asked = None


def _answer(asked: Question, event: e.Event, reminders: int) -> Answer | None:
    seconds: float | None = happened(event) - asked.asked_at
    match event:
        case e.Granted():
            how = "approved"
        case e.Rejected(name=name):
            how = f"rejected by {name}"
        case e.Aborted(name=name):
            how = f"aborted by {name}"
        case e.HandedOver():
            how = "taken over"
        case _:
            if happened(event) < asked.expires_at:
                return None
            seconds, how = None, "nobody answered in time"
    return Answer(step=asked.step, seconds=seconds, reminders=reminders, how=how)


@dataclass(frozen=True, kw_only=True)
class Score:
    """The outcome of a game day; percentages are ``None`` where there was nothing to judge."""

    faults: tuple[FaultScore, ...]
    answers: tuple[Answer, ...]
    refused: int  # approvals and other answers by people who may not give them, which did not count

    @property
    def bot(self) -> int | None:
        return _mean([each.points for each in self.faults if each.points is not None])

    @property
    def people(self) -> int | None:
        return _mean([each.points for each in self.answers])

    @property
    def all_noticed(self) -> bool:
        """Was every fault that was tried noticed, in time and with the right reaction?"""
        return all(each.right for each in self.faults if each.points is not None)


def score(run: Run, events: Sequence[e.Event], injections: Sequence[Injection], *, refused: int = 0) -> Score:
    """What bot and people did; ``injections`` in the order in which they were done."""
    timing = run.plan.timing
    return Score(
        faults=tuple(_judged(each, events, timing) for each in injections),
        answers=tuple(answers(events)),
        refused=refused,
    )


def _mean(points: Sequence[int]) -> int | None:
    return round(sum(points) / len(points)) if points else None
