"""The way back by ``down.sql``: the schema is the backup's, and Prisma's list is as if the migration had never been."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest_asyncio

from bot.demo.casework import casework
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.digest import digest_of, inputs_of
from bot.runbook.run import Grant
from bot.runbook.rungs import Rung
from bot.runbook.steps import Standby, StepName
from integrations.postgres.go_back import GoBack
from integrations.postgres.prisma.apply import ApplyPrisma
from integrations.postgres.prisma.cli import STATUS, prisma
from integrations.postgres.verify_back import VerifyBack
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK
from tests.integrations.postgres.prisma.conftest import NEW, PrismaStage

DOWN = 'DROP INDEX "cases_priority_idx";\nALTER TABLE "cases" DROP COLUMN "priority";\n'


@pytest_asyncio.fixture
async def back(stage: PrismaStage, pg: EmbeddedPostgres, passwords: Mapping[str, str]) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=pg, casework=casework(pg, passwords, stage.target.database))
    yield made
    await made.remove()


async def test_down_takes_the_migration_out_of_prismas_list(stage: PrismaStage, back: Backstage) -> None:
    """Rehearsed, applied by Prisma, taken out again; Prisma then calls it pending, and would apply it anew."""
    stage.add(down=DOWN)
    assert (f"{NEW}/down.sql",) == stage.run.plan.down
    await stage.backed_up()
    await back.stand_by(Standby.TEMPLATE)
    described = await ApplyPrisma(QUICK).describe(back.forward(StepName.APPLY))
    grant = Grant(step=StepName.APPLY, digest=digest_of(inputs_of(described.inputs)), approvals=(), at=0.0)
    stage.run = replace(stage.run, grant=grant)
    outcome = await ApplyPrisma(QUICK).run(back.forward(StepName.APPLY))
    back.record(StepName.APPLY, tuple(outcome.facts.items()))
    assert [(True, False)] == await stage.listed()
    step, context = GoBack(QUICK), await back.approved()
    assert context.run.way is not None
    assert Rung.DOWN == context.run.way.rung

    gone = await step.run(context)

    assert (await step.verify(context, gone)).ok
    assert [] == await stage.listed()
    back.record(StepName.GO_BACK, tuple(gone.facts.items()))
    verified = await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))
    assert any("_prisma_migrations lists nothing since the backup" in each for each in verified.evidence)
    ended, said = await prisma(back.at(StepName.VERIFY_BACK), STATUS)
    assert not ended.ok
    assert stage.target.database == said.database
