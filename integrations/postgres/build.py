"""The PostgreSQL steps, put together: the one thing the wiring needs of this folder."""

from collections.abc import Collection, Mapping

from bot.ports import Context, Description, Outcome, PointInTime, StepAdapter
from bot.runbook.samples import Verdict
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.backup import Backup
from integrations.postgres.clean_up import CleanUp
from integrations.postgres.go_back import GoBack
from integrations.postgres.prisma.apply import ApplyPrisma
from integrations.postgres.settings import Limits
from integrations.postgres.standby import Standby
from integrations.postgres.switch import Stop, nothing
from integrations.postgres.verify import Verify
from integrations.postgres.verify_back import VerifyBack


def build(
    limits: Limits | None = None,
    *,
    platform: PointInTime | None = None,
    protected: Collection[str] = (),
    after: Stop = nothing,
) -> Mapping[StepName, StepAdapter]:
    """Every step of this folder by its name; they know their target from each step's context.

    ``platform`` offers point-in-time recovery; ``protected`` are the names of all targets' databases; ``after`` is
    called with the name of each part of a way back when it is done.
    """
    chosen = limits or Limits()
    return {
        StepName.BACKUP: Backup(chosen),
        StepName.STANDBY: Standby(chosen),
        StepName.APPLY: ByTarget(sql=Apply(chosen), prisma=ApplyPrisma(chosen)),
        StepName.VERIFY: Verify(chosen),
        StepName.GO_BACK: GoBack(chosen, after, platform),
        StepName.VERIFY_BACK: VerifyBack(chosen),
        StepName.CLEAN_UP: CleanUp(chosen, protected=protected),
    }


class ByTarget:
    """The same step for either kind of migrations: SQL files by psql, or Prisma's folders by its own command."""

    def __init__(self, *, sql: StepAdapter, prisma: StepAdapter) -> None:
        self._sql, self._prisma = sql, prisma

    async def describe(self, context: Context) -> Description:
        return await self._of(context).describe(context)

    async def check(self, context: Context) -> Outcome | None:
        return await self._of(context).check(context)

    async def run(self, context: Context) -> Outcome:
        return await self._of(context).run(context)

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        return await self._of(context).verify(context, outcome)

    def undo(self, context: Context) -> str:
        return self._of(context).undo(context)

    def _of(self, context: Context) -> StepAdapter:
        return self._prisma if context.target.prisma else self._sql
