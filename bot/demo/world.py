"""The demo's folder and what lives in it: a PostgreSQL server, the sample's database, the bot's own, and files.

``.demo/`` holds data (the server), run, logs, backups and migrations (a copy, for people to edit).
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.demo import casework
from bot.demo.account import server_account
from bot.demo.errors import EmbeddedPostgresError
from bot.demo.postgres import EmbeddedPostgres
from bot.demo.processes import free_port

PRODUCTION = "casework_prod"
STORE = "migrate_bot"
PORTS = ("casework-web", "casework-gateway", "workspace", "bot")


class NotADemoFolder(EmbeddedPostgresError):
    """The folder has content the demo did not make."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds files the demo did not make. Name an empty or a new folder.")


class ForeignFolder(EmbeddedPostgresError):
    """The server's folder outside the demo folder belongs to somebody else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is not this user's own folder. Remove it, or name another demo folder.")


@dataclass(frozen=True, kw_only=True)
class World:
    """Where everything of the demo is; connection strings hold passwords, so never log them.

    ``postgres`` is running; whoever called ``prepare`` stops it. ``ports`` are kept over restarts.
    """

    folder: Path
    run: Path
    logs: Path
    backups: Path
    migrations: Path
    ports: Mapping[str, int]
    postgres: EmbeddedPostgres
    production: casework.Casework
    store_dsn: str = field(repr=False)


async def prepare(folder: Path, *, fresh: bool = False, scale: float = 1) -> World:
    """Start the server and make what is missing; a second time it is quick and keeps all data.

    ``fresh`` drops every database (standby copies and kept evidence too) and all files, then starts over.
    ``scale`` counts only when the template is made, the first time.
    Raises ``NotADemoFolder`` and the errors of ``EmbeddedPostgres.start``.
    """
    folder = _mark(folder)
    postgres = EmbeddedPostgres(_server_home(folder) / "data", log=folder / "logs" / "postgres.log")
    if fresh:
        _remove_files(folder)
    for name in ("run", "logs", "backups"):
        (folder / name).mkdir(exist_ok=True)
    if not (folder / "migrations").exists():
        shutil.copytree(casework.SAMPLE / "migrations", folder / "migrations")
    await postgres.start()
    try:
        return await _furnish(folder, postgres, fresh=fresh, scale=scale)
    except BaseException:
        await postgres.stop()
        raise


async def _furnish(folder: Path, postgres: EmbeddedPostgres, *, fresh: bool, scale: float) -> World:
    passwords = _passwords(folder)
    await casework.create_roles(postgres, passwords)
    if fresh:
        for name in await casework.databases(postgres):
            await casework.drop_database(postgres, name)
    await casework.ensure_template(postgres, passwords, scale=scale)
    if not await casework.exists(postgres, PRODUCTION):
        await casework.copy_template(postgres, passwords, PRODUCTION)
    if not await casework.exists(postgres, STORE):
        await casework.create_database(postgres, STORE, owner=casework.BOT)
    return World(
        folder=folder,
        run=folder / "run",
        logs=folder / "logs",
        backups=folder / "backups",
        migrations=folder / "migrations",
        ports=_ports(folder),
        postgres=postgres,
        production=casework.casework(postgres, passwords, PRODUCTION),
        store_dsn=postgres.dsn(STORE, user=casework.BOT, password=passwords[casework.BOT]),
    )


def _mark(folder: Path) -> Path:
    """A file says that the demo may delete here; it is never put into a folder with other content."""
    folder = folder.absolute()
    mark = folder / "demo-folder"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise NotADemoFolder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return folder


def _remove_files(folder: Path) -> None:
    """Everything but the server's own folder."""
    for name in ("run", "logs", "backups", "migrations", "render"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _server_home(folder: Path) -> Path:
    """``data`` in the folder, or a folder under /var/tmp when the server's user cannot get into ours.

    That is the case for root with a checkout under /root.
    """
    inside = folder / "data"
    if server_account().blocker(inside / "data") is None:
        return inside
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    outside = Path("/var/tmp") / f"migrate-bot-{os.geteuid()}-{digest}"  # noqa: S108 - ownership is checked
    outside.mkdir(mode=0o711, exist_ok=True)
    if outside.is_symlink() or outside.stat().st_uid != os.geteuid():
        raise ForeignFolder(outside)
    outside.chmod(0o711)
    return outside


def _passwords(folder: Path) -> dict[str, str]:
    """The roles' passwords, made once and kept where only we can read."""
    file = folder / "passwords.json"
    if not file.exists():
        made = {role: secrets.token_hex(24) for role in (casework.OWNER, casework.APP, casework.BOT)}
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(made, out)
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def _ports(folder: Path) -> dict[str, int]:
    """Chosen once, so that services which outlive the bot are found again."""
    file = folder / "ports.json"
    if not file.exists():
        file.write_text(json.dumps({name: free_port() for name in PORTS}))
    kept: dict[str, int] = json.loads(file.read_text())
    return kept
