"""``decide(preparation, intent, now) -> events``: what workers, the clock and a press of Start make of a plan.

What people may ask besides is judged in ``decide_people``.
"""

from dataclasses import replace

from bot.runbook import refusals as r
from bot.runbook.preparation import decide_people as people
from bot.runbook.preparation import events as e
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.checklist import Item, Proof
from bot.runbook.preparation.fall_back import Events, with_fallen
from bot.runbook.preparation.gate import missing, outside_window, without_go
from bot.runbook.preparation.preparation import Moment, Preparation, Stage
from bot.runbook.preparation.timers import Due, PlanTimer, plan_timers
from bot.runbook.wording import duration

LONGEST_LOOK = 300.0  # seconds that the last look before the start may take


def decide(p: Preparation, intent: i.Intent, now: float) -> Events:
    """What ``intent`` makes happen to the plan at ``now``; raises a ``Refusal`` otherwise."""
    if p.final:
        words = f"This plan has become run {p.run}." if p.run else "This plan was cancelled."
        raise r.AlreadyFinal(words, "Type /migrate plan to make another.")
    match intent:
        case i.ProofsFound():
            return _proofs_found(p, intent, now)
        case i.DrillBegins():
            return _drill_begins(p, now)
        case i.DrillEnds():
            return _drill_ends(p, intent, now)
        case i.PlanTick():
            return _tick(p, intent, now)
        case i.AskStart():
            return ask_start(p, intent, now)
        case i.AskDrill():
            people.may_steer(p, intent.person)
            _no_drill_under_way(p, now)
            return (e.DrillAsked(person=intent.person.id, name=intent.person.name, at=now),)
        case _:
            return with_fallen(p, people.decide(p, intent, now), now)


def ask_start(p: Preparation, intent: i.AskStart, now: float) -> Events:
    """Everything is looked at once more before it begins; what is known to be missing is refused at once."""
    people.may_steer(p, intent.person)
    if p.stage is Stage.STARTING:
        raise r.Stale("It is starting already.", "Nothing needs to be done.")
    if p.stage is Stage.MISSED:
        raise r.NotReady(
            f"This plan was not started in its window: {p.reason}.",
            "Press Postpone and give it a new window; what is shown to be true stays.",
            missing(p),
        )
    asked = replace(p, starter=intent.person.id)
    gaps = tuple(each for each in (*missing(asked), outside_window(p, now)) if each)
    if gaps:
        raise r.NotReady("The migration cannot start: not everything is ready.", _NEXT, gaps)
    return (e.StartAsked(person=intent.person.id, name=intent.person.name, at=now),)


_NEXT = "Open the checklist with /migrate checklist; it says who can do what."


def _proofs_found(p: Preparation, intent: i.ProofsFound, now: float) -> Events:
    if intent.starts and p.stage is not Stage.STARTING:
        raise r.Stale("This start is no longer waited for.", "Nothing needs to be done.")
    if intent.names and intent.names != (*p.draft.plan.migrations, *p.draft.plan.down):
        raise r.Stale("Other files were chosen since the bot looked.", "It looks again.")
    files = intent.files or p.files  # what cannot be read for a moment has not changed; its proof says so
    proofs = tuple(replace(each, basis=each.basis or _basis(p, files, each.item)) for each in intent.proofs)
    told = {each.item: each for each in p.proofs}
    news = tuple(each for each in proofs if not _same(told.get(each.item), each))
    risk = None if (intent.risk, files) == (p.risk, p.risk_files) else intent.risk
    proved = e.Proved(files=files, proofs=news, at=now, risk=risk if intent.files else None, changed=intent.changed)
    return with_fallen(p, (proved,), now)


def _basis(p: Preparation, files: str, item: Item) -> str:
    return replace(p, files=files).basis_of(item)


def _same(before: Proof | None, now: Proof) -> bool:
    """The ledger keeps what is new, not that it was looked at once more."""
    return before is not None and (before.ok, before.findings, before.basis) == (now.ok, now.findings, now.basis)


def settle_start(p: Preparation, run: str, now: float) -> Events:
    """After the last look: the run begins, or what is missing is said.  ``p`` is the plan as just looked at."""
    if p.stage is not Stage.STARTING:
        raise r.Stale("This start is no longer waited for.", "Nothing needs to be done.")
    gaps = tuple(each for each in (*missing(p), outside_window(p, now)) if each)
    return (e.StartRefused(missing=gaps, at=now),) if gaps else (e.RunBegan(run=run, at=now),)


def _drill_begins(p: Preparation, now: float) -> Events:
    if p.stage is Stage.STARTING:
        raise r.Stale("The migration is being started.", "There is nothing left to rehearse.")
    return (e.DrillBegan(at=now),)


def _drill_ends(p: Preparation, intent: i.DrillEnds, now: float) -> Events:
    return (e.DrillEnded(report=intent.report, at=now, problem=intent.problem, later=intent.later),)


def _no_drill_under_way(p: Preparation, now: float) -> None:
    if p.rehearsing(now):
        raise r.Stale("A rehearsal of this plan is under way.", "Wait for its figures; they come in the plan's thread.")


def _tick(p: Preparation, intent: i.PlanTick, now: float) -> Events:
    if now < intent.due or Due(due=intent.due, kind=intent.kind) not in plan_timers(p):
        raise r.Stale("That moment has passed or was already taken care of.", "Nothing needs to be done.")
    if intent.kind in {each.value for each in Moment}:
        return _moment(p, Moment(intent.kind), max(0.0, now - intent.due), now)
    match PlanTimer(intent.kind):
        case PlanTimer.NUDGE:
            return (e.PlanNudged(at=now),)
        case PlanTimer.END:
            return (e.PlanMissed(missing=missing(p) or ("nobody pressed Start inside the window",), at=now),)
        case PlanTimer.KICK if now - p.since > LONGEST_LOOK:
            why = f"The last look did not end in {duration(LONGEST_LOOK)}; see the bot's logs, then press Start again"
            return (e.StartRefused(missing=(why,), at=now),)
        case _:  # prove, kick: the planner queues the job
            return ()


def _moment(p: Preparation, moment: Moment, late: float, now: float) -> Events:
    """A moment that comes after T-0 is skipped, and that is said; before it, late is better than never."""
    window = p.draft.window
    if moment is Moment.START:
        came = e.MomentCame(moment=moment, at=now, late=late)
        gone = without_go(p)
        return (came, e.PlanMissed(missing=missing(p), at=now)) if gone else (came,)
    if now >= window.start:
        return (e.MomentCame(moment=moment, at=now, late=late, skipped="the window had begun already"),)
    came = e.MomentCame(moment=moment, at=now, late=late)
    time_enough = now <= p.due(Moment.GO_NO_GO)
    wanted = p.draft.rehearse and time_enough and not p.rehearsing(now) and p.fresh_drill() is None
    if moment is Moment.FINAL_CHECK and wanted:
        return (came, e.DrillAsked(person="", name="the bot", at=now))
    return (came,)
