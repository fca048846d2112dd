"""What a backup is, file by file, so that anybody can later prove it is still that."""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.ports import StepError

MANIFEST = "manifest.json"
CATALOG = "catalog.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """``files``: name -> [bytes, sha256]; ``rows``: table -> [count, exact?]; times are ISO 8601 UTC.

    ``baseline`` says where the dump's snapshot stands (``baseline.py``), ``around`` what the database was besides its
    content (``carry.py``); both are ``None`` in backups of earlier versions.
    """

    run: str
    database: str
    system_identifier: str
    server: str
    client: str
    command: tuple[str, ...]
    snapshot: str
    lsn: str
    fingerprint: str
    database_bytes: int
    started: str
    ended: str
    rows: Mapping[str, tuple[int, bool]]
    files: Mapping[str, tuple[int, str]]
    baseline: Mapping[str, Any] | None = None
    around: Mapping[str, Any] | None = None

    @property
    def bytes(self) -> int:
        return sum(size for size, _ in self.files.values())


def run_folder(backups: Path, run: str) -> Path:
    """Where a run's backup stands; a run id can never lead out of ``backups``."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}", run):
        raise StepError(f"The run id “{run}” cannot be a folder's name.", "Start the run under another id.")
    return backups / run


async def hash_files(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file in ``folder`` but the manifest."""
    return await asyncio.to_thread(_hash_files, folder)


def _hash_files(folder: Path) -> dict[str, tuple[int, str]]:
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name != MANIFEST:
            with path.open("rb") as file:
                found[path.name] = (path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    return found


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write it durably; its SHA-256."""
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()
    write_durably(folder / MANIFEST, text)
    return hashlib.sha256(text).hexdigest()


def write_durably(path: Path, data: bytes) -> None:
    """A private (0600) file that is on disk when this returns."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest and its SHA-256; ``StepError`` where there is none or it cannot be read."""
    try:
        text = (folder / MANIFEST).read_bytes()
        values: dict[str, Any] = json.loads(text)
        values["command"] = tuple(values["command"])
        values["rows"] = {name: (int(count), bool(exact)) for name, (count, exact) in values["rows"].items()}
        values["files"] = {name: (int(size), str(sha)) for name, (size, sha) in values["files"].items()}
        return Manifest(**values), hashlib.sha256(text).hexdigest()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StepError(
            f"The backup in {folder} has no readable manifest: {error}", "Make a new backup: this one proves nothing."
        ) from error


def read_catalog_file(folder: Path) -> dict[str, dict[str, str]]:
    """The schema as it was at the backup."""
    try:
        found: dict[str, dict[str, str]] = json.loads((folder / CATALOG).read_text())
    except (OSError, ValueError) as error:
        raise StepError(
            f"The schema before the migration cannot be read from {folder}: {error}",
            "Put the backup's folder back, then type /migrate retry.",
        ) from error
    return found


async def damage(folder: Path, manifest: Manifest) -> str | None:
    """What of the backup is not as the manifest says, or ``None`` when every file is whole."""
    try:
        found = await hash_files(folder)
    except OSError as error:
        return f"{folder} cannot be read: {error.strerror}"
    for name in sorted(manifest.files.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if name not in manifest.files:
            return f"{name} is not in the manifest"
        if found[name] != manifest.files[name]:
            return f"{name} is not as it was written (size or sha256 differs)"
    return None
