"""Injects the faults of a game day at their moments, and heals them once the bot has shown what it makes of them."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import psycopg
import structlog

from bot import store
from bot.engine import Engine
from bot.gameday.games import Game, GameDays
from bot.gameday.place import found, set_mode
from bot.gameday.standin import Mode
from bot.jobs.drive import patiently
from bot.jobs.whereabouts import driver_of, living
from bot.ports import Ground, StepError
from bot.runbook import events as e
from bot.runbook.exercise import Fault, Injection, due, settled
from bot.runbook.run import Run
from bot.target import Target

_log = structlog.get_logger()
_EVERY = 0.2  # seconds between two looks at the run
_LINGERS = 2.0  # seconds a forgotten session stays after it was named, so that people see it
FORGOTTEN = "forgotten report (game day)"
_MODES = {Fault.NO_METRICS: Mode.NO_METRICS, Fault.ERRORS: Mode.ERRORS}


async def events_of(engine: Engine, run_id: str) -> tuple[e.Event, ...]:
    """Everything that has happened in a run."""
    async with engine.connection() as conn:
        return tuple(each.event for each in await store.entries(conn, run_id))


@dataclass
class Faults:
    """The faults of one game day; ``real`` is the target, ``copy`` the exercise on it."""

    engine: Engine
    games: GameDays
    ground: Ground
    real: Target
    copy: Target
    game: Game
    table: str
    _holder: AsyncExitStack = field(default_factory=AsyncExitStack)
    _holding: bool = False

    async def until_over(self) -> Game:
        """Watch the run to its end; the game with everything that was injected."""
        try:
            while not (run := await patiently(lambda: self.engine.load(self.game.run_id))).final:
                await self._look(run)
                await asyncio.sleep(_EVERY)
        finally:
            await self._holder.aclose()
        known = {each.fault for each in self.game.injections}
        for fault in self.game.wish.faults:
            if fault not in known:
                await self._note(Injection(fault=fault, at=run.since, not_tried="the run ended before its moment"))
        return self.game

    async def _look(self, run: Run) -> None:
        known = {each.fault for each in self.game.injections}
        for fault in self.game.wish.faults:
            if fault not in known and due(fault, run, self.game.wish.faults, self.game.injections):
                await self._try(fault, run)
        unhealed = [each for each in self.game.injections if each.healed is None and not each.not_tried]
        if unhealed:
            events = await events_of(self.engine, run.id)
            for each in unhealed:
                await self._heal_in_time(each, run, events)

    async def _try(self, fault: Fault, run: Run) -> None:
        """A fault that cannot be injected is said in the score; the exercise goes on."""
        try:
            await self._inject(fault, run)
        except (StepError, psycopg.errors.Error, OSError) as error:
            _log.warning("gameday.not_injected", fault=fault.value, why=str(error))
            why = f"it could not be injected ({type(error).__name__}, see the logs)"
            await self._note(Injection(fault=fault, at=self.engine.now(), not_tried=why))

    async def _inject(self, fault: Fault, run: Run) -> None:
        _log.info("gameday.fault", run=run.id, fault=fault.value)
        now = self.engine.now()
        match fault:
            case Fault.LOCK if not self.table:
                why = "the migration needs no table for itself"
                return await self._note(Injection(fault=fault, at=now, not_tried=why))
            case Fault.LOCK:
                await self._holder.enter_async_context(self.ground.holding(self.copy, self.table, FORGOTTEN))
                self._holding = True
            case Fault.NO_METRICS | Fault.ERRORS:
                await asyncio.to_thread(set_mode, self.real, _MODES[fault])
            case Fault.KILL:
                return await self._kill(run)
            case Fault.BACKUP:  # the step itself damages it, before anybody can read it
                made = next((each.ended_at for each in run.done if each.step.value == Fault.BACKUP.value), now)
                return await self._note(Injection(fault=fault, at=made))
        await self._note(Injection(fault=fault, at=now))

    async def _kill(self, run: Run) -> None:
        """SIGKILL to the worker that drives the run, where another one can take over and nothing real is under way."""
        why, now = "", self.engine.now()
        async with self.engine.connection() as conn:
            workers, driver = await living(conn), await driver_of(conn, run.id)
        victim = workers.get(driver) if driver is not None else None
        if any(not each.plan.exercise for each in await self.engine.active()):
            why = "a real migration is under way"
        elif len(workers) < 2:
            why = "one worker only"
        elif victim is None or victim.process is None:
            why = "the worker that drives the run is on another host, or shares its process with web and clock"
        await self._note(Injection(fault=Fault.KILL, at=now, not_tried=why))  # before: it may be this very process
        if not why and victim is not None and victim.process is not None:
            victim.process.kill()

    async def _heal_in_time(self, injection: Injection, run: Run, events: Sequence[e.Event]) -> None:
        now = self.engine.now()
        if not settled(injection, run, events, now):
            return
        if injection.fault is Fault.LOCK:
            if self._holding:
                await asyncio.sleep(_LINGERS)
            await self._let_go()
        elif injection.fault in _MODES:
            await asyncio.to_thread(set_mode, self.real, Mode.HEALTHY)
        await self._note(replace(injection, healed=self.engine.now()))

    async def _let_go(self) -> None:
        try:
            await self._holder.aclose()
        except psycopg.Error as error:
            _log.info("gameday.lock_gone", why=str(error))
        self._holding = False

    async def _note(self, injection: Injection) -> None:
        """Remember it, in the place of what was known of the same fault."""
        others = [each for each in self.game.injections if each.fault is not injection.fault]
        self.game = await self.games.note(self.game, (*others, injection))


def there(real: Target, run_id: str) -> bool:
    """Is the folder on this host that run's?"""
    place = found(real)
    return place is not None and place.run == run_id
