"""What is remembered in a target's state folder: who is a service's process, and what ran before a stop."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

SAME_START = 1.0  # seconds; psutil derives start times from the boot time, which moves a little with the clock


@dataclass(frozen=True, kw_only=True)
class Record:
    """One started service: its process (pid and start time, POSIX seconds) and the release it was started with."""

    pid: int
    created: float
    release: str = ""


def load_record(path: Path) -> Record | None:
    """The record, or ``None`` when there is none or it cannot be read."""
    match _load(path):
        case {"pid": int(pid), "created": float(created), "release": str(release)}:
            return Record(pid=pid, created=created, release=release)
        case _:
            return None


def load_idle(path: Path) -> frozenset[str] | None:
    """The services that did not run before the last stop, or ``None`` when nothing was stopped yet."""
    match _load(path):
        case {"idle": list(idle)}:
            return frozenset(map(str, idle))
        case _:
            return None


def save_idle(path: Path, idle: frozenset[str]) -> None:
    """On disk before it returns: the first change comes after it."""
    aside = path.with_suffix(".partial")
    with aside.open("w", encoding="utf-8") as file:
        json.dump({"idle": sorted(idle)}, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def family(record: Record | None) -> tuple[psutil.Process, ...]:
    """The service's living processes: the recorded one and what it started (its POSIX session); none when it ended.

    A number in use as a session is not given to a new process, so a *different* process under the recorded pid
    proves that the whole family is gone.
    """
    if record is None or _reused(record):
        return ()
    return tuple(process for pid in psutil.pids() if (process := _member(pid, record.pid)) is not None)


def _reused(record: Record) -> bool:
    try:
        return abs(psutil.Process(record.pid).create_time() - record.created) > SAME_START
    except psutil.NoSuchProcess:
        return False


def _member(pid: int, session: int) -> psutil.Process | None:
    try:
        if os.getsid(pid) != session:
            return None
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
        return None


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
