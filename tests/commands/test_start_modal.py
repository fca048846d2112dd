"""Starting a run: the modal, what it refuses, and the target somebody else holds."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.demo import cast
from bot.demo.workspace.player import Player
from bot.runbook.people import Policy
from bot.runbook.run import Risk
from bot.runbook.rungs import Envelope
from bot.runbook.steps import Standby
from bot.views.ids import Field, Verb, choice
from commands.parse import Request
from commands.start import FieldErrors, begin
from tests.commands.office import Office, told

FILLED = {"name": "Case priority", "purpose": "Urgent cases first", "minutes": "15"}


def _words() -> dict[Field, str]:
    return {Field(name): text for name, text in FILLED.items()}


async def _opened(person: Player) -> dict[str, Any]:
    assert (await person.command("/migrate start")).ok
    return await person.wait_view()


def _select(view: dict[str, Any], target: str) -> dict[str, Any]:
    """The option of the target's select, as a browser sends it."""
    element = next(block for block in view["blocks"] if block.get("block_id") == Field.TARGET)["element"]
    return next(option for option in element["options"] if option["value"] == target)


def _files(view: dict[str, Any]) -> tuple[str, list[str]]:
    """The block of the file list as it is named now, and the files it offers."""
    block = next(block for block in view["blocks"] if block.get("element", {}).get("action_id") == Field.FILES.id)
    return block["block_id"], [option["value"] for option in block["element"]["options"]]


async def test_a_filled_in_modal_starts_the_run_and_the_starter_is_told_its_id(office: Office) -> None:
    """What was filled in is the plan."""
    view = await _opened(office.dana)
    block, files = _files(view)
    answer = await told(office.dana, lambda: office.dana.submit(view, {**FILLED, block: files[:1], "risk": "high"}))
    run = (await office.engine.active())[0]
    assert run.id in answer and f"<#{cast.ENGINEERING}>" in answer
    assert ("Case priority", ("billing_001_priority.sql",), 15, Risk.HIGH, cast.STARTER) == (
        run.plan.name,
        run.plan.migrations,
        run.plan.downtime_minutes,
        run.plan.risk,
        run.plan.starter,
    )
    assert [] == office.dana.views


async def test_another_target_redraws_the_modal_with_its_files_and_keeps_what_was_typed(office: Office) -> None:
    """Choosing the target lists that target's files, and the run is on it."""
    view = await _opened(office.dana)
    chosen = _select(view, "casework")
    done = await office.dana.view_action(view, Field.TARGET, Field.TARGET.id, selected_option=chosen)
    assert done.ok
    drawn = await office.dana.wait_view(pred=lambda now: now["hash"] != view["hash"])
    block, files = _files(drawn)
    assert ["casework_001_priority.sql", "casework_002_index.sql"] == files
    await told(office.dana, lambda: office.dana.submit(drawn, {**FILLED, block: files}))
    run = (await office.engine.active())[0]
    assert ("casework", tuple(files)) == (run.plan.target, run.plan.migrations)


async def test_what_cannot_be_taken_is_said_at_its_field_and_nothing_starts(office: Office) -> None:
    """Each wrong field gets its own words; the modal stays open."""
    view = await _opened(office.dana)
    block, files = _files(view)
    filled = {**FILLED, "name": "   ", "purpose": "  ", "minutes": "0", block: files}
    await told(office.dana, lambda: office.dana.submit(view, filled))
    assert {"name", "purpose", "minutes"} == office.dana.view_errors[view["id"]].keys()
    assert 1 == len(office.dana.views)
    assert () == await office.engine.active()


async def test_files_that_destroy_data_are_refused_where_too_few_may_approve_them(office: Office) -> None:
    """One approval more than usual must be within reach; the list says what to do, and nothing starts."""
    policy = Policy(approvers=frozenset({"U0ONE", "U0TWO"}), owners=frozenset({cast.STARTER}), quorum=2)
    targets = {name: replace(each, policy=policy) for name, each in office.desk.targets.items()}
    files = tuple(sorted(path.name for path in targets["billing"].migrations.glob("billing*.sql")))[:1]
    fields = {Field.TARGET: "billing", Field.FILES: tuple(map(choice, files)), **_words()}
    request = Request(verb=Verb.START, user=cast.STARTER, channel=cast.ENGINEERING, fields=fields)
    desk = replace(office.desk, targets=targets, destroys=lambda _target, chosen: chosen == files)
    with pytest.raises(FieldErrors, match="need 3 approvals, one more than usual"):
        await begin(desk, request)
    assert () == tuple(await office.engine.active())
    await begin(replace(desk, destroys=lambda _target, _chosen: False), request)
    assert 1 == len(await office.engine.active())


async def test_a_file_that_has_gone_meanwhile_is_said_at_the_list(office: Office) -> None:
    """The folder is read again when the modal is sent."""
    view = await _opened(office.dana)
    block, files = _files(view)
    (office.desk.targets["billing"].migrations / files[0]).unlink()
    answer = await told(office.dana, lambda: office.dana.submit(view, {**FILLED, block: files[:1]}))
    assert "still in the target's folder" in answer
    assert [block] == list(office.dana.view_errors[view["id"]])


async def test_a_target_somebody_holds_is_said_in_the_modal_with_who_since_when_and_what_next(
    office: Office,
) -> None:
    """The second plan is not lost: the modal stays, and says who holds the target."""
    held = await office.begins(name="Archive old cases")
    view = await _opened(office.alex)
    chosen = _select(view, "casework")
    await office.alex.view_action(view, Field.TARGET, Field.TARGET.id, selected_option=chosen)
    drawn = await office.alex.wait_view(pred=lambda now: now["hash"] != view["hash"])
    block, files = _files(drawn)
    before = await office.record(held.id)
    answer = await told(office.alex, lambda: office.alex.submit(drawn, {**FILLED, block: files}))
    assert all(part in answer for part in ("Archive old cases", held.id, "dana", "UTC", "/migrate status"))
    assert [Field.TARGET.value] == list(office.alex.view_errors[drawn["id"]])
    assert before == await office.record(held.id)
    assert 1 == len(await office.engine.active())


async def test_a_guest_and_a_member_without_a_part_in_the_target_start_nothing(office: Office) -> None:
    """The modal may be looked at; sending it is refused in words, with who can help."""
    for person, reason in ((cast.GUEST, "Guests"), (cast.OUTSIDER, "not among those")):
        view = await _opened(office.people[person])
        block, files = _files(view)
        player = office.people[person]
        answer = await told(player, partial(player.submit, view, {**FILLED, block: files}))
        assert reason in answer and "Ask" in answer
    assert () == await office.engine.active()


async def test_one_modal_sent_twice_starts_one_run(office: Office) -> None:
    """Two sends of the same form at once: one run, and the other is told who holds the target."""
    view = await _opened(office.dana)
    block, files = _files(view)
    sends = [office.dana.submit(view, {**FILLED, block: files}) for _ in range(2)]
    done = await asyncio.gather(*sends)
    assert any(each.ok for each in done)
    assert 1 == len(await office.engine.recent())


def _plain(view: dict[str, Any]) -> dict[str, Any]:
    """Action id -> its block as it is drawn now."""
    return {each["element"]["action_id"]: each for each in view["blocks"] if "element" in each}


def _with_proposals(office: Office) -> None:
    """Billing's settings propose an envelope and a deadline for its runs."""
    target = office.desk.targets["billing"]
    settled = replace(target, envelope=Envelope(rows=50, minutes=2.5), rollback_deadline=5400.0, auto_rollback=True)
    office.desk.targets["billing"] = settled  # type: ignore[index]


async def test_what_the_target_proposes_about_going_back_is_filled_in_and_sent_as_it_stands(office: Office) -> None:
    """The plan has the settings' deadline, envelope, standby copy and automatic rollback."""
    _with_proposals(office)
    view = await _opened(office.dana)
    drawn = _plain(view)
    shown = [drawn[each.id]["element"]["initial_value"] for each in _AGREED]
    assert ["1.5", "50", "2.5"] == shown
    block, files = _files(view)
    entered = {drawn[each.id]["block_id"]: value for each, value in zip(_AGREED, shown, strict=True)}
    await told(office.dana, lambda: office.dana.submit(view, {**FILLED, **entered, block: files[:1]}))
    plan = (await office.engine.active())[0].plan
    assert (Envelope(rows=50, minutes=2.5), 5400.0, True) == (plan.envelope, plan.rollback_deadline, plan.auto_rollback)
    assert Standby.TEMPLATE is plan.standby


_AGREED = (Field.DEADLINE, Field.ENVELOPE_ROWS, Field.ENVELOPE_MINUTES)


async def test_what_is_emptied_is_not_agreed_on(office: Office) -> None:
    """A proposal that somebody takes out of the form is not in the plan."""
    _with_proposals(office)
    view = await _opened(office.dana)
    block, files = _files(view)
    emptied = {_plain(view)[each.id]["block_id"]: None for each in _AGREED}
    await told(office.dana, lambda: office.dana.submit(view, {**FILLED, **emptied, block: files[:1]}))
    plan = (await office.engine.active())[0].plan
    assert (None, None) == (plan.envelope, plan.rollback_deadline)


async def test_another_target_brings_its_own_proposals(office: Office) -> None:
    """What was proposed for one target never stays in the form of another."""
    _with_proposals(office)
    view = await _opened(office.dana)
    chosen = _select(view, "casework")
    await office.dana.view_action(view, Field.TARGET, Field.TARGET.id, selected_option=chosen)
    drawn = await office.dana.wait_view(pred=lambda now: now["hash"] != view["hash"])
    block, files = _files(drawn)
    await told(office.dana, lambda: office.dana.submit(drawn, {**FILLED, block: files[:1]}))
    plan = (await office.engine.active())[0].plan
    assert (None, None) == (plan.envelope, plan.rollback_deadline)


@pytest.mark.parametrize(
    ("entered", "wrong", "says"),
    [
        ({Field.ENVELOPE_ROWS: "5"}, Field.ENVELOPE_MINUTES, "or neither"),
        ({Field.ENVELOPE_MINUTES: "5"}, Field.ENVELOPE_ROWS, "or neither"),
        ({Field.ENVELOPE_ROWS: "-1", Field.ENVELOPE_MINUTES: "5"}, Field.ENVELOPE_ROWS, "whole number from 0"),
        ({Field.ENVELOPE_ROWS: "1.5", Field.ENVELOPE_MINUTES: "5"}, Field.ENVELOPE_ROWS, "whole number from 0"),
        ({Field.ENVELOPE_ROWS: "1", Field.ENVELOPE_MINUTES: "0"}, Field.ENVELOPE_MINUTES, "more than 0"),
        ({Field.DEADLINE: "0"}, Field.DEADLINE, "in hours"),
        ({Field.DEADLINE: "soon"}, Field.DEADLINE, "in hours"),
        ({Field.DEADLINE: "inf"}, Field.DEADLINE, "in hours"),
    ],
)
async def test_half_an_agreement_is_said_at_its_field(
    office: Office, entered: dict[Field, str], wrong: Field, says: str
) -> None:
    """An envelope has two sides, and numbers have limits; nothing starts before they are right."""
    view = await _opened(office.dana)
    block, files = _files(view)
    values = {each.value: value for each, value in entered.items()}
    answer = await told(office.dana, lambda: office.dana.submit(view, {**FILLED, **values, block: files[:1]}))
    assert says in answer
    assert [wrong.value] == list(office.dana.view_errors[view["id"]])
    assert () == await office.engine.active()


@pytest.mark.parametrize(
    ("present", "found"),
    [
        (("001_priority", "002_index"), ("billing_002_index.down.sql", "billing_001_priority.down.sql")),
        (("001_priority",), ()),
        ((), ()),
    ],
)
async def test_down_scripts_count_only_if_every_file_has_one(
    office: Office, present: tuple[str, ...], found: tuple[str, ...]
) -> None:
    """They are run in reverse order; a way back that undoes only half is none."""
    folder = office.desk.targets["billing"].migrations
    for name in present:
        (folder / f"billing_{name}.down.sql").write_text("select 1;")
    view = await _opened(office.dana)
    block, files = _files(view)
    await told(office.dana, lambda: office.dana.submit(view, {**FILLED, block: files}))
    assert found == (await office.engine.active())[0].plan.down
