"""What follows a run: its moments, what people say, and how it ends."""

import typing

import pytest

from bot.runbook import refusals as r
from bot.runbook.codec import decode_follow_up, encode
from bot.runbook.follow_up import events as e
from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.apply import apply, begin
from bot.runbook.follow_up.follow_up import STAGES, Stage
from bot.runbook.follow_up.queries import Counts, between, slow
from bot.runbook.follow_up.timers import MOST_NUDGES, FollowTimer, follow_timers
from bot.runbook.people import Person, Timing
from tests.kit import ALEX, LEE
from tests.runbook.follow_up.watched import DAY, T0, Tale, counts, sample

ON_CALL = Person(id="U4", name="Sam")


def reviewed(*, raised: bool = False) -> Tale:
    """48 hours later."""
    tale = Tale()
    for _ in range(8):
        tale.look(sample(0, p95=900.0 if raised else 210.0))
    tale.tick(FollowTimer.DAY)
    tale.review()
    return tale


def test_it_looks_every_five_minutes_for_a_day_then_seldom_until_the_review() -> None:
    """The runbook's 24 and 48 hours; a demo's time runs through them as through everything."""
    tale = Tale()
    assert T0 + 300 == tale.due(FollowTimer.LOOK)
    assert T0 + DAY == next(each.due for each in follow_timers(tale.state) if each.kind is FollowTimer.DAY)
    tale.tick(FollowTimer.DAY)
    tale.look(sample(0))
    assert tale.state.looked_at + 1800 == tale.due(FollowTimer.LOOK)
    assert T0 + 2 * DAY == tale.state.review_due
    assert (5.0, 1440.0) == (Timing().faster(60).follow_every, Timing().faster(60).follow_for)


def test_a_slot_is_taken_care_of_once_and_never_early() -> None:
    """Two clocks fire the same look: the second is late."""
    tale = Tale()
    with pytest.raises(r.Stale):
        tale.say(i.TakeLook(due=T0 + 300, sample=sample(0)))
    due = tale.due(FollowTimer.LOOK)
    tale.say(i.TakeLook(due=due, sample=sample(0)))
    with pytest.raises(r.Stale):
        tale.say(i.TakeLook(due=due, sample=sample(0)))


def test_the_review_compares_before_and_after() -> None:
    """Error rate, response times and what the statements cost, each with both figures."""
    tale = Tale(counted=counts(T0, a=(1000, 10.0), b=(500, 4.0)))
    for _ in range(8):
        tale.look(sample(0, errors=0.003, p95=240.0))
    tale.review(counts(T0 + DAY, a=(2000, 20.0), b=(1000, 4.0)))
    review = tale.state.review
    assert review is not None
    assert "Error rate: 0.2 % before, 0.3 % after (+50 %)" == review.errors.words
    assert "Response time (p95): 210 ms before, 240 ms after (+14 %)" == review.times.words
    assert "Mean time of a statement: 8 ms before, 21.3 ms after (+167 %)" == review.queries.words
    assert [("SELECT a", 10.0, 30.0)] == [(each.text, each.before_ms, each.after_ms) for each in review.slower]
    assert ("SELECT a takes 30 ms, before 10 ms",) == review.anomalies


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (None, counts(T0), "Nothing was counted when the watching began."),
        (Counts(at=T0, known=False, why="No extension."), counts(T0), "No extension."),
        (counts(T0), Counts(at=T0, known=False, why="Gone."), "Gone."),
        (counts(T0), counts(T0, since="just now"), "The server's statistics were reset in between."),
    ],
)
def test_statements_that_cannot_be_compared_say_why(before: Counts | None, after: Counts, why: str) -> None:
    """Never a number that means nothing."""
    tale = Tale(counted=before)
    tale.review(after)
    assert tale.state.review is not None
    assert (why, None) == (tale.state.review.why_no_queries, tale.state.review.queries.after)


def test_no_spike_and_nothing_seen_closes_it() -> None:
    """All five boxes are ticked by that."""
    tale = reviewed()
    made = tale.say(i.AnswerTickets(person=ON_CALL, spike=False))
    assert [e.TicketsAnswered, e.FollowUpClosed] == [type(each) for each in made]
    assert (Stage.CLOSED, frozenset()) == (tale.state.stage, follow_timers(tale.state))
    with pytest.raises(r.AlreadyFinal):
        tale.say(i.AnswerTickets(person=ON_CALL, spike=False))


def test_a_spike_needs_words_and_then_a_note_closes_it() -> None:
    """What people report is recorded, and so is what becomes of it."""
    tale = reviewed()
    with pytest.raises(r.ReasonNeeded):
        tale.say(i.AnswerTickets(person=ON_CALL, spike=True))
    tale.say(i.AnswerTickets(person=ON_CALL, spike=True, note="uploads time out"))
    assert Stage.REVIEWING is tale.state.stage
    tale.say(i.NoteAnomalies(person=ALEX, note="an index is missing, planned as p-2"))
    assert Stage.CLOSED is tale.state.stage


def test_what_was_raised_wants_a_word_before_it_closes() -> None:
    """Runbook: "Document any anomalies"."""
    tale = reviewed(raised=True)
    tale.say(i.AnswerTickets(person=ON_CALL, spike=False))
    assert (Stage.REVIEWING, True) == (tale.state.stage, tale.state.wants_note)
    tale.say(i.NoteAnomalies(person=ALEX, note="a report ran"))
    assert Stage.CLOSED is tale.state.stage


@pytest.mark.parametrize("person", [LEE, Person(id="U4", name="Gus", guest=True)])
def test_outsiders_answer_nothing(person: Person) -> None:
    """Nor do guests, whoever they are named as."""
    with pytest.raises(r.Refusal):
        reviewed().say(i.AnswerTickets(person=person, spike=False))


def test_before_the_review_there_is_nothing_to_answer() -> None:
    """It comes by itself."""
    with pytest.raises(r.NotNow):
        Tale().say(i.AnswerTickets(person=ON_CALL, spike=False))


def test_nobody_answers_so_it_asks_again_and_then_says_so() -> None:
    """Not for ever."""
    tale = reviewed()
    for _ in range(MOST_NUDGES):
        assert [e.FollowUpNudged] == [type(each) for each in tale.tick(FollowTimer.NUDGE)]
    (closed,) = tale.tick(FollowTimer.NUDGE)
    assert isinstance(closed, e.FollowUpClosed) and not closed.answered


def test_another_migration_ends_the_watching() -> None:
    """What would be compared is no longer this one's doing; while it is on, nothing is measured."""
    tale = Tale()
    tale.say(i.SkipLook(due=tale.due(FollowTimer.LOOK), why="run m-2 is on"))
    assert () == tale.state.samples
    tale.say(i.Overtake(by="m-2"))
    assert (Stage.OVERTAKEN, frozenset()) == (tale.state.stage, follow_timers(tale.state))


def test_a_slow_statement_is_news_once_and_not_if_it_was_slow_before() -> None:
    """The slow log's old acquaintances are nobody's news."""
    tale = Tale(counted=counts(T0, old=(10, 3000.0), new=(10, 5.0)))
    assert tale.state.counts is not None
    found = slow(between(tale.state.counts, counts(T0, old=(20, 3000.0), new=(20, 1500.0))))
    assert ["old", "new"] == [each.id for each in found]
    tale.look(sample(0), found)
    tale.look(sample(0), found)
    (seen,) = tale.told(e.SlowSeen)
    assert isinstance(seen, e.SlowSeen) and ["new"] == [each.id for each in seen.statements]


def test_the_ledger_makes_the_same_follow_up_again() -> None:
    """Every kind of event survives being written and read."""
    tale = Tale(counted=counts(T0, new=(10, 5.0)))
    began = e.FollowUpBegan(
        run="m-1", plan=tale.state.plan, asked=("U4",), completed_at=T0, at=T0, yardstick=tale.yardstick,
        counts=tale.counted,
    )  # fmt: skip
    bad = slow(between(tale.counted or counts(T0), counts(T0, new=(20, 1500.0))))
    for p95 in (900.0,) * 8 + (210.0,) * 24:
        tale.look(sample(0, p95=p95), bad)
    tale.say(i.SkipLook(due=tale.due(FollowTimer.LOOK), why="run m-2 is on"))
    tale.tick(FollowTimer.DAY)
    tale.review(counts(T0 + DAY, new=(40, 50.0)))
    tale.tick(FollowTimer.NUDGE)
    tale.say(i.AnswerTickets(person=ON_CALL, spike=True, note="slow"))
    tale.say(i.NoteAnomalies(person=ALEX, note="seen"))
    kinds = {type(each) for each in tale.events}
    assert set(typing.get_args(e.Event)) - {e.FollowUpBegan, e.FollowUpOvertaken} == kinds
    first = decode_follow_up(*encode(began))
    assert isinstance(first, e.FollowUpBegan)
    again = begin("f-m-1", first)
    for event in tale.events:
        again = apply(again, decode_follow_up(*encode(event)))
    assert tale.state == again


def test_each_stage_says_what_moves_it_on() -> None:
    """And has a timer that makes it true, unless it is final."""
    assert set(Stage) == set(STAGES)
    assert follow_timers(Tale().state) and follow_timers(reviewed().state)
