"""Targets with small real services, and contexts as the engine would hand them to a step."""

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bot.ports import Context
from bot.runbook.apply import begin
from bot.runbook.events import Started
from bot.runbook.people import Policy
from bot.runbook.run import Blocker, Done, Plan, Run
from bot.runbook.steps import Route, StepName, route_steps
from bot.target import Service, Target

SERVICE = Path(__file__).with_name("small_service.py")


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def service(name: str, *options: str, environment: dict[str, str] | None = None) -> Service:
    """A small real web service with the runbook's health endpoint."""
    port = free_port()
    return Service(
        name=name,
        health_url=f"http://127.0.0.1:{port}/health",
        metrics_url=f"http://127.0.0.1:{port}/metrics.json",
        command=(sys.executable, "-S", str(SERVICE), "--port", str(port), *options),
        environment=tuple((environment or {}).items()),
    )


def target(folder: Path, *services: Service, dsn: str = "postgresql://app:hunter22@127.0.0.1/casework") -> Target:
    """A target whose state lives in ``folder``."""
    return Target(
        name="casework", dsn=dsn, channel="#engineering", policy=Policy(approvers=frozenset({"U1"})),
        migrations=folder, backups=folder, state=folder / "state", services=services,
    )  # fmt: skip


def run_at(step: StepName, *, route: Route = Route.FORWARD, done: tuple[Done, ...] = ()) -> Run:
    """A run that has come to ``step``."""
    plan = Plan(
        target="casework", database="casework", name="Add priority", purpose="Sort cases", migrations=("001.sql",),
        starter="U9", starter_name="Ada", channel="#engineering", policy=Policy(approvers=frozenset({"U1"})),
    )  # fmt: skip
    position = [each.name for each in route_steps(plan.runbook, route, downtime=True)].index(step)
    return replace(begin("run-1", Started(plan=plan, at=0.0)), route=route, position=position, done=done)


def context(run: Run, of: Target, said: list[str] | None = None) -> Context:
    """A context whose progress texts are collected in ``said``."""
    told = said if said is not None else []

    async def current() -> Run:
        return run

    async def progress(text: str, fraction: float | None) -> None:
        told.append(text)

    async def blockers(found: tuple[Blocker, ...]) -> Run:
        return run

    return Context(run=run, target=of, attempt=1, current=current, progress=progress, blockers=blockers)


async def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for a condition; fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.02)
