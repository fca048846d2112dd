"""How a run moves between steps and routes: forward, out, and back."""

from bot.runbook import events as e
from bot.runbook import refusals as r
from bot.runbook.apply import fold
from bot.runbook.run import Database, Hold, Run
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
