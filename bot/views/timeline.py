"""What happened in a run, from its record: who let which step begin, how long it took, what failed and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.runbook import events as e
from bot.runbook.apply import apply, begin
from bot.runbook.digest import short
from bot.runbook.fixes import TITLES as FIXES
from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.people import Approval
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.run import Grant, Licence, Run
from bot.runbook.rungs import TITLES
from bot.runbook.wording import duration, one_line


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the store has of a run beside its state: every event in order, the newest lines of its logs, the plan it
    was prepared by, and what was watched after it."""

    events: tuple[e.Event, ...] = ()
    logs: tuple[str, ...] = ()
    preparation: Preparation | None = None
    follow_up: FollowUp | None = None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One line of the timeline; ``seconds`` and ``by`` where it has a length and somebody who let it happen.
    ``expected`` is how long it was to take, in seconds, where that was estimated."""

    at: float
    what: str
    seconds: float | None = None
    by: str = ""
    expected: float | None = None

    @property
    def line(self) -> str:
        took = f", {duration(self.seconds)}" if self.seconds is not None else ""
        return f"{stamp(self.at)}  {self.what}{took}{f', {self.by}' if self.by else ''}"


def timeline(run_id: str, events: Sequence[e.Event]) -> tuple[Moment, ...]:
    """The moments that matter, in the order in which they began."""
    found = (moment for run, event in walked(run_id, events) if (moment := _moment(run, event)))
    return tuple(sorted(found, key=lambda moment: moment.at))


def walked(run_id: str, events: Sequence[e.Event]) -> Iterator[tuple[Run, e.Event]]:
    """Every event after the start with the run as it was just before."""
    if not events or not isinstance(events[0], e.Started):
        return
    run = begin(run_id, events[0])
    for event in events[1:]:
        yield run, event
        run = apply(run, event)


def approvals(run_id: str, events: Sequence[e.Event]) -> tuple[tuple[str, Approval], ...]:
    """Every yes with the title of what it was given to."""
    said = []
    for run, event in walked(run_id, events):
        if isinstance(event, e.Approved):
            said.append((run.step.title, event.approval))
        elif isinstance(event, e.CancelApproved):
            said.append((f"Cancel session {event.digest}", event.approval))
    return tuple(said)


def failure(events: Sequence[e.Event]) -> tuple[e.StepFailed | None, e.RollbackAsked | None]:
    """What failed just before the way back was asked for, if anything did, and who asked."""
    asked = next((each for each in reversed(events) if isinstance(each, e.RollbackAsked)), None)
    before = events[: events.index(asked)] if asked else events
    cause = next((each for each in reversed(before) if isinstance(each, e.StepFailed | e.StepFinished)), None)
    return cause if isinstance(cause, e.StepFailed) else None, asked


def stamp(at: float) -> str:
    """A moment to the second, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _moment(run: Run, event: e.Event) -> Moment | None:
    title = run.step.title
    match event:
        case e.StepFinished(began_at=began_at, at=at):
            foreseen = next((each.seconds for each in run.plan.expected if each.step is run.step.name), None)
            took = at - began_at
            return Moment(at=began_at, what=title, seconds=took, by=_licence(run), expected=foreseen)
        case e.StepFailed(problem=problem, at=at, criterion=criterion):
            met = f" (rollback criterion: {criterion})" if criterion else ""
            return Moment(at=at, what=f"{title} did not succeed: {one_line(problem)}{met}")
        case e.Rejected(name=name, reason=reason, at=at):
            return Moment(at=at, what=f"{one_line(name, 80)} rejected “{title}”: {one_line(reason)}")
        case e.RollbackAsked(name=name, reason=reason, at=at):
            return Moment(at=at, what=f"{one_line(name, 80)} asked to roll back: {one_line(reason)}")
        case e.RungPicked(name=name, rung=rung, at=at):
            return Moment(at=at, what=f"{one_line(name, 80)} picked another way back: {TITLES[rung]}")
        case e.Granted(by=Licence.ENVELOPE | Licence.AUTO, why=why, at=at):
            return Moment(at=at, what=f"The way back began without asking: {one_line(why)}")
    return _waiting(event)


def _waiting(event: e.Event) -> Moment | None:
    """What people stopped, took over, or were told of time running out."""
    match event:
        case e.Held(hold=hold, at=at):
            return Moment(at=at, what=f"Held by {one_line(hold.name, 80)}: {one_line(hold.reason)}")
        case e.HandedOver(keeper=keeper, at=at):
            return Moment(at=at, what=f"Taken over by {one_line(keeper.name, 80)}: {one_line(keeper.reason)}")
        case e.Resumed(name=name, at=at):
            return Moment(at=at, what=f"Resumed by {one_line(name, 80)}")
        case e.Retried(name=name, fix=fix, at=at):
            how = f": {FIXES[fix]}" if fix else ""
            return Moment(at=at, what=f"Tried again by {one_line(name, 80)}{how}")
        case e.HealthJudged(judgement=judgement, reason=reason, at=at):
            return Moment(at=at, what=f"The services were judged {judgement}: {one_line(reason)}")
        case e.DeadlineTold(passed=passed, at=at):
            return Moment(at=at, what=f"The rollback deadline {'had passed' if passed else 'came near'}")
    return _beside(event)


def _beside(event: e.Event) -> Moment | None:
    """What was found out, and done, beside the steps."""
    match event:
        case e.CheckAnswered(answer=answer):
            word = "works" if answer.works else f"does not work: {one_line(answer.note)}"
            tried = f"{one_line(answer.name, 80)} tried “{one_line(answer.check, 80)}” {answer.moment} the migration"
            return Moment(at=answer.at, what=f"{tried}: {word}")
        case e.DatabaseNoted(lines=lines, at=at):
            return Moment(at=at, what=one_line("; ".join(lines)))
        case e.AnalyzeAsked(name=name, tables=tables, at=at):
            return Moment(at=at, what=f"{one_line(name, 80)} let statistics be gathered: {one_line(', '.join(tables))}")
        case e.AnalyzeEnded(lines=lines, at=at):
            return Moment(at=at, what=f"Statistics: {one_line('; '.join(lines))}")
    return None


def _licence(run: Run) -> str:
    """Who let the step at hand begin."""
    if run.step.asked_by is None or run.grant is None:
        return ""
    return _by(run.grant)


def _by(grant: Grant) -> str:
    names = ", ".join(one_line(each.name, 80) for each in grant.approvals)
    if grant.by is Licence.AUTO:
        return "by the target's automatic rollback"
    how = "approved" if grant.by is Licence.PEOPLE else "by the envelope signed"
    return f"{how} by {names} (digest {short(grant.digest)})"
