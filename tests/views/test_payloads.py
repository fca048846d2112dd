"""Every message and view, for every kind of run, with harmless and with hostile words."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.runbook import refusals as r
from bot.runbook.events import Sampled
from bot.runbook.run import Risk
from bot.views import home, modals
from bot.views.blocked import blocked, unblocked
from bot.views.blocks import Glyph
from bot.views.card import card
from bot.views.ids import decode_value, verb_of
from bot.views.limits import LimitProblem, message_problems, view_problems
from bot.views.question import question
from bot.views.redraws import redraws
from bot.views.refusals import broken, refused
from tests.scripted import PLAN, POLICY, STORIES, T0, Script

EVIL = (
    "<!channel> <@U0ALL> <!subteam^S0ALL> & <http://x|y> `code` ```pre``` *b* "
    "\u202eright to left\u202c\n\n🧨👩‍👩‍👧 \x00 "
)
LONG = EVIL * 60
HEAD = "ab12cd34ef56"


def hostile() -> dict[str, Any]:
    """The worst that people, files and programs can put into a run."""
    files = tuple(f"{number:03d}_{EVIL}{'f' * 260}.sql" for number in range(60))
    many = frozenset(f"U0{number:04d}" for number in range(400)) | POLICY.approvers
    plan = replace(
        PLAN, name=LONG, purpose=LONG[:5000], target=EVIL + "t" * 200, database=EVIL + "d" * 200, migrations=files,
        starter_name=LONG, policy=replace(POLICY, approvers=many, owners=many | POLICY.owners, on_call=many),
    )  # fmt: skip
    return {
        "plan": plan,
        "words": LONG,
        "evidence": (LONG,) * 40,
        "lines": (LONG, *files, *("x" * 20 for _ in range(500))),
    }


GIVEN: dict[str, Callable[[], dict[str, Any]]] = {"harmless": dict, "hostile": hostile}


@dataclass(frozen=True)
class Told:
    """A story with every message and view it makes."""

    script: Script
    messages: tuple[Mapping[str, Any], ...]
    views: tuple[Mapping[str, Any], ...]


@pytest.fixture(
    params=[(story, kind) for story in STORIES for kind in GIVEN],
    ids=lambda pair: f"{pair[0]}, {pair[1]}",
    scope="module",
)
def told(request: pytest.FixtureRequest) -> Told:
    """Each story, told twice: with harmless and with hostile words."""
    story, kind = request.param
    script = STORIES[story](Script(**GIVEN[kind]()))
    return Told(script=script, messages=tuple(messages(script)), views=tuple(views(script)))


def _routine(event: object) -> bool:
    """The hundredth measurement is drawn like the first."""
    return isinstance(event, Sampled)


def messages(script: Script) -> Iterator[Mapping[str, Any]]:
    """All messages a run makes, and those its people ask for on the way."""
    more = {"head": HEAD, "worst": script.words}
    for page in [each for number, each in enumerate(script.pages) if number % 20 == 0 or not _routine(each.event)]:
        for letter in script.letters(page, **more):
            yield letter.payload
        for _, payload in redraws(page.before, page.after, page.event, progress=script.words, **more):
            yield payload
        yield home.status_view(page.after, script.now, HEAD)
        yield card(page.after, script.now, script.words, HEAD)
        for blocker in page.after.blockers:
            yield blocked(page.after, blocker)
            yield unblocked(blocker, "")
    yield home.history([script.run] * 40, script.now)
    yield home.logs(script.run, script.lines)
    yield home.logs(script.run, ())
    yield refused(r.NotAnApprover(script.words, script.words, people=script.plan.policy.approvers))


def views(script: Script) -> Iterator[Mapping[str, Any]]:
    """All views a run can lead to."""
    run = script.run
    targets = [modals.TargetChoice(name=f"{script.plan.target}{n}", files=script.plan.migrations * 3) for n in range(3)]
    yield modals.start_modal(targets, metadata="C0ENG")
    yield modals.start_modal(targets, chosen=targets[2].name)
    for modal in (modals.hold_modal, modals.abort_modal, modals.takeover_modal, modals.close_modal):
        yield modal(run)
    yield modals.rollback_modal(run, loses=script.words)
    for asked in [page.after for page in script.pages if page.after.question]:
        assert asked.question is not None
        yield modals.reject_modal(asked, asked.question)
        yield modals.word_modal(asked, asked.question)
    live = [page.after for page in script.pages if not page.after.final]
    listed = [*live[-6:], *[run] * 40]
    yield home.home([replace(each, id=f"{each.id}-{number}") for number, each in enumerate(listed)], script.now)
    yield home.home([], script.now)


def parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every JSON object in a payload, outside in."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from parts(inner)


def marked(payload: Mapping[str, Any]) -> Iterator[str]:
    """Every text that Slack reads as markup, and every plain text: all of it must be escaped."""
    if isinstance(payload.get("text"), str):
        yield payload["text"]
    for part in parts(payload.get("blocks", [])):
        if part.get("type") in ("mrkdwn", "plain_text"):
            yield part["text"]
        if part.get("type") in ("plan", "task_card"):
            yield part["title"]
        if "task_id" in part:
            yield part["title"]


def test_every_message_is_within_slacks_limits(told: Told) -> None:
    """No message of any run, however hostile its words, breaks a limit of Slack's."""
    broken_limits: list[LimitProblem] = [found for each in told.messages for found in message_problems(each)]

    assert broken_limits == []


def test_every_view_is_within_slacks_limits(told: Told) -> None:
    """No modal and no Home of any run breaks a limit of Slack's."""
    broken_limits: list[LimitProblem] = [found for each in told.views for found in view_problems(each)]

    assert broken_limits == []


def test_peoples_text_pings_nobody(told: Told) -> None:
    """Only mentions and dates that the bot itself means survive; nothing people wrote is markup."""
    meant = re.compile(r"<(?:@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!date\^\d+\^[^|<>]+\|[^<>]+)>")
    for payload in (*told.messages, *told.views):
        for text in marked(payload):
            rest = meant.sub("", text)
            assert "<" not in rest, text
            assert ">" not in rest, text
            assert "&" not in re.sub("&(?:amp|lt|gt);", "", rest), text
            assert not {"U0ALL", "S0ALL"} & set(re.findall(r"<(?:@|!subteam\^)([A-Z0-9]+)>", text))


def test_direction_marks_and_control_characters_are_gone(told: Told) -> None:
    """A right-to-left override in a purpose cannot turn the rest of a message around."""
    for payload in (*told.messages, *told.views):
        for text in marked(payload):
            assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", text)


def test_every_message_has_its_content_as_text(told: Told) -> None:
    """Screen readers and old clients get sentences, not an empty notification."""
    for payload in told.messages:
        assert len(payload["text"]) >= 20


def test_every_button_can_be_read_back(told: Told) -> None:
    """Each button's id is a verb and its value names the run it was drawn for."""
    for payload in (*told.messages, *told.views):
        for part in parts(payload.get("blocks", [])):
            if part.get("type") == "button":
                assert verb_of(part["action_id"]) is not None
                assert decode_value(part["value"]).run.startswith(told.script.run_id)


def test_only_glyphs_of_the_table_are_used() -> None:
    """The bot speaks with a closed set of signs, so that each keeps its one meaning."""
    ours = {*Glyph, "️"}
    for tell in STORIES.values():
        for payload in messages(tell(Script())):
            said = json.dumps(payload, ensure_ascii=False)
            signs = set(re.findall("[\u2300-\u23ff\u2600-\u27bf\u2100-\u214f\U0001f000-\U0001faff]\ufe0f?", said))
            assert signs <= ours


def test_the_gravest_approval_is_typed() -> None:
    """High risk: Approve opens a modal that wants the database's name, instead of a confirmation."""
    run = STORIES["high risk"](Script()).run
    approve = next(part for part in parts(question(run)["blocks"]) if part.get("action_id") == "migrate.approve")

    assert run.plan.risk == Risk.HIGH
    assert "confirm" not in approve


def test_an_ordinary_approval_is_confirmed() -> None:
    """Everything else asks once more in a dialog that repeats what and on what."""
    run = Script().until("backup").ask().run
    approve = next(part for part in parts(question(run)["blocks"]) if part.get("action_id") == "migrate.approve")

    assert approve["style"] == "primary"
    assert approve["confirm"]["text"]["text"].startswith("Create pre-migration backup on casework, exactly as shown")


def test_a_file_with_an_endless_name_can_be_chosen() -> None:
    """Slack's 150 characters for a value do not keep a file out of the list."""
    name = "f" * 300 + ".sql"
    view = modals.start_modal([modals.TargetChoice(name="casework", files=(name,))])
    files = next(each for each in view["blocks"] if each["block_id"] == "files")

    assert [each["value"][:7] for each in files["element"]["options"]] == ["sha256:"]


def test_another_target_brings_its_own_files() -> None:
    """Choosing another target lists its files under a new block, so that nothing picked before stays picked."""
    targets = [modals.TargetChoice(name=each, files=(f"{each}.sql",)) for each in ("casework", "billing")]
    view = modals.start_modal(targets, chosen="billing")
    files = next(each for each in view["blocks"] if each["block_id"].startswith("files:"))

    assert [each["value"] for each in files["element"]["options"]] == ["billing.sql"]


def test_starting_needs_a_target() -> None:
    """Without a configured target there is nothing to start, and it says so."""
    with pytest.raises(ValueError, match="Add one to the settings"):
        modals.start_modal([])


def test_a_refusal_names_the_next_action_and_the_people() -> None:
    """Every no says what to do instead and who can help."""
    payload = refused(r.NotAnOwner("You are not an owner.", "Ask an owner.", people=frozenset({"U0ANA", "S0DBA"})))

    assert payload["text"] == "⛔ You are not an owner. Ask an owner. <!subteam^S0DBA> <@U0ANA>"


def test_an_unexpected_failure_gives_a_reference() -> None:
    """What should not have failed leads to the logs."""
    assert "ref-9" in broken("ref-9")["text"]


def test_help_lists_every_verb() -> None:
    """The help is made from the table of verbs."""
    payload = home.help_text({"start": "begin a migration", "hold": "stop before the next step"})

    assert list(message_problems(payload)) == []
    assert payload["text"] == "/migrate start begin a migration\n/migrate hold stop before the next step"


def test_home_separates_live_and_past() -> None:
    """Live runs come with their buttons, past ones without."""
    live, past = Script().until("backup").run, Script().end().run
    view = home.home([past, live], T0)

    assert sum(block["type"] == "actions" for block in view["blocks"]) == 1
