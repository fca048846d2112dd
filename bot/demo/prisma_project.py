"""The sample as a Prisma project: real Prisma from npm, and the sample's own migrations as Prisma keeps them."""

import asyncio
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.demo.casework import SAMPLE
from bot.demo.errors import EmbeddedPostgresError

KIT = Path(__file__).parent / "prisma_kit"
#: What the kit needs where the engine's binary is not to be had; `resolve` only asks whether there is one.
ENVIRONMENT = {"PRISMA_CLIENT_ENGINE_TYPE": "client", "PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true"}
BEGIN, PRIORITY = "20250101000000_begin", "20261126090000_case_priority"
_SCHEMA = """\
generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
"""
_SECTION = """
[targets.casework.prisma]
schema = "app/prisma/schema.prisma"
folder = "app"
command = ["{program}"]
environment = {{ {environment} }}
run_on = "{run_on}"
"""
_KEPT = ("PATH", "HOME")


class PrismaUnavailable(EmbeddedPostgresError):
    """Prisma cannot be had here; the demo runs with SQL files as well."""


def node_modules() -> Path:
    """The pinned packages, installed once for each lock file; raises ``PrismaUnavailable`` without Node or network."""
    if shutil.which("npm") is None:
        raise PrismaUnavailable("There is no npm on PATH. Install Node 20 or newer, or leave out --prisma.")
    lock = KIT / "package-lock.json"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "migrate-bot"
    folder = home / f"prisma-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "npm.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (folder / "node_modules/.package-lock.json").exists():
            folder.mkdir(exist_ok=True)
            for each in (lock, KIT / "package.json"):
                shutil.copy(each, folder)
            npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
            ended = subprocess.run(npm, cwd=folder, check=False, capture_output=True, text=True, timeout=600)
            if ended.returncode:
                raise PrismaUnavailable(f"npm cannot install Prisma: {ended.stderr.strip()[-400:]}")
    return folder / "node_modules"


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where it is; ``url`` is the connection string that its services have, and holds a password."""

    folder: Path
    program: Path
    url: str = field(repr=False)

    def section(self, run_on: str) -> str:
        """Its lines of the targets file."""
        environment = ", ".join(f'{name} = "{value}"' for name, value in ENVIRONMENT.items())
        return _SECTION.format(program=self.program, environment=environment, run_on=run_on)

    def play(self, command: str) -> tuple[int, tuple[str, ...]]:
        """One command as a job of a platform runs it, with the service's own environment and no shell."""
        ended = subprocess.run(
            shlex.split(command), cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=False
        )
        return ended.returncode, tuple((ended.stdout + ended.stderr).splitlines())

    async def begin(self) -> None:
        """Tell Prisma that what the database has already is the first migration; a second time nothing happens."""
        code, said = await asyncio.to_thread(self.play, f"{self.program} migrate resolve --applied {BEGIN}")
        if code and not any("P3008" in each or "already recorded" in each for each in said):
            raise PrismaUnavailable("Prisma cannot begin its list: " + " ".join(said)[-400:])

    def _environment(self) -> Mapping[str, str]:
        return (
            {name: os.environ[name] for name in _KEPT if name in os.environ} | ENVIRONMENT | {"DATABASE_URL": self.url}
        )


async def project(folder: Path, url: str) -> Project:
    """The project, written into ``folder``; what people have edited there is kept."""
    modules = await asyncio.to_thread(node_modules)
    migrations = folder / "prisma" / "migrations"
    if not migrations.exists():
        migrations.mkdir(parents=True)
        (folder / "prisma" / "schema.prisma").write_text(_SCHEMA)
        (migrations / "migration_lock.toml").write_text('provider = "postgresql"\n')
        _put(migrations / BEGIN, SAMPLE / "schema.sql")
        _put(migrations / PRIORITY, SAMPLE / "migrations" / "001_add_case_priority.sql", down=True)
    for name in ("prisma.config.ts", "package.json"):
        shutil.copy(KIT / name, folder)
    link = folder / "node_modules"
    link.unlink(missing_ok=True)
    link.symlink_to(modules)
    return Project(folder=folder, program=modules / ".bin" / "prisma", url=url)


def _put(folder: Path, script: Path, *, down: bool = False) -> None:
    folder.mkdir()
    shutil.copy(script, folder / "migration.sql")
    if down:
        shutil.copy(script.with_name(f"{script.stem}.down.sql"), folder / "down.sql")
