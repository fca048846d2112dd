"""The steps of a run as Slack's plan block: one task card each, for the present route and the one before it."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.runbook.run import Done, Run, State
from bot.runbook.steps import RUNBOOKS, Route, Step, route_steps
from bot.runbook.wording import counted, duration, one_line
from bot.views import blocks as b
from bot.views.text import escape

_WIDEST = 140


@dataclass(frozen=True, kw_only=True)
class Task:
    """One step as it is drawn: ``status`` is Slack's word, ``said`` what Slack has no word for."""

    id: str
    title: str
    status: str
    said: str
    done: Done | None = None


def tasks(run: Run) -> tuple[Task, ...]:
    """Every step of the route, in order; on another route, the steps that led there come first."""
    first, rest = _split(run)
    if run.route is _home(run):
        return tuple(_home_route(run, first))
    return (*_left_behind(run, first), *_present(run, rest))


def plan_block(run: Run, progress: str = "", evidence: int = 2) -> b.Block:
    """The plan block; the present step carries ``progress``, finished ones the first lines of their evidence."""
    drawn = tasks(run)
    done = sum(task.status == "complete" for task in drawn)
    title = f"Runbook, {run.route} route: {done} of {counted(len(drawn), 'step')} done"
    return {"type": "plan", "title": title, "tasks": [_card(task, progress, evidence) for task in drawn]}


def steps_in_words(run: Run) -> str:
    """The same in one line."""
    return f"Steps: {'; '.join(escape(f'{task.title} ({task.said})') for task in tasks(run))}."


def _home(run: Run) -> Route:
    """The route the run began on."""
    return Route.CLEANUP if run.plan.cleans else Route.FORWARD


def _home_steps(run: Run) -> tuple[Step, ...]:
    plan = run.plan
    return route_steps(plan.runbook, _home(run), downtime=plan.downtime, standby=plan.standby)


def _split(run: Run) -> tuple[tuple[Done, ...], tuple[Done, ...]]:
    """What was finished on the route it began on, in its order, and what after leaving it."""
    steps = _home_steps(run)
    count = 0
    while count < min(len(steps), len(run.done)) and run.done[count].step is steps[count].name:
        count += 1
    return run.done[:count], run.done[count:]


def _home_route(run: Run, done: tuple[Done, ...]) -> Iterator[Task]:
    """All eight steps of the runbook, the skipped ones of a zero-downtime migration too."""
    position = 0
    for step in RUNBOOKS[run.plan.runbook][_home(run)]:
        if step.standby not in (None, run.plan.standby):
            continue
        if step.downtime_only and not run.plan.downtime:
            yield Task(id=f"skip-{step.name}", title=step.title, status="complete", said="skipped: no downtime")
            continue
        yield _task(run, step, position, done[position] if position < len(done) else None)
        position += 1


def _left_behind(run: Run, done: tuple[Done, ...]) -> Iterator[Task]:
    for position, step in enumerate(_home_steps(run)):
        task_id = f"{_home(run)}-{position}"
        if position < len(done):
            yield _finished(task_id, step, done[position])
        else:
            yield Task(id=task_id, title=step.title, status="pending", said="not finished; the run left this route")


def _present(run: Run, done: tuple[Done, ...]) -> Iterator[Task]:
    for position, step in enumerate(run.steps):
        found = next((each for each in reversed(done) if each.step is step.name), None)
        yield _task(run, step, position, found)


def _task(run: Run, step: Step, position: int, done: Done | None) -> Task:
    task_id = f"{run.route}-{position}"
    if done is not None and (position < run.position or run.final):
        return _finished(task_id, step, done)
    if position != run.position or run.final:
        said = "asks for approval" if step.asked_by is step.name else f"about {counted(step.minutes, 'minute')}"
        return Task(id=task_id, title=step.title, status="pending", said=said)
    status, said = _now(run)
    return Task(id=task_id, title=step.title, status=status, said=said)


def _finished(task_id: str, step: Step, done: Done) -> Task:
    return Task(id=task_id, title=step.title, status="complete", said=f"took {duration(done.seconds)}", done=done)


def _now(run: Run) -> tuple[str, str]:
    """Slack's status of the present step, and in words what Slack has no status for."""
    match run.state:
        case State.PREPARING:
            return "in_progress", "being prepared for approval"
        case State.ASKING:
            given = len(run.question.approvals) if run.question else 0
            return "pending", f"waits for approval, {given} of {run.quorum}"
        case State.WATCHING:
            return "in_progress", f"watching, {counted(len(run.samples), 'measurement')}"
        case State.HELD:
            return "pending", "on hold"
        case State.STUCK:
            return "error", "did not succeed"
        case State.HANDED_OVER:
            return "pending", "in people's hands"
    if run.claim is None:
        return "in_progress", "about to begin"
    return "in_progress", "waits for a lock" if run.blockers else "running"


def _card(task: Task, progress: str, most: int) -> b.Block:
    made: b.Block = {
        "type": "task_card",
        "task_id": task.id,
        "title": f"{task.title} – {task.said}",
        "status": task.status,
    }
    evidence = [one_line(line, _WIDEST) for line in (task.done.evidence[:most] if task.done else ())]
    if evidence:
        made["output"] = b.rich("\n".join(evidence))
    elif progress and task.status == "in_progress":
        made["details"] = b.rich(one_line(progress, 300))
    return made
