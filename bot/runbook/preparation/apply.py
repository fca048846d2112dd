"""``apply(preparation, event)``: what a plan is after one more event."""

from dataclasses import replace

from bot.runbook.preparation import events as e
from bot.runbook.preparation.checklist import Waiver
from bot.runbook.preparation.preparation import Draft, Moment, Preparation, Stage


def begin(plan_id: str, event: e.Planned) -> Preparation:
    """A plan as it begins."""
    return Preparation(
        id=plan_id,
        draft=event.draft,
        version=1,
        stage=Stage.OPEN,
        created_at=event.at,
        since=event.at,
        author=event.author,
        author_name=event.author_name,
        writers=frozenset({event.author}),
        nudged_at=event.at,
    )


def apply(p: Preparation, event: e.Event) -> Preparation:
    """The plan after ``event``."""
    return replace(_applied(p, event), version=p.version + 1)


def _applied(p: Preparation, event: e.Event) -> Preparation:
    match event:
        case e.Planned():
            raise ValueError("A plan begins once.")
        case e.Edited():
            return _edited(p, event)
        case e.Postponed():
            return _postponed(p, event)
        case e.PlanCancelled(at=at, reason=reason):
            return replace(_enter(p, Stage.CANCELLED, at), reason=reason, ended_at=at)
        case e.Proved():
            return _proved(p, event)
        case e.StartAsked() | e.StartRefused() | e.RunBegan() | e.PlanMissed() | e.PlanNudged() | e.MomentCame():
            return _timed(p, event)
        case e.DrillAsked() | e.FellBack():
            return p
        case e.DrillBegan(at=at):
            return replace(p, drilling=at)
        case e.DrillEnded(report=report, problem=problem, later=later):
            impossible = "" if report or later else problem
            return replace(p, drilling=None, drill=report or p.drill, no_drill=impossible)
    return _by_people(p, event)


def _by_people(p: Preparation, event: e.Event) -> Preparation:
    match event:
        case e.Ticked(ticks=ticks):
            items = {each.item for each in ticks}
            return replace(p, ticks=(*(each for each in p.ticks if each.item not in items), *ticks))
        case e.Unticked(item=item):
            waivers = tuple(each for each in p.waivers if each.item is not item)
            return replace(p, ticks=tuple(each for each in p.ticks if each.item is not item), waivers=waivers)
        case e.WaiverAsked(waiver=waiver):
            return replace(p, waivers=(*(each for each in p.waivers if each.item is not waiver.item), waiver))
        case e.WaiverAgreed():
            return replace(p, waivers=tuple(_seconded(each, event) for each in p.waivers))
        case e.SqlShown(person=person, files=files):
            return replace(p, readers=tuple(dict.fromkeys((*p.readers, (person, files)))))
        case e.Answered(answer=answer):
            kept = tuple(each for each in p.answers if each.person != answer.person)
            return replace(p, answers=(*kept, answer))
    raise ValueError(f"{type(event).__name__} is no event of a plan.")


def _seconded(waiver: Waiver, event: e.WaiverAgreed) -> Waiver:
    if waiver.item is not event.item:
        return waiver
    return replace(waiver, second=event.person, second_name=event.name, second_at=event.at)


def _timed(p: Preparation, event: e.Event) -> Preparation:
    """Where the plan stands in time."""
    match event:
        case e.StartAsked(person=person, name=name, at=at):
            return replace(_enter(p, Stage.STARTING, at), starter=person, starter_name=name)
        case e.StartRefused(at=at):
            return replace(_enter(p, Stage.OPEN, at), starter="", starter_name="")
        case e.RunBegan(run=run, at=at):
            return replace(_enter(p, Stage.STARTED, at), run=run, ended_at=at)
        case e.PlanMissed(at=at, missing=missing):
            return replace(_enter(p, Stage.MISSED, at), nudged_at=at, reason="; ".join(missing[:5]))
        case e.PlanNudged(at=at):
            return replace(p, nudged_at=at)
        case e.MomentCame(moment=moment, at=at, skipped=skipped):
            told = at if moment is Moment.ANNOUNCE and not skipped else p.announced_at
            return replace(p, came=(*p.came, moment), announced_at=told)
    raise ValueError(f"{type(event).__name__} is no event of a plan.")


def _enter(p: Preparation, stage: Stage, at: float) -> Preparation:
    return replace(p, stage=stage, since=at)


def _proved(p: Preparation, event: e.Proved) -> Preparation:
    """The newest look at each item; what an older one found stays only where this one said nothing of it."""
    items = {each.item for each in event.proofs}
    kept = tuple(each for each in p.proofs if each.item not in items)
    judged = replace(p, risk=event.risk, risk_files=event.files) if event.risk else p
    return replace(judged, files=event.files, proofs=(*kept, *event.proofs), proved_at=event.at)


def _edited(p: Preparation, event: e.Edited) -> Preparation:
    """Other files have to be read before anything can be said of them; whoever chose them does not review them."""
    if _same_files(p.draft, event.draft):
        return replace(p, draft=event.draft)
    return replace(p, draft=event.draft, files="", writers=p.writers | {event.person})


def _postponed(p: Preparation, event: e.Postponed) -> Preparation:
    """Another start is announced anew; another end alone is not."""
    same_start = p.draft.window.start == event.window.start
    moved = replace(p, draft=replace(p.draft, window=event.window))
    if not same_start:
        moved = replace(moved, came=(), announced_at=None)
    return replace(_enter(moved, Stage.OPEN, event.at), reason="")


def _same_files(before: Draft, after: Draft) -> bool:
    return (before.plan.migrations, before.plan.down) == (after.plan.migrations, after.plan.down)
