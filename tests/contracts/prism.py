"""Prism between a client and a stand-in: it checks both sides of every call against an OpenAPI document."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.demo.processes import free_port

INSTALL = Path(__file__).resolve().parents[2] / ".ci" / "prism"
START_SECONDS = 180.0


async def prism() -> str:
    """The proxy's program, installed at first need; a machine without npm cannot prove anything here."""
    if shutil.which("npm") is None:
        pytest.fail("Prism needs Node.js with npm: apt-get install nodejs npm")
    child = await asyncio.create_subprocess_exec(str(INSTALL), stdout=asyncio.subprocess.PIPE)
    said, _ = await child.communicate()
    assert 0 == child.returncode
    return said.decode().strip()


@asynccontextmanager
async def proxied(document: Path, upstream: str) -> AsyncIterator[str]:
    """The address of a proxy to ``upstream``; with ``--errors`` whatever is against the document is a failed call."""
    port = free_port()
    child = await asyncio.create_subprocess_exec(
        await prism(), "proxy", "-h", "127.0.0.1", "-p", str(port), "--errors", str(document), upstream,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_SECONDS):
            await _open(port, child)
        yield f"http://127.0.0.1:{port}"
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def _open(port: int, child: asyncio.subprocess.Process) -> None:
    while True:
        assert child.returncode is None, "Prism has ended by itself."
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
