"""What tests of the engine share: a plan, people, a store made ready, and steps that do little."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import procrastinate
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from bot.engine import Checkpoint, Engine, Pool, nothing
from bot.follow_ups import FollowUps
from bot.gameday.games import GameDays
from bot.jobs.drive import Driver
from bot.jobs.queue import ProcrastinateQueue, opened, procrastinate_app, register
from bot.outside import Media, no_media
from bot.planner import Planner
from bot.ports import Context, Description, Outcome, StepAdapter
from bot.release import release
from bot.runbook.people import Person, Policy, Timing
from bot.runbook.run import Plan, Run
from bot.runbook.samples import Verdict
from bot.runbook.steps import StepName
from bot.target import Target

DANA = Person(id="U1", name="Dana")
ALEX = Person(id="U2", name="Alex")
PRIYA = Person(id="U3", name="Priya")
LEE = Person(id="U9", name="Lee")
POLICY = Policy(approvers=frozenset({"U2", "U3"}), owners=frozenset({"U1"}), on_call=frozenset({"U4"}))
FAST = Timing(sample_every=0.2, monitor_for=0.5, sustained_for=5.0)


def plan(**changes: object) -> Plan:
    """A plan that needs one approval a step."""
    made = Plan(
        target="casework",
        database="casework_prod",
        name="Case priority",
        purpose="Urgent cases first",
        migrations=("001.sql",),
        starter=DANA.id,
        starter_name=DANA.name,
        channel="C1",
        policy=POLICY,
        services=("web",),
        timing=FAST,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def target(folder: Path = Path("/nowhere")) -> Target:
    """A target nothing connects to."""
    return Target(
        name="casework",
        dsn="postgresql://nobody@127.0.0.1:1/casework_prod",
        channel="C1",
        policy=POLICY,
        migrations=folder,
        backups=folder,
        state=folder,
        timing=FAST,
    )


@dataclass
class SmallStep:
    """A real ``StepAdapter`` that counts what it did to its small world."""

    inputs: Mapping[str, str] = field(default_factory=lambda: {"what": "this"})
    effects: int = 0
    runs: int = 0
    failure: Exception | None = None
    gate: asyncio.Event | None = None

    async def describe(self, context: Context) -> Description:
        return Description(inputs=dict(self.inputs), lines=("do it",), attachments={"a.sql": self.inputs["what"]})

    async def check(self, context: Context) -> Outcome | None:
        return Outcome(evidence=("already so",)) if self.effects else None

    async def run(self, context: Context) -> Outcome:
        self.runs += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.effects += 1
        return Outcome(evidence=("done",), facts={"manifest_sha256": "abc"})

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        return Verdict(ok=True, reason="so it is")

    def undo(self, context: Context) -> str:
        return "nothing to undo"


def small_steps() -> dict[StepName, SmallStep]:
    """One for each kind; announcements may be made again on another run, so they never count as done."""
    return {name: SmallStep() for name in StepName}


@dataclass(frozen=True, kw_only=True)
class Backstage:
    """An engine on a real store, with the queue its jobs go to."""

    dsn: str
    pool: Pool
    jobs: procrastinate.App
    engine: Engine

    @property
    def games(self) -> GameDays:
        """Game days on the same store."""
        return GameDays(self.engine, ProcrastinateQueue(self.jobs))

    @property
    def planner(self) -> Planner:
        """The door for plans on the same store."""
        return Planner(self.engine, ProcrastinateQueue(self.jobs))

    @property
    def follow_ups(self) -> FollowUps:
        """The door for what follows a run."""
        return FollowUps(self.engine, ProcrastinateQueue(self.jobs))


async def ready(dsn: str) -> None:
    """Bring an empty database to the bot's schema."""
    await release(dsn)


@asynccontextmanager
async def backstage(
    dsn: str, *, now: Callable[[], float] | None = None, media: Media = no_media, checkpoint: Checkpoint = nothing
) -> AsyncIterator[Backstage]:
    """An engine on the store at ``dsn``, which must be ``ready``."""
    jobs = procrastinate_app()
    pool: Pool = AsyncConnectionPool(dsn, min_size=1, max_size=10, open=False, connection_class=AsyncConnection)
    async with pool:
        await opened(jobs, pool)
        given = {"now": now} if now else {}
        engine = Engine(pool, ProcrastinateQueue(jobs), media=media, checkpoint=checkpoint, **given)
        yield Backstage(dsn=dsn, pool=pool, jobs=jobs, engine=engine)


def with_steps(stage: Backstage, steps: Mapping[StepName, StepAdapter]) -> Driver:
    """Register a driver of ``steps`` with the stage's queue; letters go nowhere."""
    driver = Driver(stage.engine, steps, {"casework": target()})

    async def nothing(**_: object) -> None:
        return None

    register(stage.jobs, {"drive": driver.drive, "publish": nothing, "tick": nothing, "deadman": nothing})
    return driver


async def reaches(engine: Engine, run_id: str, wanted: Callable[[Run], bool], *, seconds: float = 60.0) -> Run:
    """Wait until the run is as wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(run := await engine.load(run_id)):
            await asyncio.sleep(0.01)
    return run
