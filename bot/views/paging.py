"""Whom the pager calls, and when: a breach, a run that is stuck or handed over, approvals that nobody gave.

Change events and quiet for the affected services go from the announced start to the end.
"""

from bot.outside import Alarm, AlarmOver, Body, Change, Quiet, QuietOver, WhoIsOnCall
from bot.runbook import events as e
from bot.runbook import texts
from bot.runbook.run import Run, State
from bot.runbook.steps import Route, StepName
from bot.runbook.wording import one_line
from bot.views.alarms import opens_way_back
from bot.views.public import until

BREACH, STUCK, HANDED_OVER, UNANSWERED = "breach", "stuck", "handed-over", "unanswered"


def alert(run: Run, kind: str) -> str:
    """The name of an alarm: one per run and kind of trouble."""
    return f"migration/{run.id}/{kind}"


def raised(before: Run | None, run: Run, event: e.Event) -> Alarm | None:
    """The alarm that ``event`` raises, if any."""
    if isinstance(event, e.StepFailed) and opens_way_back(before, event):
        return _alarm(run, BREACH, f"Rollback criterion met: {event.criterion}: {one_line(event.problem)}", event.at)
    kind = _needs(run)
    if kind is None or (before is not None and _needs(before) == kind and not isinstance(event, e.HandedOver)):
        return None
    return _alarm(run, kind, f"{_WHY[kind]}: {texts.doing(run)}", _at(event, run))


def bodies(before: Run | None, run: Run, event: e.Event) -> tuple[Body, ...]:
    """Everything the pager is told of ``event``, in order."""
    found = [*_over(before, run, event)]
    alarm = raised(before, run, event)
    if alarm is not None:
        found.append(alarm)
    match event:
        case e.StepFinished(step=StepName.ANNOUNCE_START, at=at):
            found += [_quiet(run, at), _change(run, "started", at), WhoIsOnCall(at=at)]
        case e.StatusPosted(at=at) if at > texts.expected_end(run) and _announced(run):
            found.append(_quiet(run, at))
        case e.Ended(at=at) if _announced(run):
            found += [QuietOver(at=at), _change(run, texts.place(run), at)]
    return tuple(found)


_WHY = {
    STUCK: "A migration does not get on",
    HANDED_OVER: "A migration is in a person's hands",
    UNANSWERED: "Nobody answers a migration's question",
}


def _needs(run: Run) -> str | None:
    """For which of the reasons people have to come, as the run stands."""
    if run.state is State.STUCK:
        return STUCK
    if run.state is State.HANDED_OVER:
        return HANDED_OVER
    reminders = len(run.plan.timing.remind_after)
    unanswered = run.state is State.ASKING and run.question and run.question.reminded >= reminders > 0
    return UNANSWERED if unanswered else None


def _over(before: Run | None, run: Run, event: e.Event) -> list[Body]:
    if before is None:
        return []
    at = _at(event, run)
    found: list[Body] = []
    kind = _needs(before)
    if kind is not None and _needs(run) != kind:
        found.append(AlarmOver(alert=alert(run, kind), at=at))
    declined = isinstance(event, e.Entered) and before.route is Route.ROLLBACK and run.route is Route.FORWARD
    ended = isinstance(event, e.Ended) and run.route in (Route.ROLLBACK, Route.CLOSE)
    if declined or ended:
        found.append(AlarmOver(alert=alert(run, BREACH), at=at))
    return found


def _alarm(run: Run, kind: str, summary: str, at: float) -> Alarm:
    details = (
        ("run", run.id),
        ("target", run.plan.target),
        ("migration", one_line(run.plan.name, 120)),
        ("step", run.step.title),
        ("needed", texts.ask(run) or "Look into the run's channel."),
        ("database", texts.DATABASE[run.database_state]),
        ("services", texts.services(run)),
    )
    named = f"{one_line(run.plan.target, 80)}, {run.id}: {summary}"
    return Alarm(alert=alert(run, kind), summary=one_line(named, 1000), details=details, at=at)


def _change(run: Run, what: str, at: float) -> Change:
    details = (("run", run.id), ("target", run.plan.target), ("purpose", one_line(run.plan.purpose)))
    summary = f"Database migration {what}: {one_line(run.plan.name, 120)} on {one_line(run.plan.target, 80)}"
    return Change(summary=one_line(summary, 1000), details=details, at=at)


def _quiet(run: Run, at: float) -> Quiet:
    reason = f"Database migration {run.id}: {one_line(run.plan.name, 120)}"
    return Quiet(reason=reason, starts=run.started_at, ends=until(run, at))


def _announced(run: Run) -> bool:
    return run.result(StepName.ANNOUNCE_START) is not None


def _at(event: e.Event, run: Run) -> float:
    at = getattr(event, "at", run.since)
    return at if isinstance(at, float) else run.since
