"""The composition root: the only file that names concrete adapters.  Everything is built here and passed down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import procrastinate
import psycopg
import structlog
from aiohttp import web
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.engine import Checkpoint, Engine, Pool, nothing
from bot.jobs.drive import Driver
from bot.jobs.publish import Publisher
from bot.jobs.queue import Handler, ProcrastinateQueue, opened, procrastinate_app, register
from bot.jobs.timed import Timed
from bot.jobs.worker import WorkerStopped, work
from bot.ports import Channel, Directory, Probe, StepAdapter, Target
from bot.runbook.people import Person, Policy
from bot.runbook.refusals import NotAMember
from bot.runbook.steps import StepName
from bot.settings import Operator, Settings, SlackSettings, TargetsFile, read_targets, targets_of
from commands.desk import Desk
from commands.slack import Counter
from integrations.announce.step import Announce
from integrations.health.pool import connections_used
from integrations.health.probe import HealthProbe
from integrations.local.platform import LocalPlatform
from integrations.postgres import stopped
from integrations.postgres.build import build as postgres
from integrations.postgres.ways import ladder
from integrations.services.restart import RestartServices
from integrations.services.stop import StopServices
from integrations.slack.channel import SlackChannel
from integrations.slack.console import ConsoleChannel
from integrations.slack.directory import SlackDirectory

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Bot:
    """The assembled bot: what the processes of the ``Procfile`` and the command line are made of."""

    settings: Settings
    file: TargetsFile
    targets: Mapping[str, Target]
    pool: Pool
    jobs: procrastinate.App
    engine: Engine
    channel: Channel
    directory: Directory

    @property
    def queue(self) -> ProcrastinateQueue:
        return ProcrastinateQueue(self.jobs)

    @property
    def desk(self) -> Desk:
        return Desk(engine=self.engine, directory=self.directory, targets=self.targets)

    async def web(self) -> None:
        """Take requests from Slack until cancelled: by Socket Mode, or over HTTP with a signing secret."""
        slack = self.settings.slack_or_refuse()
        client = slack_client(slack)
        app = bolt_app(slack, client, self.desk)
        if slack.app_token is not None:
            await _socket_mode(app, slack.app_token.get_secret_value())
            return
        runner = web.AppRunner(app.web_app())
        await runner.setup()
        await web.TCPSite(runner, slack.host, slack.port).start()
        await asyncio.Event().wait()

    async def worker(self) -> None:
        """Run jobs until cancelled."""
        dsn = self.settings.database_url.get_secret_value()
        await _kept_up("worker", lambda: work(self.engine, self.jobs, self.pool, dsn))

    async def clock(self) -> None:
        """Arm what is due until cancelled."""
        dsn = self.settings.database_url.get_secret_value()
        await _kept_up("clock", lambda: Clock(self.engine, self.queue, dsn).run())


async def _socket_mode(app: AsyncApp, token: str) -> None:
    """Connected until cancelled, and properly closed then."""
    handler = AsyncSocketModeHandler(app, token)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await asyncio.Event().wait()
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


async def _kept_up(name: str, process: Callable[[], Awaitable[None]]) -> None:
    """Begin a process anew whenever the store was away; everything it needs is derived from the store again."""
    while True:
        try:
            await process()
        except (WorkerStopped, OSError, psycopg.OperationalError, PoolTimeout, ConnectorException) as error:
            _log.warning("process.restarts", process=name, why=str(error))
            await asyncio.sleep(1.0)


def slack_client(slack: SlackSettings) -> AsyncWebClient:
    """A client that never repeats a post by itself: the outbox looks first."""
    return AsyncWebClient(
        token=slack.bot_token.get_secret_value(), base_url=slack.base_url, retry_handlers=[], timeout=15
    )


def bolt_app(slack: SlackSettings, client: AsyncWebClient, desk: Desk) -> AsyncApp:
    """Bolt with our listeners; a handler is one short transaction, so it runs before the answer."""
    secret = slack.signing_secret.get_secret_value() if slack.signing_secret else None
    app = AsyncApp(client=client, signing_secret=secret or "unused-in-socket-mode", process_before_response=True)
    Counter(desk, client).register(app)
    return app


def steps(platform: LocalPlatform, probe: Probe) -> Mapping[StepName, StepAdapter]:
    """Who does each step of the runbook."""
    announce = Announce(ladder=ladder)
    return {
        **{name: announce for name in StepName if name.value.startswith("announce_")},
        **postgres(),
        StepName.STOP_SERVICES: StopServices(platform=platform, sessions=stopped),
        StepName.RESTART_SERVICES: RestartServices(platform=platform, probe=probe),
    }


@asynccontextmanager
async def assembled(settings: Settings, *, checkpoint: Checkpoint = nothing) -> AsyncIterator[Bot]:
    """The bot, connected to its store; everything is closed at the end of the block."""
    file = read_targets(settings.targets_file)
    targets = targets_of(file, base=settings.targets_file.absolute().parent)
    platform, probe = LocalPlatform(), HealthProbe(pool=connections_used)
    jobs = procrastinate_app()
    dsn = settings.database_url.get_secret_value()
    pool: Pool = AsyncConnectionPool(dsn, min_size=2, max_size=20, open=False, connection_class=AsyncConnection)
    async with pool:
        await opened(jobs, pool)
        engine = Engine(pool, ProcrastinateQueue(jobs), checkpoint=checkpoint)
        channel, directory = _people(settings, file)
        timed = Timed(engine, channel, probe, targets)
        handlers: dict[str, Handler] = {
            "drive": Driver(engine, steps(platform, probe), targets).drive,
            "publish": Publisher(engine, channel).publish,
            "tick": timed.tick,
            "deadman": timed.deadman,
        }
        register(jobs, handlers)
        yield Bot(
            settings=settings,
            file=file,
            targets=targets,
            pool=pool,
            jobs=jobs,
            engine=engine,
            channel=channel,
            directory=directory,
        )


def _people(settings: Settings, file: TargetsFile) -> tuple[Channel, Directory]:
    """Slack where it is configured, the console where it is not."""
    if settings.slack is None:
        return ConsoleChannel(), Operators(file.operators)
    client = slack_client(settings.slack)
    return SlackChannel(client), SlackDirectory(client)


class Operators:
    """``Directory`` of those who may act at the bot's own host, from the targets file."""

    def __init__(self, known: Mapping[str, Operator]) -> None:
        self._known = {each.id: each for each in known.values()}

    async def person(self, user_id: str, policy: Policy) -> Person:
        """The operator with that id; raises ``NotAMember`` for anybody else."""
        operator = self._known.get(user_id)
        if operator is None:
            raise NotAMember(
                f"{user_id} is not an operator of this host.",
                "Add them under [operators] in the targets file, with their Slack id.",
            )
        return Person(id=operator.id, name=operator.name, groups=operator.groups)
