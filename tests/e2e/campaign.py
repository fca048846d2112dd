"""Plays one trial of the crash campaign: kills, recovers, waits for the end, looks at what is left."""

import asyncio
import time
from dataclasses import dataclass

from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.run import Run, State
from tests.conftest import short_folder
from tests.e2e.crashing import ANYTHING, died_of
from tests.e2e.nursery import Nursery, lives
from tests.e2e.outcome import Outcome, look
from tests.e2e.points import Trial, Variant
from tests.e2e.troupe import Production, production

SECONDS = 400.0  # for one run; a trial that needs longer is stuck
_OPEN = "select count(*) from letters where posted < wanted"


@dataclass(frozen=True, kw_only=True)
class Played:
    """How a trial went: what was died of, and what was left."""

    trial: Trial
    kills: tuple[str, ...]
    outcome: Outcome
    seconds: float


class Company:
    """The processes of one kind in a trial: started anew, in the trial's way, whenever all or one of them died."""

    def __init__(self, made: Production, trial: Trial, process: str = "worker") -> None:
        self._made, self._trial, self._process = made, trial, process
        self._living = [self._start(*trial.points)]
        self._weak = 0

    def look_after(self) -> None:
        """Start what is missing."""
        dead = [each for each in self._living if not lives(each)]
        self._living = [each for each in self._living if each not in dead]
        for each in dead:
            self._living += self._recoverers(each)

    def _recoverers(self, dead: int) -> list[int]:
        if self._trial.variant is Variant.AGAIN and dead != self._weak:
            self._weak = self._start(ANYTHING)
            return [self._weak]
        count = 2 - len(self._living) if self._trial.variant is Variant.TWO else 1
        return [self._start(*self._trial.points) for _ in range(count)]

    def _start(self, *points: str) -> int:
        return self._made.start(self._process, *points)


async def play(pg: EmbeddedPostgres, nursery: Nursery, trial: Trial) -> Played:
    """One migration of a fresh copy of the sample, with the trial's kills in it."""
    began = time.monotonic()
    with short_folder() as folder:
        async with production(pg, nursery, folder) as made:
            run = await made.begin()
            run = await followed(made, run, Company(made, trial))
            outcome = await look(made, run)
            return Played(
                trial=trial, kills=tuple(died_of(made.kills)), outcome=outcome, seconds=time.monotonic() - began
            )


async def followed(made: Production, run: Run, *companies: Company) -> Run:
    """Approve and look after the workers until the run is over and everything about it is said."""
    try:
        async with asyncio.timeout(SECONDS):
            while not (run.final and await _all_said(made)):
                for company in companies:
                    company.look_after()
                await asyncio.sleep(0.03)
                run = await made.engine.load(run.id)
                if run.state is State.STUCK:
                    raise AssertionError(f"{run.trouble}\n{_log(made)}")
                await made.approve(run)
    except TimeoutError:
        raise AssertionError(f"Stuck at {run.state} {run.step.name}, {await _rest(made)}\n{_log(made)}") from None
    return run


async def _all_said(made: Production) -> bool:
    async with made.engine.connection() as conn:
        found = await (await conn.execute(_OPEN)).fetchone()
    return found is not None and not found[0] and not made.workspace.core.scheduled


async def _rest(made: Production) -> str:
    """What a stuck trial waits for."""
    async with made.engine.connection() as conn:
        letters = await (await conn.execute("select key, trying from letters where posted < wanted")).fetchall()
        jobs = await (await conn.execute("select task_name, status, attempts from procrastinate_jobs")).fetchall()
    scheduled = list(made.workspace.core.scheduled.values())
    return f"died of {died_of(made.kills)}\nletters {letters}\njobs {jobs}\nscheduled {scheduled}"


def _log(made: Production) -> str:
    file = made.folder / "bot.log"
    return file.read_text()[-3000:] if file.exists() else ""
