"""Which messages an event makes out of date, by key, and how they look now."""

from collections.abc import Iterator

from bot.runbook import events as e
from bot.runbook.criteria import Criterion
from bot.runbook.run import Run, State
from bot.runbook.tried import asked_now
from bot.runbook.upkeep import without_statistics
from bot.views import blocks as b
from bot.views import handover
from bot.views.blocked import blocked, unblocked
from bot.views.card import card
from bot.views.exercise import marked
from bot.views.letters import blocker_key, card_key, question_key, waiting_key
from bot.views.manual import check_asked, check_key
from bot.views.question import answered, question
from bot.views.upkeep import analyze_key, analyze_offered
from bot.views.waiting import settled

Redraw = tuple[str, b.Payload]
_WAITING = (State.STUCK, State.HELD, State.HANDED_OVER)


def redraws(
    before: Run | None,
    after: Run,
    event: e.Event,
    *,
    head: str = "",
    progress: str = "",
    worst: str = "",
) -> tuple[Redraw, ...]:
    """The card always; a question, a blocker and a what-now message when the event touched them.

    A blocker's message is also named by the very event that posts it, because a session may come back
    within one attempt: its letter is then known already, and drawing it again is what shows it.
    """
    if before is None:
        return ()
    drawn = (
        (card_key(after), card(after, _moment(event, after), progress=progress, head=head)),
        *_questions(before, after, event, worst=worst),
        *_blockers(before, after),
        *_settled(before, after),
        *_handing_over(before, after),
        *_tried(before, after),
        *_analyzing(before, after),
    )
    return tuple((key, marked(after, made)) for key, made in drawn)


def _moment(event: e.Event, run: Run) -> float:
    """When the event happened."""
    at: float | None = getattr(event, "at", None)
    for part in ("approval", "hold"):
        at = at or getattr(getattr(event, part, None), "at", None)
    return at or run.since


def _questions(before: Run, after: Run, event: e.Event, *, worst: str) -> Iterator[Redraw]:
    if before.question is None or after.question == before.question:
        return
    key = question_key(before, before.question.number)
    if after.question is None or after.question.number != before.question.number:
        yield key, answered(before, event)
    else:
        yield key, question(after, worst=worst)


def _blockers(before: Run, after: Run) -> Iterator[Redraw]:
    now = {each.digest: each for each in after.blockers}
    for blocker in before.blockers:
        if blocker.digest not in now:
            yield blocker_key(before, before.claim, blocker), unblocked(blocker)
    for blocker in after.blockers:
        if blocker not in before.blockers:
            yield blocker_key(after, after.claim, blocker), blocked(after, blocker)


def _settled(before: Run, after: Run) -> Iterator[Redraw]:
    if before.state is State.STUCK and _by_criterion(before):
        return  # nobody was asked what now
    if _waits(before) and not (_waits(after) and waiting_key(after) == waiting_key(before)):
        yield waiting_key(before), settled(before, after)


def _by_criterion(run: Run) -> bool:
    """Has the failure itself opened the way back, because a criterion is met?"""
    problem = run.trouble.problem if run.trouble else ""
    return any(run.rollback_wanted == f"{each}: {problem}" for each in Criterion)


def _handing_over(before: Run, after: Run) -> Iterator[Redraw]:
    """An offer that was taken, replaced by another, or outlived by its run."""
    offer = before.offered
    if offer is not None and (after.offered != offer or after.final):
        yield handover.handover_key(before, offer), handover.settled(after, offer)


def _tried(before: Run, after: Run) -> Iterator[Redraw]:
    """What people said of what they tried; and when it is no longer asked for, its buttons go."""
    moment = asked_now(before)
    if moment is None or (asked_now(after) is moment and after.answers == before.answers):
        return
    for number, check in enumerate(before.plan.manual):
        yield check_key(before, moment, number), check_asked(after, check, moment)


def _analyzing(before: Run, after: Run) -> Iterator[Redraw]:
    """The offer of statistics, once it is taken, done, or too late."""
    over = after.final and not before.final
    if without_statistics(before) and (
        over or (before.analyzing, before.analyzed) != (after.analyzing, after.analyzed)
    ):
        yield analyze_key(before), analyze_offered(after)


def _waits(run: Run) -> bool:
    """Does the run still wait for the people it asked?  An answer moves ``since`` past the last time of asking."""
    return run.state in _WAITING and run.nudged_at >= run.since
