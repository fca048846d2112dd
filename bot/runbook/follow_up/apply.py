"""``apply(follow_up, event)``: what a follow-up is after one more event."""

from dataclasses import replace

from bot.runbook.follow_up import events as e
from bot.runbook.follow_up.follow_up import FollowUp, Stage
from bot.runbook.follow_up.queries import slow


def begin(follow_up_id: str, event: e.FollowUpBegan) -> FollowUp:
    """A follow-up as it begins; statements that are slow already are no news."""
    known = slow(event.counts.statements) if event.counts else ()
    return FollowUp(
        id=follow_up_id,
        run=event.run,
        plan=event.plan,
        asked=event.asked,
        version=1,
        stage=Stage.WATCHING,
        completed_at=event.completed_at,
        since=event.at,
        yardstick=event.yardstick,
        before=event.before,
        counts=event.counts,
        looked_at=event.at,
        slow=frozenset(each.id for each in known),
    )


def apply(f: FollowUp, event: e.Event) -> FollowUp:
    """The follow-up after ``event``."""
    return replace(_applied(f, event), version=f.version + 1)


def _applied(f: FollowUp, event: e.Event) -> FollowUp:
    match event:
        case e.FollowUpBegan():
            raise ValueError("A follow-up begins once.")
        case e.LookTaken(sample=sample, at=at):
            return replace(f, samples=(*f.samples, sample), looked_at=at)
        case e.LookSkipped(at=at):
            return replace(f, looked_at=at)
        case e.TrendRaised(trend=trend, reason=reason):
            return replace(f, raised=f.raised | {trend}, anomalies=(*f.anomalies, f"{trend}, {reason}"))
        case e.TrendCalmed(trend=trend):
            return replace(f, raised=f.raised - {trend})
        case e.SlowSeen(statements=found):
            said = tuple(f"slow statement, {each.mean_ms:.0f} ms: {each.text}" for each in found)
            return replace(f, slow=f.slow | {each.id for each in found}, anomalies=(*f.anomalies, *said))
        case e.DayEnded():
            return replace(f, day_over=True)
        case e.ReviewPosted(review=review, at=at):
            return replace(f, stage=Stage.REVIEWING, review=review, since=at, nudged_at=at)
    return _ended(f, event)


def _ended(f: FollowUp, event: e.Event) -> FollowUp:
    """What people said, and how it ended."""
    match event:
        case e.TicketsAnswered(said=said):
            return replace(f, tickets=said)
        case e.AnomaliesNoted(said=said):
            return replace(f, note=said)
        case e.FollowUpNudged(at=at):
            return replace(f, nudges=f.nudges + 1, nudged_at=at)
        case e.FollowUpClosed(reason=reason, at=at):
            return replace(f, stage=Stage.CLOSED, reason=reason, since=at, ended_at=at)
        case e.FollowUpOvertaken(by=by, at=at):
            why = f"overtaken by run {by}"
            return replace(f, stage=Stage.OVERTAKEN, reason=why, since=at, ended_at=at)
    raise ValueError(f"{type(event).__name__} is no event of a follow-up.")
