"""Starting a run: the modal, what it refuses, and the target somebody else holds."""

import asyncio
from functools import partial
from typing import Any

from bot.demo import cast
from bot.demo.workspace.player import Player
from bot.runbook.run import Risk
from bot.views.ids import Field
from tests.commands.office import Office, told

FILLED = {"name": "Case priority", "purpose": "Urgent cases first", "minutes": "15"}


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
