"""Stories of going back, and of what is removed afterwards."""

from collections.abc import Callable
from dataclasses import replace

from bot.runbook import intents as i
from bot.runbook.criteria import Criterion
from bot.runbook.run import Database, Risk
from bot.runbook.rungs import Envelope, Option, Rung
from bot.runbook.steps import Standby
from bot.runbook.timers import TimerKind
from tests.script import ANA, Script, broken, given_to, good, ladder


def _breach(s: Script, **plan: object) -> Script:
    """The services break after the restart, and the way back is asked for at once."""
    made = replace(s.plan, standby=Standby.TEMPLATE, **plan)  # type: ignore[arg-type]
    told = Script(**{**given_to(s), "plan": made, "ladder": ladder(s.words)})  # type: ignore[arg-type]
    return told.until("monitor").sample(good).watch(broken)


def _auto(s: Script) -> Script:
    return _breach(s, auto_rollback=True).ask().end()


def _envelope(s: Script) -> Script:
    return _breach(s, envelope=Envelope(rows=100, minutes=10)).ask().end()


def _outside_the_envelope(s: Script) -> Script:
    return _breach(s, envelope=Envelope(rows=3, minutes=1)).ask()


def _sql_error(s: Script) -> Script:
    s.until("apply").fail(Database.UNTOUCHED, Criterion.SQL_ERROR)
    s.ladder = (Option(rung=Rung.NOTHING, possible=True, seconds=0.0, rows=0), *ladder(s.words)[1:])
    s.rung = Rung.NOTHING
    return s.ask().end()


def _picked(s: Script) -> Script:
    return _breach(s).ask().approve().pick(Rung.RESTORE).end()


def _platform(s: Script) -> Script:
    s = _breach(s).ask().pick(Rung.PLATFORM)
    return s.tick(TimerKind.NUDGE).say(i.Close(person=ANA, note=s.words)).end()


def _deadline(s: Script) -> Script:
    s = Script(**{**given_to(s), "plan": replace(s.plan, rollback_deadline=2400.0)}).until("monitor")  # type: ignore[arg-type]
    return s.tick(TimerKind.DEADLINE).tick(TimerKind.DEADLINE)


def _standby(s: Script) -> Script:
    return Script(**{**given_to(s), "plan": replace(s.plan, standby=Standby.RESTORE)}).end()  # type: ignore[arg-type]


def _worse_after_going_back(s: Script) -> Script:
    return _breach(s).until("watch_back").watch(broken)


def _cleanup(s: Script) -> Script:
    made = replace(
        s.plan, cleans="run-5c21", name="Clean up after run-5c21", migrations=(), downtime=False, downtime_minutes=0,
        total_minutes=10, risk=Risk.LOW,
    )  # fmt: skip
    return Script(**{**given_to(s), "plan": made}).ask()  # type: ignore[arg-type]


def _cleaned(s: Script) -> Script:
    s = _cleanup(s).start_step().fail()
    return s.tick(TimerKind.NUDGE).say(i.Retry(person=ANA)).tick(TimerKind.STATUS).end()


STORIES: dict[str, Callable[[Script], Script]] = {
    "breach": lambda s: _breach(s).ask().tick(TimerKind.STATUS).end(),
    "auto": _auto,
    "envelope": _envelope,
    "outside the envelope": _outside_the_envelope,
    "sql error": _sql_error,
    "rung picked": _picked,
    "platform picked": _platform,
    "deadline": _deadline,
    "standby": _standby,
    "worse after going back": _worse_after_going_back,
    "cleanup": _cleaned,
    "cleanup declined": lambda s: _cleanup(s).reject().end(),
}
