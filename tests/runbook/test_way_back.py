"""The way back: opened by what is met, asked for rung by rung, gone without asking only where people agreed to."""

from dataclasses import replace

import pytest

from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.criteria import Criterion
from bot.runbook.run import Database, Licence, State
from bot.runbook.rungs import Envelope, Option, Rung, lost, recommended
from bot.runbook.steps import Route, StepName
from bot.runbook.timers import TimerKind, timers
from tests.runbook.cast import DIGEST, person
from tests.runbook.offers import rungs
from tests.runbook.play import CORE, Play, kinds, play

SWITCH = Option(rung=Rung.SWITCH, possible=True, rows=0, seconds=1.0)
RESTORE = Option(rung=Rung.RESTORE, possible=True, rows=0, seconds=300.0)
PLATFORM = Option(rung=Rung.PLATFORM, possible=True, rows=0, seconds=1.0)


def failing(**settings: object) -> Play:
    """A migration that has just failed by an SQL error."""
    a = play(**settings).until(StepName.APPLY)
    a.grant()
    a.begin()
    a.fail(database=Database.UNKNOWN, criterion=Criterion.SQL_ERROR)
    return a


def described(a: Play, *, rung: Rung = Rung.SWITCH, rows: int | None = 0, seconds: float = 1.0) -> tuple[str, ...]:
    """A worker describes the way back with its choices."""
    options = rungs(CORE, rows=rows, seconds=seconds)
    ask = i.Ask(number=a.run.asked + 1, digest=DIGEST, inputs=(), lines=(), rung=rung, options=options)
    return tuple(kinds(a.say(ask)))


def pick(a: Play, rung: Rung, who: str = "anna") -> tuple[str, ...]:
    return tuple(kinds(a.say(i.PickRung(person=person(CORE, who), number=a.run.asked, rung=rung))))


def test_a_met_criterion_opens_the_question_at_once() -> None:
    """The migration fails by an SQL error: nobody has to ask for the way back, and the reason is the runbook's."""
    a = failing()

    assert (Route.ROLLBACK, State.PREPARING) == (a.run.route, a.run.state)
    assert "Migration fails to apply (SQL error): it broke" == a.run.reason
    assert ["StepFailed", "RollbackAsked", "Entered"] == kinds(a.events[-3:])


def test_a_no_returns_to_where_it_was() -> None:
    """Declined, the run waits before the step that failed; resumed, that step is asked for anew."""
    a = failing()
    described(a)
    a.reject("anna", "we try again")

    assert (Route.FORWARD, StepName.APPLY, State.HELD) == (a.run.route, a.run.step.name, a.run.state)
    a.people(i.Resume, "owner")
    assert State.PREPARING == a.run.state
    assert a.run.breach is None


def test_a_persons_rollback_has_no_criterion() -> None:
    """What a person asks for is asked of people, whatever was agreed for a breach."""
    a = play(auto_rollback=True).until(StepName.VERIFY)
    a.people(i.RollBack, "owner", reason="wrong data")

    assert ("Asked",) == described(a)
    assert State.ASKING == a.run.state


def test_another_rung_is_asked_for_anew() -> None:
    """Picking drops what was approved, and the next question is of the picked rung."""
    a = failing(quorum=2)
    described(a)
    a.approve("anna")
    assert ("RungPicked",) == pick(a, Rung.RESTORE, "boris")

    assert (State.PREPARING, None, Rung.RESTORE) == (a.run.state, a.run.question, a.run.rung_wanted)
    described(a, rung=Rung.RESTORE)
    a.approve("anna")
    a.approve("boris")
    assert a.run.way is not None and Rung.RESTORE is a.run.way.rung


@pytest.mark.parametrize(("rung", "refusal"), [(Rung.NOTHING, r.RungImpossible), (Rung.DOWN, r.RungImpossible)])
def test_an_impossible_rung_is_refused_with_its_reason(rung: Rung, refusal: type[r.Refusal]) -> None:
    """What cannot be gone, or is not there at all, is said and nothing changes."""
    a = failing()
    described(a)
    with pytest.raises(refusal) as caught:
        pick(a, rung)

    assert "the migration is in" in str(caught.value) or "no such choice" in str(caught.value)


def test_the_asked_rung_is_not_picked_again() -> None:
    """It is what the question asks for already."""
    a = failing()
    described(a)
    with pytest.raises(r.AlreadyAnswered):
        pick(a, Rung.SWITCH)


def test_who_does_not_steer_picks_nothing() -> None:
    """An outsider may hold a run, not choose its way back."""
    a = failing()
    described(a)
    with pytest.raises(r.NotAnOwner):
        pick(a, Rung.RESTORE, "outsider")


def test_the_platforms_way_is_gone_by_whoever_picks_it() -> None:
    """The bot does not go it: the run is in that person's hands, with the instructions as their note."""
    a = failing()
    described(a)
    assert ("RungPicked", "HandedOver") == pick(a, Rung.PLATFORM, "owner")

    assert (State.HANDED_OVER, "owner") == (a.run.state, a.run.keeper.person if a.run.keeper else "")
    assert a.run.keeper is not None and "by hand" in a.run.keeper.reason
    a.people(i.Resume, "owner")
    assert (State.PREPARING, None) == (a.run.state, a.run.rung_wanted)


def test_nothing_to_undo_is_not_typed() -> None:
    """A way back that touches nothing is approved by a click, any other by the database's name."""
    a = failing()
    described(a)
    assert a.run.question is not None and a.run.question.word == a.run.plan.database
    unchanged = Option(rung=Rung.NOTHING, possible=True, rows=0)
    b = failing()
    b.say(i.Ask(number=b.run.asked + 1, digest=DIGEST, inputs=(), lines=(), rung=Rung.NOTHING, options=(unchanged,)))
    assert b.run.question is not None and b.run.question.word is None


def test_automatic_rollback_goes_at_once() -> None:
    """Where the target says so, a breach is answered in the very move that describes the way back."""
    a = failing(auto_rollback=True)

    assert ("Asked", "Granted") == described(a, rows=None)
    assert a.run.grant is not None and Licence.AUTO is a.run.grant.by
    assert State.WORKING == a.run.state


@pytest.mark.parametrize(
    ("rows", "seconds", "inside"), [(10, 300.0, True), (11, 1.0, False), (0, 301.0, False), (None, 1.0, False)]
)
def test_the_envelope_is_kept_to_the_row_and_the_second(rows: int | None, seconds: float, inside: bool) -> None:
    """Inside what was signed the bot goes back at once, outside it asks; what is not known is outside."""
    a = failing(envelope=True)
    told = described(a, rows=rows, seconds=seconds)

    assert (("Asked", "Granted") if inside else ("Asked",)) == told
    if inside:
        assert a.run.grant is not None and Licence.ENVELOPE is a.run.grant.by
        assert ["anna"] == [each.person for each in a.run.grant.approvals]


def test_the_envelope_is_signed_with_the_migrations_approval() -> None:
    """Who approves the migration has been shown the envelope and signs it; before that nobody has."""
    a = play(envelope=True, quorum=2).until(StepName.APPLY)
    assert () == a.run.signed
    a.grant()

    assert ["anna", "boris"] == [each.person for each in a.run.signed]


def test_a_licence_that_was_void_is_not_used_again() -> None:
    """What would run has changed since: the bot does not go round in circles, it asks."""
    a = failing(auto_rollback=True)
    described(a)
    a.digest = "0" * 64
    assert ["Voided"] == kinds(a.begin())

    assert ("Asked",) == described(a)


def test_a_way_back_that_failed_is_not_tried_again_without_people() -> None:
    """After a failure on the way back the next attempt is asked for."""
    a = failing(auto_rollback=True)
    described(a)
    a.begin()
    a.finish()
    a.begin()
    a.fail()
    a.people(i.Retry, "owner")

    assert ("Asked",) == described(a)


def test_the_way_back_is_watched_for_fifteen_minutes() -> None:
    """Runbook "Rollback Steps", 6: healthy for the whole time, then it is announced."""
    a = failing()
    described(a)
    a.approve("anna")
    a.until(StepName.WATCH_BACK)

    assert (State.WATCHING, CORE.people.Timing().watch_back_for) == (a.run.state, 900.0)
    assert a.run.plan.timing.watch_back_for == a.run.watch_seconds
    assert State.ROLLED_BACK == a.to_the_end().state


def test_a_breach_on_the_way_back_asks_people() -> None:
    """There is no way back from the way back: people decide."""
    a = failing()
    described(a)
    a.approve("anna")
    a.until(StepName.WATCH_BACK)
    a.measure(unhealthy=("web",))
    a.measure(unhealthy=("web",))

    assert (Route.ROLLBACK, State.STUCK) == (a.run.route, a.run.state)


def test_the_deadline_is_told_before_and_after() -> None:
    """Once half an hour before it passes, once when it has, and then no more."""
    a = play(rollback_deadline=60.0).until(StepName.MONITOR)
    first, second = a.tick(TimerKind.DEADLINE), a.tick(TimerKind.DEADLINE)

    assert [False, True] == [each.passed for each in (*first, *second)]  # type: ignore[union-attr]
    assert 2 == a.run.deadline_told
    assert TimerKind.DEADLINE not in {each.kind for each in timers(a.run)}


def test_the_ladder_recommends_the_least_loss() -> None:
    """Fewest rows first, then the ladder's order; unknown is most; people's own way comes last."""
    costly = Option(rung=Rung.DOWN, possible=True, rows=5, seconds=1.0)
    unknown = replace(SWITCH, rows=None)

    assert SWITCH is recommended((RESTORE, SWITCH))
    assert RESTORE is recommended((costly, RESTORE))
    assert RESTORE is recommended((unknown, RESTORE))
    assert unknown is recommended((unknown, PLATFORM))
    assert None is recommended((replace(SWITCH, possible=False),))


def test_a_copy_from_after_the_backup_never_seems_to_lose_more_than_the_backup() -> None:
    """While services write, the two are counted at different moments; the figures stay as they are."""
    later = replace(SWITCH, rows=11)

    assert later is recommended((later, replace(RESTORE, rows=8)))
    assert later is recommended((replace(RESTORE, rows=8), replace(PLATFORM, rows=0), later))
    down = Option(rung=Rung.DOWN, possible=True, rows=3)
    assert down is recommended((down, later, replace(RESTORE, rows=8)))


def test_an_envelope_speaks_of_what_it_covers() -> None:
    """Its verdict is the sentence people read."""
    envelope = Envelope(rows=1, minutes=2.0)

    assert "loses 1 row and takes about 2 minutes" in envelope.covers(replace(SWITCH, rows=1, seconds=120.0)).reason
    assert "2 rows, more than the 1 agreed to" in envelope.covers(replace(SWITCH, rows=2)).reason
    assert not envelope.covers(PLATFORM).ok
    assert "at most 1 row would be lost" in envelope.words
    assert ["nothing", "1 row", "a number of rows that is not known"] == [lost(0), lost(1), lost(None)]
    about = [lost(rows, estimated=True) for rows in (0, 1, None)]
    assert ["nothing, as far as can be told", "about 1 row", "a number of rows that is not known"] == about


def test_a_standby_copy_is_made_before_the_migration() -> None:
    """From the backup while services run, or after the stop by the server; each at its own place of the runbook."""
    names = StepName
    from_backup = [each.name for each in play(standby="restore").run.steps]
    by_server = [each.name for each in play(standby="template").run.steps]

    assert [names.BACKUP, names.STANDBY, names.STOP_SERVICES, names.APPLY] == from_backup[1:5]
    assert [names.BACKUP, names.STOP_SERVICES, names.STANDBY, names.APPLY] == by_server[1:5]
    assert names.STANDBY not in [each.name for each in play().run.steps]


def test_cleaning_up_is_a_run_of_its_own() -> None:
    """It asks once, typed, removes and says so; a no ends it with nothing removed."""
    a = play(cleans="m-0", downtime=False)
    assert (Route.CLEANUP, State.PREPARING) == (a.run.route, a.run.state)
    a.ask()
    assert a.run.question is not None and a.run.question.word == a.run.plan.database
    a.approve("anna")
    b = play(cleans="m-0", downtime=False)
    b.ask()
    b.reject()

    assert (State.CLEANED, State.CANCELLED) == (a.to_the_end().state, b.to_the_end().state)


def test_a_held_run_is_asked_whatever_was_agreed_to() -> None:
    """Somebody pulled the cord while the migration ran: its failure opens the way back, and people are asked."""
    a = play(auto_rollback=True).until(StepName.APPLY)
    a.grant()
    a.begin()
    a.people(i.PullCord, "outsider", reason="the court is filing")
    a.fail(database=Database.UNKNOWN, criterion=Criterion.SQL_ERROR)

    assert Route.ROLLBACK == a.run.route
    assert ("Asked",) == described(a)


def test_given_back_by_people_it_is_asked_again() -> None:
    """A breach outside the envelope was asked and taken over; given back, it is not gone without asking."""
    a = failing(envelope=True)
    described(a, rows=99)
    a.people(i.TakeOver, "owner", note="I look at it")
    a.people(i.Resume, "owner")

    assert ("Asked",) == described(a, rows=0)


def test_no_number_of_rows_covers_what_a_down_script_drops() -> None:
    """Values in dropped columns are in no count of rows: an envelope does not cover them."""
    down = Option(rung=Rung.DOWN, possible=True, rows=0, seconds=1.0, loses="the rows of table notes")
    verdict = Envelope(rows=1000, minutes=60.0).covers(down)

    assert not verdict.ok and "the rows of table notes" in verdict.reason
    assert Envelope(rows=0, minutes=1.0).covers(replace(down, loses="")).ok


def test_a_deadline_that_passed_unseen_is_told_as_passed() -> None:
    """The clock was away: nobody is told that a moment long gone is near."""
    a = play(rollback_deadline=60.0).until(StepName.MONITOR)
    a.now += 500.0
    told = a.tick(TimerKind.DEADLINE)

    assert [True] == [each.passed for each in told]  # type: ignore[union-attr]


def test_a_cleanup_that_is_done_is_not_aborted() -> None:
    """Nothing is left to stop: it is only announced."""
    a = play(cleans="m-0", downtime=False)
    a.do()
    with pytest.raises(r.NotNow, match="removed already"):
        a.people(i.Abort, "owner", reason="stop")
