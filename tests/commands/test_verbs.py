"""The table of verbs: each has a use case, a line in the help or a button, and a no for those who may not."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import ledger
from bot.demo import cast
from bot.jobs.drive import Driver
from bot.runbook.people import Person, Policy
from bot.runbook.refusals import NotAMember, Unauthorised
from bot.views.ids import Field, Verb, choice
from commands import VERBS
from commands.desk import Desk
from commands.look import HELP
from commands.parse import Request
from tests.commands.office import ALEX, DANA, STRANGER, office_plan, targets
from tests.commands.situations import SITUATIONS, value
from tests.kit import Backstage, backstage, ready, small_steps, with_steps

LOOKING = frozenset({Verb.TROUBLESHOOT, Verb.HELP, Verb.STATUS, Verb.LOGS, Verb.HISTORY, Verb.REPORT})
BUTTON_ONLY = frozenset({Verb.CANCEL_BLOCKER, Verb.KEEP_WAITING})
BEFORE = frozenset(
    {
        Verb.PLAN, Verb.EDIT, Verb.POSTPONE, Verb.CANCEL, Verb.CHECKLIST, Verb.TICK, Verb.UNTICK, Verb.WAIVE,
        Verb.AGREE, Verb.REVIEW, Verb.DRILL, Verb.GO, Verb.NO_GO,
    }
)  # fmt: skip
"""What is asked of a plan before its start; ``test_plan_verbs`` judges these."""

REPORTING = frozenset({Verb.DOCTOR})
"""Changes nothing, but not for everybody: ``test_doctor_verb`` judges it."""

AFTER = frozenset({Verb.NO_SPIKE, Verb.SPIKE, Verb.ANOMALIES})
"""What is asked after a run; ``test_after_verbs`` judges these."""

ANY_MEMBER = frozenset({Verb.HOLD, Verb.KEEP_WAITING})
"""Stopping before the next step, and having seen a blocker, are open to every full member."""

MUTATING = sorted(set(Verb) - LOOKING - BEFORE - REPORTING - AFTER)
LEE = Person(id=cast.OUTSIDER, name="lee")
GUS = Person(id=cast.GUEST, name="gus", guest=True)
SAM = Person(id=STRANGER, name="sam", stranger=True)
GONE = Person(id="U0GONE001", name="gone", groups=ALEX.groups, inactive=True)
ROLES = {DANA.id: DANA, ALEX.id: ALEX, LEE.id: LEE, GUS.id: GUS, SAM.id: SAM, GONE.id: GONE}


@dataclass(frozen=True, kw_only=True)
class Roster:
    """``Directory`` of the people of these tests."""

    people: Mapping[str, Person]

    async def person(self, user_id: str, policy: Policy) -> Person:
        return self.people[user_id]


@dataclass(frozen=True, kw_only=True)
class Room:
    """The desk, with an engine and a driver behind it."""

    stage: Backstage
    driver: Driver
    desk: Desk


@pytest.fixture
async def room(store_dsn: str, tmp_path: Path) -> AsyncIterator[Room]:
    """A desk on an empty store."""
    await ready(store_dsn)
    async with backstage(store_dsn) as stage:
        with_steps(stage, small_steps())
        known = targets(tmp_path)
        desk = Desk(
            engine=stage.engine,
            planner=stage.planner,
            follow_ups=stage.follow_ups,
            games=stage.games,
            directory=Roster(people=ROLES),
            targets=known,
        )
        yield Room(stage=stage, driver=Driver(stage.engine, small_steps(), known), desk=desk)


async def _request(room: Room, verb: Verb, user: str) -> Request:
    """``verb`` as ``user`` would ask it, complete, where it makes sense."""
    if verb is Verb.START:
        fields = {Field.TARGET: "casework", Field.NAME: "n", Field.PURPOSE: "p", Field.MINUTES: "5"}
        files = (choice("casework_001_priority.sql"),)
        return Request(verb=verb, user=user, channel="", view_id="V1", sent=True, fields={**fields, Field.FILES: files})
    run = await SITUATIONS[verb](room.stage.engine, room.driver, office_plan())
    fields = {Field.REASON: "because", Field.MINUTES: "300", Field.RECEIVER: ALEX.id}
    sent = verb is Verb.HANDOVER
    return Request(verb=verb, user=user, channel="C1", value=value(run), fields=fields, sent=sent)


async def _records(room: Room) -> list[str]:
    return [await ledger.export(room.stage.engine, run.id) for run in await room.stage.engine.recent()]


def test_every_verb_has_a_use_case() -> None:
    """What can be asked for is answered."""
    assert set(Verb) == set(VERBS)


def test_every_verb_is_in_the_help_or_is_a_button_only() -> None:
    """Whoever types /migrate help sees all there is to type."""
    assert set(Verb) - BUTTON_ONLY == set(HELP)


def test_every_changing_verb_has_its_situation_here() -> None:
    """A new verb must say where it makes sense, or the tests below cannot judge it."""
    assert set(MUTATING) == {*SITUATIONS, Verb.START}


@pytest.mark.parametrize("verb", MUTATING)
async def test_somebody_allowed_may(room: Room, verb: Verb) -> None:
    """The same request that others are refused is taken from those who may: the ledger grows."""
    who = ALEX if verb in (Verb.APPROVE, Verb.CANCEL_BLOCKER, Verb.ACCEPT) else DANA
    request = await _request(room, verb, who.id)
    before = await _records(room)
    await VERBS[verb](room.desk, request)
    assert before != await _records(room)


@pytest.mark.parametrize("verb", sorted(set(MUTATING) - ANY_MEMBER))
async def test_a_member_without_a_part_in_it_is_refused_and_nothing_changes(room: Room, verb: Verb) -> None:
    """An outsider is told who can; the ledger is the same."""
    request = await _request(room, verb, LEE.id)
    before = await _records(room)
    with pytest.raises(Unauthorised) as refused:
        await VERBS[verb](room.desk, request)
    assert before == await _records(room)
    assert refused.value.next_action and refused.value.people


@pytest.mark.parametrize("who", [GUS, SAM, GONE], ids=["guest", "stranger", "deactivated"])
@pytest.mark.parametrize("verb", MUTATING)
async def test_whoever_does_not_belong_here_is_refused_and_nothing_changes(room: Room, verb: Verb, who: Person) -> None:
    """Guests, people of other companies and deactivated accounts change nothing, by any verb."""
    request = await _request(room, verb, who.id)
    before = await _records(room)
    with pytest.raises(NotAMember) as refused:
        await VERBS[verb](room.desk, request)
    assert before == await _records(room)
    assert refused.value.next_action


@pytest.mark.parametrize("verb", sorted(ANY_MEMBER))
async def test_what_every_member_may_do_they_may(room: Room, verb: Verb) -> None:
    """An outsider of the target may stop it, and may see a blocker."""
    request = await _request(room, verb, LEE.id)
    before = await _records(room)
    await VERBS[verb](room.desk, request)
    assert before != await _records(room)
