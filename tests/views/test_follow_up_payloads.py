"""Every message after a run, with harmless and with hostile words, within Slack's limits."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.ports import Letter
from bot.runbook.follow_up import events as e
from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.follow_up.queries import Counted, Counts
from bot.runbook.follow_up.review import BOXES
from bot.runbook.follow_up.timers import FollowTimer
from bot.runbook.people import Person
from bot.views.follow_up.letters import follow_up_letters, follow_up_redraws
from bot.views.follow_up.review import note_modal
from bot.views.ids import Verb, decode_value, verb_of
from bot.views.limits import message_problems, view_problems
from tests.runbook.follow_up.watched import Tale, counts, sample
from tests.views.test_payloads import EVIL, LONG, marked, parts

ON_CALL = Person(id="U4", name=LONG)


def told(words: str, *, spike: bool = True) -> Iterator[tuple[FollowUp, e.Event, tuple[Letter, ...]]]:
    """Everything that can be said of a run's follow-up, in its order."""
    tale = Tale(counted=counts(0, a=(100, 5.0)))
    tale.state = replace(tale.state, plan=replace(tale.state.plan, name=words, target=words[:200]))
    slow = tuple(Counted(id=str(n), text=words, calls=3, total_ms=9000.0) for n in range(60))
    acts = (
        *(lambda: tale.look(sample(0, p95=900.0, unhealthy=(words,)), slow) for _ in range(8)),
        *(lambda: tale.look(sample(0)) for _ in range(24)),
        lambda: tale.tick(FollowTimer.DAY),
        lambda: tale.review(Counts(at=0, known=False, why=words)),
        lambda: tale.tick(FollowTimer.NUDGE),
        lambda: tale.say(i.AnswerTickets(person=ON_CALL, spike=spike, note=words)),
        lambda: tale.say(i.NoteAnomalies(person=ON_CALL, note=words)),
    )
    for act in acts:
        for event in act():
            yield tale.state, event, follow_up_letters(tale.state, event)


@pytest.mark.parametrize("words", ["a report", EVIL, LONG], ids=["harmless", "hostile", "long"])
def test_every_message_is_within_slacks_limits_and_nobody_is_called_by_anothers_words(words: str) -> None:
    """As for a run: what people and programs wrote is text and nothing else."""
    for state, _, letters in told(words):
        payloads = [*(each.payload for each in letters), *(payload for _, payload in follow_up_redraws(state))]
        for payload in payloads:
            assert [] == list(message_problems(payload))
            assert not [each for each in marked(payload) if "<!channel>" in each or "<@U0ALL>" in each]
    for verb in (Verb.SPIKE, Verb.ANOMALIES):
        assert [] == list(view_problems(note_modal(state, verb)))


def test_a_quiet_look_says_nothing_and_every_key_is_its_own() -> None:
    """Only what changed is said; a replay makes the same letters."""
    once, again = [[x for *_, letters in told("a") for x in letters] for _ in range(2)]
    assert once == again
    assert len({each.key for each in once}) == len(once)
    assert () == follow_up_letters(Tale().state, e.LookTaken(sample=sample(0), at=0))


def test_what_got_worse_is_in_the_channel_and_what_calmed_in_the_thread() -> None:
    """People are called, and told what can still be done."""
    by_event = [(type(event), letters) for _, event, letters in told("a report")]
    worse = next(letters[0] for kind, letters in by_event if kind is e.TrendRaised)
    calm = next(letters[0] for kind, letters in by_event if kind is e.TrendCalmed)
    assert ("", "m-1:card") == (worse.thread, calm.thread)
    assert "U4 Since" in str(worse.payload["text"]) and "/migrate rollback m-1" in str(worse.payload["blocks"])


def test_the_review_has_the_runbooks_five_boxes_and_asks_a_named_person() -> None:
    """Buttons while it waits; who said what when it is closed."""
    pages = list(told("a report"))
    asked = next(letters[0] for _, event, letters in pages if isinstance(event, e.ReviewPosted))
    text = str(asked.payload["text"])
    assert all(box in text for box in BOXES)
    assert "U4 Was there a spike in support tickets" in text
    pressed = [each for each in parts(asked.payload["blocks"]) if each.get("type") == "button"]
    assert [Verb.NO_SPIKE, Verb.SPIKE, Verb.ANOMALIES] == [verb_of(each["action_id"]) for each in pressed]
    assert {"f-m-1"} == {decode_value(each["value"]).run for each in pressed}
    ((_, after),) = follow_up_redraws(pages[-1][0])
    assert not [each for each in parts(after["blocks"]) if each.get("type") == "button"]
    assert "there was a spike: a report" in str(after["text"])
