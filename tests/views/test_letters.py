"""Which event makes which message, under which key, and what is redrawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ports import Letter
from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.decide import decide
from bot.runbook.run import Database, Run, State
from bot.runbook.timers import TimerKind
from bot.views.ids import Verb, verb_of
from bot.views.letters import letters, waiting_key
from bot.views.offers import offered
from bot.views.redraws import redraws
from bot.views.text import plain
from tests.scripted import ANA, BEN, EVA, STORIES, Script

GOLDEN = Path(__file__).parent / "happy_run.txt"
HEAD = "ab12cd34ef56"


def told(script: Script) -> Iterator[Letter]:
    """All letters of a run, in order."""
    for page in script.pages:
        yield from script.letters(page, head=HEAD)


def last(script: Script) -> tuple[Letter, ...]:
    """The letters of the last event."""
    return script.letters(script.pages[-1], head=HEAD)


def redrawn(script: Script) -> dict[str, str]:
    """What the last event redraws: key -> text."""
    page = script.pages[-1]
    return {key: str(made["text"]) for key, made in redraws(page.before, page.after, page.event, head=HEAD)}


def transcript(script: Script) -> str:
    """A run as people read it: what came when, and where."""
    where = {True: "  ", False: ""}
    return "\n".join(
        f"{where[bool(letter.thread)]}[{letter.key}]\n"
        + "\n".join(f"{where[bool(letter.thread)]}{line}" for line in plain(str(letter.payload["text"])).splitlines())
        for letter in told(script)
    )


def test_a_happy_run_reads_as_agreed() -> None:
    """The whole transcript of an uneventful migration, word for word (kept in happy_run.txt)."""
    assert GOLDEN.read_text("utf-8").rstrip("\n") == transcript(STORIES["happy"](Script()))


@pytest.mark.parametrize("story", list(STORIES))
def test_no_key_is_used_twice(story: str) -> None:
    """A key is one message for ever."""
    keys = [letter.key for letter in told(STORIES[story](Script()))]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("story", list(STORIES))
def test_a_replay_makes_the_same_letters(story: str) -> None:
    """Telling a run again makes the same keys and words, so nothing is posted twice."""
    assert list(told(STORIES[story](Script()))) == list(told(STORIES[story](Script())))


@pytest.mark.parametrize("story", list(STORIES))
def test_threads_and_redraws_name_letters_that_exist(story: str) -> None:
    """What answers or changes a message refers to one that was posted before."""
    known: set[str] = set()
    script = STORIES[story](Script())
    for page in script.pages:
        for letter in script.letters(page):
            assert not letter.thread or letter.thread in known
            known.add(letter.key)
        for key, _ in redraws(page.before, page.after, page.event):
            assert key in known


@pytest.mark.parametrize("story", list(STORIES))
def test_only_the_card_is_pinned(story: str) -> None:
    """One living message, easy to find."""
    assert [letter.key for letter in told(STORIES[story](Script())) if letter.pin] == ["run-7f3a:card"]


@pytest.mark.parametrize("story", list(STORIES))
def test_every_offered_button_makes_sense(story: str) -> None:
    """No button is drawn that the core would refuse as not now, and none is missing that it would take."""
    for run in [page.after for page in STORIES[story](Script()).pages if page.last]:
        asks = {
            Verb.HOLD: i.PullCord(person=ANA, reason="x"),
            Verb.RESUME: i.Resume(person=ANA),
            Verb.RETRY: i.Retry(person=ANA),
            Verb.ABORT: i.Abort(person=ANA, reason="x"),
            Verb.ROLLBACK: i.RollBack(person=ANA, reason="x"),
            Verb.TAKEOVER: i.TakeOver(person=EVA, note="x"),
            Verb.CLOSE: i.Close(person=ANA, note="x"),
        }
        taken = {verb for verb, intent in asks.items() if takes(run, intent)}
        assert taken == {verb for verb in offered(run) if verb is not Verb.LOGS}


def takes(run: Run, intent: i.Intent) -> bool:
    """Would the core take this intent of an owner now?"""
    try:
        decide(run, intent, run.since + 1)
    except r.Refusal:
        return False
    return True


def test_announcements_are_made_in_the_channel() -> None:
    """The announcing step's words go to everybody, its evidence to the card's thread."""
    page = next(page for page in Script().finish_step().pages if type(page.event).__name__ == "StepFinished")
    announced, thread = letters(page.before, page.after, page.event, head=HEAD)

    assert (announced.thread, thread.thread) == ("", "run-7f3a:card")
    assert str(announced.payload["text"]).startswith("🚨 Database migration starting now")


def test_reminders_call_ever_more_people() -> None:
    """In the question's thread: those who can answer, then owners, then on-call too."""
    script = Script().until("backup").ask()
    called = []
    for _ in range(3):
        (letter,) = last(script.tick(TimerKind.REMIND))
        called.append({each for each in ("S0DBA", "U0ANA", "U0BEN") if each in str(letter.payload["text"])})
        assert letter.thread == "run-7f3a:q1"

    assert called == [{"S0DBA"}, {"S0DBA", "U0ANA"}, {"S0DBA", "U0ANA", "U0BEN"}]


def test_a_failed_step_asks_the_channel_what_now() -> None:
    """What happened, what helps, whether anything changed, a reference, and the choices."""
    (letter,) = last(Script().until("apply").fail(Database.UNTOUCHED))
    text = str(letter.payload["text"])
    blocks = letter.payload["blocks"]
    assert isinstance(blocks, list)
    verbs = [verb_of(each["action_id"]) for block in blocks if block["type"] == "actions" for each in block["elements"]]

    assert letter.thread == ""
    assert verbs == [Verb.RETRY, Verb.ROLLBACK, Verb.ABORT, Verb.TAKEOVER, Verb.LOGS]
    for part in ("psql stopped: the disk is full", "Look at this", "ref-81c2", "as it was before the run", "<@U0ANA>"):
        assert part in text


@pytest.mark.parametrize("onward", [i.Retry(person=ANA), i.Resume(person=EVA)])
def test_a_message_that_asked_what_now_says_that_it_goes_on(onward: i.Intent) -> None:
    """Whoever reads it later is not told again that something failed."""
    script = Script().until("apply")
    if isinstance(onward, i.Retry):
        script.fail(Database.UNTOUCHED)
    else:
        script.say(i.PullCord(person=ANA, reason="wait"))
    key, known = waiting_key(script.run), len(script.pages)

    script.say(onward)

    said = [dict(redraws(page.before, page.after, page.event)) for page in script.pages[known:]]
    (made,) = [each[key] for each in said if key in each]
    assert made["text"].endswith("No longer waiting: the run goes on.")


def test_an_answered_question_loses_its_buttons_and_says_who() -> None:
    """Granted: who said yes, and nothing left to press."""
    script = Script().until("backup").ask().approve()
    assert "1 of 2" in redrawn(script)["run-7f3a:q1"]

    script.approve(BEN)
    page = next(page for page in script.pages if type(page.event).__name__ == "Granted")
    made = dict(redraws(page.before, page.after, page.event))["run-7f3a:q1"]

    assert "Approved by Ana" in made["text"]
    assert "actions" not in {block["type"] for block in made["blocks"]}


def test_a_question_asked_anew_says_what_changed() -> None:
    """After an expiry the new question shows the difference."""
    (letter,) = last(STORIES["reminded"](Script()))

    assert letter.key == "run-7f3a:q2"
    assert "Changed: file: 1a → 2b" in str(letter.payload["text"])


def test_one_question_covers_the_way_back() -> None:
    """The rollback is asked for as what it is, with the time of all that the answer covers, and the word is typed."""
    script = Script().until("verify").fail(Database.CHANGED).say(i.RollBack(person=ANA, reason="cases are gone")).ask()
    text = str(last(script)[0].payload["text"])

    assert "Approval needed: Roll back the migration on casework" in text
    assert "type the name of the database, casework_prod" in text
    assert "Expected time 24 minutes" in text


def test_each_blocker_is_named_once_and_drawn_away_when_gone() -> None:
    """One message per session; gone is shown on the same message."""
    script = Script().until("apply").blocked(2)
    keys = [letter.key for letter in last(script)]
    assert len(keys) == 2
    assert script.run.claim is not None

    script.say(i.SeeBlockers(claim=script.run.claim, blockers=script.run.blockers[:1]))

    assert last(script) == ()
    assert "no longer blocks" in redrawn(script)[keys[1]]


def test_a_blocker_that_comes_back_is_drawn_again() -> None:
    """Between two tries a session seems gone; its message shows it again when it is back."""
    script = Script().until("apply").blocked(1)
    (blocker,), claim = script.run.blockers, script.run.claim
    assert claim is not None
    script.say(i.SeeBlockers(claim=claim, blockers=())).say(i.SeeBlockers(claim=claim, blockers=(blocker,)))
    (letter,) = last(script)

    assert "waits for a lock" in redrawn(script)[letter.key]


def test_what_waited_for_people_loses_its_buttons() -> None:
    """After Retry the what-now message can no longer be pressed."""
    script = Script().until("apply").fail(Database.UNTOUCHED)
    (letter,) = last(script)
    script.say(i.Retry(person=ANA))
    made = [dict(redraws(page.before, page.after, page.event)) for page in script.pages if page.before]
    (settled,) = [each[letter.key] for each in made if letter.key in each]

    assert {"section"} == {block["type"] for block in settled["blocks"]}
    assert script.run.state is State.PREPARING


def test_worries_go_to_the_channel_and_calm_to_the_thread() -> None:
    """A judgement that people should look at is told to everybody; a breach is told of as the criterion it meets."""
    said = [
        (letter.thread, letter.payload["text"])
        for letter in told(STORIES["alert"](Script()))
        if ":health" in letter.key
    ]

    assert [bool(thread) for thread, _ in said] == [False, True, False, True]
