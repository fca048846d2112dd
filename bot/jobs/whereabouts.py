"""Where the workers are: each names its host and process in the session that holds its liveness lock."""

import os
import socket
from dataclasses import dataclass

import psutil

from bot import store
from bot.jobs.rescue import LIVENESS

_PREFIX = "migrate-worker"


def whereabouts() -> str:
    """The name of this worker's liveness session, at most PostgreSQL's 63 bytes."""
    return f"{_PREFIX} {os.getpid()} {socket.gethostname()}"[:63]


@dataclass(frozen=True, kw_only=True)
class Living:
    """A worker that lives; ``process`` is its process where that is on this host, and is a worker and nothing else."""

    number: int
    process: psutil.Process | None


async def living(conn: store.Connection) -> dict[int, Living]:
    """Every living worker of this bot, by its number."""
    found = await store.rows(conn, "living_workers", **{"class": LIVENESS})
    return {number: Living(number=number, process=_process(str(name))) for number, name in found}


async def driver_of(conn: store.Connection, run_id: str) -> int | None:
    """The number of the worker that drives a run now."""
    found = await store.rows(conn, "driven_by", run_id=run_id)
    return int(found[0][0]) if found else None


def _process(name: str) -> psutil.Process | None:
    """Only ``python -m bot worker``: in a process that is web and clock, too, more would die than the worker."""
    prefix, _, rest = name.partition(" ")
    pid, _, host = rest.partition(" ")
    if prefix != _PREFIX or not pid.isdigit() or not socket.gethostname().startswith(host or "?"):
        return None
    try:
        process = psutil.Process(int(pid))
        return process if process.cmdline()[-3:] == ["-m", "bot", "worker"] else None
    except psutil.Error:
        return None
