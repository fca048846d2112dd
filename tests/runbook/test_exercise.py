"""Game days on events alone: when a fault is due, what counts as noticed and as right, and what people score."""

from dataclasses import replace

import pytest

from bot.runbook import events as e
from bot.runbook import exercise as x
from bot.runbook.criteria import Criterion
from bot.runbook.exercise import Fault, Injection
from bot.runbook.people import Timing
from bot.runbook.run import Blocker, Question, Run
from bot.runbook.samples import Judgement
from bot.runbook.steps import Route, StepName
from tests.scripted import PLAN, Script, good

EXERCISE = replace(PLAN, exercise=True, timing=Timing().faster(60))
BLOCKER = Blocker(pid=1, started="then", application="report", user="u", age_seconds=1.0, query="LOCK")
BACKUP, APPLY = StepName.BACKUP, StepName.APPLY


def run_at(step: str) -> Run:
    """An exercise that has come so far."""
    return Script(plan=EXERCISE).until(step).run


def began(step: StepName, at: float, attempt: int = 1) -> e.StepBegan:
    return e.StepBegan(step=step, attempt=attempt, digest="d", at=at)


def finished(step: StepName, at: float) -> e.StepFinished:
    return e.StepFinished(step=step, began_at=at - 1, at=at)


def failed(step: StepName, at: float) -> e.StepFailed:
    return e.StepFailed(step=step, problem="the backup is damaged", at=at)


def judged(judgement: Judgement, at: float) -> e.HealthJudged:
    return e.HealthJudged(judgement=judgement, reason="so it is", at=at)


def back(criterion: Criterion | None, at: float) -> e.RollbackAsked:
    return e.RollbackAsked(person="", name="the bot", reason="r", at=at, criterion=criterion)


def one(fault: Fault, *events: e.Event, at: float = 100.0, healed: float | None = None) -> x.FaultScore:
    """The score of a single fault."""
    injected = Injection(fault=fault, at=at, healed=healed)
    return x.score(run_at("monitor"), events, (injected,)).faults[0]


NO_DATA = judged(Judgement.NO_DATA, 107)
RIGHT: dict[Fault, tuple[e.Event, ...]] = {
    Fault.KILL: (began(BACKUP, 99), began(BACKUP, 101, attempt=2), finished(BACKUP, 103)),
    Fault.LOCK: (began(APPLY, 110), e.BlockersSeen(blockers=(BLOCKER,), at=111), finished(APPLY, 115)),
    Fault.BACKUP: (finished(BACKUP, 100), failed(StepName.STANDBY, 101)),
    Fault.NO_METRICS: (judged(Judgement.HEALTHY, 98), NO_DATA, judged(Judgement.HEALTHY, 112)),
    Fault.ERRORS: (back(Criterion.ERROR_RATE, 106),),
}
WRONG: dict[str, tuple[Fault, tuple[e.Event, ...], str]] = {
    "not done again": (Fault.KILL, RIGHT[Fault.KILL][:2], "not done"),
    "the migration stayed out": (Fault.LOCK, RIGHT[Fault.LOCK][:2], "did not get in"),
    "migrated on a broken backup": (Fault.BACKUP, (*RIGHT[Fault.BACKUP], began(APPLY, 103)), "began all the same"),
    "called healthy": (Fault.NO_METRICS, (NO_DATA, judged(Judgement.HEALTHY, 109)), "healthy without data"),
    "ended without data": (Fault.NO_METRICS, (NO_DATA, finished(StepName.MONITOR, 109)), "healthy without data"),
    "another criterion": (Fault.ERRORS, (back(Criterion.CRITICAL, 106),), "another criterion"),
    "late": (Fault.ERRORS, (back(Criterion.ERROR_RATE, 400),), "late"),
}


@pytest.mark.parametrize("fault", list(Fault))
def test_the_expected_reaction_scores_in_full(fault: Fault) -> None:
    """Each fault noticed and answered as the runbook wants it."""
    found = one(fault, *RIGHT[fault], healed=110)

    assert 100 == found.points
    assert found.right
    assert found.seconds is not None
    assert found.seconds < x.patience(fault, EXERCISE.timing)


@pytest.mark.parametrize("case", list(WRONG))
def test_a_wrong_or_late_reaction_is_half_of_it(case: str) -> None:
    """Noticed, but what followed was not what is expected; the table says what."""
    fault, events, words = WRONG[case]
    found = one(fault, *events, healed=110)

    assert 50 == found.points
    assert words in found.how


@pytest.mark.parametrize("fault", list(Fault))
def test_what_went_unnoticed_scores_nothing(fault: Fault) -> None:
    """Neither silence nor signs from before the fault count, and a person's own wish to go back is no notice."""
    earlier = [event for event in RIGHT[fault] if x.happened(event) < 100]
    found = one(fault, *earlier, back(None, 150), at=100.5 if fault is Fault.BACKUP else 100)

    assert (0, None) == (found.points, found.seconds)


def test_a_lock_is_timed_from_when_it_kept_the_migration_waiting() -> None:
    """It was taken while people still decided; nobody could see it then."""
    assert 1.0 == one(Fault.LOCK, *RIGHT[Fault.LOCK]).seconds


def test_what_was_not_tried_counts_for_nobody() -> None:
    """With one worker only nothing can be said about a killed one."""
    tried = Injection(fault=Fault.ERRORS, at=100)
    skipped = Injection(fault=Fault.KILL, at=50, not_tried="one worker only")
    found = x.score(run_at("monitor"), RIGHT[Fault.ERRORS], (skipped, tried))

    assert ("not tried: one worker only", None) == (found.faults[0].how, found.faults[0].points)
    assert 100 == found.bot
    assert found.all_noticed


def test_the_bots_percentage_is_the_mean_of_its_faults() -> None:
    """One right, one missed."""
    injected = (Injection(fault=Fault.ERRORS, at=100), Injection(fault=Fault.KILL, at=100))
    found = x.score(run_at("monitor"), RIGHT[Fault.ERRORS], injected)

    assert 50 == found.bot
    assert not found.all_noticed


def _question(number: int, at: float, step: StepName = BACKUP) -> e.Asked:
    asked = Question(number=number, step=step, digest="d", inputs=(), lines=(), asked_at=at, expires_at=at + 60)
    return e.Asked(question=asked, at=at)


def test_people_are_timed_by_the_question() -> None:
    """How long each took, what it came to, and what reminders cost."""
    events = (
        _question(1, 10), e.Granted(step=BACKUP, digest="d", at=14),
        _question(2, 20, APPLY), e.Reminded(number=2, level=1, at=25), e.Reminded(number=2, level=2, at=28),
        e.Rejected(number=2, step=APPLY, person="U1", name="Ann", reason="r", at=30),
        _question(3, 40), e.Voided(step=BACKUP, reason="the file changed", at=41),
        _question(4, 50), e.Voided(step=BACKUP, reason="nobody answered", at=110),
    )  # fmt: skip
    found = x.score(run_at("monitor"), events, (), refused=3)

    assert [(4.0, 0), (10.0, 2), (None, 0)] == [(each.seconds, each.reminders) for each in found.answers]
    assert ["approved", "rejected by Ann", "nobody answered in time"] == [each.how for each in found.answers]
    assert [100, 50, 0] == [each.points for each in found.answers]
    assert (50, 3, None) == (found.people, found.refused, found.bot)


def test_each_fault_has_its_moment() -> None:
    """The killed worker is one that works; the lock comes before the migration; the watch has something to lose."""
    moments = {
        Fault.KILL: Script(plan=EXERCISE).until("backup").start_step().run,
        Fault.LOCK: Script(plan=EXERCISE).until("apply").run,
        Fault.BACKUP: run_at("apply"),
        Fault.NO_METRICS: Script(plan=EXERCISE).until("monitor").sample(good).sample(good).run,
    }
    for fault, run in moments.items():
        assert x.due(fault, run, (fault,), ()), fault
        assert not x.due(fault, run_at("backup"), (fault,), ()), fault
    assert not x.due(Fault.NO_METRICS, run_at("monitor"), (Fault.NO_METRICS,), ())


def test_errors_come_after_the_metrics_are_back() -> None:
    """Both concern the same watch: what is not measured is no error."""
    watched = Script(plan=EXERCISE).until("monitor").sample(good).sample(good).run
    both, gone = (Fault.NO_METRICS, Fault.ERRORS), Injection(fault=Fault.NO_METRICS, at=1)

    assert x.due(Fault.ERRORS, watched, (Fault.ERRORS,), ())
    assert not x.due(Fault.ERRORS, watched, both, ())
    assert not x.due(Fault.ERRORS, watched, both, (gone,))
    assert x.due(Fault.ERRORS, watched, both, (replace(gone, healed=2.0),))
    assert x.due(Fault.ERRORS, watched, both, (replace(gone, not_tried="for a reason"),))


def test_a_fault_ends_once_it_was_noticed_or_is_long_overdue() -> None:
    """No exercise hangs on a fault that nobody notices."""
    watched = Script(plan=EXERCISE).until("monitor").sample(good).run
    injected = Injection(fault=Fault.NO_METRICS, at=100)

    assert not x.settled(injected, watched, (), 101)
    assert x.settled(injected, watched, (judged(Judgement.NO_DATA, 107),), 107)
    assert x.settled(injected, watched, (), 100 + 2 * x.patience(Fault.NO_METRICS, EXERCISE.timing) + 1)
    assert x.settled(injected, run_at("apply"), (), 101)


def test_a_lock_is_held_for_as_long_as_people_take_to_answer() -> None:
    """Its time begins with the migration."""
    held, asked = Injection(fault=Fault.LOCK, at=100), run_at("apply")

    assert not x.settled(held, asked, (), 9_999)
    assert x.settled(held, asked, (began(APPLY, 200),), 9_999)
    assert Route.FORWARD is asked.route
