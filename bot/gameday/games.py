"""The record of game days: asked for, running, over; which faults were injected when."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from bot import store
from bot.engine import Engine, new_id
from bot.ports import Job, Queue
from bot.runbook.exercise import Fault, Injection
from bot.runbook.refusals import TargetBusy

ASKED, RUNNING, OVER, REFUSED = "asked", "running", "over", "refused"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for: the migration of a plan, or files of a target; ``speed``: how much faster waits run."""

    target: str
    migrations: tuple[str, ...]
    down: tuple[str, ...] = ()
    name: str = ""
    purpose: str = ""
    downtime: bool = True
    faults: tuple[Fault, ...]
    speed: float
    person: str
    person_name: str


@dataclass(frozen=True, kw_only=True)
class Game:
    """One game day; ``run_id`` is that of the run that it becomes."""

    run_id: str
    state: str
    wish: Wish
    injections: tuple[Injection, ...] = ()
    refused: int = 0

    @property
    def open(self) -> bool:
        """May something of it still be there?"""
        return self.state in (ASKED, RUNNING)


class GameDays:
    """Asks for game days and keeps their record."""

    def __init__(self, engine: Engine, queue: Queue) -> None:
        self._engine = engine
        self._queue = queue

    async def ask(self, wish: Wish) -> Game:
        """Begin one; raises ``TargetBusy`` while another one, or a real run, is on the target."""
        for run in await self._engine.active():
            if run.plan.target == wish.target:
                raise TargetBusy(
                    f"{wish.target} is really being migrated now (run {run.id}).", "Exercise when that has ended."
                )
        game = Game(run_id=new_id(), state=ASKED, wish=wish)
        try:
            async with self._engine.connection() as conn:
                body = Jsonb(asdict(wish))
                await store.execute(conn, "insert_exercise", run_id=game.run_id, target=wish.target, body=body)
                await self._queue.defer(conn, playing(game.run_id))
        except psycopg.errors.UniqueViolation as error:
            raise TargetBusy(
                f"Another game day of {wish.target} is going on.", "Wait for its score, or end its run first."
            ) from error
        return game

    async def load(self, run_id: str) -> Game | None:
        """The game day of that run."""
        async with self._engine.connection() as conn:
            found = await store.rows(conn, "exercise", run_id=run_id)
        return _game(*found[0]) if found else None

    async def requeue(self) -> None:
        """Each one that is open has its job, whatever happened to the queue: a bot that starts cleans up by that."""
        async with self._engine.connection() as conn:
            found = await store.rows(conn, "open_exercises")
        for (run_id,) in found:
            async with self._engine.connection() as conn:  # one job for each transaction: see the clock
                await self._queue.defer(conn, playing(run_id))

    async def now(self, game: Game, state: str) -> Game:
        """Remember how far it is."""
        async with self._engine.connection() as conn:
            await store.execute(conn, "set_exercise", run_id=game.run_id, state=state)
        return replace(game, state=state)

    async def note(self, game: Game, injections: Sequence[Injection]) -> Game:
        """Remember what was injected: before a fault that may end this very process, and after it is healed."""
        async with self._engine.connection() as conn:
            body = Jsonb([asdict(each) for each in injections])
            await store.execute(conn, "set_injections", run_id=game.run_id, injections=body)
        return replace(game, injections=tuple(injections))

    async def count_refused(self, run_id: str) -> None:
        """Somebody who may not answer a question of an exercise has tried to."""
        async with self._engine.connection() as conn:
            await store.execute(conn, "count_refused", run_id=run_id)


def playing(run_id: str) -> Job:
    """Play a game day, from wherever it stands."""
    return Job(name="gameday", run_id=run_id, lock=f"gameday:{run_id}", once=f"gameday:{run_id}")


def _game(run_id: str, _target: str, state: str, body: Any, injections: Any, refused: int) -> Game:
    lists = {name: tuple(body[name]) for name in ("migrations", "down")}
    wish = Wish(**{**body, **lists, "faults": tuple(map(Fault, body["faults"]))})
    known = tuple(Injection(**{**each, "fault": Fault(each["fault"])}) for each in injections)
    return Game(run_id=run_id, state=state, wish=wish, injections=known, refused=refused)
