"""What is announced of a run: the runbook's announcements word for word, ours in the same tone.

Plain text with UTC times, filled only with facts of the run; people's words are put on one line and shortened.
"""

from math import ceil

from bot.runbook import texts
from bot.runbook.run import Run
from bot.runbook.rungs import Option, Rung, lost
from bot.runbook.steps import Step, StepName
from bot.runbook.wording import counted, duration, one_line, utc

_ETA = 15  # minutes, runbook "Rollback Steps", 1: where nothing better is known
_MOST_REMOVED = 10  # lines of what was removed

HOW: dict[Rung, str] = {
    Rung.NOTHING: "The migration had changed nothing, so the database was left alone",
    Rung.DOWN: "The DOWN migration was run",
    Rung.SWITCH: "The standby copy was switched into place",
    Rung.RESTORE: "The backup was restored beside the database and switched into place",
    Rung.PLATFORM: "The platform recovered the database to a moment before the migration",
}


def announcement(run: Run, step: StepName, now: float) -> str:
    """What is said in the channel when ``step`` has finished; empty for steps that announce nothing."""
    match step:
        case StepName.ANNOUNCE_START:
            return maintenance_start(run)
        case StepName.ANNOUNCE_COMPLETE:
            return complete(run, now)
        case StepName.ANNOUNCE_ROLLBACK:
            return rollback(run)
        case StepName.ANNOUNCE_CANCELLED:
            return cancelled(run)
        case StepName.ANNOUNCE_STOPPED:
            return returned(run, now)
        case StepName.ANNOUNCE_ROLLED_BACK:
            return rolled_back(run, now)
        case StepName.ANNOUNCE_CLOSED:
            return closed(run)
        case StepName.ANNOUNCE_CLEANED:
            return cleaned(run)
    return ""


def maintenance_start(run: Run) -> str:
    """Runbook step 1."""
    plan = run.plan
    downtime = counted(plan.downtime_minutes, "minute") if plan.downtime else "Zero"
    return (
        "🚨 Database migration starting now\n"
        f"Purpose: {one_line(plan.purpose)}\n"
        f"Estimated downtime: {downtime}\n"
        f"Expected completion: {utc(texts.expected_end(run))}\n"
        f"Status updates: Every {duration(plan.timing.status_every)}"
    )


def complete(run: Run, now: float) -> str:
    """Runbook step 8, with the actual duration and downtime."""
    return (
        "✅ Database migration completed successfully\n"
        f"Duration: {duration(texts.elapsed(run, now))}\n"
        f"Downtime: {texts.downtime_in_words(run, now)}\n"
        "Status: All systems operational\n"
        "Monitoring: Continuing for next 24 hours\n"
        "Thanks for your patience!"
    )


def rollback(run: Run) -> str:
    """Runbook "Rollback Steps", 1; its ETA is that of the way that was granted, where that is known."""
    eta = counted(minutes_back(run), "minute")
    return f"🚨 Initiating migration rollback\nReason: {one_line(run.reason)}\nETA: {eta}"


def minutes_back(run: Run) -> int:
    """How long the granted way back takes, with stopping, verifying and restarting as long as they took in this run,
    or else as the runbook has them."""
    if run.way is None or run.way.seconds is None:
        return _ETA
    around = (StepName.STOP_SERVICES, StepName.VERIFY_BACK, StepName.RESTART_SERVICES)
    seconds = sum(_seconds(run, step) for step in run.steps if step.name in around)
    return ceil((run.way.seconds + seconds) / 60)


def _seconds(run: Run, step: Step) -> float:
    """How long a step takes: as it did in this run (verifying back is verifying), else the runbook's minutes."""
    known = run.result(StepName.VERIFY if step.name is StepName.VERIFY_BACK else step.name)
    return known.seconds if known else step.minutes * 60.0


def cancelled(run: Run) -> str:
    """The run ended before anything was touched."""
    if run.plan.cleans:
        left = "Nothing more is removed; /migrate cleanup shows what is left"
        return f"ℹ️ Clean-up cancelled\nReason: {one_line(run.reason)}\nStatus: {left}"
    return (
        "ℹ️ Database migration cancelled\n"
        f"Reason: {one_line(run.reason)}\n"
        "Downtime: None\n"
        "Status: Nothing was changed; the services kept running"
    )


def returned(run: Run, now: float) -> str:
    """The services were down, the database was not touched, the services are up again."""
    return (
        "✅ Database migration stopped; services are back\n"
        f"Reason: {one_line(run.reason)}\n"
        f"Duration: {duration(texts.elapsed(run, now))}\n"
        f"Downtime: {texts.downtime_in_words(run, now)}\n"
        "Status: Nothing was changed in the database; services are back"
    )


def rolled_back(run: Run, now: float) -> str:
    """The way back is done and shown to be true: how, what was lost, and what is kept where."""
    rung, way, left = rung_taken(run), run.way, kept(run)
    lines = [
        "✅ Migration rollback completed",
        f"Reason: {one_line(run.reason)}",
        f"Duration: {duration(texts.elapsed(run, now))}",
        f"Downtime: {texts.downtime_in_words(run, now)}",
        f"How: {HOW[rung]}" if rung else "",
        f"Lost: {one_line(_lost_in_fact(run, way))}" if way else "",
        "Status: The database is as it was before the migration; services are back on the previous deploy",
        f"Kept: {'; '.join(left)}" if left else "",
        f"Once the databases are no longer needed: /migrate cleanup {run.id} removes them" if _databases(run) else "",
    ]
    return "\n".join(line for line in lines if line)


def _lost_in_fact(run: Run, way: Option) -> str:
    """What was counted at the last moment, when nobody could write any more; else what the question said."""
    counted_rows = run.fact(StepName.GO_BACK, "rows_lost") or ""
    if rung_taken(run) in (Rung.SWITCH, Rung.RESTORE) and counted_rows.isdigit() and not way.loses:
        return lost(int(counted_rows), estimated=run.fact(StepName.GO_BACK, "rows_estimated") == "yes")
    return way.loss


def _databases(run: Run) -> bool:
    """Is there a database beside the live one that nobody needs any more one day?"""
    if run.plan.exercise:
        return False
    return bool(run.fact(StepName.GO_BACK, "failed_database") or run.fact(StepName.STANDBY, "standby_database"))


def rung_taken(run: Run) -> Rung | None:
    """Which way the run went back, as the step itself recorded it; else the one that was granted."""
    recorded = run.fact(StepName.GO_BACK, "rung")
    if recorded is not None and recorded in set(Rung):
        return Rung(recorded)
    return run.way.rung if run.way else None


def kept(run: Run) -> tuple[str, ...]:
    """What the run has left beside the database, thing by thing; of an exercise nothing stays."""
    if run.plan.exercise:
        return ()
    gone_back = run.result(StepName.GO_BACK) is not None
    standby = run.fact(StepName.STANDBY, "standby_database")
    if gone_back and rung_taken(run) is Rung.SWITCH:
        standby = None  # it is the live database now
    failed, salvage = run.fact(StepName.GO_BACK, "failed_database"), run.fact(StepName.GO_BACK, "salvage")
    found = (
        (standby, "the standby copy"),
        (failed, "the database as it failed"),
        (salvage, "rows written after the copy was taken"),
    )
    return tuple(f"{one_line(name, 120)} ({what})" for name, what in found if name)


def closed(run: Run) -> str:
    """A named person ended it by hand: their words, and what the bot knows of the rest."""
    if run.plan.cleans:
        return f"ℹ️ Clean-up closed by hand\nHow it ended: {one_line(run.reason)}"
    return (
        "ℹ️ Database migration closed by hand\n"
        f"How it ended: {one_line(run.reason)}\n"
        f"Database: {texts.DATABASE[run.database_state]} (last known to the bot)\n"
        f"Services: {texts.services(run)} (last known to the bot)"
    )


def cleaned(run: Run) -> str:
    """What was removed, line by line."""
    done = run.result(StepName.CLEAN_UP)
    lines = done.evidence if done else ()
    more = len(lines) - _MOST_REMOVED
    removed = [f"• {one_line(line)}" for line in lines[:_MOST_REMOVED]] or ["• nothing was left to remove"]
    rest = [f"• and {more} more, in the thread"] if more > 0 else []
    return "\n".join([f"✅ Kept databases of run {run.plan.cleans} removed", *removed, *rest])
