"""The announcements: the runbook's words, filled with facts of the run."""

from dataclasses import replace

import pytest

from bot.runbook import intents as i
from bot.runbook import texts
from bot.runbook.run import Database, Run, State
from bot.runbook.steps import StepName
from bot.runbook.wording import duration, one_line
from tests.scripted import ANA, EVA, PLAN, STORIES, T0, Script


def test_maintenance_start_is_the_runbooks_word_for_word() -> None:
    """Runbook step 1, with its five lines."""
    expected = (
        "🚨 Database migration starting now\n"
        "Purpose: Cases get a priority\n"
        "Estimated downtime: 20 minutes\n"
        "Expected completion: 12:06 UTC\n"
        "Status updates: Every 15 minutes"
    )
    assert expected == texts.maintenance_start(Script().run)


def test_zero_downtime_is_announced_as_the_template_says() -> None:
    """Runbook "Migration Timeline Template": X minutes or Zero."""
    run = Script(plan=replace(PLAN, downtime=False)).run

    assert "Estimated downtime: Zero" in texts.maintenance_start(run).splitlines()


def test_complete_is_the_runbooks_word_for_word() -> None:
    """Runbook step 8, with the actual duration and downtime."""
    script = STORIES["happy"](Script())
    expected = (
        "✅ Database migration completed successfully\n"
        "Duration: 1 hour 11 minutes\n"
        "Downtime: 13 minutes\n"
        "Status: All systems operational\n"
        "Monitoring: Continuing for next 24 hours\n"
        "Thanks for your patience!"
    )
    assert expected == texts.complete(script.run, script.now)


def test_rollback_is_the_runbooks_word_for_word() -> None:
    """Runbook "Rollback Steps", 1."""
    script = Script().until("verify").fail(Database.CHANGED).say(i.RollBack(person=ANA, reason="cases are gone"))
    expected = "🚨 Initiating migration rollback\nReason: cases are gone\nETA: 15 minutes"

    assert expected == texts.rollback(script.run)


@pytest.mark.parametrize(
    ("story", "first", "promise"),
    [
        ("declined", "ℹ️ Database migration cancelled", "Status: Nothing was changed; the services kept running"),
        (
            "failing",
            "✅ Database migration stopped; services are back",
            "Status: Nothing was changed in the database; services are back",
        ),
        (
            "rollback",
            "✅ Migration rollback completed",
            "Status: The database is as it was before the migration; services are back",
        ),
        ("handed over", "ℹ️ Database migration closed by hand", "Database: the migration is in (last known to the bot)"),
    ],
)
def test_every_other_end_is_announced_in_the_same_tone(story: str, first: str, promise: str) -> None:
    """Each way out says what became of the database and the services."""
    script = STORIES[story](Script())
    announce = {
        State.CANCELLED: texts.cancelled,
        State.RETURNED: lambda run: texts.returned(run, script.now),
        State.ROLLED_BACK: lambda run: texts.rolled_back(run, script.now),
        State.CLOSED: texts.closed,
    }[script.run.state]

    lines = announce(script.run).splitlines()

    assert (first, True) == (lines[0], promise in lines)


def test_the_status_says_where_next_who_and_how_long() -> None:
    """The 15-minute update of a run that waits for its second approver."""
    script = Script().until("backup").ask().approve()
    expected = (
        "ℹ️ Migration status of add case priority: step 2 of 8, Create pre-migration backup\n"
        "Now: “Create pre-migration backup” waits for approval, 1 of 2 so far, until 12:09 UTC.\n"
        "Next: Stop services, after approval.\n"
        "Needed: 1 approver of casework to approve or reject it.\n"
        "Elapsed: 4 minutes of about 1 hour\n"
        "Downtime: None\n"
        "Database: as it was before the run\n"
        "Record: ab12cd34"
    )
    assert expected == texts.status(script.run, script.now, "ab12cd34ef56")


def test_people_cannot_add_lines_to_an_announcement() -> None:
    """A line break in a purpose does not become a false status line."""
    run = Script(plan=replace(PLAN, purpose="x\nStatus: All systems operational\u2028Downtime: None")).run

    assert texts.maintenance_start(run).count("\n") == 4


def test_a_declined_approver_and_the_starter_are_not_asked_again() -> None:
    """Only those whose yes is still missing are needed."""
    plan = replace(PLAN, policy=replace(PLAN.policy, approvers=frozenset({"U0ANA", "U0BEN", "U0EVA"})))
    run = Script(plan=plan).until("backup").ask().approve().run

    assert texts.needed(run) == {"U0BEN"}


@pytest.mark.parametrize("story", list(STORIES))
def test_whoever_is_needed_is_told_what_for(story: str) -> None:
    """In every state: people are named if and only if there is something for them to do."""
    for page in STORIES[story](Script()).pages:
        assert bool(texts.needed(page.after)) == bool(texts.ask(page.after))


@pytest.mark.parametrize("story", list(STORIES))
def test_waiting_for_people_always_names_some(story: str) -> None:
    """A run that cannot go on by itself never waits for nobody."""
    waiting = (State.ASKING, State.HELD, State.STUCK, State.HANDED_OVER)
    for page in STORIES[story](Script()).pages:
        if page.last and page.after.state in waiting:
            assert texts.needed(page.after)


def down(run: Run, now: float) -> float:
    return texts.downtime(run, now)


def test_downtime_runs_while_services_are_down() -> None:
    """From beginning to stop them, to now; and to their restart afterwards."""
    script = Script().until("stop_services").start_step()
    assert down(script.run, script.now) == 0.0
    assert down(script.run, script.now + 90) == 90.0


def test_two_stretches_of_downtime_are_added() -> None:
    """A rollback after the restart counts its own downtime, and not the time in between."""
    script = Script().until("monitor")
    first = down(script.run, script.now)
    script.sample().say(i.RollBack(person=EVA, reason="slow")).until("stop_services").start_step()
    assert down(script.run, script.now + 30) == first + 30.0

    script.until("announce_rolled_back")
    stops = [each for each in script.run.done if each.step is StepName.STOP_SERVICES]
    restarts = [each for each in script.run.done if each.step is StepName.RESTART_SERVICES]
    expected = sum(up.ended_at - stop.began_at for stop, up in zip(stops, restarts, strict=True))
    assert down(script.run, script.now + 999) == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (59.6, "1 minute"),
        (61, "1 minute 1 second"),
        (599, "9 minutes 59 seconds"),
        (600, "10 minutes"),
        (3600, "1 hour"),
        (4320, "1 hour 12 minutes"),
    ],
)
def test_durations_are_for_people(seconds: float, words: str) -> None:
    """Seconds matter below ten minutes, minutes above."""
    assert words == duration(seconds)


def test_one_line_keeps_joined_emoji_and_drops_marks() -> None:
    """Words stay as they were written, but for what would break a line."""
    assert one_line("👩‍👧 \u202ea\tb\u200b \x00c") == "👩‍👧 ab c".replace("ab", "a b")


def test_one_line_shortens_with_an_ellipsis() -> None:
    """What is cut off is seen to be cut off."""
    assert one_line("word " * 100, 12) == "word word w…"


def test_the_clock_of_a_run_stops_at_its_end() -> None:
    """A finished run does not get longer."""
    script = Script().end()

    assert texts.elapsed(script.run, script.now + 3600) == script.now - T0
