"""The stage: the sample company's database and services, the workspace, and the bot as its real three processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import psycopg

from bot.demo import cast, on_render, releases, targets_file
from bot.demo.errors import EmbeddedPostgresError
from bot.demo.load import load
from bot.demo.outside.town import Town
from bot.demo.prisma_project import project
from bot.demo.targets_file import SERVICES
from bot.demo.targets_file import TARGET as TARGET
from bot.demo.workspace.server import Workspace
from bot.demo.world import World, prepare
from bot.release import release
from bot.runbook.people import Policy
from bot.settings import Settings, SlackSettings, read_targets, targets_of
from bot.target import Service, Target
from integrations.local.platform import LocalPlatform
from integrations.services.parts import Services
from integrations.slack.checkup import SCOPES

PROCESSES = ("web", "worker", "clock")
CONNECT_SECONDS = 120.0  # a busy machine takes its time; a bot that has ended is seen at once
LOCAL, RENDER = "local", "render"  # where the services run


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

    async def start_another(self, name: str) -> None:
        """One more of the same kind, beside the first."""
        with (self.logs / f"{name}-2.log").open("a") as log:
            self.children[f"{name}-2"] = await _child(name, self.environment, log)

    async def kill(self, names: Sequence[str] = PROCESSES) -> None:
        """SIGKILL: no goodbye, no clean-up."""
        await self._end(names, signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, as a platform does on a deploy."""
        await self._end(tuple(self.children), signal.SIGTERM)

    async def connected(self, workspace: Workspace) -> None:
        """Wait until the bot is in the workspace; raises ``BotDied`` with its last words if it ended instead."""
        waiting = asyncio.create_task(workspace.wait_connected(timeout=CONNECT_SECONDS))
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
    render: on_render.Hosting | None = None

    async def deploy(self, release: str) -> None:
        """Deploy a release of both services: what is started next runs it; on this machine, what runs is left alone."""
        releases.deploy(self.world.folder, release)
        if self.render is not None:
            await self.render.deploy(release)

    @property
    def platform(self) -> Services:
        """Where the services are, for looking at them."""
        return LocalPlatform() if self.render is None else self.render.platform()


@asynccontextmanager
async def set_up(
    folder: Path,
    *,
    speed: float,
    quorum: int,
    fresh: bool,
    port: int = 0,
    standby: str = "auto",
    workflows: Collection[str] = targets_file.WORKFLOWS,
    on: str = LOCAL,
    checklist: str = "off",
    prisma: bool = False,
    follow_up_speed: float = 0.0,
    terms: str = "",
) -> AsyncIterator[Stage]:
    """Bring everything up; everything but the database's data is gone at the end of the block.

    ``on``: where the services run, by the bot itself on this machine or on the stand-in for Render.
    ``checklist``: ``required`` where a run is started by a plan.  ``prisma``: the migrations are Prisma's.
    ``terms``: more lines of the target in the targets file.
    """
    if fresh:
        await _stop_leftovers(folder)
    async with AsyncExitStack() as stack:
        world = await prepare(folder, fresh=fresh)
        stack.push_async_callback(world.postgres.stop)
        releases.install(world.folder, fresh=fresh)
        workspace = Workspace(replace(cast.seed(), scopes=SCOPES))
        await workspace.start(port=port or world.ports["workspace"])
        stack.push_async_callback(workspace.stop)
        render = await on_render.opened(world.folder, SERVICES) if on == RENDER else None
        town = Town(SERVICES, on_call=cast.person(cast.ON_CALL))
        await town.start()
        stack.push_async_callback(town.stop)
        workspace.outside = town.shown
        text = targets_file.written(
            world, speed=speed, quorum=quorum, standby=standby, workflows=workflows, checklist=checklist,
            files=not prisma, follow_up_speed=follow_up_speed, terms=terms,
        )  # fmt: skip
        text += await _prisma(world, render) if prisma else ""
        text += "\n" + town.toml(TARGET)
        stage = _stage(world, workspace, text, speed=speed, render=render, outside=town.environment)
        await release(world.store_dsn)
        await _services(stage, stack)
        stack.push_async_callback(stage.troupe.stop)
        await stage.troupe.start()
        await stage.troupe.connected(workspace)
        yield stage


async def _prisma(world: World, render: on_render.Hosting | None) -> str:
    """The target's Prisma section; on Render its commands are one-off jobs."""
    found = await project(world.folder / "app", world.production.owner_dsn)
    await found.begin()
    if render is not None:
        render.fake.estate.command = found.play
    return found.section("host" if render is None else RENDER)


async def _migrating(store_dsn: str) -> bool:
    """Is there a run that the last demo left under way?"""
    async with await psycopg.AsyncConnection.connect(store_dsn) as conn:
        return await (await conn.execute("select 1 from runs where active")).fetchone() is not None


async def _stop_leftovers(folder: Path) -> None:
    """Services of a demo that was killed live on by design; before their records are forgotten, they are stopped."""
    nobody = Policy(approvers=frozenset())
    services = tuple(Service(name=name, health_url="") for name in SERVICES)
    places = (folder / "run", *(folder / "render" / name for name in SERVICES))
    for state in (each.absolute() for each in places if each.exists()):
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
    stop = asyncio.Event()
    migrating = await _migrating(stage.world.store_dsn)  # then the run itself knows when they come back
    if stage.render is not None:
        stack.push_async_callback(stage.render.stop)
        await stage.render.furnish(stage.target, stage.world.folder, migrating=migrating)
    else:
        platform = LocalPlatform()
        stack.push_async_callback(platform.stop, stage.target)
        if not migrating:
            await platform.forget(stage.target)
            await platform.start(stage.target)
    bases = [service.health_url.removesuffix("/health") for service in stage.target.services]
    traffic = asyncio.create_task(load(bases, requests_per_second=10, stop=stop))

    async def ended() -> None:
        stop.set()
        await traffic

    stack.push_async_callback(ended)


def _stage(
    world: World,
    workspace: Workspace,
    targets: str,
    *,
    speed: float,
    render: on_render.Hosting | None,
    outside: Mapping[str, str],
) -> Stage:
    file = world.folder / "targets.toml"
    file.write_text(targets + (render.section if render else ""))
    seed = workspace.core.seed
    secrets = {
        "CASEWORK_DATABASE_URL": world.production.owner_dsn,
        "CASEWORK_APP_DATABASE_URL": world.production.app_dsn,
        **(render.environment if render else {}),
        **outside,
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
        render=render,
    )
