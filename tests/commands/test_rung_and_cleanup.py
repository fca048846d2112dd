"""Going back: every door leads to the same question, another way can be picked, and what is kept is removed."""

from dataclasses import replace
from functools import partial

import pytest

from bot.demo.workspace.elements import elements
from bot.demo.workspace.player import Done, Player
from bot.runbook import intents as i
from bot.runbook.run import Run, State
from bot.runbook.rungs import Rung
from bot.runbook.steps import Route, Standby, StepName
from bot.runbook.timers import TimerKind, timers
from bot.views.ids import Field, Verb, decode_value
from commands.cleanup import cleanup
from commands.parse import Request
from tests.commands.office import ALEX, DANA, Office, office_plan, told
from tests.commands.situations import approved, asking, backed_up, ended, going_back
from tests.script import good

LEE = "U0LEE0001"


async def _asked_back(office: Office) -> Run:
    run = await going_back(office.engine, office.driver, office_plan())
    await office.publisher.publish(run.id)
    return run


async def _picks(person: Player, rung: Rung) -> Done:
    """Choose from the list as it stands in the channel."""
    message = await person.wait_message(lambda found: "Go back another way" in str(found.get("blocks")))
    block, select = next(pair for pair in elements(message["blocks"]) if pair[1]["type"] == "static_select")
    chosen = next(each for each in select["options"] if decode_value(each["value"]).digest == rung)
    return await person._do(
        "click", channel=person._channels[0], ts=message["ts"], block_id=block["block_id"],
        action_id=select["action_id"], selected_option=chosen,
    )  # fmt: skip


async def test_another_way_is_picked_from_the_list(office: Office) -> None:
    """The question is withdrawn, and the way that was picked is described and asked for."""
    run = await _asked_back(office)
    answer = await told(office.dana, partial(_picks, office.dana, Rung.RESTORE))
    assert "“Restore the backup beside, then switch” is described and asked for anew" in answer
    after = await office.engine.load(run.id)
    assert (State.PREPARING, Rung.RESTORE) == (after.state, after.rung_wanted)


async def test_another_way_is_typed(office: Office) -> None:
    """``/migrate rung RUNG`` does the same as the list."""
    run = await _asked_back(office)
    await told(office.dana, partial(office.dana.command, "/migrate rung restore"))
    assert Rung.RESTORE is (await office.engine.load(run.id)).rung_wanted


async def test_the_platforms_way_is_handed_to_whoever_picks_it(office: Office) -> None:
    """What only people can do is in that person's hands, with the instructions in the channel."""
    run = await _asked_back(office)
    answer = await told(office.dana, partial(_picks, office.dana, Rung.PLATFORM))
    assert "in your hands now" in answer
    assert State.HANDED_OVER is (await office.engine.load(run.id)).state
    await office.publisher.publish(run.id)
    assert "Open the console" in str(office.workspace.messages("#engineering")[-1])


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("/migrate rung", "is no way back. Type /migrate rung and one of: switch, restore, platform"),
        ("/migrate rung sideways", "“sideways” is no way back"),
        ("/migrate rung down", "That way back is not possible now: no DOWN script was given"),
        ("/migrate rung switch", "That is the way the question asks for already"),
    ],
)
async def test_a_way_that_cannot_be_gone_is_refused_with_what_can(office: Office, typed: str, says: str) -> None:
    """The ledger does not know of it."""
    run = await _asked_back(office)
    before = await office.record(run.id)
    assert says in await told(office.dana, partial(office.dana.command, typed))
    assert before == await office.record(run.id)


async def test_without_a_way_back_being_asked_for_there_is_nothing_to_pick(office: Office) -> None:
    """The answer says how to ask for one."""
    await office.begins()
    answer = await told(office.dana, partial(office.dana.command, "/migrate rung switch"))
    assert "not about a way back" in answer and "/migrate rollback REASON" in answer


async def _stuck(office: Office) -> Run:
    run = await approved(office.engine, await backed_up(office.engine, office.driver, office_plan()))
    assert run.grant is not None
    run = await office.engine.handle(run.id, i.Begin(attempt=1, digest=run.grant.digest))
    return await office.engine.handle(run.id, i.Fail(claim=run.claim or 0, problem="it does not stop"))


async def _held(office: Office) -> Run:
    run = await backed_up(office.engine, office.driver, office_plan())
    return await office.engine.handle(run.id, i.PullCord(person=ALEX, reason="wait"))


async def _handed_over(office: Office) -> Run:
    run = await backed_up(office.engine, office.driver, office_plan())
    return await office.engine.handle(run.id, i.TakeOver(person=DANA, note="by hand"))


async def _asking(office: Office) -> Run:
    return await backed_up(office.engine, office.driver, office_plan())


@pytest.mark.parametrize("situation", [_asking, _held, _stuck, _handed_over])
@pytest.mark.parametrize("door", ["command", "button"])
async def test_every_door_leads_to_the_same_question(office: Office, situation: object, door: str) -> None:
    """Typed or pressed, from whatever state after the backup: the way back is asked for, with the person's reason."""
    run = await situation(office)  # type: ignore[operator]
    await office.publisher.publish(run.id)
    if door == "command":
        await told(office.dana, partial(office.dana.command, "/migrate rollback cases are gone"))
    else:
        assert (await office.dana.click(await office.button(office.dana, Verb.ROLLBACK))).ok
        view = await office.dana.wait_view(pred=lambda found: found["callback_id"] == Verb.ROLLBACK.id)
        assert "asks for the one that loses the least" in str(view["blocks"])
        await told(office.dana, partial(office.dana.submit, view, {Field.REASON.value: "cases are gone"}))
    after = await office.goes_on(run.id)
    assert after.question is not None
    asked = (after.state, after.route, after.question.step, after.question.word, after.question.lines, after.reason)
    assert (
        State.ASKING,
        Route.ROLLBACK,
        StepName.ANNOUNCE_ROLLBACK,
        "casework_prod",
        ("do it",),
        "cases are gone",
    ) == asked


async def test_a_run_that_goes_back_ends_with_its_report_in_the_channel(office: Office) -> None:
    """The manifest's scopes are enough for the upload; the file is there once, in the investigation's thread."""
    run = await _asked_back(office)
    run = await office.engine.handle(
        run.id, i.Approve(person=ALEX, number=run.asked, digest="d" * 64, word="casework_prod")
    )
    while run.step.name is not StepName.WATCH_BACK:
        run = await _by_hand(office, run)
    while run.step.name is StepName.WATCH_BACK:
        run = await office.engine.handle(run.id, _measured(run))
    run = await office.goes_on(run.id)
    messages = office.workspace.messages("#engineering")
    shared = [message for message in messages if "Investigation" in str(message.get("files"))]
    opened = next(message for message in messages if "Investigation: Case priority" in message["text"])
    assert (State.ROLLED_BACK, {opened["ts"]}) == (run.state, {each["thread_ts"] for each in shared})
    names = [file["name"] for each in shared for file in each["files"]]
    assert [f"investigation-{run.id}.md", f"investigation-{run.id}.html"] == names
    assert [] == [entry for entry in office.workspace.log if not entry[2].get("ok")]


async def _by_hand(office: Office, run: Run, facts: tuple[tuple[str, str], ...] = ()) -> Run:
    """What a worker does with the present step."""
    digest = run.grant.digest if run.grant and run.step.destructive else ""
    run = await office.engine.handle(run.id, i.Begin(attempt=run.attempt + 1, digest=digest))
    return await office.engine.handle(run.id, i.Finish(claim=run.claim or 0, evidence=("seen",), facts=facts))


def _measured(run: Run) -> i.TakeSample:
    due = next(timer.due for timer in timers(run) if timer.kind is TimerKind.SAMPLE)
    return i.TakeSample(due=due, sample=good(due))


async def _kept(office: Office) -> Run:
    """A run that has made a standby copy and then ended without the migration."""
    run = await asking(office.engine, office.driver, office_plan(downtime=False, standby=Standby.RESTORE))
    run = await _by_hand(office, await approved(office.engine, run))
    assert StepName.STANDBY is run.step.name
    await _by_hand(office, run, (("standby_database", "casework_prod_standby_x"),))
    run = await office.goes_on(run.id)
    await office.engine.handle(run.id, i.Reject(person=ALEX, number=run.asked, reason="not today"))
    return await office.goes_on(run.id)


async def test_a_cleanup_is_a_run_of_its_own_that_asks(office: Office) -> None:
    """It migrates nothing, names the run it cleans up after, and is approved by typing."""
    old = await ended(office.engine, office.driver, office_plan())
    answer = await told(office.dana, partial(office.dana.command, f"/migrate cleanup {old.id}"))
    (run,) = await office.engine.active()
    assert run.id in answer and f"Clean up after {old.id}" in answer
    assert (old.id, Route.CLEANUP, (), DANA.id) == (
        run.plan.cleans,
        run.route,
        run.plan.migrations,
        run.plan.starter,
    )
    run = await office.goes_on(run.id)
    assert run.question is not None
    assert (StepName.CLEAN_UP, "casework_prod") == (run.question.step, run.question.word)


@pytest.mark.parametrize("cleaned", [False, True])
async def test_without_a_name_the_runs_that_keep_something_are_listed(office: Office, cleaned: bool) -> None:
    """Each with what it kept and exactly what to type; one that was cleaned up after is no longer among them."""
    old = await _kept(office)
    if cleaned:
        await _cleans_up(office, old)
    answer = await told(office.dana, partial(office.dana.command, "/migrate cleanup"))
    shown = f"`/migrate cleanup {old.id}` Case priority on casework" in answer
    assert (not cleaned, not cleaned) == (shown, "casework_prod_standby_x (the standby copy)" in answer)
    assert cleaned == ("No ended run is known to keep a database" in answer)


async def _cleans_up(office: Office, old: Run) -> None:
    await told(office.dana, partial(office.dana.command, f"/migrate cleanup {old.id}"))
    (run,) = await office.engine.active()
    run = await office.goes_on(run.id)
    await approved(office.engine, run)
    assert State.CLEANED is (await office.goes_on(run.id)).state


async def test_what_cannot_be_cleaned_up_after_is_refused_with_what_to_do(office: Office) -> None:
    """Active, unknown, itself a clean-up, or on a target that is not set up here: nothing starts."""
    active = await office.begins()
    for name, says in ((active.id, "still active"), ("m-nowhere", "There is no run “m-nowhere”")):
        assert says in await told(office.dana, partial(office.dana.command, f"/migrate cleanup {name}"))
    assert 1 == len(await office.engine.recent())


async def test_a_run_on_another_database_is_not_cleaned_up_after(office: Office) -> None:
    """The same name may mean another database by now, whose own databases must stay."""
    old = await ended(office.engine, office.driver, office_plan(database="casework_of_old"))
    answer = await told(office.dana, partial(office.dana.command, f"/migrate cleanup {old.id}"))
    assert "database casework_of_old" in answer and "by hand" in answer
    assert () == await office.engine.active()


async def test_an_outsider_cleans_up_nothing(office: Office) -> None:
    """The same rule as for starting: whoever has no part in the target is told who has."""
    old = await ended(office.engine, office.driver, office_plan())
    lee = office.people[LEE]
    assert "not among those" in await told(lee, partial(lee.command, f"/migrate cleanup {old.id}"))
    assert () == await office.engine.active()


async def test_a_cleanup_nobody_could_approve_is_not_started(office: Office) -> None:
    """With named approvers it is a matter of counting, as for a migration."""
    old = await ended(office.engine, office.driver, office_plan())
    target = office.desk.targets["casework"]
    alone = replace(target.policy, approvers=frozenset({DANA.id}))
    desk = replace(office.desk, targets={"casework": replace(target, policy=alone)})
    with pytest.raises(Exception, match="cannot give their own"):
        await cleanup(desk, Request(verb=Verb.CLEANUP, user=DANA.id, channel="", words=old.id))
