"""What nobody thought of: a reference that is in the logs; and Slack itself in trouble."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.demo.workspace.faults import FaultKind
from bot.runbook.run import State
from bot.views.ids import Field, Verb
from tests.commands.office import DANA, Office, told

HOSTILE = (
    "<!channel> <!here> <@U0ALEX001> <#C0ENG0001> <https://evil.example|click>",
    "&lt;!everyone&gt; & `code` *bold* ```block```",
    '\'; drop table ledger; --\r\n{"run": 1}',
    "\u202egnp.exe \u200b\x07 ﷽ 🏳️‍🌈 " + "ü" * 60,
)


async def _breaks(office: Office, table: str) -> None:
    """Something the program relies on is gone."""
    async with office.engine.connection() as conn:
        await conn.execute(f"alter table {table} rename to {table}_gone")  # type: ignore[call-overload]


def _reference(answer: str, logs: list[Any]) -> str:
    """The reference people were given, which the logs have with the error behind it."""
    found = re.search(r"E-[0-9a-f]{8}", answer)
    assert found is not None, answer
    entries = [entry for entry in logs if entry.get("reference") == found[0]]
    assert ["request.unexpected"] == [entry["event"] for entry in entries]
    assert "UndefinedTable" in type(entries[0]["exc_info"]).__name__
    return found[0]


async def test_an_error_behind_a_command_becomes_a_reference(office: Office) -> None:
    """The person is told it is not their doing, and what to give to whom."""
    await office.begins()
    await _breaks(office, "step_logs")
    with capture_logs() as logs:
        answer = await told(office.dana, partial(office.dana.command, "/migrate logs"))
    _reference(answer, logs)
    assert "not your doing" in answer and "owners of the bot" in answer


async def test_an_error_behind_a_button_becomes_a_reference_and_nothing_is_recorded(office: Office) -> None:
    """The transaction is gone as a whole."""
    run = await office.begins()
    before = await office.record(run.id)
    await _breaks(office, "letters")
    with capture_logs() as logs:
        button = await office.button(office.alex, Verb.APPROVE)
        answer = await told(office.alex, partial(office.alex.click, button))
    _reference(answer, logs)
    assert before == await office.record(run.id)


async def test_an_error_behind_a_modal_is_shown_in_it_with_its_reference(office: Office) -> None:
    """What was filled in is still there when it works again."""
    assert (await office.dana.command("/migrate start")).ok
    view = await office.dana.wait_view()
    await _breaks(office, "letters")
    filled = {"name": "n", "purpose": "p", "minutes": "5", "files": ["billing_001_priority.sql"]}
    with capture_logs() as logs:
        answer = await told(office.dana, partial(office.dana.submit, view, filled))
    _reference(answer, logs)
    assert () == await office.engine.recent()
    assert [view["id"]] == [each["id"] for each in office.dana.views]


@pytest.mark.parametrize("line", ["/migrate start", "/migrate hold"])
async def test_a_modal_that_cannot_be_opened_is_answered_with_a_reference(office: Office, line: str) -> None:
    """Slack's own trouble does not leave a command unanswered."""
    run = await office.begins()
    before = await office.record(run.id)
    office.workspace.faults.add("views.open", "http_500")
    with capture_logs() as logs:
        answer = await told(office.dana, partial(office.dana.command, line))
    found = re.search(r"E-[0-9a-f]{8}", answer)
    assert found is not None and found[0] in str(logs)
    assert before == await office.record(run.id)


@pytest.mark.parametrize("kind", ["http_500", "drop_before", "drop_after", "ratelimited"])
async def test_an_answer_that_cannot_be_delivered_undoes_nothing(office: Office, kind: FaultKind) -> None:
    """The press is acked and recorded; the channel shows it, whatever became of the whisper."""
    run = await office.begins()
    office.workspace.faults.add("chat.postEphemeral", kind)
    done = await office.alex.click(await office.button(office.alex, Verb.APPROVE))
    assert done.ok
    assert State.WORKING is (await office.engine.load(run.id)).state


async def test_an_answer_that_comes_late_does_not_hold_up_the_ack(office: Office) -> None:
    """Slack may take longer for our call than it gives us for the ack."""
    run = await office.begins()
    office.workspace.faults.add("chat.postEphemeral", "slow", seconds=4.0)
    done = await office.alex.click(await office.button(office.alex, Verb.APPROVE))
    assert done.ok
    assert State.WORKING is (await office.engine.load(run.id)).state


@pytest.mark.parametrize("kind", ["http_500", "drop_before", "ratelimited", "slow"])
async def test_who_cannot_be_looked_up_decides_nothing(office: Office, kind: FaultKind) -> None:
    """When Slack does not say who somebody is, the answer is no, in time for the ack."""
    run = await office.begins()
    before = await office.record(run.id)
    office.workspace.faults.add("users.info", kind, times=3, seconds=5.0)  # a lost GET is sent again by aiohttp
    button = await office.button(office.alex, Verb.APPROVE)
    answer = await told(office.alex, partial(office.alex.click, button))
    assert "nothing was recorded" in answer and "Try again" in answer
    assert before == await office.record(run.id)


@pytest.mark.parametrize("words", HOSTILE, ids=["mentions", "markup", "sql", "unicode"])
async def test_hostile_words_are_kept_as_written_and_do_nothing(office: Office, words: str) -> None:
    """In every free text: name, purpose and reason reach the ledger as they are, and the channel as words."""
    assert (await office.dana.command("/migrate start")).ok
    view = await office.dana.wait_view()
    filled = {"name": words[:75], "purpose": words, "minutes": "5", "files": ["billing_001_priority.sql"]}
    await told(office.dana, partial(office.dana.submit, view, filled))
    run = await office.goes_on((await office.engine.active())[0].id)
    assert (words[:75].strip(), words.strip()) == (run.plan.name, run.plan.purpose)
    await office.dana.click(await office.button(office.dana, Verb.TAKEOVER))
    modal = await office.dana.wait_view(pred=lambda found: found["callback_id"] == Verb.TAKEOVER.id)
    await told(office.dana, partial(office.dana.submit, modal, {Field.REASON.value: words}))
    await office.publisher.publish(run.id)
    await office.alex.click(await office.button(office.alex, Verb.CLOSE))
    modal = await office.alex.wait_view(pred=lambda found: found["callback_id"] == Verb.CLOSE.id)
    await told(office.alex, partial(office.alex.submit, modal, {Field.REASON.value: words}))
    after = await office.goes_on(run.id)
    assert after.final and words.strip() in after.reason
    for line in _markup(office.workspace.messages("#engineering")):
        assert not re.search(r"<!(channel|here|everyone)|<https?://evil", line), line
        assert "<@U0ALEX001>" not in line.replace("*Needed:* <@U0ALEX001>", "")
    assert [] == [entry for entry in office.workspace.log if not entry[2].get("ok")]
    assert run.id in json.loads(await office.record(run.id))["run"]


def _markup(found: Any) -> Iterator[str]:
    """Every text that Slack reads as mrkdwn: messages' own, and those objects that say so."""
    if isinstance(found, dict):
        if found.get("type") in ("mrkdwn", "message") and found.get("user") != DANA.id:
            yield str(found.get("text", ""))
        for each in found.values():
            yield from _markup(each)
    elif isinstance(found, list):
        for each in found:
            yield from _markup(each)
