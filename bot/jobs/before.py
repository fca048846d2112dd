"""What the bot does for a plan by itself: it looks, it rehearses, and it begins the run after its last look."""

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Mapping

import structlog

from bot.jobs.drive import patiently
from bot.logs import referenced
from bot.planner import Planner
from bot.ports import Drill, Found, Prover, StepError
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.preparation import Preparation, Stage
from bot.runbook.refusals import Refusal
from bot.target import Target

_log = structlog.get_logger()
_MOST_CHANGED, _WIDEST = 60, 300  # lines of difference that are shown, characters of each
_COMPARED = 200_000  # characters of a file up to which its lines are compared


class Before:
    """Handlers of the jobs about plans."""

    def __init__(self, planner: Planner, prover: Prover, drill: Drill, targets: Mapping[str, Target]) -> None:
        self._planner = planner
        self._prover = prover
        self._drill = drill
        self._targets = targets

    async def tick(self, run_id: str, kind: str, due: float) -> None:
        """A derived timer fired; a slot that was taken care of meanwhile is refused by the core, which is fine."""
        await self._say(run_id, lambda: self._planner.handle(run_id, i.PlanTick(kind=kind, due=due)))

    async def prove(self, run_id: str) -> None:
        """Look at everything; where the start waits for that, begin.  A start that cannot be looked at is refused."""
        plan = await self._planner.load(run_id)
        if plan.final:
            return
        try:
            await self._say(run_id, lambda: self._look(plan))
        except Exception as error:
            if plan.stage is Stage.STARTING:
                reference = referenced("plan.unexpected", error)
                why = f"Something went wrong in the last look; look for {reference} in the bot's logs"
                await self._say(run_id, lambda: self._planner.refuse_start(run_id, why))
            raise

    async def _look(self, plan: Preparation) -> None:
        starts, wanted = plan.stage is Stage.STARTING, plan.draft.plan
        found = await self._prover.prove(plan)
        changed = await self._changed(plan, found)
        await self._planner.keep_texts(plan.id, found.files, found.texts)
        seen = i.ProofsFound(
            files=found.files,
            proofs=found.proofs,
            risk=found.risk,
            changed=changed,
            starts=starts,
            names=(*wanted.migrations, *wanted.down),
        )
        await self._planner.handle(plan.id, seen)
        if starts:
            await self._planner.begin_run(plan.id)

    async def _changed(self, plan: Preparation, found: Found) -> tuple[str, ...]:
        """How the files differ from those looked at before."""
        if not plan.files or not found.files or found.files == plan.files:
            return ()
        before, now = dict(await self._planner.texts(plan.id)), dict(found.texts)
        lines = await asyncio.to_thread(_differences, before, now)
        more = [f"… and {len(lines) - _MOST_CHANGED} more lines"] if len(lines) > _MOST_CHANGED else []
        return (*lines[:_MOST_CHANGED], *more) or ("the files",)

    async def rehearse(self, run_id: str) -> None:
        """Try the migration on a copy; whatever becomes of it is said."""
        plan = await self._planner.load(run_id)
        if await self._planner.busy(plan):
            why = "A migration of this target is under way; it would be in its way."
            busy = i.DrillEnds(report=None, problem=why, later=True)
            await self._say(run_id, lambda: self._planner.handle(run_id, busy))
            return
        if await self._say(run_id, lambda: self._planner.handle(run_id, i.DrillBegins())):
            ended = await self._rehearsed(plan)
            await self._say(run_id, lambda: self._planner.handle(run_id, ended))

    async def _rehearsed(self, plan: Preparation) -> i.DrillEnds:
        wanted = plan.draft.plan
        try:
            report = await self._drill.rehearse(
                self._targets[wanted.target], wanted.migrations, wanted.down, name=plan.id, progress=_unseen
            )
        except StepError as error:
            return i.DrillEnds(report=None, problem=f"{error.problem} {error.advice}".strip())
        except Exception as error:  # noqa: BLE001 - people get a reference, the logs the rest
            why = f"Something went wrong; look for {referenced('plan.unexpected', error)} in the bot's logs."
            return i.DrillEnds(report=None, problem=why, later=True)
        return i.DrillEnds(report=report)

    async def _say(self, plan_id: str, what: Callable[[], Awaitable[object]]) -> bool:
        """Patiently, while the store is away; false where it came too late to count."""
        try:
            await patiently(what)
        except Refusal as error:
            _log.info("plan.stale", plan=plan_id, why=str(error))
            return False
        return True


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        line[:_WIDEST]
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
        for line in _difference(name, before.get(name, ""), now.get(name, ""))
    ]


def _difference(name: str, before: str, now: str) -> list[str]:
    """Line by line; of a file too long for that, how long it was and is."""
    was, there = f"was: {name}", f"now: {name}"
    if max(len(before), len(now)) > _COMPARED:
        return [f"--- {was}", f"+++ {there}", f"-{len(before):,} characters", f"+{len(now):,} characters"]
    return list(difflib.unified_diff(before.splitlines(), now.splitlines(), was, there, "", "", 1))


async def _unseen(_text: str, _fraction: float | None) -> None:
    """A rehearsal's progress is in the logs of its steps; people wait for its figures."""
