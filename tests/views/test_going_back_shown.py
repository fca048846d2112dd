"""What people are told, asked and offered on the way back, until the investigation is open."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.ports import Letter
from bot.runbook import intents as i
from bot.runbook.events import Event, Granted, StepFailed, StepFinished
from bot.runbook.run import Database
from bot.runbook.rungs import Envelope, Rung
from bot.runbook.steps import StepName
from bot.views.ids import ActionValue, Verb, decode_value
from bot.views.question import question
from bot.views.redraws import redraws
from bot.views.text import plain
from tests.script import Page
from tests.scripted import ANA, PLAN, STORIES, Script, ladder

RUNBOOK_ITEMS = (
    "Root cause analysis of migration failure",
    "Document lessons learned",
    "Fix migration issues before retry",
    "Update runbook with learnings",
)


def parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every JSON object in a payload."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from parts(inner)


def page_of(script: Script, kind: type[Event], number: int = -1) -> Page:
    """The last page (or another) whose event is of that kind."""
    return [page for page in script.pages if isinstance(page.event, kind)][number]


def all_letters(script: Script) -> list[Letter]:
    """Everything a run has said."""
    return [letter for page in script.pages for letter in script.letters(page, head="ab12cd34ef56")]


def text(letter: Letter) -> str:
    """A letter's words as they are read."""
    return plain(str(letter.payload["text"]))


def asked() -> Script:
    """A person asked for the way back, and the worker has found every way there is."""
    script = Script(ladder=ladder("them")).until("verify").fail(Database.CHANGED)
    return script.say(i.RollBack(person=ANA, reason="cases are gone")).ask()


def test_the_question_says_why_which_way_and_what_every_other_would_cost() -> None:
    """Nobody has to remember the ladder: each way stands there with its cost or why it is impossible."""
    said = plain(str(question(asked().run)["text"]))

    for part in (
        "Roll back the migration",
        "Why: cases are gone",
        "Switch to the standby copy (it loses the least)",
        "down for about 1 second",
        "loses 12 rows of them",
        "Run the DOWN migration: not possible: no DOWN script was given",
        "Restore the backup beside, then switch: down for about 6 minutes 40 seconds",
        "Expected time about 1 second",
        "/migrate rung restore or /migrate rung platform",
    ):
        assert part in said


def test_the_list_offers_every_other_possible_way_and_asks_once_more() -> None:
    """What is impossible cannot be picked, nor what is asked for already; the value names the very question."""
    run = asked().run
    (select,) = [each for each in parts(question(run)["blocks"]) if each.get("type") == "static_select"]
    values = [decode_value(each["value"]) for each in select["options"]]

    assert (select["action_id"], bool(select["confirm"])) == (Verb.RUNG.id, True)
    assert values == [
        ActionValue(run=run.id, number=run.asked, digest=Rung.RESTORE),
        ActionValue(run=run.id, number=run.asked, digest=Rung.PLATFORM),
    ]


def test_a_picked_way_closes_the_question_before_and_says_so_in_the_next() -> None:
    """The old message loses its buttons, the new one names the way it replaces."""
    script = asked().pick(Rung.RESTORE)
    page = script.pages[-1]
    drawn = dict(redraws(page.before, page.after, page.event))[f"run-7f3a:q{page.after.asked}"]
    script.ask()

    assert "Ana wants another way, “Restore the backup beside, then switch”" in drawn["text"]
    assert not [each for each in parts(drawn["blocks"]) if each.get("type") in ("actions", "static_select")]
    assert "picked instead of “Switch to the standby copy”" in str(question(script.run)["text"])


def test_the_way_on_which_nothing_is_touched_is_approved_by_a_click() -> None:
    """Only restarting is not as grave as replacing a database."""
    script = STORIES["sql error"](Script())
    run = next(page.after for page in script.pages if page.after.question and page.after.question.rung is Rung.NOTHING)
    approve = next(each for each in parts(question(run)["blocks"]) if each.get("action_id") == Verb.APPROVE.id)

    assert "confirm" in approve
    assert "press Approve" in question(run)["text"]


def test_approving_the_migration_signs_the_envelope_and_the_question_says_so() -> None:
    """What else a yes agrees to stands in the question itself, as does going back without asking."""
    plan = replace(PLAN, envelope=Envelope(rows=100, minutes=10), auto_rollback=True)
    script = Script(plan=plan).until("apply").ask()
    said = str(question(script.run)["text"])

    assert f"Approving this also signs the rollback envelope: {plan.envelope.words}" in said  # type: ignore[union-attr]
    assert "⚠️ Automatic rollback is on for casework" in said
    assert "Point of no return: undone by the switch in 2 s" in said
    script.approve().approve(script.approvers[1])
    assert "The rollback envelope is signed with it." in text(all_letters(script)[-1])


@pytest.mark.parametrize("story", ["breach", "sql error"])
def test_a_met_criterion_is_told_aloud_and_nobody_is_asked_what_now(story: str) -> None:
    """The way back is asked for at once, so there is no message whose buttons die a moment later."""
    script = STORIES[story](Script())
    page = page_of(script, StepFailed)
    letter, *charts = script.letters(page)

    assert letter.thread == ""
    assert all(each.file and each.file.name.endswith(".png") for each in charts)
    assert text(letter).startswith("🚨 Rollback criterion met: ")
    assert text(letter).endswith("The way back is described below.")
    assert not [each for each in all_letters(script) if ":stuck:" in each.key]


def test_a_breach_after_going_back_asks_what_now() -> None:
    """There is no further way back to open, so people decide."""
    script = STORIES["worse after going back"](Script())
    (letter,) = script.letters(page_of(script, StepFailed))

    assert ":stuck:" in letter.key


def test_the_bot_that_asks_is_called_the_bot() -> None:
    """Without a person the thread says who asked, and why."""
    said = [text(each) for each in all_letters(STORIES["breach"](Script())) if ":rollbackasked" in each.key]

    assert said[0].startswith("⚠️ The bot asks for the way back: Application error rate >10% for >5 minutes")


@pytest.mark.parametrize(
    ("story", "parts_said"),
    [
        ("auto", ("automatic rollback is on for this target", "The setting `auto_rollback` of casework says so.")),
        ("envelope", ("the signed rollback envelope covers it", "signed by @U0ANA (Ana, ", "@U0BEN (Ben, ")),
    ],
)
def test_going_back_without_asking_is_told_aloud_with_who_agreed(story: str, parts_said: tuple[str, ...]) -> None:
    """The channel hears it, with the signers or the setting; the question beside it is closed."""
    script = STORIES[story](Script())
    page = next(page for page in script.pages if isinstance(page.event, Granted) and page.event.by != "people")
    (letter,) = script.letters(page)

    assert letter.thread == ""
    assert text(letter).startswith("🚨 Going back without asking: ")
    assert all(part in text(letter) for part in parts_said)
    redrawn = dict(redraws(page.before, page.after, page.event))
    assert "begun without asking" in redrawn[f"run-7f3a:q{page.after.asked}"]["text"]


def test_outside_the_envelope_people_are_asked() -> None:
    """What was not agreed to beforehand is a question like any other."""
    script = STORIES["outside the envelope"](Script())

    assert not [each for each in all_letters(script) if ":granted" in each.key and not each.thread]


def test_the_rollback_deadline_is_told_before_and_after() -> None:
    """Who decides, when it passes, and what going back means from then on."""
    near, passed = (text(each) for each in all_letters(STORIES["deadline"](Script())) if ":deadline" in each.key)

    assert near.startswith("⚠️ The rollback deadline is near\n@U0ANA @U0BEN @U0EVA It passes ")
    assert passed.startswith("⚠️ The rollback deadline has passed\n@U0ANA @U0BEN @U0EVA It was ")
    assert all("/migrate rollback REASON" in each for each in (near, passed))


def test_the_platforms_instructions_stand_in_full_in_the_thread() -> None:
    """Whoever goes the platform's way finds every step of it, line by line."""
    script = STORIES["platform picked"](Script())
    asking, in_full = (each for each in all_letters(script) if ":handed_over:" in each.key)

    assert in_full.thread == asking.key
    assert "1. Open the console." in str(in_full.payload["blocks"])
    assert "2. Restore to 12:04." in str(in_full.payload["blocks"])


def test_a_kept_standby_copy_is_said_in_the_thread_not_in_the_runbooks_words() -> None:
    """The announcement stays word for word; how to remove the copy is beside it."""
    script = STORIES["standby"](Script())
    announced, _, _, kept = script.letters(page_of(script, StepFinished))

    assert text(announced).endswith("Thanks for your patience!")
    assert (kept.thread, "`/migrate cleanup run-7f3a` removes it" in text(kept)) == ("run-7f3a:card", True)


def test_the_investigation_opens_with_the_runbooks_four_items() -> None:
    """In the channel: word for word from the runbook's "Post-Rollback Investigation"."""
    script = STORIES["breach"](Script())
    opened = next(each for each in all_letters(script) if each.key.endswith(":investigation"))

    assert opened.thread == ""
    assert text(opened).startswith("⚠️ Investigation: add case priority (run run-7f3a)")
    assert all(f"• {item}" in text(opened) for item in RUNBOOK_ITEMS)


def test_the_investigations_thread_has_timeline_failure_logs_and_report() -> None:
    """Everything that is known stands below it, the last of it a file."""
    script = STORIES["breach"](Script())
    opened, *below = (each for each in all_letters(script) if ":investigation" in each.key)

    assert {opened.key} == {each.thread for each in below}
    assert ["timeline", "failed", "logs", "md", "html"] == [each.key.rpartition(":")[2] for each in below]
    timeline, failed, logs, *_ = (text(each) for each in below)
    assert "Apply database migration, 1 minute, approved by Ana, Ben (digest 30000000)" in timeline
    assert "Rollback criterion: Application error rate >10% for >5 minutes" in failed
    assert "psql -X -v ON_ERROR_STOP=1" in logs
    assert [None, None, None] == [each.file for each in below[:3]]


def test_the_report_has_everything_in_one_file() -> None:
    """Timeline, approvals with whole digests, complete evidence, what is kept where, logs, and the ledger's head."""
    script = STORIES["breach"](Script())
    file = next(each.file for each in all_letters(script) if each.file and each.file.name.endswith(".md"))

    assert (file.name, file.title) == ("investigation-run-7f3a.md", "Investigation of run run-7f3a")
    for part in (
        "# Investigation: add case priority",
        *(f"- [ ] {item}" for item in RUNBOOK_ITEMS),
        "| Rollback criterion | Application error rate >10% for >5 minutes |",
        "| Ana (U0ANA) | Apply database migration | `" + "3" + "0" * 63 + "` | slack |",
        "### Go back to the state before",
        "- Every checksum matches",
        "- `failed_database`: casework_prod_failed",
        "- casework_prod_failed (the database as it failed)",
        "/backups/the disk is full (rows written after the copy was taken)",
        "`/migrate cleanup run-7f3a` removes the kept databases",
        "~~~~\npsql -X -v ON_ERROR_STOP=1",
        "Head of the ledger when this was written: `ab12cd34ef56`.",
    ):
        assert part in file.text


def test_peoples_words_cannot_break_the_report() -> None:
    """A pipe ends no cell, a tag is no tag, and no line of a log closes the fence."""
    script = STORIES["breach"](Script(words="a | b <script>", lines=("~~~~", "# no heading")))
    file = next(each.file for each in all_letters(script) if each.file and each.file.name.endswith(".md"))

    assert "a \\| b &lt;script>" in file.text
    assert "<script>" not in file.text.split("## Logs")[0]
    assert file.text.count("~~~~") % 2 == 0
    assert "\n# no heading\n" in file.text.split("## Logs")[1].split("~~~~")[1]


def test_a_run_that_only_cleans_up_does_not_speak_of_a_migration() -> None:
    """Its announcements, its card and its end are about what was removed, or that nothing was."""
    done = [text(each) for each in all_letters(STORIES["cleanup"](Script()))]
    declined = [text(each) for each in all_letters(STORIES["cleanup declined"](Script()))]

    assert "Clean-up “Clean up after run-5c21”" in done[0]
    assert any(each.startswith("✅ Kept databases of run run-5c21 removed\n• Backup: 12.3 MB") for each in done)
    assert any(each.startswith("ℹ️ Clean-up cancelled\n") for each in declined)
    assert not [each for each in (*done, *declined) if "Database migration" in each or "Migration “" in each]


def test_the_steps_of_the_way_back_are_drawn_with_its_watch() -> None:
    """The plan shows the standby step where one was made, and the watch before the last announcement."""
    run = STORIES["breach"](Script()).run
    names = [done.step for done in run.done]

    assert (StepName.STANDBY in names, names[-2:]) == (True, [StepName.WATCH_BACK, StepName.ANNOUNCE_ROLLED_BACK])
