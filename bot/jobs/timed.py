"""What the clock sets going: ticks, measurements, and the message that speaks when the bot cannot."""

from collections.abc import Mapping

import structlog

from bot import store
from bot.engine import Engine
from bot.ports import Busy, Channel, Probe, Target, Unclear
from bot.runbook import intents as i
from bot.runbook.refusals import AlreadyFinal, Stale
from bot.runbook.silence import gone_silent
from bot.runbook.timers import DEADMAN_AHEAD, TimerKind

_log = structlog.get_logger()


class Timed:
    """Handlers of the jobs that time brings."""

    def __init__(self, engine: Engine, channel: Channel, probe: Probe, targets: Mapping[str, Target]) -> None:
        self._engine = engine
        self._channel = channel
        self._probe = probe
        self._targets = targets

    async def tick(self, run_id: str, kind: str, due: float) -> None:
        """A derived timer fired.  A slot that was taken care of meanwhile is refused by the core, which is fine."""
        try:
            if kind == TimerKind.SAMPLE:
                await self._sample(run_id, due)
            else:
                await self._engine.handle(run_id, i.Tick(kind=kind, due=due))
        except (Stale, AlreadyFinal) as error:
            _log.debug("tick.stale", run=run_id, kind=kind, why=str(error))

    async def _sample(self, run_id: str, due: float) -> None:
        run = await self._engine.load(run_id)
        sample = await self._probe.sample(self._targets[run.plan.target])
        await self._engine.handle(run_id, i.TakeSample(due=due, sample=sample))

    async def deadman(self, run_id: str) -> None:
        """Put the dead-man message off by another ten minutes, or take it back when the run is over.

        The new one is scheduled before the old one is withdrawn: dying in between costs a message too many,
        never the only one.
        """
        run = await self._engine.load(run_id)
        async with self._engine.session() as conn:
            await conn.execute("select pg_advisory_lock(%s, hashtext(%s))", (_DEADMAN, run_id))
            try:
                old = (await store.rows(conn, "deadman", id=run_id))[0][0]
                new, until = "", 0.0
                if not run.final:
                    until = self._engine.now() + DEADMAN_AHEAD
                    new = await self._channel.schedule(run.plan.channel, gone_silent(run), until)
                await store.execute(conn, "set_deadman", id=run_id, scheduled=new, until=until)
                if old:
                    await self._channel.unschedule(run.plan.channel, old)
            except (Unclear, Busy) as error:
                _log.warning("deadman.not_set", run=run_id, why=str(error))
            finally:
                await conn.execute("select pg_advisory_unlock(%s, hashtext(%s))", (_DEADMAN, run_id))


_DEADMAN = 7272  # advisory lock: (this, hash of the run)
