"""What people let the bot do for the database beside the runbook's steps: gathering statistics."""

from collections.abc import Mapping

import structlog

from bot.engine import Engine
from bot.ports import StepError, Upkeep
from bot.runbook import intents as i
from bot.runbook.refusals import AlreadyFinal, Stale
from bot.target import Target

_log = structlog.get_logger()


class Statistics:
    """Handler of the job; run again after a crash it does the same once more, which harms nothing."""

    def __init__(self, engine: Engine, upkeep: Upkeep, targets: Mapping[str, Target]) -> None:
        self._engine = engine
        self._upkeep = upkeep
        self._targets = targets

    async def analyze(self, run_id: str) -> None:
        """ANALYZE what was asked for, and say what came of it."""
        run = await self._engine.load(run_id)
        try:
            lines = await self._upkeep.analyze(self._targets[run.plan.target], run.analyzing)
        except StepError as error:
            lines = (f"{error.problem} {error.advice}",)
        try:
            await self._engine.handle(run_id, i.Analyzed(lines=lines))
        except (Stale, AlreadyFinal) as error:
            _log.info("analyze.stale", run=run_id, lines=lines, why=str(error))
