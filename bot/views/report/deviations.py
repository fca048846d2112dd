"""Where a run went otherwise than planned: stopped, repeated, extended, set aside, without asking, or late."""

from collections.abc import Iterator, Sequence

from bot.runbook import events as e
from bot.runbook.fixes import TITLES as FIXES
from bot.runbook.run import Licence, Run
from bot.runbook.rungs import TITLES
from bot.runbook.wording import duration, one_line, utc
from bot.views.timeline import stamp, walked


def deviations(run: Run, events: Sequence[e.Event]) -> tuple[str, ...]:
    """One line each, in the order they happened; late steps last."""
    return tuple([*_told(run.id, events), *late(run)])


def late(run: Run) -> Iterator[str]:
    """Steps that took longer than was estimated when the run began."""
    for each in run.plan.expected:
        done = run.result(each.step)
        if done is not None and done.seconds > max(each.seconds, 1.0):
            took, foreseen = duration(done.seconds), duration(each.seconds)
            yield f"Late: {each.step.replace('_', ' ')} took {took}, expected {foreseen} ({each.basis})"


def _told(run_id: str, events: Sequence[e.Event]) -> Iterator[str]:
    for run, event in walked(run_id, events):
        words, at = _steered(run, event) or _went(run, event) or ("", 0.0)
        if words:
            yield f"{stamp(at)} {words}"


def _steered(run: Run, event: e.Event) -> tuple[str, float] | None:
    """What people did."""
    match event:
        case e.Held(hold=hold, at=at):
            return f"Held by {one_line(hold.name, 80)}: {one_line(hold.reason)}", at
        case e.HandedOver(keeper=keeper, at=at):
            return f"Taken over by {one_line(keeper.name, 80)}: {one_line(keeper.reason)}", at
        case e.Retried(name=name, fix=fix, at=at):
            how = f": {FIXES[fix]}" if fix else ""
            return f"“{run.step.title}” was tried again by {one_line(name, 80)}{how}", at
        case e.CheckAnswered(answer=said) if not said.works:
            when = f"{said.moment} the migration, said {one_line(said.name, 80)}"
            return f"“{one_line(said.check, 80)}” did not work {when}: {one_line(said.note)}", said.at
        case e.Rejected(name=name, reason=reason, at=at):
            return f"“{run.step.title}” was rejected by {one_line(name, 80)}: {one_line(reason)}", at
        case e.WindowExtended(name=name, until=until, reason=reason, at=at):
            return f"The window was extended until {utc(until)} by {one_line(name, 80)}: {one_line(reason)}", at
        case e.RungPicked(name=name, rung=rung, at=at):
            return f"{one_line(name, 80)} picked another way back: {TITLES[rung]}", at
    return None


def _went(run: Run, event: e.Event) -> tuple[str, float] | None:
    """What happened by itself."""
    match event:
        case e.StepFailed(problem=problem, at=at):
            return f"“{run.step.title}” did not succeed: {one_line(problem)}", at
        case e.StepBegan(attempt=attempt, at=at) if attempt > 1:
            return f"“{run.step.title}” was begun again, attempt {attempt}", at
        case e.Voided(reason=reason, at=at):
            return f"“{run.step.title}” was asked for anew: {one_line(reason)}", at
        case e.Granted(by=Licence.ENVELOPE | Licence.AUTO, why=why, at=at):
            return f"The way back began without asking: {one_line(why)}", at
        case e.DeadlineTold(passed=True, at=at):
            return "The rollback deadline had passed", at
    return None
