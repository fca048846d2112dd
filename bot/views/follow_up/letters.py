"""Which event after a run makes which message.  Pure, so a replay makes the same letters with the same keys.

The review is ``<follow-up>:review``; everything else is named by the version it belongs to.  What calls for people is
in the channel, the rest in the thread of the run's card.
"""

from collections.abc import Sequence

from bot.ports import Letter
from bot.runbook.follow_up import events as e
from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.follow_up.queries import Counted
from bot.runbook.wording import counted
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.follow_up.review import review_message
from bot.views.letters import card_key_of
from bot.views.text import mention, said

Letters = tuple[Letter, ...]


def review_key(f: FollowUp) -> str:
    """The key of the review's message."""
    return f"{f.id}:review"


def follow_up_letters(after: FollowUp, event: e.Event) -> Letters:
    """The messages that ``event`` calls for, in order; none for a look that found nothing new."""
    match event:
        case e.TrendRaised(trend=trend, reason=reason):
            return (_in_channel(after, f"{Glyph.ATTENTION} {_called(after)} {_since(after)}: {trend}, {said(reason)}"),)
        case e.SlowSeen(statements=found):
            return (_slow(after, found),)
        case e.TrendCalmed(trend=trend, reason=reason):
            return (_in_thread(after, f"{Glyph.DONE} The {trend} is calm again: {said(reason)}."),)
        case e.DayEnded():
            return (_in_thread(after, _day(after)),)
        case e.ReviewPosted():
            return (_letter(after, review_key(after), review_message(after)),)
        case e.FollowUpNudged():
            words = f"{Glyph.ATTENTION} {_called(after)} The 48-hour review still waits for an answer."
            return (_in_thread(after, words, below=review_key(after)),)
        case e.FollowUpClosed(reason=reason, answered=answered):
            sign = Glyph.DONE if answered else Glyph.ATTENTION
            words = f"{sign} The follow-up is closed: {said(reason)}. `/migrate report {said(after.run, 60)}` has it."
            return (_in_thread(after, words, below=review_key(after)),)
        case e.FollowUpOvertaken(by=by):
            words = f"{Glyph.INFO} The watching ends here: run {said(by, 60)} has changed the database since."
            return (_in_thread(after, words),)
    return ()


def follow_up_redraws(after: FollowUp) -> tuple[tuple[str, b.Payload], ...]:
    """The review shows what has been answered."""
    return ((review_key(after), review_message(after)),) if after.review else ()


def _called(f: FollowUp) -> str:
    policy = f.plan.policy
    return mention(policy.owners | policy.on_call or policy.approvers)


def _since(f: FollowUp) -> str:
    return f"Since the migration “{said(f.plan.name, 75)}” of {said(f.plan.target, 80)} (run {said(f.run, 60)})"


def _slow(f: FollowUp, found: Sequence[Counted]) -> Letter:
    head = f"{Glyph.ATTENTION} {_called(f)} {_since(f)}: {counted(len(found), 'statement')} became slow"
    lines = [f"{each.mean_ms:8.0f} ms on average, {each.calls} calls: {each.text}" for each in found]
    text = "\n".join([head, *(said(each, 300) for each in lines[:5])])
    return _letter(f, f"{f.id}:{f.version}", b.payload(text, [b.section(head), b.code(lines), _what_then(f)]))


def _what_then(f: FollowUp) -> b.Block:
    return b.context(f"`/migrate rollback {said(f.run, 60)}` says what can still be done about it.")


def _day(f: FollowUp) -> str:
    looks = counted(len(f.samples), "look")
    if not f.anomalies:
        return f"{Glyph.DONE} The 24 hours of extended monitoring are over: {looks}, nothing got worse."
    found = said("; ".join(f.anomalies), 800)
    return f"{Glyph.ATTENTION} The 24 hours of extended monitoring are over: {looks}; what was raised: {found}"


def _in_channel(f: FollowUp, words: str) -> Letter:
    return _letter(f, f"{f.id}:{f.version}", b.payload(words, [b.section(words), _what_then(f)]))


def _in_thread(f: FollowUp, words: str, below: str = "") -> Letter:
    made = b.payload(words, [b.section(words)])
    return _letter(f, f"{f.id}:{f.version}", made, thread=below or card_key_of(f.run))


def _letter(f: FollowUp, key: str, made: b.Payload, *, thread: str = "") -> Letter:
    return Letter(key=key, run_id=f.id, channel=f.plan.channel, payload=made, thread=thread)
