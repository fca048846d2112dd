"""Runs in which something is done beside the steps: fixes are taken, people try things, statistics are missing."""

import json
from collections.abc import Callable
from dataclasses import replace

from bot.runbook import intents as i
from bot.runbook.criteria import Criterion
from bot.runbook.fixes import Fix
from bot.runbook.manual import ManualCheck
from bot.runbook.run import Database
from bot.runbook.timers import TimerKind
from bot.runbook.upkeep import FACT
from tests.script import ANA, BEN, EVA, Script, given_to, slow


def _with_checks(s: Script) -> Script:
    """People are asked to try two things, in words as hostile as everything else."""
    checks = (
        ManualCheck(name="print", ask=f"Print a case. {s.words}"[:600], people=frozenset({BEN.id, "S0DESK"})),
        ManualCheck(name=f"log in {s.words[:40]}", ask="Log in as a clerk.", people=frozenset({ANA.id})),
    )
    return Script(**{**given_to(s), "plan": replace(s.plan, manual=checks)})  # type: ignore[arg-type]


def failed_with(s: Script, *fixes: Fix, criterion: Criterion | None = None) -> Script:
    if s.run.claim is None:
        s.start_step()
    assert s.run.claim is not None
    failed = i.Fail(
        claim=s.run.claim,
        problem=s.words,
        advice=s.words,
        database=Database.UNTOUCHED,
        criterion=criterion,
        fixes=fixes,
    )
    return s.say(failed)


def _mended(s: Script) -> Script:
    failed_with(s.until("apply"), Fix.LONGER, Fix.VALIDATE_LATER).say(i.Retry(person=EVA, fix=Fix.LONGER))
    failed_with(s, Fix.WHEN_FREE).say(i.Retry(person=EVA, fix=Fix.WHEN_FREE))
    return s.end()


def _mended_after_all(s: Script) -> Script:
    """The way back that the failure opened is declined, and the proposal taken."""
    failed_with(s.until("apply"), Fix.VALIDATE_LATER, criterion=Criterion.SQL_ERROR)
    return s.ask().reject().say(i.Retry(person=EVA, fix=Fix.VALIDATE_LATER)).end()


def restarted(s: Script) -> Script:
    s.until("monitor").watch(lambda at: replace(slow(at), healthy=(), unhealthy=("web",), p95_ms=None))
    if s.run.route != "forward":
        s.ask().reject()
        s.say(i.Resume(person=EVA)).watch(slow)
    return s.say(i.Retry(person=EVA, fix=Fix.RESTART)).end()


def _answer(s: Script, number: int, *, works: bool) -> Script:
    check = s.run.plan.manual[number].name
    return s.say(i.AnswerCheck(person=ANA, check=check, works=works, note="" if works else s.words))


def _tried(s: Script) -> Script:
    s = _with_checks(s)
    _answer(_answer(s, 0, works=True), 1, works=False)
    s.until("monitor").tick(TimerKind.STATUS)
    return _answer(_answer(s, 0, works=True), 1, works=True).tick(TimerKind.STATUS).end()


def _tried_and_broken(s: Script) -> Script:
    s = _with_checks(s).until("monitor")
    return _answer(_answer(s, 1, works=True), 0, works=False).ask().end()


def _without_statistics(s: Script) -> Script:
    s.until("verify").start_step()
    assert s.run.claim is not None
    tables = json.dumps(["public.cases", f'public."{s.words[:60]}"'])
    s.say(i.Finish(claim=s.run.claim, evidence=s.evidence, facts=((FACT, tables),)))
    s.say(i.AskAnalyze(person=EVA)).say(i.Analyzed(lines=(s.words, "ANALYZE public.cases: 0.2 s")))
    return s.until("monitor").say(i.NoteDatabase(lines=(s.words,))).end()


STORIES: dict[str, Callable[[Script], Script]] = {
    "mended": _mended,
    "mended after all": _mended_after_all,
    "restarted": restarted,
    "tried by hand": _tried,
    "tried and broken": _tried_and_broken,
    "without statistics": _without_statistics,
}
