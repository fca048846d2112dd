"""What is asked of a completed run: its report, what can still be done, the review's answers, and the past."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import store
from bot.jobs.drive import Driver
from bot.runbook import intents as run_intents
from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.follow_up import FollowUp, Stage
from bot.runbook.follow_up.queries import Counts
from bot.runbook.people import Person
from bot.runbook.refusals import Invalid, NotNow, Refusal
from bot.runbook.run import Run, State
from bot.runbook.samples import Sample
from bot.runbook.timers import TimerKind, timers
from bot.views.ids import ActionValue, Field, Verb
from commands import VERBS
from commands.desk import Desk, Reply
from commands.parse import Request
from tests.commands.office import ALEX, DANA, office_plan, targets
from tests.commands.test_verbs import GUS, LEE, ROLES, Roster
from tests.kit import FAST, Backstage, backstage, ready, small_steps, with_steps


@dataclass
class Room:
    """A desk after a completed run, whose time can be moved on."""

    stage: Backstage
    folder: Path
    later: float = 0.0

    def now(self) -> float:
        return time.time() + self.later

    async def ask(self, verb: Verb, user: str = DANA.id, **more: object) -> Reply:
        desk = Desk(
            engine=self.stage.engine,
            planner=self.stage.planner,
            follow_ups=self.stage.follow_ups,
            games=self.stage.games,
            directory=Roster(people=ROLES),
            targets=targets(self.folder),
        )
        return await VERBS[verb](desk, Request(verb=verb, user=user, channel="C1", **more))  # type: ignore[arg-type]

    async def completed(self) -> Run:
        """A whole run."""
        driver = Driver(self.stage.engine, small_steps(), targets(self.folder))
        run = await self.stage.engine.start(office_plan(timing=FAST))
        while not run.final:
            await self._step(run, driver)
            run = await self.stage.engine.load(run.id)
        assert run.state is State.COMPLETED
        return run

    async def _step(self, run: Run, driver: Driver) -> None:
        if run.question is not None:
            asked = run.question
            yes = run_intents.Approve(person=ALEX, number=asked.number, digest=asked.digest, word=asked.word or "")
            await self.stage.engine.handle(run.id, yes)
        elif run.state is State.WATCHING:
            due = next(each.due for each in timers(run) if each.kind is TimerKind.SAMPLE)
            self.later += max(0.0, due - self.now())
            taken = Sample(at=self.now(), healthy=("web",), error_rate=0.0, failed_rate=0.0)
            await self.stage.engine.handle(run.id, run_intents.TakeSample(due=due, sample=taken))
        else:
            await driver.drive(run.id)

    async def reviewed(self) -> FollowUp:
        """Two days later."""
        run = await self.completed()
        await self.stage.follow_ups.begin(run.id, None)
        found = await self.stage.follow_ups.load(f"f-{run.id}")
        self.later += found.review_due - self.now() + 1
        counts = Counts(at=self.now(), known=False, why="No extension.")
        return await self.stage.follow_ups.handle(found.id, i.PostReview(due=found.review_due, counts=counts))


@pytest.fixture
async def room(store_dsn: str, tmp_path: Path) -> AsyncIterator[Room]:
    """A desk on an empty store."""
    await ready(store_dsn)
    made: list[Room] = []
    async with backstage(store_dsn, now=lambda: made[0].now() if made else time.time()) as stage:
        with_steps(stage, small_steps())
        made.append(Room(stage=stage, folder=tmp_path))
        yield made[0]


async def test_no_spike_by_the_button_closes_the_review(room: Room) -> None:
    """One press where nothing was seen."""
    found = await room.reviewed()
    reply = await room.ask(Verb.NO_SPIKE, value=ActionValue(run=found.id))
    assert "The review is closed." in reply.text
    assert Stage.CLOSED is (await room.stage.follow_ups.load(found.id)).stage


async def test_a_spike_asks_for_words_and_then_for_a_note(room: Room) -> None:
    """By modal, and by what is typed behind the run."""
    found = await room.reviewed()
    opened = await room.ask(Verb.SPIKE, value=ActionValue(run=found.id))
    assert opened.modal is not None
    sent = {Field.NOTE: "uploads time out"}
    await room.ask(Verb.SPIKE, value=ActionValue(run=found.id), sent=True, fields=sent)
    reply = await room.ask(Verb.ANOMALIES, ALEX.id, words=f"{found.run} an index is missing")
    after = await room.stage.follow_ups.load(found.id)
    assert "The review is closed." in reply.text
    assert after.note is not None and "an index is missing" == after.note.note


@pytest.mark.parametrize("who", [LEE, GUS], ids=lambda each: each.name)
async def test_whoever_has_no_part_in_it_answers_nothing(room: Room, who: Person) -> None:
    """Members of other teams and guests."""
    found = await room.reviewed()
    with pytest.raises(Refusal):
        await room.ask(Verb.NO_SPIKE, who.id, value=ActionValue(run=found.id))
    assert (await room.stage.follow_ups.load(found.id)).tickets is None


async def test_without_a_review_there_is_nothing_to_answer(room: Room) -> None:
    """It says when one comes."""
    with pytest.raises(NotNow, match="No review waits"):
        await room.ask(Verb.NO_SPIKE)


async def test_the_report_is_put_into_the_thread_and_printed_at_the_command_line(room: Room) -> None:
    """Two files, or the form that is asked for."""
    run = await room.completed()
    await room.ask(Verb.REPORT, words=run.id)
    async with room.stage.engine.connection() as conn:
        waiting = await store.waiting_letters(conn, run.id)
    files = [each for each in waiting if each.file_name and each.key.startswith(f"{run.id}:report:1")]
    assert ["md", "html"] == [str(each.file_name).rpartition(".")[2] for each in files]
    assert {f"{run.id}:card"} == {each.thread for each in files}
    printed = await room.ask(Verb.REPORT, words=f"{run.id} json", via="command line")
    assert f'"run": "{run.id}"' in printed.text


async def test_a_rollback_of_a_completed_run_says_what_can_still_be_done(room: Room) -> None:
    """Nothing begins."""
    run = await room.completed()
    reply = await room.ask(Verb.ROLLBACK, words=f"{run.id} it is slow")
    assert f"Run {run.id} is completed, so the bot no longer goes back by itself" in reply.text
    assert State.COMPLETED is (await room.stage.engine.load(run.id)).state


async def test_history_takes_filters_and_gives_figures(room: Room) -> None:
    """Only what is asked for; what is no filter is refused."""
    run = await room.completed()
    text = str((await room.ask(Verb.HISTORY, words="state=completed 30d")).payload["text"])
    assert run.id in text and "Success: 1 of 1 migration (100%)" in text
    assert "There has been no migration" in str((await room.ask(Verb.HISTORY, words="closed")).payload["text"])
    with pytest.raises(Invalid):
        await room.ask(Verb.HISTORY, words="everything")
