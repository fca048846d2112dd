"""Which event is told where outside of the channel, in which words, and what never gets there."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.outside import Alarm, AlarmOver, Audience, Condition, Mail, Maintenance, Medium, Notice, Phase
from bot.runbook import intents as i
from bot.runbook.run import Database
from bot.runbook.timers import TimerKind
from bot.views.mails import html
from bot.views.outside import notices
from tests.scripted import ANA, PLAN, STORIES, Script, broken, given_to, good

EVERYWHERE = frozenset(Medium)


def told(script: Script) -> Iterator[Notice]:
    """All notices of a run, in order."""
    for page in script.pages:
        yield from notices(page.before, page.after, page.event, EVERYWHERE)


def shown(script: Script) -> list[Maintenance]:
    """What the status page showed, one after the other."""
    return [each.body for each in told(script) if isinstance(each.body, Maintenance)]


def alarms(script: Script) -> list[str]:
    """``+`` for an alarm that was raised, ``-`` for one that is over, by its kind."""
    signs = {Alarm: "+", AlarmOver: "-"}
    return [
        signs[type(each.body)] + each.body.alert.rpartition("/")[2]
        for each in told(script)
        if isinstance(each.body, Alarm | AlarmOver)
    ]


def mails(script: Script) -> list[Mail]:
    """Every mail."""
    return [each.body for each in told(script) if isinstance(each.body, Mail)]


def test_the_status_page_says_the_words_of_the_runbook() -> None:
    """Steps 1 and 8: maintenance in progress with services and ETA, then operational again."""
    first, back, last = shown(STORIES["happy"](Script()))

    assert (Phase.IN_PROGRESS, Condition.MAINTENANCE, True) == (first.phase, first.condition, first.aloud)
    assert ["Maintenance in Progress", "Affected services: web, gateway"] == first.words.splitlines()[:2]
    assert first.words.splitlines()[2].startswith("ETA: ")
    assert first.ends == first.starts + 3600
    assert (Phase.VERIFYING, Condition.OPERATIONAL) == (back.phase, back.condition)
    assert (Phase.COMPLETED, Condition.OPERATIONAL) == (last.phase, last.condition)
    assert "Database migration completed successfully" == last.words


def test_without_downtime_the_services_stay_operational() -> None:
    """A maintenance that stops nothing says so."""
    found = shown(STORIES["zero downtime"](Script()))

    assert [Condition.OPERATIONAL, Condition.OPERATIONAL] == [each.condition for each in found]


def test_a_way_back_is_shown_as_it_goes() -> None:
    """Trouble, the decision, the services back, the end."""
    found = shown(STORIES["rollback"](Script()))

    phases = [each.phase for each in found]
    assert [Phase.IN_PROGRESS] * 3 + [Phase.VERIFYING, Phase.COMPLETED] == phases
    assert "ETA: to be announced" in found[1].words
    assert "rolled back" in found[2].words
    assert found[-1].words == "Database migration rolled back; everything is as it was before"


def test_a_breach_shows_degraded_services() -> None:
    """The services are up and do not work: the page does not call that maintenance."""
    script = Script().until("monitor").sample(good).watch(broken)

    assert Condition.DEGRADED == shown(script)[-1].condition


def test_services_that_are_down_for_longer_than_planned_are_out() -> None:
    """Past the announced end it is an outage, and the end is moved."""
    script = Script().until("apply").start_step()
    script.now += 7200
    script.fail(Database.UNKNOWN)
    last = shown(script)[-1]

    assert Condition.OUTAGE == last.condition
    assert last.ends > last.at


def test_a_cancelled_start_opens_no_maintenance() -> None:
    """Before the start is announced the public has heard nothing, and hears nothing."""
    script = Script().say(i.Abort(person=ANA, reason="not today")).end()

    assert [] == shown(script)


def test_an_end_by_hand_does_not_say_that_services_are_back() -> None:
    """What the bot does not know is left as it is shown."""
    script = Script().until("apply").fail(Database.UNKNOWN).say(i.TakeOver(person=ANA, note="mine"))
    script.say(i.Close(person=ANA, note="done by hand")).end()

    assert (Phase.COMPLETED, None) == (shown(script)[-1].phase, shown(script)[-1].condition)


@pytest.mark.parametrize("story", list(STORIES))
def test_nothing_that_people_wrote_gets_to_the_public(story: str) -> None:
    """Purposes, reasons, notes and problems are for colleagues."""
    secret = "the-customer-is-Acme"
    plan = replace(PLAN, name=secret, purpose=secret)
    script = STORIES[story](Script(words=secret, plan=plan))

    assert [] == [each for each in shown(script) if secret in f"{each.title}{each.words}"]


def test_a_breach_pages_until_the_way_back_is_done() -> None:
    """The one alarm of a breach is over when the run is."""
    found = alarms(STORIES["auto"](Script()))

    assert "+breach" == found[0]
    assert 1 == found.count("+breach")
    assert "-breach" == found[-1]
    assert "+stuck" not in found


def test_a_stuck_run_pages_and_the_retry_resolves_it() -> None:
    """Each time it is stuck, somebody is called; each time it goes on, nobody is."""
    assert ["+stuck", "-stuck", "+stuck", "-stuck"] == alarms(STORIES["failing"](Script()))


def test_a_hand_over_pages_until_it_is_closed() -> None:
    """The stuck alarm becomes that of the hand-over."""
    found = alarms(STORIES["handed over"](Script()))

    assert ["+stuck", "-stuck", "+handed-over", "-handed-over"] == found[:4]


def test_unanswered_approvals_page_after_the_last_reminder_only() -> None:
    """Two reminders call nobody; the third does, until the question is closed."""
    script = Script().until("backup").ask()
    for _ in range(2):
        script.tick(TimerKind.REMIND)
    assert [] == alarms(script)

    script.tick(TimerKind.REMIND)
    assert ["+unanswered"] == alarms(script)

    script.tick(TimerKind.EXPIRE)
    assert ["+unanswered", "-unanswered"] == alarms(script)


def test_the_affected_services_are_quiet_from_the_start_to_the_end() -> None:
    """Change events and the quiet frame the run."""
    kinds = [type(each.body).__name__ for each in told(STORIES["happy"](Script())) if each.medium is Medium.PAGER]

    assert ["Quiet", "Change", "WhoIsOnCall", "QuietOver", "Change"] == kinds


def test_announcements_are_mailed_to_everybody_and_alarms_to_the_team() -> None:
    """The same words as in the channel; one subject for the whole thread."""
    found = mails(STORIES["failing"](Script()))

    assert found[0].text.startswith("🚨 Database migration starting now\nPurpose: Cases get a priority\n")
    assert [True, *[False] * (len(found) - 1)] == [each.first for each in found]
    everybody, team = (Audience.STAKEHOLDERS, Audience.TEAM), (Audience.TEAM,)
    assert [everybody, team, team, everybody] == [each.audience for each in found]
    assert {"Database migration: add case priority on casework (run-7f3a)"} == {each.subject for each in found}


def test_words_of_people_are_no_markup_in_a_mail() -> None:
    """What looks like HTML is shown, not obeyed."""
    plan = replace(PLAN, purpose='<script>alert(1)</script> & "more"')
    made = html(mails(Script(plan=plan).until("backup"))[0].text)

    assert "<script>" not in made
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;" in made


@pytest.mark.parametrize("story", list(STORIES))
def test_no_key_is_used_twice_and_a_replay_makes_the_same_notices(story: str) -> None:
    """A key is one notice for ever, and the same one after a replay."""
    found = list(told(STORIES[story](Script())))

    assert len(found) == len({each.key for each in found})
    assert found == list(told(STORIES[story](Script())))


@pytest.mark.parametrize("story", [name for name, tell in STORIES.items() if tell(Script()).run.final])
def test_at_the_end_of_a_run_nothing_is_left_open(story: str) -> None:
    """A run that is over has no alarm, no quiet and no open maintenance left."""
    script = STORIES[story](Script())
    open_alarms: set[str] = set()
    for each in alarms(script):
        (open_alarms.add if each[0] == "+" else open_alarms.discard)(each[1:])
    quiet = [each.about for each in told(script) if each.about == "quiet"]

    assert set() == open_alarms
    assert len(quiet) != 1
    assert not shown(script) or Phase.COMPLETED == shown(script)[-1].phase


def test_a_target_without_media_is_told_nothing_and_a_clean_up_concerns_nobody() -> None:
    """Only what is configured is told; removing kept databases is no maintenance."""
    pages = STORIES["failing"](Script()).pages
    cleaning = Script(**{**given_to(Script()), "plan": replace(PLAN, cleans="run-1")}).end()  # type: ignore[arg-type]

    assert [] == [each for page in pages for each in notices(page.before, page.after, page.event, frozenset())]
    assert [] == list(told(cleaning))
