"""Real Prisma 6 on a database that has twelve migrations, with a stage like the one of the SQL steps."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from bot.demo import casework as sample
from bot.demo import prisma_project
from bot.demo.postgres import EmbeddedPostgres
from bot.demo.prisma_project import ENVIRONMENT, KIT
from bot.migrations import downs, listed
from bot.ports import Context, StepError
from bot.runbook.run import Plan, Run, State
from bot.runbook.steps import Route
from bot.target import Prisma, Target
from integrations.postgres.prisma.apply import ApplyPrisma
from tests.integrations.postgres.conftest import POLICY, QUICK, Stage, Until
from tests.integrations.postgres.prisma.schema12 import MIGRATIONS, SCHEMA

NEW = "20250401090000_priority"
ADD = 'ALTER TABLE "cases" ADD COLUMN "priority" INTEGER;\nCREATE INDEX "cases_priority_idx" ON "cases"("priority");\n'


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Prisma as its lock file pins it; without Node CI fails and a laptop skips."""
    if shutil.which("npm"):
        return prisma_project.node_modules()
    if os.environ.get("CI"):
        pytest.fail("no npm on PATH: install Node 20")
    pytest.skip("no npm on PATH: install Node 20")


def write_project(folder: Path, node_modules: Path) -> Prisma:
    """A Prisma project with the twelve migrations."""
    migrations = folder / "prisma/migrations"
    migrations.mkdir(parents=True)
    (folder / "node_modules").symlink_to(node_modules)
    for name in ("prisma.config.ts", "package.json"):
        shutil.copy(KIT / name, folder)
    (folder / "prisma/schema.prisma").write_text(SCHEMA)
    (migrations / "migration_lock.toml").write_text('provider = "postgresql"\n')
    for name, text in MIGRATIONS.items():
        put(migrations, name, text)
    return Prisma(
        schema=folder / "prisma/schema.prisma", folder=folder, command=(str(node_modules / ".bin/prisma"),),
        environment=tuple(ENVIRONMENT.items()),
    )  # fmt: skip


def put(migrations: Path, name: str, text: str, *, down: str = "") -> None:
    (migrations / name).mkdir(exist_ok=True)
    (migrations / name / "migration.sql").write_text(text)
    if down:
        (migrations / name / "down.sql").write_text(down)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def twelve(
    pg: EmbeddedPostgres,
    passwords: Mapping[str, str],
    node_modules: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[str]:
    """A database to copy, with the twelve migrations deployed by Prisma itself."""
    name = f"twelve_{secrets.token_hex(4)}"
    folder = tmp_path_factory.mktemp("twelve")
    project = write_project(folder, node_modules)
    await sample.create_database(pg, name, owner=sample.OWNER)
    url = pg.dsn(name, user=sample.OWNER, password=passwords[sample.OWNER])
    child = await asyncio.create_subprocess_exec(
        *project.command, "migrate", "deploy", cwd=folder, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env={**os.environ, **ENVIRONMENT, "DATABASE_URL": url},
    )  # fmt: skip
    printed, _ = await child.communicate()
    assert child.returncode == 0, printed.decode()
    yield name
    await sample.drop_database(pg, name)


@dataclass
class PrismaStage(Stage):
    """A stage whose target is a Prisma project."""

    @property
    def migrations(self) -> Path:
        return self.target.migrations

    def add(self, name: str = NEW, text: str = ADD, *, down: str = "") -> None:
        """Put a migration in place and into the plan."""
        put(self.migrations, name, text, down=down)
        names = tuple(sorted({*self.run.plan.migrations, name}))
        self.plan(names)

    def plan(self, names: tuple[str, ...]) -> None:
        self.run = replace(self.run, plan=replace(self.run.plan, migrations=names, down=downs(self.target, names)))

    async def ready(self) -> Context:
        """Backed up and approved."""
        await self.backed_up()
        return await self.approved(ApplyPrisma(QUICK))

    async def failed(self, attempt: int = 1) -> StepError:
        """Run the step as approved and return how it failed."""
        context = replace(await self.approved(ApplyPrisma(QUICK)), attempt=attempt)
        with pytest.raises(StepError) as caught:
            await ApplyPrisma(QUICK).run(context)
        return caught.value

    async def do(self, statements: str) -> None:
        """As somebody at psql would."""
        async with await psycopg.AsyncConnection.connect(self.target.dsn, autocommit=True) as db:
            await db.execute(statements.encode())

    async def listed(self, name: str = NEW) -> list[tuple[object, ...]]:
        """Prisma's lines of a migration: finished, rolled back."""
        return await self.ask(
            "select finished_at is not null, rolled_back_at is not null from _prisma_migrations "
            f"where migration_name = '{name}' order by started_at"
        )


@pytest_asyncio.fixture
async def stage(
    pg: EmbeddedPostgres, passwords: Mapping[str, str], twelve: str, node_modules: Path, tmp_path: Path
) -> AsyncIterator[PrismaStage]:
    """A fresh copy of the twelve as a target, with nothing pending yet."""
    name = f"law_{secrets.token_hex(4)}"
    await sample.create_database(pg, name, owner=sample.OWNER, template=twelve)
    project = write_project(tmp_path / "app", node_modules)
    target = Target(
        name="law",
        dsn=pg.dsn(name, user=sample.OWNER, password=passwords[sample.OWNER]),
        channel="C1",
        policy=POLICY,
        migrations=project.schema.parent / "migrations",
        prisma=project,
        backups=tmp_path / "backups",
        state=tmp_path,
        lock_timeouts=(0.2, 0.2),
        lock_pauses=(0.2,),
    )
    assert tuple(MIGRATIONS) == listed(target)
    plan = Plan(
        target="law", database=name, name="n", purpose="p", migrations=(), starter="U0", starter_name="Zoe",
        channel="C1", policy=POLICY,
    )  # fmt: skip
    run = Run(
        id="run-7", plan=plan, version=1, state=State.WORKING, route=Route.FORWARD, position=3, started_at=0.0,
        since=0.0,
    )  # fmt: skip
    yield PrismaStage(target=target, run=run)
    await sample.drop_database(pg, name)


@pytest.fixture
def until() -> Until:
    """Poll a condition; Node may be slow to start, so it fails after two minutes."""

    async def poll(condition: Callable[[], Awaitable[object]]) -> None:
        async with asyncio.timeout(120):
            while not await condition():
                await asyncio.sleep(0.02)

    return poll
