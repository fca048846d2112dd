"""What the public reads on the status page: the runbook's words (steps 1 and 8), and an honest word on the rest.

Nothing that people wrote gets here: a purpose or a reason is for colleagues.
"""

from bot.outside import Condition, Maintenance, Phase
from bot.runbook import events as e
from bot.runbook import texts
from bot.runbook.run import Run, State
from bot.runbook.samples import Judgement
from bot.runbook.steps import Route, StepName
from bot.runbook.wording import one_line, utc

TITLE = "Database migration"
IN_PROGRESS = "Maintenance in Progress"  # runbook step 1
COMPLETED = "Database migration completed successfully"  # runbook step 8
_LONGER = "It takes longer than planned; people are working on it."
_ENDINGS = {
    StepName.ANNOUNCE_COMPLETE: COMPLETED,
    StepName.ANNOUNCE_CANCELLED: "Database migration cancelled; nothing was changed",
    StepName.ANNOUNCE_STOPPED: "Database migration stopped; nothing was changed and the services are back",
    StepName.ANNOUNCE_ROLLED_BACK: "Database migration rolled back; everything is as it was before",
    StepName.ANNOUNCE_CLOSED: "The maintenance is over",
}


def maintenance(run: Run, event: e.Event) -> Maintenance | None:
    """What the page shows after ``event``; nothing new after most, and before the start was announced."""
    if run.result(StepName.ANNOUNCE_START) is None:
        return None
    match event:
        case e.StepFinished(step=step, at=at) if step in _ENDINGS:
            return _ended(run, _ENDINGS[step], at)
        case e.StepFinished(step=StepName.ANNOUNCE_START, at=at):
            return _going_on(run, at, _expected(run), aloud=True)
        case e.StepFinished(step=StepName.ANNOUNCE_ROLLBACK, at=at):
            return _going_on(run, at, "The migration is being rolled back.", _expected(run, at), aloud=True)
        case e.StepFinished(step=StepName.RESTART_SERVICES, at=at) if run.route is not Route.RETURN:
            return _going_on(run, at, "The services are back and are being watched.", _expected(run, at))
        case e.StepFailed(at=at) | e.HandedOver(at=at):
            return _going_on(run, at, _LONGER, "ETA: to be announced")
        case e.StatusPosted(at=at) if at > texts.expected_end(run):
            return _going_on(run, at, _LONGER, _expected(run, at))
    return None


def until(run: Run, at: float) -> float:
    """When the maintenance should be over: as planned, or, once that has passed, after two more updates."""
    planned = texts.expected_end(run)
    return planned if at < planned else at + 2 * run.plan.timing.status_every


def _expected(run: Run, at: float = 0.0) -> str:
    return f"ETA: {utc(until(run, at))}"


def _ended(run: Run, words: str, at: float) -> Maintenance:
    """Services that a person brought back by hand are not known to be: they stay as they are shown."""
    condition = None if run.services_down else Condition.OPERATIONAL
    return _made(run, Phase.COMPLETED, words, condition, at, ends=at, aloud=True)


def _going_on(run: Run, at: float, *words: str, aloud: bool = False) -> Maintenance:
    services = f"Affected services: {', '.join(one_line(each, 80) for each in run.plan.services) or 'the database'}"
    told, eta = words[:-1], words[-1]
    text = "\n".join([IN_PROGRESS, *told, services, eta])
    watched = run.result(StepName.RESTART_SERVICES) is not None and run.state is State.WATCHING
    back = not run.services_down and run.up_at is not None and run.up_at == at
    phase = Phase.VERIFYING if watched or back else Phase.IN_PROGRESS
    return _made(run, phase, text, _condition(run, at), at, ends=until(run, at), aloud=aloud)


def _condition(run: Run, at: float) -> Condition:
    """As far as the bot knows: services it stopped are under maintenance as long as that was planned for."""
    if run.services_down:
        return Condition.MAINTENANCE if at <= texts.expected_end(run) else Condition.OUTAGE
    if run.judgement is Judgement.BREACH:
        return Condition.DEGRADED
    if run.step.name is StepName.ANNOUNCE_ROLLBACK and run.grant is not None:
        return Condition.MAINTENANCE  # the services are stopped next
    return Condition.MAINTENANCE if run.plan.downtime and run.up_at is None else Condition.OPERATIONAL


def _made(
    run: Run, phase: Phase, words: str, condition: Condition | None, at: float, *, ends: float, aloud: bool
) -> Maintenance:
    return Maintenance(
        title=f"{TITLE} ({run.id})", phase=phase, words=words, condition=condition, starts=run.started_at, ends=ends,
        at=at, aloud=aloud,
    )  # fmt: skip
