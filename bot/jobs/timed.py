"""What the clock sets going: ticks, measurements, and the message that speaks when the bot cannot."""

from collections.abc import Mapping

import structlog

from bot import store
from bot.engine import Engine
from bot.ports import Busy, Channel, Probe, StepError, Unclear, Undeliverable, Upkeep
from bot.runbook import intents as i
from bot.runbook.refusals import AlreadyFinal, Stale
from bot.runbook.run import Run, State
from bot.runbook.samples import Sample
from bot.runbook.silence import gone_silent
from bot.runbook.timers import DEADMAN_AHEAD, TimerKind
from bot.target import Target

_log = structlog.get_logger()


class Timed:
    """Handlers of the jobs that time brings."""

    def __init__(
        self,
        engine: Engine,
        channel: Channel,
        probe: Probe,
        targets: Mapping[str, Target],
        upkeep: Upkeep | None = None,
    ) -> None:
        """``upkeep``: asked about the database's own health with every update of a watch."""
        self._upkeep = upkeep
        self._engine = engine
        self._channel = channel
        self._probe = probe
        self._targets = targets

    async def tick(self, run_id: str, kind: str, due: float) -> None:
        """A derived timer fired.  A slot that was taken care of meanwhile is refused by the core, which is fine."""
        try:
            if kind == TimerKind.SAMPLE:
                await self._sample(run_id, due)
            elif kind == TimerKind.BASELINE:
                await self._baseline(run_id, due)
            else:
                run = await self._engine.handle(run_id, i.Tick(kind=kind, due=due))
                if kind == TimerKind.STATUS and run.state is State.WATCHING and self._upkeep is not None:
                    await self._note(run, self._upkeep)
        except (Stale, AlreadyFinal) as error:
            _log.debug("tick.stale", run=run_id, kind=kind, why=str(error))

    async def _sample(self, run_id: str, due: float) -> None:
        sample = await self._measured(await self._engine.load(run_id))
        await self._engine.handle(run_id, i.TakeSample(due=due, sample=sample))

    async def _baseline(self, run_id: str, due: float) -> None:
        """How it is before the first change; when that has begun meanwhile, the core does not take it any more."""
        run = await self._engine.load(run_id)
        if run.before_any_change:
            await self._engine.handle(run_id, i.TakeBaseline(due=due, sample=await self._measured(run)))

    async def _note(self, run: Run, upkeep: Upkeep) -> None:
        """The database's own health: seldom, because it takes more than the one short query of a measurement."""
        try:
            lines = await upkeep.look(self._targets[run.plan.target])
        except StepError as error:
            lines = (f"The database's health could not be looked at: {error.problem}",)
        await self._engine.handle(run.id, i.NoteDatabase(lines=lines))

    async def _measured(self, run: Run) -> Sample:
        try:
            return await self._probe.sample(self._targets[run.plan.target])
        except Exception:  # noqa: BLE001 - whatever it was: nothing was measured, and that is a verdict of its own
            _log.exception("probe.failed", run=run.id)
            return Sample(at=self._engine.now())

    async def deadman(self, run_id: str) -> None:
        """Put the dead-man message off by another ten minutes, or take it back when the run is over.

        The new one is scheduled before the old one is withdrawn: dying in between costs a message too many for a
        moment, never the only one.  What a dead attempt left is found by the run's id in its text.
        """
        run = await self._engine.load(run_id)
        try:
            new = "" if run.final else await self._put_off(run)
            for old in await self._channel.scheduled(run.plan.channel, run_id):
                if old != new:
                    await self._channel.unschedule(run.plan.channel, old)
            if run.final:  # only now: as long as it stands there, the clock comes back to it
                await self._keep(run_id, "", 0.0)
        except (Unclear, Busy, Undeliverable) as error:
            _log.warning("deadman.not_set", run=run_id, why=str(error))

    async def _put_off(self, run: Run) -> str:
        now = self._engine.now()
        self._engine.checkpoint("schedule", "deadman")
        new = await self._channel.schedule(run.plan.channel, gone_silent(run, now), now + DEADMAN_AHEAD)
        self._engine.checkpoint("scheduled", "deadman")
        await self._keep(run.id, new, now + DEADMAN_AHEAD)
        return new

    async def _keep(self, run_id: str, scheduled: str, until: float) -> None:
        async with self._engine.connection() as conn:
            await store.execute(conn, "set_deadman", id=run_id, scheduled=scheduled, until=until)
