"""Small help with processes and ports of this machine."""

import asyncio
import signal
import socket
import subprocess
import time

import psutil

STOP_SECONDS = 10.0


def free_port(wanted: int = 0, host: str = "127.0.0.1") -> int:
    """``wanted`` when it can be listened on, otherwise any free TCP port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"No free TCP port on {host}: close programs that listen there.")


async def end_postmaster(process: subprocess.Popen[bytes] | psutil.Process) -> None:
    """Fast shutdown (SIGINT), after ten seconds immediate (SIGQUIT); returns when the process is gone."""
    for kind in (signal.SIGINT, signal.SIGQUIT):
        if not _running(process):
            return
        process.send_signal(kind)
        if await _gone(process):
            return
    process.kill()
    await _gone(process)


async def _gone(process: subprocess.Popen[bytes] | psutil.Process) -> bool:
    deadline = time.monotonic() + STOP_SECONDS
    while _running(process) and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells of a foreign process
        await asyncio.sleep(0.005)
    return not _running(process)


def _running(process: subprocess.Popen[bytes] | psutil.Process) -> bool:
    if isinstance(process, subprocess.Popen):
        return process.poll() is None
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
