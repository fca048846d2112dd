"""How a run moves between steps and routes: forward, out, and back."""

from bot.runbook import events as e
from bot.runbook import refusals as r
from bot.runbook.apply import fold
from bot.runbook.criteria import Criterion
from bot.runbook.fixes import Fix
from bot.runbook.run import Database, Hold, Run, State
from bot.runbook.steps import Route, StepName

Events = tuple[e.Event, ...]


def enter(run: Run, route: Route, position: int, now: float, reason: str = "") -> e.Entered:
    """Come to a step of a route."""
    return e.Entered(route=route, position=position, at=now, reason=reason)


def again(run: Run, now: float) -> e.Entered:
    """Come to the present step once more, from its beginning."""
    return enter(run, run.route, run.position, now)


def proceed(run: Run, events: Events, now: float) -> Events:
    """Add to ``events`` (the last of which finished the step) where the run goes next."""
    after = fold(run, events)
    if run.rollback_wanted:
        return (*events, *goes_back_now(run, now))
    if run.position + 1 == len(run.steps):
        return (*events, e.Ended(at=now))
    onward = (*events, enter(run, run.route, run.position + 1, now))
    return (*onward, e.Held(hold=after.hold, at=now)) if after.hold else onward


def pause(run: Run, hold: Hold, now: float) -> Events:
    """Hold before the present step."""
    return (e.Held(hold=hold, at=now),)


def out_of_time(why: str, now: float) -> Hold:
    """The bot refuses to cross into a step that would not end in time."""
    return Hold(person="", name="the bot", reason=f"{why}. Extend the window, or abort.", at=now, window=True)


def goes_back_now(run: Run, now: float) -> Events:
    """Take up a rollback that was asked for while a step was running."""
    return (enter(run, Route.ROLLBACK, 0, now, run.rollback_wanted),) if run.rollback_wanted else ()


def offered_fixes(run: Run) -> tuple[Fix, ...]:
    """What may be done now: what the failed step itself proposed, and a restart where the services are up but ill.

    A proposal outlives the way back that its failure opened: who declines that can still take it.
    """
    if run.state is State.HELD:
        return run.proposed
    if run.state is not State.STUCK:
        return ()
    return run.proposed if restart_position(run) is None else (*run.proposed, Fix.RESTART)


def restart_position(run: Run) -> int | None:
    """Where the route restarts the services, if it is the watch after that which has failed."""
    if run.route is not Route.FORWARD or run.step.name is not StepName.MONITOR:
        return None
    names = [each.name for each in run.steps[: run.position]]
    return names.index(StepName.RESTART_SERVICES) if StepName.RESTART_SERVICES in names else None


def opens_way_back(run: Run, criterion: Criterion, figures: str, now: float, *, licensed: bool = True) -> Events:
    """Runbook: "Initiate rollback immediately if ANY of these occur" - the question is opened at once.

    ``licensed``: it is proven, so what was agreed to beforehand may answer the question.
    """
    if run.route is not Route.FORWARD or not run.backed_up:
        return ()
    reason = f"{criterion}: {figures}"
    proven = criterion if licensed and not run.hold else None  # somebody pulled the cord: people are asked
    asked = e.RollbackAsked(person="", name="the bot", reason=reason, at=now, criterion=proven)
    return (asked, enter(run, Route.ROLLBACK, 0, now, reason))


def way_out(run: Run) -> Route:
    """The route that ends the run without the migration, or the refusal that says why there is none."""
    if run.route is Route.ROLLBACK:
        raise r.WouldLeaveUndone(
            "The run is going back; ending it now would leave the database in between.",
            "Use Retry, or take the run over by hand.",
        )
    if run.route not in (Route.FORWARD, Route.CLEANUP):
        raise r.NotNow("The run is already ending.", "Type /migrate status to see what it waits for.")
    if run.result(StepName.CLEAN_UP) is not None:
        raise r.NotNow("The databases are removed already.", "Nothing needs to be done; it is only announced.")
    if run.claim is not None and not run.step.interruptible:
        hold = "Type /migrate hold: the run then stops before its next step, and can be aborted there."
        raise r.StepRunning(
            f"“{run.step.title}” is running and cannot be cut short safely.",
            hold if run.route is Route.FORWARD else "Wait until it has ended.",
        )
    if run.database_state is not Database.UNTOUCHED:
        raise r.WouldLeaveUndone(
            "The migration is, or may be, in the database; ending now would leave it there.",
            "Type /migrate rollback to go back, or Retry to go on.",
        )
    return Route.RETURN if run.services_down else Route.CANCEL
