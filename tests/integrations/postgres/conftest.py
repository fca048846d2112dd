"""A stage for one step: a real database with a target, a plan, and a context that records what people would see."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest

from bot.demo.casework import Casework
from bot.ports import Context, Outcome, StepAdapter
from bot.runbook.digest import digest_of, inputs_of
from bot.runbook.people import Policy
from bot.runbook.run import Blocker, Done, Grant, Hold, Plan, Run, State
from bot.runbook.steps import Route, StepName
from bot.target import Target
from integrations.postgres.apply import Apply
from integrations.postgres.backup import Backup
from integrations.postgres.settings import Limits

POLICY = Policy(approvers=frozenset({"U1"}))
QUICK = Limits(orphan_wait=0.3, terminate_after=0.5, sample_every=0.05)
POSITION = {StepName.BACKUP: 1, StepName.APPLY: 3, StepName.VERIFY: 4}


@dataclass
class Stage:
    """What a step is given; ``said`` and ``seen`` are what it told."""

    target: Target
    run: Run
    attempt: int = 1
    said: list[str] = field(default_factory=list)
    seen: list[tuple[Blocker, ...]] = field(default_factory=list)
    grant_all: bool = False

    def at(self, step: StepName) -> Context:
        self.run = replace(self.run, position=POSITION[step])
        return Context(
            run=self.run,
            target=self.target,
            attempt=self.attempt,
            current=self.current,
            progress=self.progress,
            blockers=self.blockers,
        )

    async def current(self) -> Run:
        return self.run

    async def progress(self, text: str, fraction: float | None) -> None:
        self.said.append(text)

    async def blockers(self, found: tuple[Blocker, ...]) -> Run:
        self.seen.append(found)
        self.run = replace(self.run, blockers=tuple(replace(each, granted=self.grant_all) for each in found))
        return self.run

    def hold(self) -> None:
        self.run = replace(self.run, hold=Hold(person="U2", name="Ann", reason="wait", at=0.0))

    def write(self, name: str, text: str) -> None:
        """Put a migration file in place and into the plan."""
        (self.target.migrations / name).write_text(text)
        if name not in self.run.plan.migrations:
            self.run = replace(self.run, plan=replace(self.run.plan, migrations=(*self.run.plan.migrations, name)))

    async def backed_up(self) -> Outcome:
        """Do the backup and record it, as the engine would."""
        outcome = await Backup(QUICK).run(self.at(StepName.BACKUP))
        done = Done(step=StepName.BACKUP, began_at=0, ended_at=1, facts=tuple(outcome.facts.items()))
        self.run = replace(self.run, done=(done,))
        return outcome

    async def approved(self, adapter: StepAdapter | None = None) -> Context:
        """Describe the apply step and grant exactly that; the context to run it with."""
        described = await (adapter or Apply(QUICK)).describe(self.at(StepName.APPLY))
        digest = digest_of(inputs_of(described.inputs))
        grant = Grant(step=StepName.APPLY, digest=digest, approvals=(), at=0.0)
        self.run = replace(self.run, grant=grant, destroys=described.destroys)
        return self.at(StepName.APPLY)

    async def ask(self, query: str) -> list[tuple[object, ...]]:
        async with await psycopg.AsyncConnection.connect(self.target.dsn, autocommit=True) as db:
            return await (await db.execute(query)).fetchall()  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def stage(casework: Casework, tmp_path: Path) -> Stage:
    """The small sample database as a target, with no migration yet."""
    (tmp_path / "migrations").mkdir()
    target = Target(
        name="casework",
        dsn=casework.owner_dsn,
        channel="C1",
        policy=POLICY,
        migrations=tmp_path / "migrations",
        backups=tmp_path / "backups",
        state=tmp_path,
        lock_timeouts=(0.1, 0.1, 0.2),
        lock_pauses=(0.2,),
    )
    plan = Plan(
        target="casework",
        database=casework.name,
        name="n",
        purpose="p",
        migrations=(),
        starter="U0",
        starter_name="Zoe",
        channel="C1",
        policy=POLICY,
    )
    run = Run(
        id="run-7",
        plan=plan,
        version=1,
        state=State.WORKING,
        route=Route.FORWARD,
        position=3,
        started_at=0.0,
        since=0.0,
    )
    return Stage(target=target, run=run)


Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Poll a condition; fails after a minute, because machines may be slow."""

    async def poll(condition: Callable[[], Awaitable[object]]) -> None:
        deadline = time.monotonic() + 60
        while not await condition():
            assert time.monotonic() < deadline, "the condition did not come true within 60 s"
            await asyncio.sleep(0.02)

    return poll
