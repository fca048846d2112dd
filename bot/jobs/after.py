"""What the bot does by itself after a run: it looks at a slower pace, compares, and posts the review."""

from collections.abc import Mapping

import structlog

from bot.follow_ups import FollowUps
from bot.ports import Probe, Statements
from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.follow_up.queries import Counted, Counts, between, slow
from bot.runbook.follow_up.timers import FollowTimer
from bot.runbook.refusals import AlreadyFinal, Stale
from bot.runbook.samples import Sample
from bot.target import Target

_log = structlog.get_logger()


class After:
    """Handlers of the jobs about what follows a run."""

    def __init__(
        self, follow_ups: FollowUps, probe: Probe, statements: Statements, targets: Mapping[str, Target]
    ) -> None:
        self._follow_ups = follow_ups
        self._probe = probe
        self._statements = statements
        self._targets = targets
        self._counted: dict[str, Counts] = {}  # of the look before; lost with the process, then one look is passed over

    async def follow(self, run_id: str) -> None:
        """Begin what follows a run that is completed."""
        await self._follow_ups.begin(run_id, await self._count_of_run(run_id))

    async def tick(self, run_id: str, kind: str, due: float) -> None:
        """A derived timer fired; a slot that was taken care of meanwhile is refused by the core, which is fine."""
        try:
            found = await self._follow_ups.load(run_id)
            await self._follow_ups.handle(run_id, await self._intent(found, FollowTimer(kind), due))
        except (Stale, AlreadyFinal) as error:
            _log.debug("follow_tick.stale", follow_up=run_id, kind=kind, why=str(error))

    async def _intent(self, found: FollowUp, kind: FollowTimer, due: float) -> i.Intent:
        if kind not in (FollowTimer.LOOK, FollowTimer.REVIEW):
            return i.FollowTick(kind=kind.value, due=due)
        later = await self._follow_ups.later(found)
        if later is not None and not later[1]:
            return i.Overtake(by=later[0])
        if kind is FollowTimer.REVIEW:
            return i.PostReview(due=due, counts=await self._count(found.plan.target))
        if later is not None:
            return i.SkipLook(due=due, why=f"run {later[0]} is on")
        return await self._look(found, due)

    async def _look(self, found: FollowUp, due: float) -> i.Intent:
        """One measurement, and what was slow since the one before."""
        target = self._targets.get(found.plan.target)
        if target is None:
            return i.SkipLook(due=due, why=f"{found.plan.target} is no longer configured")
        try:
            sample = await self._probe.sample(target)
        except Exception:  # noqa: BLE001 - whatever it was: nothing was measured, and that is a finding of its own
            _log.exception("probe.failed", follow_up=found.id)
            sample = Sample(at=self._follow_ups.now())
        return i.TakeLook(due=due, sample=sample, slow=await self._slow(found))

    async def _slow(self, found: FollowUp) -> tuple[Counted, ...]:
        counts = await self._count(found.plan.target)
        before = self._counted.get(found.id) or found.counts
        self._counted[found.id] = counts
        return slow(between(before, counts)) if before else ()

    async def _count_of_run(self, run_id: str) -> Counts:
        return await self._count(await self._follow_ups.target_of(run_id))

    async def _count(self, name: str) -> Counts:
        target = self._targets.get(name)
        if target is None:
            return Counts(at=self._follow_ups.now(), known=False, why=f"{name} is no longer configured.")
        return await self._statements.count(target)
