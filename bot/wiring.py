"""The composition root: everything is built here and passed down.

It and its parts, the files ``wiring_…`` beside it, are the only ones that name concrete adapters.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import procrastinate
import psycopg
import structlog
from aiohttp import web
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bot.clock import Clock
from bot.engine import Checkpoint, Engine, Pool, nothing
from bot.follow_ups import FollowUps
from bot.gameday.games import GameDays
from bot.gameday.targets import Targets, to_be_damaged
from bot.jobs.after import After
from bot.jobs.before import Before
from bot.jobs.drive import Driver
from bot.jobs.gameday import GameDay
from bot.jobs.notify import Notifier
from bot.jobs.publish import Publisher
from bot.jobs.queue import Handler, ProcrastinateQueue, opened, procrastinate_app, register
from bot.jobs.timed import Timed
from bot.jobs.upkeep import Statistics
from bot.jobs.worker import WorkerStopped, work
from bot.measuring import ComposedProbe
from bot.outside import media_of
from bot.planner import Planner
from bot.ports import (
    Calendar,
    Channel,
    Directory,
    Drill,
    Maintenance,
    OnCall,
    Platform,
    PointInTime,
    Probe,
    Prover,
    StepAdapter,
)
from bot.proving import on_call as on_call_proof
from bot.proving import platform as platform_proof
from bot.proving import window
from bot.proving.keeper import TrafficKeeper
from bot.proving.platform import Check
from bot.proving.prover import BoundedProver, Part
from bot.proving.window import WindowProof, require_no_freeze
from bot.runbook.preparation.preparation import Window
from bot.runbook.steps import StepName
from bot.settings import Settings, TargetsFile, placed, read_targets, targets_of
from bot.standing import Standing, serve
from bot.target import Target
from bot.vitals import Beat, Vitals
from bot.wiring_doctor import doctor as doctor
from bot.wiring_outside import outside_of, shifts_of
from bot.wiring_slack import bolt_app as bolt_app
from bot.wiring_slack import people_of, socket_mode
from bot.wiring_slack import slack_client as slack_client
from bot.wiring_sources import sources_of
from commands.desk import Desk
from integrations.announce.step import Announce
from integrations.freeze.calendar import FreezeCalendar
from integrations.health.pool import connections_used
from integrations.health.probe import HealthProbe
from integrations.local.platform import LocalPlatform
from integrations.picture.draw import draw
from integrations.postgres import stopped
from integrations.postgres.build import build as postgres
from integrations.postgres.drill.damaged import Damaged
from integrations.postgres.drill.gameday import PostgresGround
from integrations.postgres.drill.rehearsal import PostgresDrill
from integrations.postgres.proofs import access, backup, staging
from integrations.postgres.proofs.files import read_files
from integrations.postgres.proofs.judged import judge
from integrations.postgres.proofs.traffic import transactions
from integrations.postgres.recoveries import Recoveries
from integrations.postgres.risk.check import surely_destroys
from integrations.postgres.statement_costs import StatementCosts
from integrations.postgres.upkeep import PostgresUpkeep
from integrations.postgres.ways import ladder, point_of_no_return
from integrations.render.configured import sites_of
from integrations.render.jobs import jobs_of
from integrations.render.platform import RenderPlatform
from integrations.render.recovery import RenderRecovery
from integrations.render.second_backup import WithExport, exports_of
from integrations.render.site import Site
from integrations.render.upkeep import EachMaintenance, RenderMaintenance
from integrations.services.parts import Services
from integrations.services.platforms import Platforms
from integrations.services.restart import RestartServices
from integrations.services.stop import StopServices

_log = structlog.get_logger()
_ANSWER = 1.5  # seconds a freeze calendar has for people who wait in front of a modal


@dataclass(frozen=True, kw_only=True)
class Bot:
    """The assembled bot: what the processes of the ``Procfile`` and the command line are made of."""

    settings: Settings
    file: TargetsFile
    targets: Mapping[str, Target]
    pool: Pool
    jobs: procrastinate.App
    engine: Engine
    planner: Planner
    games: GameDays
    channel: Channel
    directory: Directory
    vitals: Vitals

    @asynccontextmanager
    async def observed(self, name: str) -> AsyncIterator[None]:
        """While the process ``name`` is at work, others can ask how it stands, where a port is set for it."""
        if not self.settings.observe_port:
            yield
            return
        runner = await serve(
            Standing(name, self.pool, self.vitals), self.settings.observe_host, self.settings.observe_port
        )
        try:
            yield
        finally:
            await runner.cleanup()

    @property
    def queue(self) -> ProcrastinateQueue:
        return ProcrastinateQueue(self.jobs)

    @property
    def desk(self) -> Desk:
        return Desk(
            engine=self.engine, planner=self.planner, follow_ups=FollowUps(self.engine, self.queue),
            games=self.games, directory=self.directory,
            targets=self.targets, destroys=surely_destroys, doctor=partial(doctor, self.settings),
        )  # fmt: skip

    async def web(self) -> None:
        """Take requests from Slack until cancelled: by Socket Mode, or over HTTP with a signing secret."""
        slack = self.settings.slack_or_refuse()
        client = slack_client(slack)
        app = bolt_app(slack, client, self.desk)
        if slack.app_token is not None:
            await socket_mode(app, slack.app_token.get_secret_value(), self.vitals)
            return
        runner = web.AppRunner(app.web_app())
        await runner.setup()
        await web.TCPSite(runner, slack.host, slack.port).start()
        await asyncio.Event().wait()

    async def worker(self) -> None:
        """Run jobs until cancelled."""
        await _kept_up("worker", self._work)

    async def _work(self) -> None:
        await self.games.requeue()  # of a game day whose job got lost nothing stays either
        beat = Beat(every=15.0)  # it looks at its own connection every second
        self.vitals.checks["worker"] = beat.wrong
        await work(self.engine, self.jobs, self.pool, self.settings.database_url.get_secret_value(), beat=beat)

    async def clock(self) -> None:
        """Arm what is due until cancelled."""
        dsn = self.settings.database_url.get_secret_value()

        async def ticking() -> None:
            clock = Clock(self.engine, self.planner, self.queue, dsn)
            self.vitals.checks["clock"] = clock.beat.wrong
            await clock.run()

        await _kept_up("clock", ticking)


async def _kept_up(name: str, process: Callable[[], Awaitable[None]]) -> None:
    """Begin a process anew whenever the store was away; everything it needs is derived from the store again."""
    while True:
        try:
            await process()
        except (WorkerStopped, OSError, psycopg.OperationalError, PoolTimeout, ConnectorException) as error:
            _log.warning("process.restarts", process=name, why=str(error))
            await asyncio.sleep(1.0)


def announcements_of(targets: Mapping[str, Target]) -> dict[str, str]:
    """The targets' own texts for the announcement at T-24h."""
    return {name: target.announcement for name, target in targets.items() if target.announcement}


async def _require_thawed(targets: Mapping[str, Target], target: str, window: Window) -> None:
    """Refused at once where the window is in a freeze; what is only near stands in the checklist."""
    await require_no_freeze(FreezeCalendar(seconds=_ANSWER), targets[target], window)


def steps(
    platform: Services,
    probe: Probe,
    targets: Collection[Target],
    checkpoint: Checkpoint = nothing,
    recoveries: PointInTime | None = None,
    sites: Mapping[str, Site] | None = None,
) -> Mapping[StepName, StepAdapter]:
    """Who does each step of the runbook; ``sites`` are the targets that are on Render."""
    ways = partial(ladder, platform=recoveries)
    announce = Announce(ladder=ways, starting=lambda context: platform.remember(context.target, context.run.id))
    protected = frozenset(each.database for each in targets)
    database = postgres(platform=recoveries, protected=protected, after=partial(checkpoint, "part"))
    damaged = partial(to_be_damaged, {each.name: each for each in targets})
    return {
        **{name: announce for name in StepName if name.value.startswith("announce_")},
        **database,
        StepName.BACKUP: Damaged(WithExport(database[StepName.BACKUP], exports_of(sites or {})), damaged),
        StepName.STOP_SERVICES: StopServices(platform=platform, sessions=stopped),
        StepName.RESTART_SERVICES: RestartServices(platform=platform, probe=probe),
    }


def prover(
    targets: Mapping[str, Target],
    pool: Pool,
    platform: Platform,
    probe: Probe,
    directory: Directory,
    *,
    calendar: Calendar | None = None,
    maintenance: Maintenance | None = None,
    on_call: OnCall | None = None,
    checks: tuple[Check, ...] = (),
) -> Prover:
    """Everything of the checklist that the bot looks at; with reading the files, a look takes at most 20 seconds."""
    windows = WindowProof(
        calendar=calendar or FreezeCalendar(), maintenance=maintenance, traffic=TrafficKeeper(pool, transactions)
    )
    looks = (
        (access.ITEMS, access.look),
        (backup.ITEMS, backup.BackupProof().look),
        (staging.ITEMS, staging.look),
        (window.ITEMS, windows.look),
        (on_call_proof.ITEMS, on_call_proof.OnCallProof(directory.person, on_call).look),
        (platform_proof.ITEMS, platform_proof.PlatformProof(platform, probe, checks).look),
    )
    parts = tuple(Part(items=items, look=look, seconds=15.0) for items, look in looks)
    return BoundedProver(targets=targets, read=read_files, judge=judge, parts=parts)


def drill(targets: Collection[Target]) -> Drill:
    """Who rehearses a migration on a throw-away copy."""
    return PostgresDrill(protected=frozenset(each.database for each in targets))


@asynccontextmanager
async def assembled(settings: Settings, *, checkpoint: Checkpoint = nothing) -> AsyncIterator[Bot]:
    """The bot, connected to its store; everything is closed at the end of the block."""
    file = read_targets(settings.targets_file)
    targets = Targets(targets_of(file, base=settings.targets_file.absolute().parent))
    with placed(file):
        sites, outside = sites_of(file), outside_of(file, base=settings.targets_file.absolute().parent)
        sources = sources_of(file, sites)
    probe = HealthProbe(pool=connections_used)
    platform = Platforms({name: RenderPlatform(site) for name, site in sites.items()}, otherwise=LocalPlatform())
    recoveries = Recoveries({name: RenderRecovery(site) for name, site in sites.items()})
    jobs = procrastinate_app()
    dsn = settings.database_url.get_secret_value()
    pool: Pool = AsyncConnectionPool(dsn, min_size=2, max_size=20, open=False, connection_class=AsyncConnection)
    async with pool:
        await opened(jobs, pool)
        queue = ProcrastinateQueue(jobs)
        engine = Engine(pool, queue, checkpoint=checkpoint, media=media_of(outside))
        thawed = partial(_require_thawed, targets)
        planner = Planner(engine, queue, announcements_of(targets), thawed, media_of(outside))
        channel, directory, address = people_of(settings, file)
        measured = ComposedProbe(probe, sources, platform.log)
        database = PostgresUpkeep()
        timed = Timed(engine, channel, measured, targets, database)
        upkeep = EachMaintenance({name: RenderMaintenance(site) for name, site in sites.items()})
        on_call = shifts_of(file, address)
        proves = prover(targets, pool, platform, probe, directory, maintenance=upkeep, on_call=on_call)
        before = Before(planner, proves, drill(targets.values()), targets)
        after = After(FollowUps(engine, queue), measured, StatementCosts(), targets)
        adapters = steps(platform, probe, targets.values(), checkpoint, recoveries, sites)
        games = GameDays(engine, queue)
        gameday = GameDay(
            engine=engine, games=games, queue=queue, targets=targets, platform=platform, channel=channel,
            ground=PostgresGround(protected={each.database for each in targets.values()}),
        )  # fmt: skip
        handlers: dict[str, Handler] = {
            "drive": Driver(engine, adapters, targets, point_of_no_return, jobs_of(sites)).drive,
            "publish": Publisher(engine, channel, draw).publish,
            "notify": Notifier(engine, queue, outside).notify,
            "tick": timed.tick,
            "deadman": timed.deadman,
            "plan_tick": before.tick,
            "prove": before.prove,
            "rehearse": before.rehearse,
            "gameday": gameday.play,
            "follow": after.follow,
            "analyze": Statistics(engine, database, targets).analyze,
            "follow_tick": after.tick,
        }
        register(jobs, handlers)
        yield Bot(
            settings=settings,
            file=file,
            targets=targets,
            pool=pool,
            jobs=jobs,
            engine=engine,
            planner=planner,
            games=games,
            channel=channel,
            directory=directory,
            vitals=Vitals(),
        )
