"""The embedded server: it starts, stops, comes back, and says what to do when it cannot."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import psutil
import psycopg
import pytest

from bot.demo.account import Account, reachable_binaries, server_account
from bot.demo.errors import ServerFailed, Unreachable, WrongVersion
from bot.demo.postgres import EmbeddedPostgres
from bot.demo.processes import free_port
from tests.demo.waiting import eventually

STARTS_AND_WAITS = """
import asyncio, pathlib, sys
from bot.demo.postgres import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False)
    await server.start()
    print(server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def ask(dsn: str, query: str) -> object:
    """The first value of the first row."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
        row = await (await db.execute(query)).fetchone()
        return row[0] if row else None


async def run(dsn: str, statement: str) -> None:
    """Execute and commit."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
        await db.execute(statement)


async def test_serves_with_the_settings_of_a_demo(pg: EmbeddedPostgres) -> None:
    """A started server is PostgreSQL 18 with the settings the demo and the tests count on."""
    settings = ("shared_buffers", "max_connections", "wal_level", "shared_preload_libraries", "track_io_timing")
    shown = [await ask(pg.dsn(), f"SHOW {name}") for name in settings]

    assert "18" == str(await ask(pg.dsn(), "SHOW server_version")).partition(".")[0]
    assert ["64MB", "200", "replica", "pg_stat_statements", "on"] == shown
    assert 0 < int(str(await ask(pg.dsn(), "SELECT count(*) FROM pg_stat_statements")))


async def test_only_the_password_opens_it(pg: EmbeddedPostgres) -> None:
    """A wrong password is refused, the right one is in a file only its owner reads, the data is closed."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await ask(pg.dsn(password="wrong"), "SELECT 1")

    assert 0o600 == (pg.home / "postgres.password").stat().st_mode & 0o777
    assert 0o700 == pg.data.stat().st_mode & 0o777
    assert "127.0.0.1" == await ask(pg.dsn(), "SHOW listen_addresses")


async def test_stop_and_start_keep_data_port_and_password(server_folder: Path) -> None:
    """A clean stop ends the process; the next start finds rows, port and password as they were."""
    server = EmbeddedPostgres(server_folder / "data", durable=False)
    await server.start()
    before = server.dsn()
    await run(before, "CREATE TABLE kept AS SELECT 41 + 1 AS answer")
    await server.stop()

    assert server.pid is None

    async with EmbeddedPostgres(server_folder / "data", durable=False) as again:
        assert before == again.dsn()
        assert 42 == await ask(again.dsn(), "SELECT answer FROM kept")


async def test_comes_back_after_kill_9(server_folder: Path) -> None:
    """Killing the server loses nothing that was committed; starting it again is enough."""
    async with EmbeddedPostgres(server_folder / "data") as server:
        await run(server.dsn(), "CREATE TABLE kept AS SELECT 7 AS answer")
        killed = server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await server.start()

        assert killed != server.pid
        assert 7 == await ask(server.dsn(), "SELECT answer FROM kept")


async def test_a_recycled_process_id_does_not_stop_it(server_folder: Path) -> None:
    """A left-over pid file that names some other living program is not taken for a server."""
    async with EmbeddedPostgres(server_folder / "data", durable=False) as server:
        left = (server.data / "postmaster.pid").read_text().splitlines()
    (server_folder / "data" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *left[1:]]) + "\n")

    async with EmbeddedPostgres(server_folder / "data", durable=False) as server:
        assert 1 == await ask(server.dsn(), "SELECT 1")


async def test_a_server_that_outlived_its_supervisor_is_replaced(server_folder: Path) -> None:
    """A living postmaster nobody supervises is stopped and ours takes the folder over."""
    async with EmbeddedPostgres(server_folder / "data", durable=False) as server:
        binary = server.bin_dir() / "postgres"
    port = free_port()
    orphan = await asyncio.create_subprocess_exec(
        str(binary), "-D", str(server.data), "-c", f"port={port}", "-c", "unix_socket_directories=",
        stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, cwd="/", **server_account().popen,
    )  # fmt: skip
    assert await eventually(lambda: server.pid == orphan.pid)
    async with server:
        assert orphan.pid != server.pid
        assert 1 == await ask(server.dsn(), "SELECT 1")

    assert 0 == await orphan.wait()


async def test_a_second_supervisor_joins(server_folder: Path) -> None:
    """Two over one folder share one server, and only the first one's stop ends it."""
    async with EmbeddedPostgres(server_folder / "data", durable=False) as first:
        async with EmbeddedPostgres(server_folder / "data", durable=False) as second:
            assert (first.pid, first.dsn()) == (second.pid, second.dsn())
        assert 1 == await ask(first.dsn(), "SELECT 1")

    assert second.pid is None


async def test_two_servers_side_by_side(pg: EmbeddedPostgres, server_folder: Path) -> None:
    """Servers of different folders do not see each other."""
    async with EmbeddedPostgres(server_folder / "data", durable=False) as other:
        await run(other.dsn(), "CREATE DATABASE only_here")

        assert pg.port != other.port
        assert 0 == await ask(pg.dsn(), "SELECT count(*) FROM pg_database WHERE datname = 'only_here'")


async def test_dies_with_the_process_that_started_it(server_folder: Path) -> None:
    """After kill -9 of the supervisor no server is left, or on other systems the next start replaces it."""
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTS_AND_WAITS, str(server_folder / "data"), stdout=PIPE
    )
    assert supervisor.stdout is not None
    pid = int(await supervisor.stdout.readline())
    supervisor.kill()
    await supervisor.wait()

    assert sys.platform != "linux" or await eventually(lambda: not psutil.pid_exists(pid))

    async with EmbeddedPostgres(server_folder / "data", durable=False) as server:
        assert pid != server.pid


async def test_a_taken_port_is_not_waited_for(pg: EmbeddedPostgres, server_folder: Path) -> None:
    """When somebody else listens on the remembered port, another one is chosen."""
    (server_folder / "postgres.port").write_text(str(pg.port))

    async with EmbeddedPostgres(server_folder / "data", durable=False) as server:
        assert pg.port != server.port
        assert 1 == await ask(server.dsn(), "SELECT 1")


async def test_a_long_path_gets_a_short_socket_folder(server_folder: Path) -> None:
    """A folder too deep for a socket's name still works, and its stand-in goes at the end."""
    deep = server_folder / ("d" * 60) / ("e" * 60)
    async with EmbeddedPostgres(deep / "data", durable=False) as server:
        socket = Path(str(await ask(server.dsn(), "SHOW unix_socket_directories")))
        assert len(str(socket)) < 60
        assert 0o700 == socket.stat().st_mode & 0o777

    assert not socket.exists()


async def test_another_major_version_is_refused(server_folder: Path) -> None:
    """A folder of another version is named with what to do, and left alone."""
    (server_folder / "data").mkdir()
    (server_folder / "data" / "PG_VERSION").write_text("15\n")

    with pytest.raises(WrongVersion, match=r"made by PostgreSQL 15; .* Move the folder away"):
        await EmbeddedPostgres(server_folder / "data").start()


async def test_a_server_that_cannot_run_shows_its_log(server_folder: Path) -> None:
    """When PostgreSQL ends at once, the error quotes its own words and the folder's lock is let go."""
    async with EmbeddedPostgres(server_folder / "data", durable=False):
        pass
    (server_folder / "data" / "postgresql.auto.conf").write_text("work_mem = 'plenty'\n")

    with pytest.raises(ServerFailed, match='invalid value for parameter "work_mem"'):
        await EmbeddedPostgres(server_folder / "data", durable=False).start()

    (server_folder / "data" / "postgresql.auto.conf").write_text("")
    async with EmbeddedPostgres(server_folder / "data", durable=False) as server:
        assert 1 == await ask(server.dsn(), "SELECT 1")


STRANGER = Account(name="nobody", uid=os.geteuid() + 1, gid=os.getegid() + 1, switch=True)


def test_a_closed_folder_is_named(server_folder: Path) -> None:
    """The folder the server's user cannot enter is named, with the ways out."""
    server_folder.chmod(0o700)

    with pytest.raises(Unreachable, match=f"cannot enter {server_folder}.*chmod o\\+x {server_folder}"):
        STRANGER.require_reach(server_folder / "data")


def test_binaries_out_of_reach_are_copied_once(server_folder: Path) -> None:
    """Programs in a closed folder are copied to where the server's user can run them."""
    installed, home = server_folder / "closed" / "pginstall" / "bin", server_folder / "home"
    installed.mkdir(parents=True)
    home.mkdir()
    (installed / "postgres").write_text("program")
    (server_folder / "closed").chmod(0o700)
    copies = [reachable_binaries(installed, home, STRANGER) for _ in range(2)]

    assert [home / "pginstall" / "bin"] * 2 == copies
    assert "program" == (copies[0] / "postgres").read_text()
