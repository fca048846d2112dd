"""``LocalPlatform``: the services of a target as detached processes of this machine.

A service is nobody's child: it goes on when the bot is killed, and any bot on this machine finds it again by
what stands in the target's state folder.
"""

import asyncio
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from bot.ports import Service, StepError, Target
from integrations.local.lock import locked
from integrations.local.logs import known_secrets, redact, tail
from integrations.local.records import family, load_idle, load_record, save_idle
from integrations.process import base_env

LAUNCHER = Path(__file__).with_name("launch.py")
KILL_SECONDS = 5.0  # a killed process goes at once, unless the kernel holds it
POLL_SECONDS = 0.02


class LocalPlatform:
    """Starts and stops ``Service.command``; one process (with its children) per service.

    ``stop_seconds`` is how long a service may take to end after SIGTERM before it is killed; ``lock_seconds`` how
    long to wait for another bot that is working on the same services.  Errors are ``StepError``.
    """

    name = "processes of this machine"

    def __init__(self, *, stop_seconds: float = 30.0, lock_seconds: float = 90.0) -> None:
        self._stop_seconds = stop_seconds
        self._lock_seconds = lock_seconds

    async def status(self, target: Target) -> Mapping[str, bool]:
        """Service name -> does its process, or one that it started, live?"""
        return {service.name: bool(_processes(target, service)) for service in target.services}

    async def wanted(self, target: Target) -> tuple[str, ...]:
        """The services that ``start`` brings up: all but those that did not run before the last stop."""
        idle = load_idle(_before(target)) or frozenset()
        return tuple(service.name for service in target.services if service.name not in idle)

    async def stop(self, target: Target) -> None:
        """SIGTERM to every service and its children, SIGKILL to what is left; returns when all have ended."""
        async with locked(_lock(target), seconds=self._lock_seconds):
            await self._remember(target)
            if survivors := await _end_all(target, self._stop_seconds):
                raise StepError(
                    f"Could not end {', '.join(survivors)}, not even with SIGKILL.",
                    "Look at these processes on the machine, end them, then retry.",
                )
            for service in target.services:
                _record(target, service).unlink(missing_ok=True)

    async def start(self, target: Target) -> None:
        """Start what ran before the last stop and does not run now; without a stop before, every service."""
        async with locked(_lock(target), seconds=self._lock_seconds):
            wanted = await self.wanted(target)
            for service in target.services:
                if service.name in wanted and not _processes(target, service):
                    await _launch(target, service)

    async def forget(self, target: Target) -> None:
        """Forget what ran before: the next ``start`` brings up every service.  Never while a run is under way."""
        async with locked(_lock(target), seconds=self._lock_seconds):
            _before(target).unlink(missing_ok=True)

    async def release(self, target: Target, service: Service) -> str:
        """The release the running process was started with; the configured one when it does not run."""
        record = load_record(_record(target, service))
        return record.release if record and family(record) else configured_release(service)

    async def log(self, target: Target, service: Service, lines: int) -> tuple[str, ...]:
        """The last lines the service wrote, secrets masked."""
        return tail(_log(target, service), lines=lines, target=target, service=service)

    async def _remember(self, target: Target) -> None:
        """Write down which services do not run, before the first of them is stopped.

        What an earlier stop found running still counts as running: that stop may have died half-way, or a
        migration may have broken the service since, and a rollback must bring it back.
        """
        idle = frozenset(name for name, running in (await self.status(target)).items() if not running)
        before = load_idle(_before(target))
        save_idle(_before(target), idle if before is None else idle & before)


def configured_release(service: Service) -> str:
    """``--release R`` of the command, else ``RELEASE`` of its environment, else the file ``release`` of its folder."""
    for option, value in zip(service.command, (*service.command[1:], ""), strict=True):
        if option == "--release":
            return value
        if option.startswith("--release="):
            return option.removeprefix("--release=")
    if (named := dict(service.environment).get("RELEASE")) is not None:
        return named
    file = Path(service.folder) / "release"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


async def _launch(target: Target, service: Service) -> None:
    if not service.command:
        raise StepError(
            f"{service.name} has no command to start it with.",
            f"Give the service a command in the configuration of {target.name}, then retry.",
        )
    paths = (str(_record(target, service)), str(_log(target, service)), service.folder)
    launcher = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(LAUNCHER), *paths, configured_release(service), *service.command,
        env=base_env() | dict(service.environment), start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await launcher.communicate()
    if launcher.returncode != 0:
        reason = redact(said.decode(errors="replace").strip(), known_secrets(target, service)).splitlines()
        raise StepError(
            f"{service.name} could not be started: {reason[-1] if reason else 'the launcher was killed'}.",
            f"Check the command and the folder of {service.name} in the configuration, then retry.",
        )


async def _end_all(target: Target, seconds: float) -> tuple[str, ...]:
    """Ask each process once, insist after ``seconds``; the names of services that live on nevertheless."""
    began, asked = time.monotonic(), set[psutil.Process]()
    while left := set(_all_processes(target)):
        waited = time.monotonic() - began
        if waited > seconds + KILL_SECONDS:
            return tuple(service.name for service in target.services if _processes(target, service))
        for process in left if waited > seconds else left - asked:
            _signal(process, insist=waited > seconds)
        asked |= left
        await asyncio.sleep(POLL_SECONDS)
    return ()


def _signal(process: psutil.Process, *, insist: bool) -> None:
    try:
        process.kill() if insist else process.terminate()
    except psutil.NoSuchProcess:
        return  # it ended by itself in this instant


def _all_processes(target: Target) -> tuple[psutil.Process, ...]:
    return tuple(process for service in target.services for process in _processes(target, service))


def _processes(target: Target, service: Service) -> tuple[psutil.Process, ...]:
    return family(load_record(_record(target, service)))


def _record(target: Target, service: Service) -> Path:
    return _state(target) / f"{_file_name(service)}.json"


def _log(target: Target, service: Service) -> Path:
    return _state(target) / f"{_file_name(service)}.log"


def _before(target: Target) -> Path:
    return _state(target) / ".before"


def _lock(target: Target) -> Path:
    return _state(target) / ".lock"


def _state(target: Target) -> Path:
    target.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return target.state.absolute()  # the launcher changes its folder


def _file_name(service: Service) -> str:
    """The service's name; refused where it could lead out of the state folder."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", service.name):
        raise StepError(
            f"The service name {service.name!r} cannot be used for a file.",
            "Name services with letters, digits, '-', '_' and '.' only.",
        )
    return service.name
