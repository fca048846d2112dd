"""What people have tried by hand: what is asked of them now, what they said, and what comes of it."""

from bot.runbook import authority
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.criteria import Criterion
from bot.runbook.manual import Answer, ManualCheck, Moment
from bot.runbook.paths import Events, opens_way_back
from bot.runbook.run import Run, State
from bot.runbook.steps import Route, StepName


def asked_now(run: Run) -> Moment | None:
    """Which answers are waited for: until the first change, and again as long as the services are watched."""
    if not run.plan.manual or run.final:
        return None
    if run.before_any_change:
        return Moment.BEFORE
    watched = run.state is State.WATCHING and run.route is Route.FORWARD and run.step.name is StepName.MONITOR
    over = bool(run.done) and run.done[-1].step is StepName.MONITOR
    return Moment.AFTER if watched and not over else None


def said_of(run: Run, check: str, moment: Moment) -> Answer | None:
    """The newest answer; after the migration only what was said in the present watch counts."""
    found = newest(run, check, moment)
    return found if found and (moment is Moment.BEFORE or found.at >= run.since) else None


def newest(run: Run, check: str, moment: Moment) -> Answer | None:
    """The newest answer of any watch."""
    found = (each for each in reversed(run.answers) if each.check == check and each.moment is moment)
    return next(found, None)


def unanswered(run: Run, moment: Moment) -> tuple[ManualCheck, ...]:
    """What nobody has tried yet."""
    return tuple(each for each in run.plan.manual if said_of(run, each.name, moment) is None)


def broken(run: Run) -> tuple[Answer, ...]:
    """What does not work now, and did before, or was not known to be broken."""
    found = (said_of(run, each.name, Moment.AFTER) for each in run.plan.manual)
    return tuple(each for each in found if each and not each.works and not _was_broken(run, each.check))


def findings(run: Run) -> tuple[str, ...]:
    """What people said in the present watch, line by line."""
    found = (said_of(run, each.name, Moment.AFTER) for each in run.plan.manual)
    return tuple(f"{each.check}: {'works' if each.works else 'broken'}, says {each.name}" for each in found if each)


def answer(run: Run, intent: i.AnswerCheck, now: float) -> Events:
    """One person's word.  That something is broken asks for the way back, and never goes it by itself."""
    check = next((each for each in run.plan.manual if each.name == intent.check), None)
    if check is None:
        raise r.Invalid(f"This run has no check “{intent.check}”.", "Press the button of the message that asks for it.")
    authority.named(run, intent.person, check.people)
    moment = asked_now(run)
    if moment is None:
        raise r.NotNow(
            "Nobody is asked for that now.",
            "If something is broken: /migrate hold stops the run before its next step, /migrate rollback goes back.",
        )
    before = said_of(run, check.name, moment)
    if before and (before.person, before.works) == (intent.person.id, intent.works):
        raise r.AlreadyAnswered("You have said so already.", "Say the other thing if it has changed.")
    note = intent.note.strip()
    if not intent.works and not note:
        raise r.ReasonNeeded("What is broken is recorded with what you saw.", "Add a few words and send it again.")
    person = intent.person
    told = e.CheckAnswered(
        answer=Answer(
            check=check.name, moment=moment, works=intent.works, person=person.id, name=person.name, at=now, note=note
        )
    )
    if intent.works or moment is Moment.BEFORE or _was_broken(run, check.name):
        return (told,)
    problem = f"“{check.name}” does not work, says {person.name}: {note}"
    failed = e.StepFailed(step=run.step.name, problem=problem, at=now, criterion=Criterion.CRITICAL)
    return (told, failed, *opens_way_back(run, Criterion.CRITICAL, problem, now, licensed=False))


def _was_broken(run: Run, check: str) -> bool:
    before = said_of(run, check, Moment.BEFORE)
    return before is not None and not before.works
