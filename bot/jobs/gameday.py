"""Plays a game day from wherever it stands: makes the ground, begins the run, watches it, scores it, leaves nothing."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from bot import store
from bot.engine import Engine, UnknownRun
from bot.errands import publishing
from bot.gameday import games as g
from bot.gameday.games import Game, GameDays, playing
from bot.gameday.place import Place, clear, found, furnish, target_of
from bot.jobs.faults import Faults, events_of, there
from bot.logs import referenced
from bot.ports import Busy, Channel, Ground, Letter, Platform, Queue, StepError, Unclear, Undeliverable
from bot.runbook.exercise import SUFFIX, Fault, score
from bot.runbook.refusals import Refusal
from bot.runbook.run import Plan
from bot.runbook.steps import Standby
from bot.target import Target
from bot.views.exercise import refusal, score_letters

_log = structlog.get_logger()
_AGAIN = 5.0  # seconds until another worker has a look
_PAUSES = (0.5, 3.0, 10.0)  # seconds after each try to say that there can be no game day


@dataclass(frozen=True, kw_only=True)
class GameDay:
    """Handler of the job ``gameday``.  ``targets`` finds an exercise by its name, ``platform`` its stand-ins."""

    engine: Engine
    games: GameDays
    queue: Queue
    targets: Mapping[str, Target]
    ground: Ground
    platform: Platform
    channel: Channel

    async def play(self, run_id: str) -> None:
        """Safe to say again at any moment, also after a crash: what is there is found, what is left is removed."""
        game = await self.games.load(run_id)
        real = self.targets.get(game.wish.target) if game else None
        if game is None or real is None or not game.open:
            return
        if game.state == g.ASKED:
            game = await self._begin(game, real)
        if game.state == g.RUNNING:
            await self._watch(game, real)

    async def _begin(self, game: Game, real: Target) -> Game:
        """The ground and the run; or why there can be none, said in the channel."""
        try:
            await self.engine.load(game.run_id)
        except UnknownRun:
            try:
                await self._make(game, real)
            except (StepError, Refusal) as error:
                return await self._refused(game, real, _why(error))
            except Exception as error:  # noqa: BLE001 - people get a reference, the logs the rest
                reference = referenced("gameday.unexpected", error)
                return await self._refused(game, real, f"Something went wrong; look for {reference} in the bot's logs.")
        return await self.games.now(game, g.RUNNING)

    async def _make(self, game: Game, real: Target) -> None:
        wish = game.wish
        files = (*wish.migrations, *wish.down)
        await self.ground.require(real, files)
        names = tuple(f"stand-in-{each.name}" for each in real.services) or ("stand-in-app",)
        place = Place(
            run=game.run_id, database=self.ground.database(real, game.run_id), ports=free_ports(names),
            speed=wish.speed, damage=Fault.BACKUP in wish.faults,
        )  # fmt: skip
        await self._stop_stand_ins(real)  # of an attempt that died: once its folder is gone, nobody would find them
        await asyncio.to_thread(furnish, real, place, files)
        copy = target_of(real, place)
        await self.ground.make(replace(real, migrations=copy.migrations), game.run_id, files)
        await self.platform.start(copy)
        await self.engine.start(_plan(game, copy), run_id=game.run_id)

    async def _watch(self, game: Game, real: Target) -> None:
        """To the end of the run; then the score, and nothing of it stays."""
        if there(real, game.run_id) and (place := found(real)):
            copy = target_of(real, place)
            table = await self._table(copy, game)
            faults = Faults(
                engine=self.engine, games=self.games, ground=self.ground, real=real, copy=copy, game=game, table=table
            )  # fmt: skip
            game = await faults.until_over()
        elif not (await self.engine.load(game.run_id)).final:
            return await self._elsewhere(game)
        await self._tell(game)
        await self._remove(game, real)
        await self.games.now(game, g.OVER)

    async def _elsewhere(self, game: Game) -> None:
        """Its folder is on another host, or gone: the copy stays for as long as the run needs it."""
        async with self.engine.connection() as conn:
            await self.queue.defer(conn, replace(playing(game.run_id), delay=_AGAIN))

    async def _table(self, copy: Target, game: Game) -> str:
        if Fault.LOCK not in game.wish.faults or (await self.engine.load(game.run_id)).final:
            return ""
        try:
            return await self.ground.table(copy, game.wish.migrations)
        except StepError as error:
            _log.warning("gameday.no_table", why=error.problem)
            return ""

    async def _tell(self, game: Game) -> None:
        run = await self.engine.load(game.run_id)
        counted = await self.games.load(game.run_id)
        refused = counted.refused if counted else 0
        found = score(run, await events_of(self.engine, run.id), game.injections, refused=refused)
        async with self.engine.connection() as conn:
            for letter in score_letters(run, found):
                await store.put_letter(conn, letter)
            await self.queue.defer(conn, publishing(run.id))

    async def _refused(self, game: Game, real: Target, why: str) -> Game:
        """There is no run to say it for, so it is said at once; its key keeps it from being said twice."""
        payload = refusal(game.wish.name, real.name, why)
        await self._say(Letter(key=f"{game.run_id}:refused", run_id=game.run_id, channel=real.channel, payload=payload))
        await self._remove(game, real)
        return await self.games.now(game, g.REFUSED)

    async def _say(self, letter: Letter) -> None:
        for pause in _PAUSES:
            try:
                if await self.channel.find(letter, None) is None:
                    await self.channel.post(letter, None)
            except (Busy, Unclear, Undeliverable) as error:
                _log.warning("gameday.unsaid", why=str(error))
                await asyncio.sleep(error.seconds if isinstance(error, Busy) else pause)
            else:
                return

    async def _remove(self, game: Game, real: Target) -> None:
        """Stand-ins, copy, folder, in this order: the folder knows the stand-ins."""
        if there(real, game.run_id):
            await self._stop_stand_ins(real)
        await self.ground.remove(real, game.run_id)
        if there(real, game.run_id):
            await asyncio.to_thread(clear, real)

    async def _stop_stand_ins(self, real: Target) -> None:
        if place := found(real):
            await self.platform.stop(target_of(real, place))


def _plan(game: Game, copy: Target) -> Plan:
    """A run like any other, on the copy; only its name, and that it never counts, tell it apart."""
    wish = game.wish
    damaged = Fault.BACKUP in wish.faults
    return Plan(
        target=copy.name, database=copy.database, name=f"GAME DAY: {wish.name or wish.migrations[0]}",
        purpose=wish.purpose or f"Exercise on a copy of {copy.name.removesuffix(SUFFIX)}", migrations=wish.migrations,
        down=wish.down, starter=wish.person, starter_name=wish.person_name, channel=copy.channel, policy=copy.policy,
        services=tuple(each.name for each in copy.services), downtime=wish.downtime, timing=copy.timing,
        standby=Standby.RESTORE if damaged else copy.standby.of(downtime=wish.downtime), exercise=True,
    )  # fmt: skip


def free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """A free port of this host for each stand-in."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    try:
        return {name: int(each.getsockname()[1]) for name, each in zip(names, held, strict=True)}
    finally:
        for each in held:
            each.close()


def _why(error: StepError | Refusal) -> str:
    return f"{error.problem} {error.advice}".strip() if isinstance(error, StepError) else str(error)
