"""What is said about where a run stands: the status update, and every part of it.

Plain text with UTC times, filled only with facts of the run; people's words are put on one line and shortened.
Whoever shows it escapes it for its own medium.  What is announced stands in ``announcements``.
"""

from bot.runbook.digest import short
from bot.runbook.manual import Moment
from bot.runbook.run import Database, Run, State
from bot.runbook.steps import Route, Step
from bot.runbook.tried import asked_now, unanswered
from bot.runbook.wording import counted, duration, one_line, utc

_RUNBOOK_MONITORING = 1800.0  # seconds of the "Timeline Overview" that are spent watching (runbook step 7)

DATABASE = {
    Database.UNTOUCHED: "as it was before the run",
    Database.UNKNOWN: "a change was begun and its outcome is not proven yet",
    Database.CHANGED: "the migration is in",
}


def status(run: Run, now: float, head: str = "") -> str:
    """The runbook's update: where it is, what is next, who is needed, how long it has taken."""
    lines = [
        f"ℹ️ {'Status' if run.plan.cleans else 'Migration status'} of {one_line(run.plan.name, 100)}: {place(run)}",
        f"Now: {doing(run)}",
        f"Next: {next_up(run)}",
        f"Needed: {ask(run) or 'Nobody; the bot goes on by itself.'}",
        f"Elapsed: {duration(elapsed(run, now))} of about {duration(expected_end(run) - run.started_at)}",
        f"Downtime: {downtime_in_words(run, now)}",
        f"Database: {DATABASE[run.database_state]}",
    ]
    return "\n".join([*lines, f"Record: {short(head)}"] if head else lines)


def place(run: Run) -> str:
    """Step n of m, or how it ended."""
    if run.final:
        return _ENDED[run.state]
    way = "" if run.route == "forward" else f" of the {run.route} route"
    return f"step {run.position + 1} of {len(run.steps)}{way}, {run.step.title}"


def doing(run: Run) -> str:
    """What is going on, in one or two sentences."""
    title = f"“{run.step.title}”"
    match run.state:
        case State.PREPARING:
            return f"The bot is working out exactly what {title} will do, to ask for it."
        case State.ASKING if run.question:
            given, until = len(run.question.approvals), utc(run.question.expires_at)
            return f"{title} waits for approval, {given} of {run.quorum} so far, until {until}."
        case State.WORKING:
            return _working(run, title)
        case State.WATCHING:
            verdict = f"The last verdict is {run.judgement}." if run.judgement else "No verdict yet."
            return f"The services are watched until {utc(run.since + run.watch_seconds)}. {verdict}{_ahead(run)}"
        case State.HELD if run.hold:
            return f"On hold before {title} by {one_line(run.hold.name, 80)}: {one_line(run.hold.reason)}"
        case State.STUCK:
            return f"{title} did not succeed: {one_line(run.trouble.problem) if run.trouble else 'unknown'}"
        case State.HANDED_OVER if run.keeper:
            return f"In the hands of {one_line(run.keeper.name, 80)}: {one_line(run.keeper.reason)}"
    return f"The run has ended ({_ENDED[run.state]})." if run.final else f"{title} has been decided on."


def _working(run: Run, title: str) -> str:
    if run.claim is None:
        return f"{title} is about to begin.{_ahead(run)}"
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    waits = f" It is kept waiting by {counted(len(run.blockers), 'session')}." if run.blockers else ""
    return f"{title} is running since {utc(run.since)}{again}.{waits}{_ahead(run)}"


def _ahead(run: Run) -> str:
    """What was asked for while a step runs, and takes effect at its end."""
    if run.rollback_wanted:
        return " The way back begins when it ends."
    return f" {one_line(run.hold.name, 80)} holds the run when it ends." if run.hold else ""


def next_up(run: Run) -> str:
    """The step after the present one."""
    if run.final:
        return "Nothing; the run is over."
    if run.state in (State.HELD, State.STUCK, State.HANDED_OVER):
        return "What the people it waits for decide."
    if run.position + 1 == len(run.steps):
        return "The run ends."
    following = run.steps[run.position + 1]
    return f"{following.title}{', after approval' if _asks(following) else ''}."


def _asks(step: Step) -> bool:
    return step.asked_by is step.name


def needed(run: Run) -> frozenset[str]:
    """The ids of the people and groups the run waits for; empty when it goes on by itself."""
    policy = run.plan.policy
    match run.state:
        case State.ASKING if run.question:
            out = {each.person for each in run.question.approvals}
            return policy.approvers - out - _own(run)
        case State.HELD:
            return policy.owners or policy.approvers
        case State.STUCK:
            return (policy.owners | policy.on_call) or policy.approvers
        case State.HANDED_OVER if run.keeper:
            return frozenset({run.keeper.person})
        case State.WATCHING if asked_now(run):
            return frozenset[str]().union(*(each.people for each in unanswered(run, Moment.AFTER)))
        case State.WORKING if any(not each.granted for each in run.blockers):
            return policy.approvers - _own(run)
    return frozenset()


def _own(run: Run) -> frozenset[str]:
    """Those whose own approval does not count."""
    return frozenset() if run.plan.policy.self_approval else run.hands


def ask(run: Run) -> str:
    """What the needed people are to do; empty when nobody is needed."""
    match run.state:
        case State.ASKING if run.question:
            missing = run.quorum - len(run.question.approvals)
            return f"{counted(missing, 'approver')} of {one_line(run.plan.target, 80)} to approve or reject it."
        case State.HELD:
            return "An owner to resume the run, abort it or roll it back."
        case State.STUCK if run.plan.cleans:
            return "An owner to choose: retry, abort or take over."
        case State.STUCK if run.route in (Route.ROLLBACK, Route.CANCEL, Route.RETURN, Route.CLOSE):
            return "An owner to choose: retry or take over."
        case State.STUCK if run.database_state is not Database.UNTOUCHED:
            return "An owner to choose: retry, roll back or take over."
        case State.STUCK:
            return "An owner to choose: retry, roll back, abort or take over."
        case State.HANDED_OVER if run.keeper:
            return f"{one_line(run.keeper.name, 80)} to finish, and then close the run or give it back to the bot."
        case State.WATCHING if asked_now(run) and (untried := unanswered(run, Moment.AFTER)):
            return f"Somebody to try {', '.join(f'“{one_line(each.name, 80)}”' for each in untried)} (in the thread)."
        case State.WORKING if any(not each.granted for each in run.blockers):
            return "An approver to cancel the blocking session, or let the migration wait."
    return ""


def services(run: Run) -> str:
    """Whether the services run, as far as the bot did anything about it."""
    if run.services_down:
        return f"stopped since {utc(run.down_at or run.since)}"
    return f"back since {utc(run.up_at)}" if run.up_at else "running; the bot has not stopped them"


def elapsed(run: Run, now: float) -> float:
    """Seconds from the start to the end, or to ``now``."""
    return max((run.ended_at or now) - run.started_at, 0.0)


def downtime(run: Run, now: float) -> float:
    """Seconds the services were down: every stretch from beginning to stop them until they were back."""
    if not run.services_down or run.down_at is None:
        return run.down_seconds
    return run.down_seconds + max((run.ended_at or now) - run.down_at, 0.0)


def downtime_in_words(run: Run, now: float) -> str:
    """The same in words."""
    return duration(down) if (down := downtime(run, now)) else "None"


def expected_end(run: Run) -> float:
    """When the run should be over: the plan's total, with the watch as long as it is set to be."""
    watching = 0.0 if run.plan.cleans else run.plan.timing.monitor_for - _RUNBOOK_MONITORING
    return run.started_at + max(run.plan.total_minutes * 60 + watching, 60.0)


_ENDED: dict[str, str] = {
    State.COMPLETED: "completed",
    State.CANCELLED: "cancelled, nothing was changed",
    State.RETURNED: "stopped, services are back",
    State.ROLLED_BACK: "rolled back",
    State.CLOSED: "closed by hand",
    State.CLEANED: "cleaned up",
}
