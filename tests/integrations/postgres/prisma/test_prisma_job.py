"""Prisma as a one-off job of Render: real Prisma on real PostgreSQL, started by the stand-in for Render."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.prisma_project import Project
from bot.ports import Context, StepError
from bot.runbook.digest import digest_of, inputs_of
from bot.runbook.run import Database, Grant
from bot.runbook.steps import StepName
from integrations.postgres.prisma.apply import ApplyPrisma
from integrations.postgres.prisma.cli import url_of
from integrations.render.jobs import Jobs
from tests.integrations.postgres.conftest import QUICK
from tests.integrations.postgres.prisma.conftest import NEW, PrismaStage
from tests.integrations.render.hosting import Hosted, hosted


@dataclass
class Build:
    """What Render has built of the service: ``url`` is its DATABASE_URL, ``ran`` what was started on it."""

    stage: PrismaStage
    render: Hosted
    url: str
    ran: list[str] = field(default_factory=list)

    def play(self, command: str) -> tuple[int, tuple[str, ...]]:
        """One job, in the service's environment; Render gives the command to no shell."""
        self.ran.append(command)
        prisma = self.stage.target.prisma
        assert prisma is not None
        return Project(folder=prisma.folder, program=Path(prisma.command[0]), url=self.url).play(command)

    def at(self, step: StepName) -> Context:
        return replace(self.stage.at(step), commands=Jobs(self.render.api, self.render.site.services["web"]))

    async def approved(self) -> Context:
        """Backed up, described and approved as a job."""
        await self.stage.backed_up()
        described = await ApplyPrisma(QUICK).describe(self.at(StepName.APPLY))
        digest = digest_of(inputs_of(described.inputs))
        grant = Grant(step=StepName.APPLY, digest=digest, approvals=(), at=0.0)
        self.stage.run = replace(self.stage.run, grant=grant, destroys=described.destroys)
        return self.at(StepName.APPLY)

    @property
    def deploys(self) -> int:
        return sum("migrate deploy" in each for each in self.ran)


@pytest_asyncio.fixture
async def build(stage: PrismaStage, tmp_path: Path) -> AsyncIterator[Build]:
    """A service with its own connection string to the target, and one migration pending in its build."""
    assert stage.target.prisma is not None
    stage.target = replace(stage.target, prisma=replace(stage.target.prisma, on_job=True))
    stage.add()
    async with hosted(tmp_path / "render") as render:
        found = Build(stage=stage, render=render, url=url_of(stage.at(StepName.APPLY)))
        render.fake.estate.command = found.play
        yield found


async def test_a_job_applies_it_under_the_guard(build: Build) -> None:
    """The question says where; the job has the service's own connection; the list proves it, and nothing stays."""
    context = await build.approved()
    apply = ApplyPrisma(QUICK)
    lines = (await apply.describe(context)).lines
    assert any("prisma migrate deploy (a one-off job of Render's service srv-" in each for each in lines)

    outcome = await apply.run(context)

    assert f"{NEW}: 2 statements, listed as applied" in outcome.evidence[-1]
    assert [(True, False)] == await build.stage.listed()
    assert (await apply.verify(context, outcome)).ok
    assert 1 == build.deploys
    assert not any("postgresql://" in each for each in build.ran)
    assert [] == await build.stage.ask("select 1 from pg_trigger where tgname = 'migrate_bot_guard'")


async def test_a_build_with_other_bytes_is_refused(build: Build) -> None:
    """What was approved are the bot's files; the build has others, and the database lets none of it in."""
    context = await build.approved()
    here = build.stage.migrations / NEW / "migration.sql"
    play = build.render.fake.estate.command

    def other(command: str) -> tuple[int, tuple[str, ...]]:
        approved = here.read_bytes()
        here.write_text('DROP TABLE "cases" CASCADE;')
        try:
            return play(command)
        finally:
            here.write_bytes(approved)

    build.render.fake.estate.command = other
    with pytest.raises(StepError):
        await ApplyPrisma(QUICK).run(context)
    assert [(1,)] == await build.stage.ask("select count(*) from pg_tables where tablename = 'cases'")
    assert [] == await build.stage.listed()


async def test_a_service_of_another_database_gets_no_deploy(build: Build, twelve: str) -> None:
    """Its DATABASE_URL leads to a database of the same name elsewhere: only the question was run there."""
    context = await build.approved()
    own, other = build.stage.run.plan.database, twelve
    build.url = build.url.replace(f"/{own}?", f"/{other}?")
    play = build.render.fake.estate.command

    def namesake(command: str) -> tuple[int, tuple[str, ...]]:
        code, lines = play(command)
        return code, tuple(each.replace(other, own) for each in lines)

    build.render.fake.estate.command = namesake
    with pytest.raises(StepError, match="its DATABASE_URL leads to another database") as caught:
        await ApplyPrisma(QUICK).run(context)
    assert (Database.UNTOUCHED, 0) == (caught.value.database, build.deploys)
    assert [] == await build.stage.listed()


async def test_a_job_of_a_dead_attempt_is_waited_for(build: Build) -> None:
    """It may only be about to begin: its guard stays until it is over, and nothing is deployed twice."""
    context = await build.approved()
    jobs, apply = Jobs(build.render.api, build.render.site.services["web"]), ApplyPrisma(QUICK)
    dying = asyncio.create_task(apply.run(context))
    while not build.deploys:
        await asyncio.sleep(0.01)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying

    settled = await apply.check(replace(context, attempt=2, commands=jobs))

    assert settled is not None
    assert 1 == build.deploys
    assert [] == await build.stage.ask("select 1 from pg_trigger where tgname = 'migrate_bot_guard'")


async def test_the_first_migration_of_all_is_no_job(build: Build) -> None:
    """Without a list there is no guard, and a job's own connection has no limits."""
    await build.stage.backed_up()
    await build.stage.do("drop table _prisma_migrations")
    with pytest.raises(StepError, match="has no list of Prisma's migrations yet"):
        await ApplyPrisma(QUICK).describe(build.at(StepName.APPLY))
    assert [] == build.ran
