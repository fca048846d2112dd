"""``LocalPlatform``: the services of a target as detached processes of this machine.

A service is nobody's child: it goes on when the bot is killed, and any bot on this machine finds it again by
what stands in the target's state folder.
"""

import asyncio
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from bot.ports import StepError
from bot.target import Service, Target
from integrations.local.deploys import as_before, configured_release, pinned
from integrations.local.logs import known_secrets, redact, tail
from integrations.local.memory import Memory, found_by, load_memory, save_memory
from integrations.local.records import Record, family, load_record
from integrations.lock import locked
from integrations.process import base_env

LAUNCHER = Path(__file__).with_name("launch.py")
KILL_SECONDS = 5.0  # a killed process goes at once, unless the kernel holds it
POLL_SECONDS = 0.02


class LocalPlatform:
    """Starts and stops ``Service.command``; one process (with its children) per service.

    ``stop_seconds`` is how long a service may take to end after SIGTERM before it is killed; ``lock_seconds`` how
    long to wait for another bot that is working on the same services.  Errors are ``StepError``.
    """

    def __init__(self, *, stop_seconds: float = 30.0, lock_seconds: float = 90.0) -> None:
        self._stop_seconds = stop_seconds
        self._lock_seconds = lock_seconds

    def where(self, target: Target) -> str:
        return "processes of this machine"

    async def status(self, target: Target) -> Mapping[str, bool]:
        """Service name -> does its process, or one that it started, live?"""
        return {service.name: bool(_processes(target, service)) for service in target.services}

    async def wanted(self, target: Target) -> tuple[str, ...]:
        """The services that ``start`` brings up: all but those that did not run before the last stop."""
        idle = _remembered(target).idle
        return tuple(service.name for service in target.services if service.name not in idle)

    async def remember(self, target: Target, run: str) -> None:
        """Write down what run ``run`` found, before it changes anything; said again, it changes nothing.

        A memory belongs to one run and ends when the next one remembers; see ``found_by`` for what an earlier run
        has left down.  So a failed run, a repeated stop and a bot's death keep it, and a new run begins afresh from
        what runs then, be it a deploy that an earlier run brought or one that people made.
        """
        async with locked(_lock(target), seconds=self._lock_seconds):
            earlier = load_memory(_before(target))
            if earlier is None or earlier.run != run:
                save_memory(_before(target), found_by(run, _records(target), _running(target), earlier))

    async def stop(self, target: Target) -> None:
        """SIGTERM to every service and its children, SIGKILL to what is left; returns when all have ended."""
        async with locked(_lock(target), seconds=self._lock_seconds):
            self._note_ending(target)
            if survivors := await _end_all(target, self._stop_seconds):
                raise StepError(
                    f"Could not end {', '.join(survivors)}, not even with SIGKILL.",
                    "Look at these processes on the machine, end them, then retry.",
                )
            for service in target.services:
                _record(target, service).unlink(missing_ok=True)

    async def start(self, target: Target, *, previous: bool = False) -> None:
        """Start what ran before the last stop and does not run now; without a stop before, every service.

        ``previous``: with command, folder and release as the run found them, in the environment that is configured
        now.  A service of which that is not known (see ``known``) is started as configured.
        """
        async with locked(_lock(target), seconds=self._lock_seconds):
            wanted, found = await self.wanted(target), _remembered(target).found
            for service in target.services:
                if service.name in wanted and not _processes(target, service):
                    then = found.get(service.name) if previous else None
                    await _launch(target, as_before(service, then) if then and then.command else pinned(service))

    async def forget(self, target: Target) -> None:
        """Forget what ran before: the next ``start`` brings up every service.  Never while a run is under way."""
        async with locked(_lock(target), seconds=self._lock_seconds):
            _before(target).unlink(missing_ok=True)

    async def release(self, target: Target, service: Service) -> str:
        """The release the running process was started with; the configured one when it does not run."""
        record = load_record(_record(target, service))
        return record.release if record and family(record) else configured_release(service)

    async def previous(self, target: Target, service: Service) -> str:
        """The release that the newest run to remember found; empty where it is not known, or has no name."""
        then = _remembered(target).found.get(service.name)
        return then.release if then else ""

    async def known(self, target: Target, run: str) -> tuple[str, ...]:
        """The services of which is known what they were started with when run ``run`` found them."""
        memory = _remembered(target)
        return tuple(name for name, then in memory.found.items() if then.command and memory.run == run)

    async def deploys_held(self, target: Target) -> str:
        """Nothing on this machine deploys by itself, so there is nothing to hold."""
        return "Automatic deploys: none on this platform"

    async def log(self, target: Target, service: Service, lines: int) -> tuple[str, ...]:
        """The last lines the service wrote, secrets masked."""
        return tail(_log(target, service), lines=lines, target=target, service=service)

    def _note_ending(self, target: Target) -> None:
        """Write down what is about to be ended, before the first of them is.

        What the run found stays; whatever has come up since counts as running too, for it must not be lost.
        """
        running, before = _running(target), _before(target)
        memory = load_memory(before) or found_by("", _records(target), running, None)
        ended = {**memory.ended, **running}
        save_memory(before, replace(memory, idle=memory.idle - running.keys(), ended=ended))


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


def _remembered(target: Target) -> Memory:
    return load_memory(_before(target)) or Memory()


def _records(target: Target) -> dict[str, Record | None]:
    return {service.name: load_record(_record(target, service)) for service in target.services}


def _running(target: Target) -> dict[str, Record]:
    """What the living services were started with."""
    return {name: record for name, record in _records(target).items() if record and family(record)}


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
