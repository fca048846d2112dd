"""A migration that destroys something: one approval more, and typed where the bot finds a high risk."""

import pytest

from bot.runbook import intents as i
from bot.runbook import texts
from bot.runbook.risk import Risk, handful, highest
from bot.runbook.run import State
from bot.runbook.steps import StepName
from bot.views import danger
from bot.views.card import card
from bot.views.question import question
from tests.runbook.play import Play, play

LOST = ("destroys the table cases",)


def destroying(*, quorum: int = 1) -> Play:
    """A run at the question of its migration, which destroys a table."""
    a = play(quorum=quorum).until(StepName.APPLY)
    step = a.run.step.name
    a.say(
        i.Ask(
            number=a.run.asked + 1, digest=a.digest, inputs=(("destroys", "cases"),), lines=("psql",), step=step,
            destroys=LOST, risk=Risk.HIGH, dangers=("001.sql line 3: drops the table cases",),
        )
    )  # fmt: skip
    return a


def test_it_takes_one_approval_more() -> None:
    """The usual quorum is not enough for it, and everything that counts approvals says so."""
    a = destroying()
    assert "0 of 2 so far" in texts.doing(a.run)
    a.approve("anna")

    assert State.ASKING is a.run.state
    assert texts.ask(a.run).startswith("1 approver")
    a.approve("boris")
    assert State.WORKING is a.run.state


def test_other_questions_of_the_same_run_need_the_usual_number() -> None:
    """The approval more is the migration's alone."""
    a = destroying()
    a.approve("anna")
    a.approve("boris")
    a.begin()
    a.finish()
    a.do()
    a.ask()

    assert (StepName.RESTART_SERVICES, 1) == (a.run.step.name, a.run.quorum)


@pytest.mark.parametrize(("planned", "found"), [("medium", Risk.HIGH), ("high", Risk.LOW), ("high", None)])
def test_the_higher_of_both_risks_decides_whether_it_is_typed(planned: str, found: Risk | None) -> None:
    """Neither people nor the bot can talk the other's level down."""
    a = play(quorum=1, risk=planned).until(StepName.APPLY)
    a.say(i.Ask(number=a.run.asked + 1, digest=a.digest, inputs=(), lines=("psql",), risk=found))

    assert a.run.question is not None
    assert a.run.plan.database == a.run.question.word
    assert Risk.HIGH is a.run.risk


def test_a_question_that_nobody_could_answer_is_not_asked() -> None:
    """With too few approvers people hear at once what to do, instead of waiting for ever."""
    a = destroying(quorum=2)

    assert State.STUCK is a.run.state
    assert a.run.trouble is not None
    assert "it needs 3 approvals" in a.run.trouble.problem
    assert "add an approver" in a.run.trouble.advice


def test_question_and_card_say_what_is_destroyed() -> None:
    """Why it takes one more, how many there are, and every dangerous statement, in the blocks and in the text."""
    a = destroying()
    asked, shown = question(a.run), card(a.run, a.now)

    for drawn in (str(asked["blocks"]), asked["text"]):
        assert "1 more approval than usual because:" in drawn
        assert "destroys the table cases" in drawn
        assert "001.sql line 3: drops the table cases" in drawn
    assert "*0 of 2 approvals*" in str(asked["blocks"]) and "0 of 2 so far" in asked["text"]
    for drawn in (str(shown["blocks"]), shown["text"]):
        assert "1 dangerous statement:" in drawn.replace("*", "")
        assert "high (the plan said low)" in drawn


def test_many_dangers_are_counted() -> None:
    """What there is no room for is counted, and where to read it is said."""
    many = tuple(f"line {n}" for n in range(30))

    (said,) = danger.statements(many)
    assert said.startswith("*30 dangerous statements:*")
    assert "and 20 more: read the SQL in the thread" in said
    assert () == tuple(danger.statements(()))
    assert 20 == len(handful(many)) and handful(many)[-1] == "and 11 more"


def test_what_nobody_judged_is_the_lowest() -> None:
    """The higher of two levels, where one may be missing."""
    assert Risk.LOW is highest((None, None))
    assert Risk.MEDIUM is highest((Risk.MEDIUM, None))
    assert Risk.HIGH is highest((Risk.MEDIUM, Risk.HIGH))
