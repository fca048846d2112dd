"""Runs told as scripts: real decisions and events of the core, for whoever needs a run in some state."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.runbook import intents as i
from bot.runbook.run import Database
from bot.runbook.timers import TimerKind
from tests import scripted_back, scripted_beside
from tests.script import (
    ANA,
    BEN,
    EVA,
    EVIDENCE,
    LINES,
    PLAN,
    POLICY,
    T0,
    Page,
    Script,
    broken,
    given_to,
    good,
    ladder,
    slow,
)

__all__ = [
    "ANA", "BEN", "EVA", "EVIDENCE", "LINES", "PLAN", "POLICY", "STORIES", "T0", "Page", "Script", "broken", "good",
    "ladder", "scripts", "slow",
]  # fmt: skip


def scripts(**given: object) -> Iterator[tuple[str, Script]]:
    """Every way a run can go that people see, by name."""
    for name, tell in STORIES.items():
        yield name, tell(Script(**given))  # type: ignore[arg-type]


def _happy(s: Script) -> Script:
    return s.tick(TimerKind.STATUS).end()


def _zero_downtime(s: Script) -> Script:
    return Script(**{**given_to(s), "plan": replace(s.plan, downtime=False)}).end()


def _high_risk(s: Script) -> Script:
    return Script(**{**given_to(s), "plan": replace(s.plan, risk="high")}).until("apply").ask()


def _declined(s: Script) -> Script:
    return s.until("backup").ask().approve().reject(BEN).end()


def _reminded(s: Script) -> Script:
    s.until("backup").ask().approve()
    for _ in range(3):
        s.tick(TimerKind.REMIND)
    return s.tick(TimerKind.STATUS).tick(TimerKind.EXPIRE).ask(diff=("file: 1a → 2b", s.words))


def _failing(s: Script) -> Script:
    s.until("apply").fail(Database.UNTOUCHED).tick(TimerKind.NUDGE).say(i.Retry(person=ANA))
    s.fail(Database.UNTOUCHED).say(i.Abort(person=ANA, reason=s.words))
    return s.end()


def _held(s: Script) -> Script:
    s.until("backup").start_step().say(i.PullCord(person=ANA, reason=s.words)).finish_step()
    s.tick(TimerKind.NUDGE).tick(TimerKind.STATUS).say(i.Resume(person=EVA)).ask()
    return s.say(i.PullCord(person=BEN, reason=s.words)).say(i.Resume(person=EVA)).end()


def _handed_over(s: Script) -> Script:
    s.until("verify").fail(Database.CHANGED).say(i.TakeOver(person=ANA, note=s.words))
    return s.tick(TimerKind.NUDGE).say(i.Close(person=ANA, note=s.words)).end()


def _withdrawn(s: Script) -> Script:
    s.until("stop_services").ask().approve().say(i.TakeOver(person=ANA, note=s.words)).say(i.Resume(person=ANA))
    return s.ask().say(i.Abort(person=ANA, reason=s.words)).end()


def _blocked(s: Script) -> Script:
    s.until("apply").blocked(query=f"SELECT {s.words}")
    first, second = s.run.blockers
    s.say(i.KeepWaiting(person=BEN, digest=second.digest))
    for person in s.approvers[: s.plan.policy.quorum]:
        s.say(i.ApproveCancel(person=person, digest=first.digest))
    assert s.run.claim is not None
    s.say(i.SeeBlockers(claim=s.run.claim, blockers=(second,))).tick(TimerKind.STATUS)
    return s.say(i.SeeBlockers(claim=s.run.claim, blockers=())).end()


def _rollback(s: Script) -> Script:
    s.until("verify").fail(Database.CHANGED).say(i.RollBack(person=ANA, reason=s.words))
    return s.tick(TimerKind.STATUS).end()


def _rollback_declined(s: Script) -> Script:
    return s.until("stop_services").say(i.RollBack(person=ANA, reason=s.words)).ask().reject()


def _rollback_while_running(s: Script) -> Script:
    return s.until("apply").start_step().say(i.RollBack(person=ANA, reason=s.words)).finish_step().fail()


def _alert(s: Script) -> Script:
    s.until("monitor").sample(slow).sample(good).tick(TimerKind.STATUS)
    return s.watch(broken)


def _no_longer_describable(s: Script) -> Script:
    s.until("apply")
    return s.say(i.CannotAsk(number=s.run.asked + 1, problem=s.words, advice=s.words, reference="ref-1"))


STORIES: dict[str, Callable[[Script], Script]] = {
    "happy": _happy,
    "zero downtime": _zero_downtime,
    "high risk": _high_risk,
    "declined": _declined,
    "reminded": _reminded,
    "failing": _failing,
    "held": _held,
    "handed over": _handed_over,
    "withdrawn": _withdrawn,
    "blocked": _blocked,
    "rollback": _rollback,
    "rollback declined": _rollback_declined,
    "rollback while running": _rollback_while_running,
    "alert": _alert,
    "cannot describe": _no_longer_describable,
    **scripted_back.STORIES,
    **scripted_beside.STORIES,
}
