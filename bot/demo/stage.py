"""The stage: the sample company's database and services, the workspace, and the bot as its real three processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import psycopg

from bot.demo import cast
from bot.demo.errors import EmbeddedPostgresError
from bot.demo.load import load
from bot.demo.workspace.server import Workspace
from bot.demo.world import World, prepare
from bot.ports import Service, Target
from bot.release import release
from bot.runbook.people import Policy
from bot.settings import Settings, SlackSettings, read_targets, targets_of
from integrations.local.platform import LocalPlatform

TARGET = "casework"
SERVICES = ("casework-web", "casework-gateway")
PROCESSES = ("web", "worker", "clock")

_TARGETS = """\
# The demo's targets file: one database with two services.  Edit it and restart the demo to try things out.
[targets.casework]
dsn_env = "CASEWORK_DATABASE_URL"
channel = "{channel}"
migrations = "migrations"
backups = "backups"
state = "run"
client_tools = "{tools}"
speed = {speed}

[targets.casework.policy]
approvers = ["{approvers}"]
owners = ["{owner}"]
on_call = ["{on_call}"]
quorum = {quorum}

{services}
[operators.{user}]
id = "{owner}"
name = "Dana Ruiz"
"""

_SERVICE = """\
[[targets.casework.services]]
name = "{name}"
health_url = "http://127.0.0.1:{port}/health"
metrics_url = "http://127.0.0.1:{port}/metrics.json"
command = ["{python}", "-m", "bot.demo.sample_app", "--name", "{name}", "--port", "{port}"]
folder = "{folder}"
application_name = "{name}"
environment_from = {{ DATABASE_URL = "CASEWORK_APP_DATABASE_URL" }}

"""


class BotDied(EmbeddedPostgresError):
    """A process of the bot ended by itself."""

    def __init__(self, name: str, log: Path) -> None:
        last = "\n".join(log.read_text("utf-8", "replace").splitlines()[-12:])
        super().__init__(f"The bot's {name} process ended by itself. The end of {log}:\n{last}")


@dataclass
class Troupe:
    """The bot's processes, as ``Procfile`` names them; each can be killed and started again."""

    environment: Mapping[str, str] = field(repr=False)
    logs: Path
    children: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, names: Sequence[str] = PROCESSES) -> None:
        """Start what does not run."""
        for name in names:
            with (self.logs / f"{name}.log").open("a") as log:
                self.children[name] = await _child(name, self.environment, log)

    async def kill(self, names: Sequence[str] = PROCESSES) -> None:
        """SIGKILL: no goodbye, no clean-up."""
        await self._end(names, signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, as a platform does on a deploy."""
        await self._end(tuple(self.children), signal.SIGTERM)

    async def connected(self, workspace: Workspace) -> None:
        """Wait until the bot is in the workspace; raises ``BotDied`` with its last words if it ended instead."""
        waiting = asyncio.create_task(workspace.wait_connected())
        deaths = {asyncio.create_task(child.wait()): name for name, child in self.children.items()}
        await asyncio.wait({waiting, *deaths}, return_when=asyncio.FIRST_COMPLETED)
        dead = [name for task, name in deaths.items() if task.done()]
        for task in deaths:
            task.cancel()
        if dead:
            waiting.cancel()
            raise BotDied(dead[0], self.logs / f"{dead[0]}.log")
        await waiting

    async def _end(self, names: Sequence[str], number: signal.Signals) -> None:
        ending = [self.children.pop(name) for name in names if name in self.children]
        for child in ending:
            if child.returncode is None:
                child.send_signal(number)
        for child in ending:
            await child.wait()


async def _child(name: str, environment: Mapping[str, str], log: TextIO) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", name, env=dict(environment), stdout=log, stderr=log
    )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything of a running demo."""

    world: World
    workspace: Workspace
    troupe: Troupe
    settings: Settings
    target: Target
    speed: float


@asynccontextmanager
async def set_up(folder: Path, *, speed: float, quorum: int, fresh: bool, port: int = 0) -> AsyncIterator[Stage]:
    """Bring everything up; everything but the database's data is gone at the end of the block."""
    if fresh:
        await _stop_leftovers(folder)
    async with AsyncExitStack() as stack:
        world = await prepare(folder, fresh=fresh)
        stack.push_async_callback(world.postgres.stop)
        workspace = Workspace(cast.seed())
        await workspace.start(port=port or world.ports["workspace"])
        stack.push_async_callback(workspace.stop)
        stage = _stage(world, workspace, speed=speed, quorum=quorum)
        await release(world.store_dsn)
        await _services(stage, stack)
        stack.push_async_callback(stage.troupe.stop)
        await stage.troupe.start()
        await stage.troupe.connected(workspace)
        yield stage


async def _migrating(store_dsn: str) -> bool:
    """Is there a run that the last demo left under way?"""
    async with await psycopg.AsyncConnection.connect(store_dsn) as conn:
        return await (await conn.execute("select 1 from runs where active")).fetchone() is not None


async def _stop_leftovers(folder: Path) -> None:
    """Services of a demo that was killed live on by design; before their records are forgotten, they are stopped."""
    nobody = Policy(approvers=frozenset())
    services = tuple(Service(name=name, health_url="") for name in SERVICES)
    state = (folder / "run").absolute()
    if state.exists():
        gone = Target(
            name=TARGET,
            dsn="",
            channel="",
            policy=nobody,
            migrations=state,
            backups=state,
            state=state,
            services=services,
        )
        await LocalPlatform().stop(gone)


async def _services(stage: Stage, stack: AsyncExitStack) -> None:
    """The two services up and in light use, until the end of the demo."""
    platform = LocalPlatform()
    stop = asyncio.Event()
    stack.push_async_callback(platform.stop, stage.target)
    if not await _migrating(stage.world.store_dsn):  # otherwise the run itself knows when they come back
        await platform.forget(stage.target)
        await platform.start(stage.target)
    bases = [service.health_url.removesuffix("/health") for service in stage.target.services]
    traffic = asyncio.create_task(load(bases, requests_per_second=10, stop=stop))

    async def ended() -> None:
        stop.set()
        await traffic

    stack.push_async_callback(ended)


def _stage(world: World, workspace: Workspace, *, speed: float, quorum: int) -> Stage:
    file = world.folder / "targets.toml"
    file.write_text(_targets(world, speed=speed, quorum=quorum))
    seed = workspace.core.seed
    secrets = {
        "CASEWORK_DATABASE_URL": world.production.owner_dsn,
        "CASEWORK_APP_DATABASE_URL": world.production.app_dsn,
    }
    os.environ.update(secrets)  # the stage itself reads the targets file too
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "SLACK__"))},
        **secrets,
        "DATABASE_URL": world.store_dsn,
        "TARGETS_FILE": str(file),
        "SLACK__BOT_TOKEN": seed.bot_token,
        "SLACK__APP_TOKEN": seed.app_token,
        "SLACK__BASE_URL": workspace.api_url,
    }
    settings = Settings(
        database_url=world.store_dsn,
        targets_file=file,
        slack=SlackSettings(bot_token=seed.bot_token, app_token=seed.app_token, base_url=workspace.api_url),
    )
    return Stage(
        world=world,
        workspace=workspace,
        troupe=Troupe(environment=environment, logs=world.logs),
        settings=settings,
        target=targets_of(read_targets(file), base=world.folder)[TARGET],
        speed=speed,
    )


def _targets(world: World, *, speed: float, quorum: int) -> str:
    root = Path(__file__).parents[2]
    services = "".join(
        _SERVICE.format(name=name, port=world.ports[name], python=sys.executable, folder=root) for name in SERVICES
    )
    return _TARGETS.format(
        channel=cast.ENGINEERING,
        tools=world.postgres.bin_dir(),
        speed=speed,
        approvers=cast.APPROVERS_GROUP,
        owner=cast.STARTER,
        on_call=cast.ON_CALL_GROUP,
        quorum=quorum,
        services=services,
        user=os.environ.get("USER") or "root",
    )
