"""Processes of the bot that kill themselves at a named point; run as a script by the crash campaign.

``python -m tests.e2e.crashing`` imports the bot once, then forks one process per line of JSON on its standard input
and answers with the process's id.  Such a process is ``python -m bot worker`` (or web, or clock) in every respect
but three: its checkpoints may end it with SIGKILL, services count as still after 0.3 s instead of 2 s, and slow
answers of a busy machine alarm nobody.  What it died of is a line in the order's ``kills`` file, written before the
signal: a point is died of once.
"""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import psycopg
import structlog

from bot import logs, wiring
from bot.runbook.samples import Sample
from bot.runbook.steps import CURRENT_RUNBOOK, Route, Standby, StepName, route_steps
from bot.settings import read_settings
from bot.target import Target
from bot.wiring import Bot, assembled
from integrations.health.probe import HealthProbe
from integrations.services.stop import StopServices

ANYTHING = "anything"  # dies at the first checkpoint, whichever that is
DURING = 0.15  # seconds after a step's effect began
FORWARD = route_steps(CURRENT_RUNBOOK, Route.FORWARD, downtime=True, standby=Standby.TEMPLATE)
STEPS = tuple(step.name for step in FORWARD)
ASKED = tuple(step.name for step in FORWARD if step.asked_by)
ANNOUNCING = (StepName.ANNOUNCE_START, StepName.ANNOUNCE_COMPLETE)


@dataclass(frozen=True, kw_only=True)
class Order:
    """One process to start: which, with which settings, and where it dies."""

    process: str
    environment: dict[str, str]
    kills: str  # the file
    points: tuple[str, ...] = ()
    log: str = os.devnull


class Reaper:
    """The checkpoint that kills."""

    def __init__(self, order: Order, store_dsn: str) -> None:
        self._file = Path(order.kills)
        self._points = frozenset(order.points)
        self._dsn = store_dsn

    def __call__(self, where: str, what: str) -> None:
        if ANYTHING in self._points:
            die(self._file, f"{ANYTHING} ({where} {what.split(maxsplit=1)[0]})")
        point = f"{where} {self._named(where, what)}"
        if self._due(point):
            die(self._file, point)
        during = point.replace("effect ", "during ", 1)
        if where == "effect" and self._due(during):
            asyncio.get_running_loop().call_later(DURING, die, self._file, during)

    def _due(self, point: str) -> bool:
        return point in self._points and point not in died_of(self._file)

    def _named(self, where: str, what: str) -> str:
        """The point without run ids and versions: ``Finish backup``, ``question apply``, ``card``."""
        if where in ("intent", "commit", "committed"):
            return intent_name(what)
        if where in ("post", "posted", "update", "updated"):
            return self._letter_name(what)
        return what

    def _letter_name(self, key: str) -> str:
        kind = key.rpartition(":")[2]
        if kind.startswith("q") and kind[1:].isdigit():
            return f"question {nth(ASKED, int(kind[1:]) - 1)}"
        if kind not in ("finished", "announcement"):
            return kind
        with psycopg.connect(self._dsn) as db:
            query = "select count(*) from letters where key like %s and seq < (select seq from letters where key = %s)"
            row = db.execute(query, (f"%:{kind}", key)).fetchone()
        before = row[0] if row else 0
        return f"{kind} {nth(STEPS if kind == 'finished' else ANNOUNCING, before)}"


def nth(names: tuple[str, ...], number: int) -> str:
    """The name of what came so many-th on the way forward; on the way back, its number."""
    return names[number] if number < len(names) else f"number {number + 1}"


class PatientProbe(HealthProbe):
    """Healthy or not, in whatever time."""

    async def sample(self, target: Target) -> Sample:
        return replace(await super().sample(target), latency_ms=None, p95_ms=None)


def intent_name(what: str) -> str:
    """``Begin backup`` for an intent's name or the names of its events, with the step the worker is at."""
    step = structlog.contextvars.get_contextvars().get("step", StepName.MONITOR)
    for event, intent in (("StepFinished", "Finish"), ("StepBegan", "Begin"), ("Asked", "Ask"), ("Sampled", "Sample")):
        if event in what.split():
            return f"{intent} {step}"
    return f"{what.removeprefix('Take')} {step}" if what in ("Ask", "Begin", "Finish", "TakeSample") else what


def died_of(file: Path) -> list[str]:
    """The points that processes died at so far, oldest first."""
    return file.read_text().splitlines() if file.exists() else []


def die(file: Path, point: str) -> None:
    """Write down where, then go without a goodbye."""
    with file.open("a") as kills:
        kills.write(point + "\n")
        kills.flush()
        os.fsync(kills.fileno())
    os.kill(os.getpid(), signal.SIGKILL)


async def act(order: Order) -> None:
    """Be that process until killed."""
    settings = read_settings()
    logs.set_up(level="debug")
    processes: dict[str, Callable[[Bot], object]] = {"web": Bot.web, "worker": Bot.worker, "clock": Bot.clock}
    reaper = Reaper(order, settings.database_url.get_secret_value())
    async with assembled(settings, checkpoint=reaper) as bot:
        await processes[order.process](bot)


def become(order: Order) -> None:
    """In the forked child: what a fresh process would be."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed()
    os.environ.update(order.environment)
    output = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(output, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    wiring.StopServices = partial(StopServices, still_seconds=0.3)
    wiring.HealthProbe = PatientProbe
    asyncio.run(act(order))


def nursery() -> None:
    """Fork a process for every order; end them all when there is nobody left to give orders."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave no zombies
    children = []
    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = os.fork()
        if child == 0:
            try:
                become(order)
            finally:
                os._exit(1)
        children.append(child)
        print(child, flush=True)
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue


def as_line(order: Order) -> str:
    """An order as the nursery reads it."""
    return json.dumps(asdict(order)) + "\n"


if __name__ == "__main__":
    nursery()
