"""Whoever reads any message of an exercise knows that it is one."""

from dataclasses import replace

import pytest

from bot.runbook import exercise as x
from bot.runbook.exercise import Fault, FaultScore
from bot.runbook.silence import gone_silent
from bot.runbook.steps import StepName
from bot.views.exercise import MARK, marked, refusal, score_letters
from bot.views.limits import message_problems
from bot.views.redraws import redraws
from tests.scripted import PLAN, STORIES, Script
from tests.views.test_payloads import HEAD, LONG, hostile

EXERCISE = replace(PLAN, exercise=True)


def exercises(story: str) -> list[Script]:
    """The story as an exercise, with harmless and with hostile words."""
    worst = hostile()
    return [
        STORIES[story](Script(plan=EXERCISE)),
        STORIES[story](Script(**{**worst, "plan": replace(worst["plan"], exercise=True)})),
    ]


@pytest.mark.parametrize("story", list(STORIES))
def test_every_message_of_an_exercise_says_so_first(story: str) -> None:
    """In its words and in its first block, as posted and as redrawn, within Slack's limits."""
    for script in exercises(story):
        for page in script.pages:
            made = [each.payload for each in script.letters(page, head=HEAD, worst=script.words)]
            made += [each for _, each in redraws(page.before, page.after, page.event, head=HEAD, worst=script.words)]
            for payload in made:
                assert str(payload["text"]).startswith(MARK)
                assert MARK in str(payload["blocks"][0])  # type: ignore[index]
                assert not message_problems(payload)


def test_the_message_of_a_silent_bot_says_so_too() -> None:
    """It is posted by Slack's own scheduler, ten minutes after the bot's last word."""
    script = Script(plan=EXERCISE).until("apply")

    assert gone_silent(script.run, script.now).startswith(MARK)


def test_a_real_run_never_says_so() -> None:
    """A mark that is everywhere would mean nothing."""
    script = STORIES["happy"](Script())

    assert not any(MARK in str(each.payload) for page in script.pages for each in script.letters(page))
    assert not gone_silent(script.run, script.now).startswith(MARK)


def test_a_message_is_marked_once() -> None:
    """The card is marked where it is drawn, and put into letters and redraws that mark theirs."""
    run = Script(plan=EXERCISE).run
    once = marked(run, {"text": "words"})

    assert once == marked(run, once)


@pytest.mark.parametrize("how", ["no reason", LONG])
def test_the_score_is_told_with_its_table(how: str) -> None:
    """What the bot, people and the wrong people did, and below it each fault with what was expected instead."""
    faults = (
        FaultScore(fault=Fault.KILL, seconds=0.8, points=100, how=how),
        FaultScore(fault=Fault.LOCK, seconds=None, points=0, how=how),
        FaultScore(fault=Fault.ERRORS, seconds=None, points=None, how=f"not tried: {how}"),
    )
    answers = (x.Answer(step=StepName.BACKUP, seconds=4.0, reminders=1, how=how),) * 20
    told, table = score_letters(Script(plan=EXERCISE).run, x.Score(faults=faults, answers=answers, refused=1))

    assert "Bot: 50 % – 1 of 2 faults" in told.payload["text"]  # type: ignore[operator]
    assert "People: 75 % – 20 questions, 20 reminders" in told.payload["text"]  # type: ignore[operator]
    assert "1 answer of people who may not give it refused" in told.payload["text"]  # type: ignore[operator]
    assert told.key == table.thread
    assert f"expected: {x.EXPECTED[Fault.LOCK]}" in str(table.payload)
    assert x.EXPECTED[Fault.KILL] not in str(table.payload)
    assert not message_problems(told.payload) + message_problems(table.payload)
    assert not message_problems(refusal(how, how, how))
