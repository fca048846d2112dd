"""The scenarios before a start: a plan from its form to the run, and a start that is refused unprepared."""

import html
import time
from collections.abc import Callable

from bot.demo import cast
from bot.demo.scene import LONG, REDRAWN, Scene, acked, expect, until
from bot.demo.workspace.player import Button, Player
from bot.runbook.preparation.checklist import LINES, Item
from bot.runbook.preparation.gate import missing, unmet
from bot.runbook.preparation.preparation import Moment, Preparation
from bot.runbook.preparation.standing import checklist, tickable
from bot.runbook.run import State
from bot.runbook.steps import StepName
from bot.views.ids import Field, Verb, choice, decode_value
from bot.views.text import said

GOOD = "001_add_case_priority.sql"
_AHEAD = 600.0  # seconds: more than people need for what has to be shown first
_NEAR = 45.0  # seconds: from the last move of the window to T-0


async def planned(scene: Scene) -> None:
    """From the form over checklist, rehearsal, review and go/no-go to a completed run."""
    found = await _plans(scene)
    await _rehearsed(scene, found.id)
    await _reviewed(scene, found.id)
    await _moved(scene, found.id)
    await _shown(scene, found.id)
    for person in (scene.dana, scene.people[cast.ON_CALL], scene.alex):
        await _pressed(person, Verb.GO, found.id)
    await _reaches(scene, found.id, "T-0", lambda p: Moment.START in p.came)
    await _starts(scene, found.id)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES):
        await scene.approve(step, scene.alex, scene.priya)
    run = await scene.ends(State.COMPLETED)
    expect(await scene.has_column("cases", "priority"), "The run completed, but the migration is not in.")
    expect(run.plan.preparation == found.id, "The run does not name its plan.")
    expect(bool(run.plan.waived) and run.plan.drill is not None, "The run knows neither waivers nor rehearsal.")


async def unprepared(scene: Scene) -> None:
    """A start is refused, and the refusal names exactly what is missing."""
    found = await _plans(scene)
    scene.run_id = found.id
    found = await _reaches(scene, found.id, "the first look", lambda p: bool(p.files))
    before = len(scene.dana.ephemerals)
    await acked(scene.dana.command("/migrate start"))
    await scene.dana.wait_message(lambda message: bool(message.get("is_ephemeral")) and "⛔" in message["text"])
    told = html.unescape(str(scene.dana.ephemerals[before:]))
    print(f"   (only {scene.dana.user_id} sees) {scene.dana.ephemerals[-1]['text']}")
    found = await scene.planner.load(found.id)
    silent = [each for each in missing(found) if html.unescape(said(each, 60)).rstrip("…") not in told]
    expect(not silent, f"The refusal does not name: {silent}")
    met = [LINES[each.item].text for each in checklist(found) if each.standing.met]
    expect(not any(f"• {each}:" in told for each in met), "The refusal names what is shown to be true.")
    expect(not await scene.engine.recent(1), "A run began.")


async def _plans(scene: Scene) -> Preparation:
    """Dana types ``/migrate plan`` and fills in the form."""
    await acked(scene.dana.command("/migrate plan"))
    view = await scene.dana.wait_view()
    filled = {
        Field.NAME.value: "Case priority",
        Field.PURPOSE.value: "Cases get a priority, so that urgent ones are seen first",
        Field.FILES.value: [choice(GOOD)],
        Field.WINDOW.value: int(time.time() + _AHEAD),
        Field.LENGTH.value: "120",
        Field.MINUTES.value: "15",
        Field.EXECUTOR.value: cast.STARTER,
        Field.ON_CALL.value: cast.ON_CALL,
        Field.SUPPORT.value: cast.FIRST_APPROVER,
        Field.FEATURES.value: "The case list, for a quarter of an hour",
        Field.DEADLINE.value: "24",
    }
    await acked(scene.dana.submit(view, filled))
    await until(scene.planner.open, "the plan")
    return (await scene.planner.open())[0]


async def _rehearsed(scene: Scene, plan_id: str) -> None:
    await _reaches(scene, plan_id, "the first look", lambda p: bool(p.files))
    await acked(scene.dana.command(f"/migrate drill {plan_id}"))
    found = await _reaches(scene, plan_id, "the rehearsal", lambda p: p.drilling is None and p.drill is not None)
    drill = found.fresh_drill()
    expect(drill is not None and drill.ok, f"The rehearsal failed: {drill.problem if drill else 'there was none'}")


async def _reviewed(scene: Scene, plan_id: str) -> None:
    """Lee has no part in the target, but is another developer: they read the SQL and review it."""
    lee = scene.people[cast.OUTSIDER]
    await acked(lee.command(f"/migrate review {plan_id}"))
    view = await lee.wait_view(pred=lambda found: found["callback_id"] == Verb.REVIEW.id)
    expect("ALTER TABLE" in str(view), "The SQL was not shown.")
    await acked(lee.submit(view, {Field.NOTE.value: "Read it; the default is constant"}))
    await _reaches(scene, plan_id, "the review", lambda p: _met(p, Item.REVIEW))


async def _moved(scene: Scene, plan_id: str) -> None:
    """Everything about the files is shown: the window is moved to where people are now."""
    await acked(scene.dana.command(f"/migrate postpone {plan_id}"))
    view = await scene.dana.wait_view(pred=lambda found: found["callback_id"] == Verb.POSTPONE.id)
    start = int(time.time() + _NEAR)
    await acked(
        scene.dana.submit(view, {Field.WINDOW.value: start, Field.REASON.value: "Everything is ready and all are here"})
    )
    await _reaches(scene, plan_id, "the new window", lambda p: p.draft.window.start == start)
    await _reaches(scene, plan_id, "the announcement", lambda p: Moment.ANNOUNCE in p.came)
    await _reaches(scene, plan_id, "another look", lambda p: p.proved_at > p.since)


async def _shown(scene: Scene, plan_id: str) -> None:
    """Many ticks in one modal; what the bot found not to be so is waived by two people."""
    found = await scene.planner.load(plan_id)
    ticks = [each.item.value for each in unmet(found) if tickable(found, each.item)]
    waived = [each.item for each in unmet(found) if not tickable(found, each.item)] or [Item(ticks.pop())]
    await acked(scene.dana.command(f"/migrate checklist {plan_id}"))
    view = await scene.dana.wait_view(pred=lambda found: found["callback_id"] == Verb.TICK.id)
    evidence = {Field.ITEMS.value: ticks, Field.EVIDENCE.value: "https://wiki.example.com/case-priority"}
    await acked(scene.dana.submit(view, evidence))
    for item in waived:
        await acked(scene.dana.command(f"/migrate waive {plan_id} {item} Not needed in a demo"))
        await _pressed(scene.priya, Verb.AGREE, plan_id, item)
    await _reaches(scene, plan_id, "the whole checklist", lambda p: not unmet(p))


async def _starts(scene: Scene, plan_id: str) -> None:
    await acked(scene.dana.command("/migrate start"))
    view = await scene.dana.wait_view(pred=lambda found: found["callback_id"] == Verb.START.id)
    await acked(scene.dana.submit(view, {}))
    found = await _reaches(scene, plan_id, "the run", lambda p: bool(p.run))
    scene.run_id = found.run


async def _pressed(person: Player, verb: Verb, plan_id: str, item: str = "") -> None:
    """Press the button of a plan (of one item of its checklist), again where it was redrawn meanwhile."""

    def wanted(button: Button) -> bool:
        value = decode_value(button.value or "")
        return value.run == plan_id and value.digest == item

    done = await person.click(await person.wait_button(verb.id, pred=wanted, timeout=LONG))
    while done.error == REDRAWN:
        done = await person.click(await person.wait_button(verb.id, pred=wanted, timeout=LONG))
    expect(done.ok, f"The bot did not answer: {done.error}")


async def _reaches(scene: Scene, plan_id: str, what: str, wanted: Callable[[Preparation], bool]) -> Preparation:
    async def there() -> bool:
        return wanted(await scene.planner.load(plan_id))

    await until(there, what)
    return await scene.planner.load(plan_id)


def _met(p: Preparation, item: Item) -> bool:
    return any(each.item is item and each.standing.met for each in checklist(p))
