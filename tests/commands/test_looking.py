"""Help, status, logs, history, Home and being called by name: everybody may look, and looking changes nothing."""

from functools import partial

import pytest

from bot import store
from bot.demo import cast
from bot.views.ids import Verb
from commands.look import HELP
from tests.commands.office import Office, told


@pytest.mark.parametrize("line", ["/migrate", "/migrate help", "/migrate HELP"])
async def test_help_names_every_verb_that_can_be_typed(office: Office, line: str) -> None:
    """The list is made of the table, so it cannot be out of date."""
    answer = await told(office.dana, partial(office.dana.command, line))
    assert all(f"/migrate {verb}" in answer for verb in HELP)


async def test_what_is_no_verb_is_answered_with_the_way_to_the_list(office: Office) -> None:
    """A typing mistake is not an error, and its words ping nobody."""
    answer = await told(office.dana, partial(office.dana.command, "/migrate <!channel>"))
    assert "/migrate help" in answer and "<!channel>" not in answer


@pytest.mark.parametrize("user", [cast.STARTER, cast.OUTSIDER, cast.GUEST])
@pytest.mark.parametrize("line", ["status", "logs", "history", "help"])
async def test_looking_is_free_and_changes_nothing(office: Office, line: str, user: str) -> None:
    """Nobody has to wonder, and nobody changes anything by asking."""
    run = await office.begins()
    before = await office.record(run.id)
    person = office.people[user]
    answer = await told(person, partial(person.command, f"/migrate {line}"))
    assert answer and "❌" not in answer
    assert before == await office.record(run.id)


async def test_status_says_where_what_next_and_who_is_needed(office: Office) -> None:
    """The same words as in the channel, with the record's hash."""
    run = await office.begins()
    answer = await told(office.dana, partial(office.dana.command, "/migrate status"))
    head = (await office.engine.load_with_head(run.id))[1]
    assert "Create pre-migration backup" in answer and head[:8] in answer


async def test_the_buttons_of_a_status_answer_work(office: Office) -> None:
    """What only one person sees can be acted on, too."""
    await office.begins()
    await told(office.dana, partial(office.dana.command, "/migrate status"))
    button = await office.button(office.dana, Verb.LOGS)
    assert button.message.get("is_ephemeral")
    answer = await told(office.dana, partial(office.dana.click, button))
    assert "Nothing has been logged" in answer


async def test_logs_show_the_newest_lines_literally(office: Office) -> None:
    """What a tool printed is shown as it is, and pings nobody."""
    run = await office.begins()
    async with office.engine.connection() as conn:
        for number in range(70):
            line = f"line {number} <!here>"
            await store.execute(conn, "log_line", run_id=run.id, step="backup", at=1.0, line=line)
    answer = await told(office.dana, partial(office.dana.command, "/migrate logs"))
    assert "line 69" in answer and "<!here>" not in answer
    shown = str(office.dana.ephemerals[-1]["blocks"])
    assert "[backup] line 69 <!here>" in shown and "line 9 " not in shown


async def test_history_lists_how_runs_ended(office: Office) -> None:
    """Live and past runs, newest first."""
    run = await office.begins()
    answer = await told(office.dana, partial(office.dana.command, "/migrate history"))
    assert "Case priority" in answer and run.id in answer


async def test_home_shows_the_live_run_and_its_buttons_work(office: Office) -> None:
    """A press on Home is answered in the run's channel, for the one who pressed."""
    run = await office.begins()
    assert (await office.dana.open_home()).ok
    home = await office.dana.wait_home()
    assert run.id in str(home["blocks"])
    block = next(block for block in home["blocks"] if block["type"] == "actions")
    action = next(each for each in block["elements"] if each["action_id"] == Verb.LOGS.id)
    press = partial(office.dana.view_action, home, block["block_id"], action["action_id"], value=action["value"])
    assert "Nothing has been logged" in await told(office.dana, press)


async def test_called_by_name_the_bot_says_where_things_stand_in_the_thread(office: Office) -> None:
    """Once, however often Slack sends the event."""
    await office.begins()
    bot = office.workspace.core.seed.bot.id
    assert (await office.dana.say(f"<@{bot}> how is it going?")).ok
    question = office.dana.messages()[-2] if "thread_ts" in office.dana.messages()[-1] else office.dana.messages()[-1]
    answer = await office.dana.wait_message(lambda found: found.get("thread_ts") == question["ts"])
    assert "Create pre-migration backup" in answer["text"]
