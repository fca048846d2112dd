"""What every test may ask for: a clean environment, a real PostgreSQL server, empty and sample databases, and
a real Chromium.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from bot.demo import casework as sample
from bot.demo.postgres import EmbeddedPostgres

PASSWORDS = {role: secrets.token_hex(8) for role in (sample.OWNER, sample.APP, sample.BOT)}
ROOM = 6 * 1024**3  # bytes; four workers with their servers take about a third of it
FOREIGN = ("SLACK__", "PG", "DATABASE_URL")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of the person who runs it."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)


def _in_memory() -> Path:
    """Where there is a file system in memory with room, databases are made there: making one is twenty times faster."""
    memory = Path("/dev/shm")  # noqa: S108 - only a folder of our own is made there
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return memory if roomy else Path("/tmp")  # noqa: S108


@contextlib.contextmanager
def short_folder(*, lasting: bool = False) -> Iterator[Path]:
    """An empty folder with a short path that a server's user may enter, unlike pytest's own.

    ``lasting``: on a real disk, for who measures one.
    """
    place = Path("/tmp") if lasting else _in_memory()  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="mb", dir=place)).resolve()
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """Where a test may start a server of its own."""
    with short_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def passwords() -> Mapping[str, str]:
    """Of the sample's roles, on every server that the tests start."""
    return PASSWORDS


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pg() -> AsyncIterator[EmbeddedPostgres]:
    """One server for the session (with xdist: one for each worker); not durable, so quick."""
    with short_folder() as folder:
        async with EmbeddedPostgres(folder / "data", durable=False) as server:
            await sample.create_roles(server, PASSWORDS)
            yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def casework_template(pg: EmbeddedPostgres) -> EmbeddedPostgres:
    """The server with the sample at 1/50: about 6,800 rows."""
    await sample.ensure_template(pg, PASSWORDS, scale=0.02)
    return pg


@pytest_asyncio.fixture
async def store_dsn(pg: EmbeddedPostgres) -> AsyncIterator[str]:
    """An empty database of the bot's own role."""
    name = f"store_{secrets.token_hex(4)}"
    await sample.create_database(pg, name, owner=sample.BOT)
    yield pg.dsn(name, user=sample.BOT, password=PASSWORDS[sample.BOT])
    await sample.drop_database(pg, name)


@pytest_asyncio.fixture
async def casework(casework_template: EmbeddedPostgres) -> AsyncIterator[sample.Casework]:
    """A fresh small copy of the sample, as each of its roles."""
    name = f"casework_{secrets.token_hex(4)}"
    yield await sample.copy_template(casework_template, PASSWORDS, name)
    await sample.drop_database(casework_template, name)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; without one CI fails and a laptop skips."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found:
        return found
    reason = "no chromium on PATH: apt-get install chromium fonts-noto-color-emoji fonts-dejavu-core"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One browser for the tests of a file; its own sandbox needs privileges that containers lack."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        await opened.close()
