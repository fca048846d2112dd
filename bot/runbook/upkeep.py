"""The database's own health during a run: what is noted of it, and the statistics that people let the bot gather."""

import json

from bot.runbook import authority
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.run import Run, State
from bot.runbook.steps import Route, StepName

FACT = "analyze"  # of the verify step: the tables without statistics, as JSON


def decide(run: Run, intent: i.ForUpkeep, now: float) -> tuple[e.Event, ...]:
    """What somebody, or a worker, says about the database's upkeep."""
    match intent:
        case i.NoteDatabase():
            return _note(run, intent, now)
        case i.AskAnalyze():
            return _ask(run, intent, now)
        case i.Analyzed():
            return _analyzed(run, intent, now)


def without_statistics(run: Run) -> tuple[str, ...]:
    """The tables whose plans are guesses now that the migration is in, as the verify step found; quoted names."""
    found = run.fact(StepName.VERIFY, FACT)
    return tuple(str(each) for each in json.loads(found)) if found else ()


def _note(run: Run, intent: i.NoteDatabase, now: float) -> tuple[e.Event, ...]:
    """Only news is noted."""
    if run.state is not State.WATCHING:
        raise r.Stale("The services are no longer watched.", "Nothing needs to be done.")
    return () if intent.lines == run.database_notes else (e.DatabaseNoted(lines=intent.lines, at=now),)


def _ask(run: Run, intent: i.AskAnalyze, now: float) -> tuple[e.Event, ...]:
    authority.steerer(run, intent.person)
    tables = without_statistics(run)
    if not tables or run.route is not Route.FORWARD:
        raise r.NotNow("No table of this run waits for statistics.", "Nothing needs to be done.")
    if run.analyzing or run.analyzed:
        raise r.AlreadyAnswered("Somebody was first: it is done, or being done.", "What came of it is in the thread.")
    person = intent.person
    return (e.AnalyzeAsked(tables=tables, person=person.id, name=person.name, at=now),)


def _analyzed(run: Run, intent: i.Analyzed, now: float) -> tuple[e.Event, ...]:
    if not run.analyzing:
        raise r.Stale("Nobody waits for these statistics.", "Nothing needs to be done.")
    return (e.AnalyzeEnded(lines=intent.lines, at=now),)
