"""Window arithmetic: does what remains, and the way back if it is needed, still fit?

Before every step up to the migration: now + the time the rest takes in nine of ten cases + the measured way back must
fit the maintenance window, and going back must fit the rollback deadline.  After the migration is in there is no
better way than forward or back, and nothing is held up any more.
"""

from bot.runbook.run import Database, Plan, Run
from bot.runbook.steps import Route, Step, StepName, route_steps
from bot.runbook.wording import duration, utc

WAY_BACK = 900.0  # seconds, runbook "Rollback Steps", 1: "ETA: 15 minutes", where nothing was measured
ANSWER = 60.0  # seconds that people take to answer one question; ours


def remaining(run: Run) -> float:
    """Seconds until the way forward is done, in nine of ten cases: the work, the answers and the watch."""
    return _forward(run.plan, run.steps[run.position :])


def needs(plan: Plan) -> float:
    """Seconds that a window must have for the whole of a plan, its way back included."""
    steps = route_steps(plan.runbook, Route.FORWARD, downtime=plan.downtime, standby=plan.standby)
    return _forward(plan, steps) + way_back(plan)


def way_back(plan: Plan) -> float:
    """Seconds that going back takes, from the decision until the services are back: the rung as it was rehearsed,
    everything around it as expected.  What is watched afterwards is watched with the services up."""
    known = _known(plan)
    steps = route_steps(plan.runbook, Route.ROLLBACK, downtime=plan.downtime, standby=plan.standby)
    around = (each for each in steps if not each.watches and each.name is not StepName.GO_BACK)
    rung = plan.back_seconds if plan.back_seconds is not None else WAY_BACK
    return rung + sum(known.get(each.name, each.minutes * 60.0) for each in around)


def _forward(plan: Plan, steps: tuple[Step, ...]) -> float:
    known, watch = _known(plan), plan.timing.monitor_for
    work = sum(watch if each.watches else known.get(each.name, each.minutes * 60.0) for each in steps)
    return work + ANSWER * sum(each.asked_by is each.name for each in steps)


def _known(plan: Plan) -> dict[StepName, float]:
    return {each.step: each.seconds for each in plan.expected}


def too_late(run: Run, now: float) -> str:
    """Why the next step is not begun; empty where everything fits, or where holding would help nobody."""
    if run.window_end is None or not _before_the_change(run):
        return ""
    rest, back, left = remaining(run), way_back(run.plan), run.window_end - now
    if rest + back > left:
        gone = f"ends in {duration(left)}, {utc(run.window_end)}" if left > 0 else f"ended {utc(run.window_end)}"
        return f"The rest takes up to {duration(rest)} and going back {duration(back)}, but the window {gone}"
    return _past_deadline(run, back)


def _past_deadline(run: Run, back: float) -> str:
    """A deadline so short that no trouble could be found and undone inside it is none."""
    deadline = run.plan.rollback_deadline
    if deadline is None:
        return ""
    known = _known(run.plan)
    seen = sum(known.get(step, 0.0) for step in (StepName.VERIFY, StepName.RESTART_SERVICES))
    if seen + back <= deadline:
        return ""
    return (
        f"Verifying and restarting take up to {duration(seen)} and going back {duration(back)}, which is longer than"
        f" the rollback deadline of {duration(deadline)}"
    )


def _before_the_change(run: Run) -> bool:
    names = [each.name for each in run.steps]
    ahead = run.route is Route.FORWARD and StepName.APPLY in names and run.position <= names.index(StepName.APPLY)
    return ahead and run.database_state is Database.UNTOUCHED
