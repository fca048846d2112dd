"""``decide(follow_up, intent, now) -> events``: what time, measurements and people make of a follow-up."""

from bot.runbook import authority
from bot.runbook import refusals as r
from bot.runbook.follow_up import events as e
from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.apply import apply
from bot.runbook.follow_up.follow_up import FollowUp, Said, Stage, new_slow
from bot.runbook.follow_up.review import review
from bot.runbook.follow_up.timers import MOST_NUDGES, Due, FollowTimer, follow_timers
from bot.runbook.follow_up.trends import calmed, findings, worse
from bot.runbook.people import Person
from bot.runbook.wording import one_line

Events = tuple[e.Event, ...]
_LONGEST = 500  # characters of what people say


def decide(f: FollowUp, intent: i.Intent, now: float) -> Events:
    """What ``intent`` makes happen to the follow-up at ``now``; raises a ``Refusal`` otherwise."""
    if f.final:
        raise r.AlreadyFinal(f"The follow-up of run {f.run} is over.", f"Type /migrate report {f.run} to read it.")
    match intent:
        case i.TakeLook(due=due):
            _require_due(f, FollowTimer.LOOK, due, now)
            return _look(f, intent, now)
        case i.SkipLook(due=due, why=why):
            _require_due(f, FollowTimer.LOOK, due, now)
            return (e.LookSkipped(why=why, at=now),)
        case i.Overtake(by=by):
            return (e.FollowUpOvertaken(by=by, at=now),)
        case i.PostReview(due=due, counts=counts):
            _require_due(f, FollowTimer.REVIEW, due, now)
            return (e.ReviewPosted(review=review(f, counts), at=now),)
        case i.FollowTick(kind=kind, due=due):
            _require_due(f, FollowTimer(kind), due, now)
            return _tick(f, FollowTimer(kind), now)
        case i.AnswerTickets() | i.NoteAnomalies():
            return _said(f, intent, now)


def _require_due(f: FollowUp, kind: FollowTimer, due: float, now: float) -> None:
    if now < due or Due(due=due, kind=kind) not in follow_timers(f):
        raise r.Stale("That moment has passed or was already taken care of.", "Nothing needs to be done.")


def _look(f: FollowUp, intent: i.TakeLook, now: float) -> Events:
    """Said only when something changed: what is worse once, what is calm again once, a slow statement once."""
    samples = (*f.samples, intent.sample)
    found = findings(f.yardstick, samples)
    news = new_slow(f, intent.slow)
    return (
        e.LookTaken(sample=intent.sample, at=now),
        *(e.TrendRaised(trend=each.trend, reason=each.reason, at=now) for each in worse(found, f.raised)),
        *(e.TrendCalmed(trend=each.trend, reason=each.reason, at=now) for each in calmed(found, f.raised)),
        *((e.SlowSeen(statements=news, at=now),) if news else ()),
    )


def _tick(f: FollowUp, kind: FollowTimer, now: float) -> Events:
    if kind is FollowTimer.DAY:
        return (e.DayEnded(at=now),)
    if kind is FollowTimer.NUDGE and f.nudges >= MOST_NUDGES:
        return (e.FollowUpClosed(reason="nobody answered what the review asked", at=now, answered=False),)
    if kind is FollowTimer.NUDGE:
        return (e.FollowUpNudged(at=now),)
    return ()  # a look and a review come with what was measured


def _said(f: FollowUp, intent: i.AnswerTickets | i.NoteAnomalies, now: float) -> Events:
    may_answer(f, intent.person)
    if f.stage is not Stage.REVIEWING:
        raise r.NotNow("The review is not posted yet.", "It comes 48 hours after the migration, by itself.")
    said = _words_of(intent, now)
    event = e.TicketsAnswered(said=said) if isinstance(intent, i.AnswerTickets) else e.AnomaliesNoted(said=said)
    return (event, *_closes(apply(f, event), now))


def _words_of(intent: i.AnswerTickets | i.NoteAnomalies, now: float) -> Said:
    note = one_line(intent.note, _LONGEST)
    spike = isinstance(intent, i.AnswerTickets) and intent.spike
    if not note and (spike or isinstance(intent, i.NoteAnomalies)):
        raise r.ReasonNeeded("That is recorded with a few words.", "Say what people reported, or what was found.")
    return Said(person=intent.person.id, name=intent.person.name, at=now, note=note, spike=spike)


def _closes(f: FollowUp, now: float) -> Events:
    """All five boxes are ticked: the comparisons by the bot, the rest by people."""
    if f.tickets is None or f.wants_note:
        return ()
    return (e.FollowUpClosed(reason="the 48-hour review is done", at=now),)


def may_answer(f: FollowUp, person: Person) -> None:
    """Those who are asked, whoever steers the target's migrations, and who started this one."""
    authority.member(person)
    policy = f.plan.policy
    named = policy.owners | policy.approvers | policy.on_call | frozenset(f.asked) | {f.plan.starter}
    if not person.is_one_of(named):
        raise r.NotAnOwner(
            f"You have no part in the migrations of {f.plan.target}, so nothing was recorded.",
            "Tell one of its owners, or whoever is on call.",
            people=policy.owners or policy.approvers,
        )
