"""The announcements: the runbook's words, filled with facts of the run."""

from dataclasses import replace
from math import ceil

import pytest

from bot.runbook import announcements, texts
from bot.runbook import intents as i
from bot.runbook.run import Database, Run, State
from bot.runbook.steps import StepName
from bot.runbook.wording import duration, one_line, utc
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
    assert expected == announcements.maintenance_start(Script().run)


def test_zero_downtime_is_announced_as_the_template_says() -> None:
    """Runbook "Migration Timeline Template": X minutes or Zero."""
    run = Script(plan=replace(PLAN, downtime=False)).run

    assert "Estimated downtime: Zero" in announcements.maintenance_start(run).splitlines()


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
    assert expected == announcements.complete(script.run, script.now)


def test_rollback_is_the_runbooks_word_for_word() -> None:
    """Runbook "Rollback Steps", 1."""
    script = Script().until("verify").fail(Database.CHANGED).say(i.RollBack(person=ANA, reason="cases are gone"))
    expected = "🚨 Initiating migration rollback\nReason: cases are gone\nETA: 15 minutes"

    assert expected == announcements.rollback(script.run)


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
            "Status: The database is as it was before the migration; services are back on the previous deploy",
        ),
        ("handed over", "ℹ️ Database migration closed by hand", "Database: the migration is in (last known to the bot)"),
    ],
)
def test_every_other_end_is_announced_in_the_same_tone(story: str, first: str, promise: str) -> None:
    """Each way out says what became of the database and the services."""
    script = STORIES[story](Script())
    announce = {
        State.CANCELLED: announcements.cancelled,
        State.RETURNED: lambda run: announcements.returned(run, script.now),
        State.ROLLED_BACK: lambda run: announcements.rolled_back(run, script.now),
        State.CLOSED: announcements.closed,
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

    assert announcements.maintenance_start(run).count("\n") == 4


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


def test_the_rollbacks_eta_is_that_of_the_granted_way() -> None:
    """What was measured, with stopping, verifying and restarting as in this run, or else by the runbook."""
    run = next(page.after for page in STORIES["rung picked"](Script()).pages if page.after.way)
    assert run.way is not None
    took = {each.step: each.seconds for each in run.done}
    around = (
        took[StepName.STOP_SERVICES] + took.get(StepName.VERIFY, 300.0) + took.get(StepName.RESTART_SERVICES, 300.0)
    )

    assert announcements.rollback(run).endswith(f"ETA: {ceil((run.way.seconds or 0) / 60 + around / 60)} minutes")
    never_stopped = replace(run, done=(), way=replace(run.way, seconds=1.0))
    assert announcements.rollback(never_stopped).endswith("ETA: 14 minutes")  # 3, 5 and 5 by the runbook
    unknown = replace(run, way=replace(run.way, seconds=None))
    assert announcements.rollback(unknown).endswith("ETA: 15 minutes")


@pytest.mark.parametrize(
    ("story", "how", "lost", "kept"),
    [
        (
            "breach",
            "The standby copy was switched into place",
            "12 rows of the disk is full",
            "casework_prod_failed (the database as it failed); /backups/the disk is full (rows written after the copy"
            " was taken)",
        ),
        (
            "rung picked",
            "The backup was restored beside the database and switched into place",
            "40 rows",
            "casework_prod_standby (the standby copy); casework_prod_failed (the database as it failed);"
            " /backups/the disk is full (rows written after the copy was taken)",
        ),
        ("sql error", "The migration had changed nothing, so the database was left alone", "nothing", ""),
    ],
)
def test_a_rollback_says_how_what_was_lost_and_what_is_kept(story: str, how: str, lost: str, kept: str) -> None:
    """Each way back in words, with the database and the rows that are still there, and how to remove them."""
    script = STORIES[story](Script())
    lines = announcements.rolled_back(script.run, script.now).splitlines()

    assert f"How: {how}" in lines
    assert f"Lost: {lost}" in lines
    assert "Status: The database is as it was before the migration; services are back on the previous deploy" in lines
    assert bool(kept) == (f"Kept: {kept}" in lines)
    assert bool(kept) == any("/migrate cleanup run-7f3a" in line for line in lines)


def test_a_clean_up_says_what_was_removed() -> None:
    """Line by line, and that more stands in the thread."""
    run = STORIES["cleanup"](Script(evidence=tuple(f"dropped db{number}" for number in range(12)))).run
    lines = announcements.cleaned(run).splitlines()

    assert lines[:2] == ["✅ Kept databases of run run-5c21 removed", "• dropped db0"]
    assert lines[-1] == "• and 2 more, in the thread"


def test_the_watch_after_going_back_lasts_as_long_as_the_runbook_says() -> None:
    """Fifteen minutes there, not the thirty of the way forward."""
    run = next(
        page.after
        for page in STORIES["breach"](Script()).pages
        if page.after.state is State.WATCHING and page.after.step.name is StepName.WATCH_BACK
    )

    assert f"watched until {utc(run.since + 900)}" in texts.doing(run)


def test_a_clean_up_is_not_called_a_migration() -> None:
    """Neither its status nor its ends speak of one."""
    for story in ("cleanup", "cleanup declined"):
        for page in STORIES[story](Script()).pages:
            said = texts.status(page.after, page.after.since) + announcements.cancelled(page.after)
            assert "igration" not in said.replace("casework", ""), said
