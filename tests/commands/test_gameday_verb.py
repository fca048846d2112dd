"""What ``/migrate drill --faults`` takes, from whom, and what it makes of wrong answers in an exercise."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.gameday.games import Game
from bot.jobs.queue import register
from bot.runbook.exercise import DEFAULT, Fault
from bot.runbook.refusals import Invalid, Refusal, Unauthorised
from bot.runbook.run import State
from bot.views.ids import Verb
from commands import VERBS
from commands.desk import Desk
from commands.parse import Request, command
from tests.commands.office import DANA, office_plan, targets
from tests.commands.situations import value
from tests.commands.test_verbs import GUS, LEE, ROLES, SAM, Roster
from tests.kit import Backstage, backstage, reaches, ready, small_steps, with_steps
from tests.runbook.preparation.people import draft

FILE = "casework_001_priority.sql"


@dataclass(frozen=True, kw_only=True)
class Room:
    """The desk, on an empty store."""

    stage: Backstage
    desk: Desk

    async def types(self, text: str, user: str = DANA.id) -> str:
        """Somebody types ``/migrate TEXT``; what they alone see."""
        request = command({"text": text, "user_id": user, "channel_id": "C1"})
        return (await VERBS[request.verb](self.desk, request)).text

    async def asked(self) -> list[Game]:
        """Every game day that was asked for."""
        async with self.stage.pool.connection() as conn:
            rows = await (await conn.execute("select run_id from exercises")).fetchall()
        return [game for (run,) in rows if (game := await self.desk.games.load(run))]


@pytest.fixture
async def room(store_dsn: str, tmp_path: Path) -> AsyncIterator[Room]:
    """A desk whose jobs are queued and not taken."""
    await ready(store_dsn)
    async with backstage(store_dsn) as stage:
        with_steps(stage, small_steps())

        async def nothing(**_: object) -> None:
            return None

        register(stage.jobs, {"gameday": nothing, "prove": nothing})
        yield Room(stage=stage, desk=Desk(
            engine=stage.engine, planner=stage.planner, follow_ups=stage.follow_ups, games=stage.games,
            directory=Roster(people=ROLES),
            targets=targets(tmp_path),
        ))  # fmt: skip


@pytest.mark.parametrize("flag", ["--faults", "—faults", "–faults"])
async def test_files_of_a_target_are_exercised(room: Room, flag: str) -> None:
    """With all faults that one run can show; keyboards make a dash of two hyphens."""
    said = await room.types(f"drill {flag} casework {FILE} speed=60")

    [game] = await room.asked()
    assert game.run_id in said
    wish = game.wish
    assert ("casework", (FILE,), (), DEFAULT, 60.0) == (
        wish.target,
        wish.migrations,
        wish.down,
        wish.faults,
        wish.speed,
    )
    assert (DANA.id, DANA.name) == (wish.person, wish.person_name)


async def test_a_down_script_that_is_there_goes_along(room: Room) -> None:
    """One way back is to run it."""
    down = FILE.replace(".sql", ".down.sql")
    (room.desk.targets["casework"].migrations / down).write_text("select 2;")
    await room.types(f"drill --faults casework {FILE} lock")

    [game] = await room.asked()
    assert ((down,), (Fault.LOCK,)) == (game.wish.down, game.wish.faults)


@pytest.mark.parametrize("named", [True, False])
async def test_a_plan_is_exercised_as_it_is(room: Room, named: bool) -> None:
    """The one that is named, or the only one there is; the plan itself goes on as before."""
    planned = replace(draft().plan, target="casework", migrations=(FILE,), downtime=False)
    plan = await room.stage.planner.plan(replace(draft(), plan=planned), DANA)
    await room.types(f"drill --faults {plan.id if named else ''} backup")

    [game] = await room.asked()
    assert (planned.name, planned.purpose, False) == (game.wish.name, game.wish.purpose, game.wish.downtime)
    assert (Fault.BACKUP,) == game.wish.faults
    assert plan == await room.stage.planner.load(plan.id)


@pytest.mark.parametrize(
    "words",
    [
        "", "casework", "nowhere 1.sql", "p-nothing", f"casework~gameday {FILE}", f"casework {FILE} speed=fast",
        f"casework {FILE} speed=0", f"casework {FILE} speed=9999", f"casework {FILE} backup lock",
    ],
)  # fmt: skip
async def test_what_cannot_be_exercised_is_refused(room: Room, words: str) -> None:
    """Nothing is begun, and the refusal says what to type."""
    with pytest.raises(Invalid):
        await room.types(f"drill --faults {words}")
    assert [] == await room.asked()


@pytest.mark.parametrize("user", [LEE.id, GUS.id, SAM.id])
async def test_only_those_with_a_part_in_the_target_ask(room: Room, user: str) -> None:
    """It loads the server and calls people to answer."""
    with pytest.raises(Refusal):
        await room.types(f"drill --faults casework {FILE}", user)
    assert [] == await room.asked()


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.REJECT])
@pytest.mark.parametrize("exercise", [True, False])
async def test_wrong_answers_count_in_an_exercise_only(room: Room, verb: Verb, exercise: bool) -> None:
    """Refused all the same, and the question stays open."""
    game = await room.desk.games.ask(replace((await _wish(room)).wish, target="billing"))
    run = await room.stage.engine.start(office_plan(exercise=exercise), run_id=game.run_id)
    await room.stage.jobs.run_worker_async(wait=False, install_signal_handlers=False)
    run = await reaches(room.stage.engine, run.id, lambda found: found.state is State.ASKING)
    with pytest.raises(Unauthorised):
        await VERBS[verb](room.desk, Request(verb=verb, user=LEE.id, channel="C1", value=value(run), words="because"))

    found = await room.desk.games.load(game.run_id)
    assert found is not None
    assert found.refused == int(exercise)
    assert run.question == (await room.stage.engine.load(run.id)).question


async def _wish(room: Room) -> Game:
    await room.types(f"drill --faults casework {FILE}")
    return (await room.asked())[0]
