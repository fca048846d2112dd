"""A small production of the crash campaign's own: database, services, workspace, clock; processes of the bot."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import clock_of
from bot.demo import casework as sample
from bot.demo import cast
from bot.demo.postgres import EmbeddedPostgres
from bot.demo.processes import free_port
from bot.demo.workspace import Workspace
from bot.engine import Engine
from bot.jobs.queue import ProcrastinateQueue
from bot.release import release
from bot.runbook import intents as i
from bot.runbook.people import Person, Timing
from bot.runbook.run import Plan, Run
from bot.runbook.steps import Standby
from bot.settings import read_targets, targets_of
from bot.target import Target
from integrations.local.platform import LocalPlatform
from tests.conftest import short_folder
from tests.e2e.crashing import Order
from tests.e2e.nursery import ROOT, Nursery, end
from tests.kit import backstage

PASSWORDS = {role: secrets.token_hex(8) for role in (sample.OWNER, sample.APP, sample.BOT)}
STORE_TEMPLATE = "store_template"
MIGRATION = "001_add_case_priority.sql"
NEVER = 100_000.0
QUICK = Timing(
    status_every=NEVER, remind_after=(NEVER,), sample_every=0.4, monitor_for=3.0, watch_back_for=3.0,
    sustained_for=NEVER, kick_every=20.0,
)  # fmt: skip
ALEX = Person(id=cast.FIRST_APPROVER, name="Alex Chen", groups=frozenset({cast.APPROVERS_GROUP}))
PRIYA = Person(id=cast.SECOND_APPROVER, name="Priya Nair", groups=frozenset({cast.APPROVERS_GROUP}))
NAMES = ("casework-web", "casework-gateway")

_TARGETS = """\
[targets.casework]
dsn_env = "CASEWORK_DATABASE_URL"
channel = "{channel}"
migrations = "{migrations}"
backups = "backups"
state = "run"
client_tools = "{tools}"

[targets.casework.policy]
approvers = ["{approvers}"]
owners = ["{owner}"]
quorum = 2
"""

_SERVICE = """
[[targets.casework.services]]
name = "{name}"
health_url = "http://127.0.0.1:{port}/health"
metrics_url = "http://127.0.0.1:{port}/metrics.json"
command = ["{python}", "-m", "bot.demo.sample_app", "--name", "{name}", "--port", "{port}"]
folder = "{folder}"
application_name = "{name}"
environment_from = {{ DATABASE_URL = "CASEWORK_APP_DATABASE_URL" }}
"""


@dataclass(frozen=True, kw_only=True)
class Production:
    """One target with everything around it, and the processes of the bot that were started on it."""

    nursery: Nursery
    folder: Path
    casework: sample.Casework
    target: Target
    workspace: Workspace
    engine: Engine
    store_dsn: str = field(repr=False)
    environment: dict[str, str] = field(repr=False)
    children: list[int] = field(default_factory=list)

    @property
    def kills(self) -> Path:
        return self.folder / "kills"

    def start(self, process: str = "worker", *points: str) -> int:
        """Start a process that dies at any of ``points``."""
        log = str(self.folder / "bot.log")
        order = Order(process=process, environment=self.environment, kills=str(self.kills), points=points, log=log)
        self.children.append(self.nursery.start(order))
        return self.children[-1]

    async def begin(
        self, timing: Timing = QUICK, *, standby: Standby = Standby.TEMPLATE, down: tuple[str, ...] = ()
    ) -> Run:
        """A run that waits for nothing but approvals and work."""
        plan = Plan(
            target=self.target.name,
            database=self.target.database,
            name="Case priority",
            purpose="Urgent cases first",
            migrations=(MIGRATION,),
            starter=cast.STARTER,
            starter_name="Dana",
            channel=self.target.channel,
            policy=self.target.policy,
            services=tuple(service.name for service in self.target.services),
            timing=timing,
            standby=standby,
            down=down,
        )
        return await self.engine.start(plan)

    async def approve(self, run: Run) -> None:
        """Both approvers say yes to the open question, through the engine's one door."""
        question = run.question
        given = {each.person for each in question.approvals} if question else set()
        for person in (ALEX, PRIYA):
            if question is not None and person.id not in given:
                yes = i.Approve(person=person, number=question.number, digest=question.digest, word=question.word or "")
                await self.engine.handle(run.id, yes)


@asynccontextmanager
async def server() -> AsyncIterator[EmbeddedPostgres]:
    """A server of the campaign's own, with the sample at 1/50 and the bot's schema as templates."""
    with short_folder() as folder:
        async with EmbeddedPostgres(folder / "data", durable=False) as pg:
            await sample.create_roles(pg, PASSWORDS)
            await sample.ensure_template(pg, PASSWORDS, scale=0.02)
            await sample.create_database(pg, STORE_TEMPLATE, owner=sample.BOT)
            await release(pg.dsn(STORE_TEMPLATE, user=sample.BOT, password=PASSWORDS[sample.BOT]))
            yield pg


@asynccontextmanager
async def database(pg: EmbeddedPostgres, kind: str, owner: str, template: str) -> AsyncIterator[str]:
    """The name of a fresh copy."""
    name = f"{kind}_{secrets.token_hex(4)}"
    await sample.create_database(pg, name, owner=owner, template=template)
    try:
        yield name
    finally:
        for each in await sample.databases(pg):
            if each.startswith(name):  # and what a run has left beside it
                await sample.drop_database(pg, each)


@asynccontextmanager
async def production(
    pg: EmbeddedPostgres, nursery: Nursery, folder: Path, *, clock: bool = True
) -> AsyncIterator[Production]:
    """Everything up but the bot's processes; everything gone at the end.  ``clock``: the bot's clock, run in here."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(database(pg, "store", sample.BOT, STORE_TEMPLATE))
        name = await stack.enter_async_context(database(pg, "casework", sample.OWNER, sample.TEMPLATE))
        workspace = Workspace(cast.seed())
        await workspace.start()
        stack.push_async_callback(workspace.stop)
        dsn = pg.dsn(store, user=sample.BOT, password=PASSWORDS[sample.BOT])
        casework = sample.casework(pg, PASSWORDS, name)
        environment = _environment(folder, casework, workspace, dsn)
        behind = await stack.enter_async_context(backstage(dsn))
        made = Production(
            nursery=nursery,
            folder=folder,
            casework=casework,
            target=_target(folder, environment),
            workspace=workspace,
            engine=behind.engine,
            store_dsn=dsn,
            environment=environment,
        )
        await LocalPlatform().start(made.target)
        stack.push_async_callback(LocalPlatform().stop, made.target)
        stack.callback(_end_all, made.children)
        if clock:
            ticking = asyncio.create_task(clock_of(behind.engine, ProcrastinateQueue(behind.jobs), dsn).run())
            stack.push_async_callback(_cancelled, ticking)
        yield made


def _end_all(children: Sequence[int]) -> None:
    for child in children:
        end(child)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _environment(folder: Path, casework: sample.Casework, workspace: Workspace, store_dsn: str) -> dict[str, str]:
    tools, migrations = EmbeddedPostgres.bin_dir(), sample.SAMPLE / "migrations"
    text = _TARGETS.format(
        channel=cast.ENGINEERING, tools=tools, migrations=migrations, approvers=cast.APPROVERS_GROUP, owner=cast.STARTER
    )
    for name in NAMES:
        text += _SERVICE.format(name=name, port=free_port(), python=sys.executable, folder=ROOT)
    (folder / "targets.toml").write_text(text)
    seed = workspace.core.seed
    return {
        "CASEWORK_DATABASE_URL": casework.owner_dsn,
        "CASEWORK_APP_DATABASE_URL": casework.app_dsn,
        "DATABASE_URL": store_dsn,
        "TARGETS_FILE": str(folder / "targets.toml"),
        "SLACK__BOT_TOKEN": seed.bot_token,
        "SLACK__APP_TOKEN": seed.app_token,
        "SLACK__BASE_URL": workspace.api_url,
    }


def _target(folder: Path, environment: dict[str, str]) -> Target:
    """The target as the bot's processes see it."""
    os.environ.update({name: value for name, value in environment.items() if name.startswith("CASEWORK")})
    return targets_of(read_targets(folder / "targets.toml"), base=folder)["casework"]
