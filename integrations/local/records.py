"""Who is a service's process: what stands in a target's state folder, held against the machine."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

SAME_START = 1.0  # seconds; psutil derives start times from the boot time, which moves a little with the clock


@dataclass(frozen=True, kw_only=True)
class Record:
    """One started service: its process (pid and start time, POSIX seconds) and what it was started with.

    ``command`` and ``folder`` are empty in the record of a bot that did not yet write them down.  The environment is
    not there: it holds secrets.
    """

    pid: int
    created: float
    release: str = ""
    command: tuple[str, ...] = ()
    folder: str = ""


def load_record(path: Path) -> Record | None:
    """The record, or ``None`` when there is none or it cannot be read."""
    return record_of(load_json(path))


def record_of(value: Any) -> Record | None:
    """The record that a JSON object holds, or ``None``."""
    match value:
        case {"pid": int(pid), "created": float(created), "release": str(release), **rest}:
            match rest:
                case {"command": list(command), "folder": str(folder)}:
                    words = tuple(map(str, command))
                    return Record(pid=pid, created=created, release=release, command=words, folder=folder)
                case _:
                    return Record(pid=pid, created=created, release=release)
        case _:
            return None


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


def load_json(path: Path) -> Any:
    """What the file holds; ``None`` when there is none or it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
