"""Game days on a real store: begun, scored and cleaned up after; and nothing real is ever touched by one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import pytest

from bot.engine import Engine
from bot.gameday import games as g
from bot.gameday import place as places
from bot.gameday.games import Game, Wish
from bot.gameday.place import Place, folder_of, furnish, target_of
from bot.gameday.standin import Mode
from bot.gameday.targets import Targets
from bot.jobs.drive import Driver
from bot.jobs.gameday import GameDay, free_ports
from bot.jobs.publish import Publisher
from bot.jobs.queue import ProcrastinateQueue, register
from bot.jobs.rescue import hold_liveness
from bot.jobs.whereabouts import living, whereabouts
from bot.jobs.worker import work
from bot.outside import Medium
from bot.ports import StepError
from bot.runbook import intents as i
from bot.runbook.exercise import Fault, Injection
from bot.runbook.refusals import TargetBusy
from bot.runbook.run import Run, State
from bot.settings import ConfigurationError, read_targets
from bot.target import Freeze, Service, Target
from bot.views.exercise import MARK
from integrations.health.probe import HealthProbe
from integrations.local.platform import LocalPlatform
from integrations.services.platforms import Platforms
from tests.fakes import FakeChannel, FakePlatform
from tests.kit import DANA, Backstage, backstage, plan, reaches, ready, small_steps, target
from tests.runbook.preparation.people import draft

MADE = {"name", "dsn", "migrations", "backups", "state", "services", "timing"}
KEPT = {
    "channel", "policy", "client_tools", "dump_jobs", "lock_timeouts", "lock_pauses", "statement_timeout",
    "orphan_checks", "standby",
}  # fmt: skip
WISH = Wish(
    target="casework", migrations=("1.sql",), faults=(Fault.LOCK,), speed=60, person=DANA.id, person_name=DANA.name
)  # fmt: skip


@dataclass
class SmallGround:
    """A real ``Ground`` whose copies are names in a set."""

    copies: set[str] = field(default_factory=set)
    problem: str = ""
    files: list[str] = field(default_factory=list)

    def database(self, target: Target, run_id: str) -> str:
        return f"{target.database}_gameday_{run_id}"

    async def require(self, target: Target, files: tuple[str, ...]) -> None:
        return None

    async def make(self, target: Target, run_id: str, files: tuple[str, ...]) -> None:
        self.copies.add(self.database(target, run_id))
        self.files = [(target.migrations / each).read_text() for each in files]
        if self.problem:
            raise StepError(self.problem, "Make room.")

    async def table(self, copy: Target, migrations: tuple[str, ...]) -> str:
        return ""

    @asynccontextmanager
    async def holding(self, copy: Target, table: str, name: str) -> AsyncIterator[None]:
        yield

    async def remove(self, target: Target, run_id: str) -> None:
        self.copies.discard(self.database(target, run_id))


@dataclass(frozen=True, kw_only=True)
class Field:
    """Where a game day is played in these tests."""

    stage: Backstage
    real: Target
    ground: SmallGround
    platform: FakePlatform
    channel: FakeChannel

    @property
    def gameday(self) -> GameDay:
        return GameDay(
            engine=self.stage.engine, games=self.stage.games, queue=ProcrastinateQueue(self.stage.jobs),
            targets=Targets({"casework": self.real}), ground=self.ground, platform=self.platform, channel=self.channel,
        )  # fmt: skip

    @property
    def left(self) -> list[object]:
        """What of a game day is there."""
        folder = folder_of(self.real)
        return [*self.ground.copies, *self.platform.running, *([folder] if folder.exists() else [])]

    async def ends(self, game: Game) -> Game:
        """Wait until it is over or refused."""
        async with asyncio.timeout(60):
            while (found := await self.stage.games.load(game.run_id)) is None or found.open:
                await asyncio.sleep(0.02)
        return found


@pytest.fixture
async def played(store_dsn: str, tmp_path: Path) -> AsyncIterator[Field]:
    """A store with the bot's schema, a target with one service and one migration; no worker."""
    await ready(store_dsn)
    (tmp_path / "1.sql").write_text("select 1;")
    real = replace(target(tmp_path), services=(Service(name="web", health_url="http://127.0.0.1:1/health"),))
    real = replace(real, backups=tmp_path / "backups", state=tmp_path / "state")
    async with backstage(store_dsn, media=lambda _: frozenset(Medium)) as stage:
        found = Field(
            stage=stage, real=real, ground=SmallGround(), platform=FakePlatform(), channel=FakeChannel()
        )  # fmt: skip
        targets = Targets({"casework": real})

        async def nothing(**_: object) -> None:
            return None

        register(stage.jobs, {
            "drive": Driver(stage.engine, small_steps(), targets).drive, "gameday": found.gameday.play,
            "publish": Publisher(stage.engine, found.channel).publish,
            "tick": nothing, "deadman": nothing, "notify": nothing,
        })  # fmt: skip
        yield found


@asynccontextmanager
async def at_work(field: Field) -> AsyncIterator[None]:
    """A worker until the block ends."""
    stage = field.stage
    task = asyncio.create_task(work(stage.engine, stage.jobs, stage.pool, stage.dsn))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def begun(field: Field, game: Game) -> Run:
    """The exercise's run, once it asks."""
    async with asyncio.timeout(60):
        while not any(run.id == game.run_id for run in await field.stage.engine.active()):
            await asyncio.sleep(0.02)
    return await reaches(field.stage.engine, game.run_id, lambda run: run.state is State.ASKING)


async def aborted(engine: Engine, run_id: str) -> Run:
    """People end it."""
    await engine.handle(run_id, i.Abort(person=DANA, reason="enough"))
    return await reaches(engine, run_id, lambda run: run.final)


async def test_a_game_day_is_a_run_on_the_copy_and_ends_with_its_score(played: Field) -> None:
    """Begun by the job, marked, scored in the channel; then copy, stand-ins and folder are gone."""
    async with at_work(played):
        game = await played.stage.games.ask(WISH)
        run = await begun(played, game)

        assert ("casework~gameday", f"casework_prod_gameday_{run.id}") == (run.plan.target, run.plan.database)
        assert (True, DANA.id, 30.0) == (run.plan.exercise, run.plan.starter, run.plan.timing.monitor_for)
        assert {"stand-in-web"} == played.platform.running
        assert ["select 1;"] == played.ground.files

        await aborted(played.stage.engine, run.id)
        assert g.OVER == (await played.ends(game)).state
        texts = await _said(played.channel, "Game day over")

    assert all(each.startswith(MARK) for each in texts)
    assert "not tried" in next(each for each in texts if "What went wrong on purpose" in each)
    assert [] == played.left


async def _said(channel: FakeChannel, words: str) -> Sequence[str]:
    async with asyncio.timeout(60):
        while sum(words in each or "on purpose" in each for each in channel.texts("C1")) < 2:
            await asyncio.sleep(0.02)
    return channel.texts("C1")


async def test_after_a_crash_the_next_start_removes_what_is_left(played: Field) -> None:
    """The run has ended, the job is lost: a bot that starts puts it back, and it cleans up."""
    game = await played.stage.games.ask(WISH)
    playing = asyncio.create_task(played.gameday.play(run_id=game.run_id))
    async with asyncio.timeout(60):
        while not await played.stage.engine.active():
            await asyncio.sleep(0.02)
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    async with played.stage.pool.connection() as conn:
        await conn.execute("delete from procrastinate_jobs where task_name = 'gameday'")
    assert 3 == len(played.left)

    async with at_work(played):
        await begun(played, game)
        await aborted(played.stage.engine, game.run_id)
        await played.stage.games.requeue()
        assert g.OVER == (await played.ends(game)).state
    assert [] == played.left


async def test_one_that_cannot_begin_says_why_and_leaves_nothing(played: Field) -> None:
    """In the channel, also when the first answers get lost; another one may be asked for at once."""
    played.ground.problem = "The server's disk is full."
    played.channel.faults = ["drop_after"]
    game = await played.stage.games.ask(WISH)
    await played.gameday.play(run_id=game.run_id)

    [said] = played.channel.texts("C1")
    assert said.startswith(MARK)
    assert "The server's disk is full. Make room." in said
    assert g.REFUSED == (await played.ends(game)).state
    assert [] == played.left
    assert not await played.stage.engine.active()
    assert await played.stage.games.ask(WISH)


async def test_one_game_day_at_a_time_and_none_beside_a_real_run(played: Field) -> None:
    """A real run is never kept waiting by an exercise; an exercise never begins beside one."""
    game = await played.stage.games.ask(WISH)
    with pytest.raises(TargetBusy, match="Another game day"):
        await played.stage.games.ask(WISH)

    real = await played.stage.engine.start(plan())
    assert not real.final
    await played.stage.games.now(game, g.OVER)
    with pytest.raises(TargetBusy, match="really being migrated"):
        await played.stage.games.ask(WISH)


async def test_the_record_keeps_what_was_injected_and_refused(played: Field) -> None:
    """Whoever takes the job up knows all of it."""
    game = await played.stage.games.ask(WISH)
    injected = (Injection(fault=Fault.LOCK, at=1.0, healed=2.0), Injection(fault=Fault.KILL, at=3.0, not_tried="why"))
    await played.stage.games.note(game, injected)
    await played.stage.games.count_refused(game.run_id)

    assert replace(game, injections=injected, refused=1) == await played.stage.games.load(game.run_id)
    assert await played.stage.games.load("m-none") is None


@pytest.mark.parametrize("medium", list(Medium))
async def test_nothing_of_an_exercise_is_told_outside(played: Field, medium: Medium) -> None:
    """Status page, pager and mail: even if the exercise's target had them, nothing is ever put up for them."""
    async with at_work(played):
        game = await played.stage.games.ask(WISH)
        await begun(played, game)
        await aborted(played.stage.engine, game.run_id)
        real = await played.stage.engine.start(plan())
        await reaches(played.stage.engine, real.id, lambda run: run.state is State.ASKING)
        await aborted(played.stage.engine, real.id)

    async with played.stage.pool.connection() as conn:
        rows = await (await conn.execute("select run_id from notices where medium = %s", (medium.value,))).fetchall()
    told = {run for (run,) in rows}
    assert game.run_id not in told
    assert real.id in told  # what a real run of the same kind does tell


def whole(folder: Path) -> Target:
    """A target with everything a target can have."""
    return replace(
        target(folder), backups=folder / "backups", state=folder / "state",
        services=(Service(name="web", health_url="https://real.example/health", command=("real",)),),
        verify_command=("npm", "run", "db:validate"), workflows=(("login", "https://real.example/login"),),
        announcement="ours", auto_rollback=True, rollback_deadline=60.0, drill_backup_within=60.0,
        staging_dsn="postgresql://staging/x", freezes=(Freeze(start=1, end=2, why="w"),), freeze_ics="https://x",
        freeze_zone="Europe/Berlin", freeze_warning=1.0,
    )  # fmt: skip


def test_an_exercise_takes_nothing_along_that_acts_outside(tmp_path: Path) -> None:
    """A field that a target gets one day is left out until somebody has decided about it here."""
    real = whole(tmp_path)
    copy = target_of(real, Place(run="m-1", database="copy", ports={"stand-in-web": 5000}, speed=60))
    bare = Target(
        name="", dsn="", channel="", policy=real.policy, migrations=tmp_path, backups=tmp_path, state=tmp_path
    )  # fmt: skip

    for each in fields(Target):
        mine = getattr(copy, each.name)
        if each.name in KEPT:
            assert getattr(real, each.name) == mine, each.name
        elif each.name not in MADE:
            assert getattr(bare, each.name) == mine, f"{each.name} came along"
    assert "copy" == copy.database
    assert all(folder_of(real) in path.parents for path in (copy.migrations, copy.backups, copy.state))
    assert "real" not in str(copy.services)


def test_an_exercise_is_found_by_its_name_and_never_listed(tmp_path: Path) -> None:
    """Only while its folder is there; nobody can choose it, and there is no exercise of an exercise."""
    real = replace(whole(tmp_path), migrations=tmp_path)
    known = Targets({"casework": real})
    with pytest.raises(KeyError):
        known["casework~gameday"]
    furnish(real, Place(run="m-1", database="copy", ports={"stand-in-web": 5000}, speed=60), ())

    assert "copy" == known["casework~gameday"].database
    assert (["casework"], 1, real) == (list(known), len(known), known["casework"])
    for name in ("casework~gameday~gameday", "other~gameday", "other"):
        assert known.get(name) is None


def test_no_target_can_be_named_like_an_exercise(tmp_path: Path) -> None:
    """Its runs would be taken for exercises."""
    file = tmp_path / "targets.toml"
    file.write_text(
        '[targets."a~gameday"]\ndsn_env = "X"\nchannel = "C1"\nmigrations = "m"\nbackups = "b"\n'
        '[targets."a~gameday".policy]\napprovers = ["U1"]\n'
    )
    with pytest.raises(ConfigurationError, match="like a game day"):
        read_targets(file)


class NeverAsked:
    """The real target's platform, in these tests: whatever is asked of it is a failure."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"the real platform was asked to {name}")


@pytest.fixture
async def standing(tmp_path: Path) -> AsyncIterator[tuple[Target, Target, Platforms]]:
    """A real service that runs, and beside it an exercise with its stand-in running."""
    sleeping = (sys.executable, "-c", "import time; time.sleep(600)")
    web = Service(name="web", health_url="", command=sleeping, folder=str(tmp_path))
    real = replace(target(tmp_path), services=(web,), backups=tmp_path / "backups", state=tmp_path / "state")
    await LocalPlatform().start(real)
    ports = free_ports(("stand-in-web",))
    furnish(real, Place(run="m-1", database="casework_prod", ports=ports, speed=60), ())
    copy = Targets({"casework": real})["casework~gameday"]
    platforms = Platforms({"casework": NeverAsked()}, otherwise=LocalPlatform(stop_seconds=5))  # type: ignore[dict-item]
    await platforms.start(copy)
    yield real, copy, platforms
    await LocalPlatform(stop_seconds=1).stop(copy)
    await LocalPlatform(stop_seconds=1).stop(real)


async def test_the_platform_of_the_real_services_is_never_asked(standing: tuple[Target, Target, Platforms]) -> None:
    """Stopping, starting and going back are the stand-ins' alone; the real service goes on as it was."""
    real, copy, platforms = standing
    before = (real.state / "web.json").read_text()

    await platforms.remember(copy, "m-1")
    await platforms.stop(copy)
    assert {"stand-in-web": False} == await platforms.status(copy)
    await platforms.start(copy, previous=True)

    assert {"stand-in-web": True} == await platforms.status(copy)
    assert {"web": True} == await LocalPlatform().status(real)
    assert before == (real.state / "web.json").read_text()


async def test_the_stand_ins_do_what_the_fault_wants(standing: tuple[Target, Target, Platforms]) -> None:
    """Healthy, 500 to everybody, healthy without metrics: as the bot's own probe sees them."""
    real, copy, _ = standing

    async def pool(_: Target) -> float | None:
        return 0.1

    probe = HealthProbe(pool=pool)
    async with asyncio.timeout(60):
        while not (await probe.sample(copy)).healthy:
            await asyncio.sleep(0.05)

    assert 0.0 == (await probe.sample(copy)).error_rate
    places.set_mode(real, Mode.ERRORS)
    broken = await probe.sample(copy)
    assert (("stand-in-web",), 1.0) == (broken.unhealthy, broken.error_rate)
    places.set_mode(real, Mode.NO_METRICS)
    unmeasured = await probe.sample(copy)
    assert (("stand-in-web",), None) == (unmeasured.healthy, unmeasured.error_rate)


async def test_stand_ins_of_a_dead_attempt_are_stopped(
    played: Field, standing: tuple[Target, Target, Platforms]
) -> None:  # fmt: skip
    """It died after they were started and before there was a run: the next attempt finds them by the folder."""
    real, copy, platforms = standing
    game = await played.stage.games.ask(WISH)
    async with played.stage.pool.connection() as conn:
        await conn.execute("delete from procrastinate_jobs where task_name = 'gameday'")  # the test itself plays
    again = replace(played.gameday, targets=Targets({"casework": real}), platform=platforms)
    async with at_work(played):
        playing = asyncio.create_task(again.play(run_id=game.run_id))
        await begun(played, game)
        assert {"stand-in-web": True} == await platforms.status(copy)
        assert not await _answers(copy)  # the old port is free again, the new stand-in has another

        await aborted(played.stage.engine, game.run_id)
        await playing
    assert not folder_of(real).exists()
    assert {"stand-in-web": False} == await platforms.status(copy)


async def _answers(copy: Target) -> bool:
    async def pool(_: Target) -> float | None:
        return None

    return bool((await HealthProbe(pool=pool).sample(copy)).healthy)


async def test_while_the_run_goes_on_elsewhere_its_copy_stays(played: Field) -> None:
    """Another host has the folder: this one looks again later, and takes nothing away."""
    game = await played.stage.games.ask(WISH)
    async with at_work(played):
        await begun(played, game)
    elsewhere = replace(played.real, backups=played.real.backups / "other")
    await replace(played.gameday, targets=Targets({"casework": elsewhere})).play(run_id=game.run_id)

    assert played.ground.copies
    found = await played.stage.games.load(game.run_id)
    assert found is not None
    assert found.open


async def test_an_exercise_never_counts_as_history(played: Field) -> None:
    """Not for the estimates of the real target's next run, even under its very name."""
    engine = played.stage.engine
    async with at_work(played):
        for exercise in (True, False):
            run = await engine.start(plan(exercise=exercise, downtime=False))
            await aborted(engine, run.id)
        planned = await played.stage.planner.plan(draft(), DANA)
    history = await played.stage.planner.history(planned.id)
    assert [False] == [run.plan.exercise for run in history]


async def test_workers_say_where_they_are(played: Field) -> None:
    """Only a process that is a worker and nothing else is ever ended by an exercise: this test's is not."""
    async with played.stage.pool.connection() as conn:
        assert {} == await living(conn)
        async with played.stage.pool.connection() as other:
            await other.execute("select set_config('application_name', %s, false)", (whereabouts(),))
            await hold_liveness(other, 7)
            found = await living(conn)
            await other.execute("select pg_advisory_unlock_all()")

    assert [(7, None)] == [(each.number, each.process) for each in found.values()]
