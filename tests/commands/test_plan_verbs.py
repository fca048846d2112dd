"""What is asked of a plan before its start: each verb has somebody who may, and a no for those who may not."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot import ledger
from bot.demo import cast
from bot.runbook.people import Person
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.gate import missing
from bot.runbook.preparation.preparation import Draft, Member, Moment, Preparation, Stage, Window
from bot.runbook.preparation.standing import Standing, status
from bot.runbook.refusals import NotReady, Refusal
from bot.views.ids import ActionValue, Field, Verb, choice
from commands import VERBS
from commands.desk import Desk, Reply
from commands.fields import FieldErrors
from commands.parse import Request
from tests.commands.office import ALEX, DANA, office_plan, targets
from tests.commands.test_verbs import BEFORE, GUS, LEE, ROLES, SAM, Roster
from tests.kit import Backstage, backstage, ready, small_steps, with_steps
from tests.runbook.preparation.people import PEOPLES, drilled, proofs

OMAR = Person(id=cast.ON_CALL, name="omar", groups=frozenset({cast.ON_CALL_GROUP}), zone="Europe/Bucharest")
PRIYA = Person(id=cast.SECOND_APPROVER, name="priya", groups=frozenset({cast.APPROVERS_GROUP}))
PEOPLE = {**ROLES, OMAR.id: OMAR, PRIYA.id: PRIYA}
CHANGING = sorted(BEFORE - {Verb.CHECKLIST})
ANY_MEMBER = frozenset({Verb.REVIEW})
"""Reading and reviewing the SQL is for every developer but the author."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """The desk, and a plan of Dana's."""

    stage: Backstage
    desk: Desk

    async def ask(self, verb: Verb, user: str, **more: object) -> Reply:
        """``user`` asks ``verb`` of the desk."""
        return await VERBS[verb](self.desk, Request(verb=verb, user=user, channel="C1", **more))  # type: ignore[arg-type]

    async def does(self, plan_id: str, intent: i.Intent) -> Preparation:
        return await self.desk.planner.handle(plan_id, intent)


@pytest.fixture
async def room(store_dsn: str, tmp_path: Path) -> AsyncIterator[Room]:
    """A desk on an empty store whose casework asks for the checklist."""
    await ready(store_dsn)
    async with backstage(store_dsn) as stage:
        with_steps(stage, small_steps())
        known = targets(tmp_path)
        known["casework"] = replace(known["casework"], checklist=True)
        desk = Desk(
            engine=stage.engine,
            planner=stage.planner,
            follow_ups=stage.follow_ups,
            games=stage.games,
            directory=Roster(people=PEOPLE),
            targets=known,
        )
        yield Room(stage=stage, desk=desk)


def _draft(start: float) -> Draft:
    people = [Member(id=each.id, name=each.name) for each in (DANA, OMAR, ALEX)]
    window = Window(start=start, end=start + 7200)
    return Draft(
        plan=office_plan(rollback_deadline=3600.0), window=window, features="Case list",
        executor=people[0], on_call=people[1], backup_support=people[2],
    )  # fmt: skip


async def _planned(room: Room, *, ahead: float = 100.0) -> Preparation:
    """A plan at its go/no-go: looked at, rehearsed, one item ticked, one waiver asked for, Lee was shown the SQL."""
    made = await room.desk.planner.plan(_draft(time.time() + ahead), DANA)
    await room.desk.planner.keep_texts(made.id, "f1", (("casework_001_priority.sql", "select 1;"),))
    found = await room.does(made.id, proofs(made, "f1", time.time(), credentials=False))
    await room.does(made.id, i.DrillEnds(report=drilled("f1")))
    for person in (LEE, DANA, ALEX):
        await room.does(made.id, i.ReadSql(person=person, files="f1"))
    await room.does(made.id, i.TickItems(person=DANA, items=(Item.SUPPORT,), evidence="told them"))
    await room.does(made.id, i.Waive(person=DANA, item=Item.CREDENTIALS, reason="rotated today"))
    for each in (Moment.ANNOUNCE, Moment.FINAL_CHECK, Moment.GO_NO_GO):
        found = await room.does(made.id, i.PlanTick(kind=each.value, due=found.due(each)))
    return found


def _form(start: float, **changes: object) -> dict[Field, object]:
    files = (choice("casework_001_priority.sql"),)
    return {
        Field.TARGET: "casework", Field.NAME: "Priority", Field.PURPOSE: "Urgent first", Field.FILES: files,
        Field.MINUTES: "5", Field.WINDOW: f"{start:.0f}", Field.LENGTH: "60", Field.EXECUTOR: DANA.id,
        Field.ON_CALL: OMAR.id, Field.SUPPORT: ALEX.id, Field.FEATURES: "Case list", Field.DEADLINE: "2",
        **changes,
    }  # fmt: skip


async def _asked(room: Room, verb: Verb, user: str) -> Reply:
    """``verb`` as ``user`` asks it, complete, where it makes sense."""
    if verb is Verb.PLAN:
        return await room.ask(verb, user, sent=True, fields=_form(time.time() + 90000))
    found = await _planned(room)
    value = ActionValue(run=found.id)
    if verb is Verb.EDIT:
        fields = _form(0, **{Field.FEATURES: "Search"})
        return await room.ask(verb, user, sent=True, value=value, fields=fields)
    if verb is Verb.REVIEW:
        return await room.ask(verb, user, sent=True, value=ActionValue(run=found.id, digest="f1"))
    if verb is Verb.POSTPONE:
        fields = {Field.WINDOW: f"{time.time() + 90000:.0f}", Field.LENGTH: "60", Field.REASON: "court date"}
        return await room.ask(verb, user, sent=True, value=value, fields=fields)
    words = {Verb.TICK: "suite https://ci/1", Verb.UNTICK: "support not yet", Verb.WAIVE: "smoke no staging",
             Verb.AGREE: "credentials"}.get(verb, "" if verb in (Verb.GO, Verb.DRILL) else "because")  # fmt: skip
    return await room.ask(verb, user, words=f"{found.id} {words}".strip())


async def _records(room: Room) -> list[str]:
    return [await ledger.export(room.stage.engine, each.id) for each in await room.desk.planner.recent()]


@pytest.mark.parametrize("verb", CHANGING)
async def test_somebody_allowed_may(room: Room, verb: Verb) -> None:
    """Whoever has a part in it is heard, and it is in the ledger."""
    who = {Verb.AGREE: ALEX, Verb.REVIEW: LEE}.get(verb, DANA)
    reply = await _asked(room, verb, who.id)
    assert reply.text and "⛔" not in reply.text.replace("⛔ Recorded", "")
    assert f'"actor": "{who.id}"' in (await _records(room))[0]


@pytest.mark.parametrize("verb", sorted(set(CHANGING) - ANY_MEMBER))
async def test_a_member_without_a_part_in_it_is_refused_and_nothing_is_recorded_of_them(room: Room, verb: Verb) -> None:
    """Lee is a full member, and has no part in casework."""
    with pytest.raises(Refusal) as refused:
        await _asked(room, verb, LEE.id)
    assert len(refused.value.next_action.split()) >= 3
    assert all("SqlShown" in line or LEE.id not in line for each in await _records(room) for line in _events(each))


@pytest.mark.parametrize("who", [GUS, SAM], ids=lambda each: each.name)
@pytest.mark.parametrize("verb", CHANGING)
async def test_whoever_does_not_belong_here_is_refused(room: Room, verb: Verb, who: Person) -> None:
    """Guests and people of another company decide nothing."""
    with pytest.raises(Refusal):
        await _asked(room, verb, who.id)
    assert all(who.id not in each for each in await _records(room))


def _events(record: str) -> list[str]:
    """The lines of an export that say who did what."""
    lines = record.splitlines()
    return [f"{line} {lines[number + 1]}" for number, line in enumerate(lines[:-1]) if '"actor"' in line]


async def test_a_filled_in_form_is_the_plan_in_the_zone_of_whoever_filled_it_in(room: Room) -> None:
    """Window, people looked up by name, DOWN scripts found, deadline in seconds."""
    folder = room.desk.targets["casework"].migrations
    (folder / "casework_001_priority.down.sql").write_text("select 1;")
    start = (time.time() // 60 + 60 * 30) * 60
    await room.ask(Verb.PLAN, OMAR.id, sent=True, fields=_form(start))
    (made,) = await room.desk.planner.open()
    draft = made.draft
    assert Window(start=start, end=start + 3600, zone="Europe/Bucharest") == draft.window
    assert ["dana", "omar", "alex"] == [each.name for each in draft.team]
    assert (("casework_001_priority.down.sql",), 7200.0) == (draft.plan.down, draft.plan.rollback_deadline)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({Field.WINDOW: "1000000000"}, Field.WINDOW),
        ({Field.WINDOW: ""}, Field.WINDOW),
        ({Field.LENGTH: "0"}, Field.LENGTH),
        ({Field.LENGTH: "1441"}, Field.LENGTH),
        ({Field.EXECUTOR: cast.GUEST}, Field.EXECUTOR),
        ({Field.ON_CALL: ""}, Field.ON_CALL),
        ({Field.NAME: " "}, Field.NAME),
        ({Field.FILES: ()}, Field.FILES),
        ({Field.DEADLINE: "-1"}, Field.DEADLINE),
    ],
)
async def test_what_cannot_be_taken_is_said_at_its_field(
    room: Room, changes: dict[Field, object], wrong: Field
) -> None:
    """The form stays, and nothing is planned."""
    with pytest.raises(FieldErrors) as refused:
        await room.ask(Verb.PLAN, DANA.id, sent=True, fields={**_form(time.time() + 90000), **changes})
    assert [wrong] == list(refused.value.errors)
    assert () == await room.desk.planner.open()


async def test_two_plans_of_one_target_do_not_overlap(room: Room) -> None:
    """Said at the window, with the other plan's name."""
    start = time.time() + 90000
    await room.ask(Verb.PLAN, DANA.id, sent=True, fields=_form(start))
    with pytest.raises(FieldErrors) as refused:
        await room.ask(Verb.PLAN, DANA.id, sent=True, fields=_form(start + 1800))
    assert "Priority" in refused.value.errors[Field.WINDOW]


async def test_a_start_without_a_plan_offers_to_make_one(room: Room) -> None:
    """Of a target that asks for the checklist; billing, which does not, still has its form."""
    room.desk.targets["billing"] = replace(room.desk.targets["billing"], checklist=True)  # type: ignore[index]
    reply = await room.ask(Verb.START, DANA.id)
    assert "migrate.plan" in str(reply.payload)
    with pytest.raises(NotReady):
        await room.ask(Verb.START, DANA.id, sent=True, fields=_form(0))


async def test_a_start_unprepared_names_exactly_what_is_missing(room: Room) -> None:
    """Every item that is open, every Go that was not said, and the hour."""
    found = await _planned(room)
    room.desk.targets["billing"] = replace(room.desk.targets["billing"], checklist=True)  # type: ignore[index]
    with pytest.raises(NotReady) as refused:
        await room.ask(Verb.START, DANA.id)
    told = refused.value.missing
    assert any("Full test suite passes" in each for each in told)
    assert any("waiver waits for a second person" in each for each in told)
    assert {"No Go from dana yet", "No Go from omar yet", "No Go from alex yet"} <= set(told)
    assert any("window begins" in each for each in told)
    assert found.id in refused.value.what


async def _ready_plan(room: Room, *, ahead: float) -> Preparation:
    found = await _planned(room, ahead=ahead)
    await room.does(found.id, i.AgreeToWaiver(person=ALEX, item=Item.CREDENTIALS))
    items = (*PEOPLES, Item.NOTIFIED)
    await room.does(found.id, i.TickItems(person=DANA, items=items, evidence="https://wiki/1"))
    await room.does(found.id, i.Review(person=LEE, files="f1"))
    for person in (DANA, OMAR, ALEX):
        found = await room.does(found.id, i.SayGo(person=person, go=True))
    return found


async def test_a_plan_that_is_ready_is_confirmed_and_then_started(room: Room) -> None:
    """One modal that says what will happen; sent, the start waits for the last look."""
    found = await _ready_plan(room, ahead=2.0)
    await asyncio.sleep(max(0.0, found.draft.window.start - time.time()))  # T-0 itself is what is waited for
    assert () == missing(found)
    modal = (await room.ask(Verb.START, DANA.id)).modal
    assert modal is not None and found.id in str(modal["private_metadata"])
    await room.ask(Verb.START, DANA.id, sent=True, value=ActionValue(run=found.id))
    assert Stage.STARTING is (await room.desk.planner.load(found.id)).stage


async def test_the_author_reads_the_sql_and_cannot_send_a_review(room: Room) -> None:
    """The modal has no button for them; whoever else opens it is recorded as having been shown it."""
    found = await _planned(room)
    own = (await room.ask(Verb.REVIEW, DANA.id, words=found.id)).modal
    others = (await room.ask(Verb.REVIEW, ALEX.id, words=found.id)).modal
    assert own is not None and "submit" not in own and "select 1;" in str(own)
    assert others is not None and "submit" in others
    assert (await room.desk.planner.load(found.id)).was_shown(ALEX.id)


async def test_typed_words_are_enough_where_the_command_line_is_all_there_is(room: Room) -> None:
    """The checklist in words, and ticks by the items' names."""
    found = await _planned(room)
    told = (await room.ask(Verb.CHECKLIST, DANA.id, via="command line")).text
    assert "open · Manual smoke tests completed on staging [smoke]" in told
    await room.ask(Verb.TICK, DANA.id, words=f"{found.id} smoke,suite seen by Dana")
    after = await room.desk.planner.load(found.id)
    assert {Standing.TICKED} == {status(after, each).standing for each in (Item.SMOKE, Item.SUITE)}
