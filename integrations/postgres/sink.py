"""A private file that takes a stream: counted, hashed, durable at its end, and never the one that fills the disk.

And the folder it is written in, which has its name only when it is whole.
"""

import hashlib
import itertools
import os
import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from integrations.postgres.words import human_bytes

SPARE = 50_000_000  # bytes that stay free on the disk
_EVERY = 8_000_000  # bytes between two looks at the free space


class NoRoom(Exception):
    """Writing on would leave too little free space."""


class Sink:
    """``size`` in bytes and ``sha256`` (hex) of what was written so far; mode 0600.

    The file is gone at the end of its block when that failed, or when ``keep`` was made false.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._hash, self._looked = path, hashlib.sha256(), 0
        self.size, self.keep = 0, True
        require_room(path.parent)
        self._file = open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")  # noqa: SIM115 - own exit

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, part: bytes | bytearray | memoryview) -> None:
        """Take one part; ``NoRoom`` before the disk is full."""
        if self.size - self._looked >= _EVERY:
            require_room(self._path.parent)
            self._looked = self.size
        self._file.write(part)
        self._hash.update(part)
        self.size += len(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._file:
                if kind is None:
                    self._file.flush()
                    os.fsync(self._file.fileno())
        except OSError:
            self.keep = False
            raise
        finally:
            if kind or not self.keep:
                self._path.unlink(missing_ok=True)


def require_room(folder: Path) -> None:
    """``NoRoom`` when less than the spare is free."""
    free = shutil.disk_usage(folder).free
    if free < SPARE:
        raise NoRoom(f"the disk of {folder} has only {human_bytes(free)} free")


def file_name(number: int, table: str) -> str:
    """``0007_public.cases.csv``: the number makes it unique, and no name of a table leads anywhere else."""
    return f"{number:04}_{re.sub(r'[^A-Za-z0-9_.]+', '-', table)[:80]}.csv"


def begin(folder: Path, partial: Path, *, ours: bool) -> None:
    """Leftovers of a dead attempt go; a folder that is not ours stays, and nothing is written over it."""
    if folder.exists() and not ours:
        raise FileExistsError(f"{folder} exists, but is no finished salvage of this run")
    shutil.rmtree(partial, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial.mkdir(mode=0o700)


def put_aside(folder: Path) -> None:
    """Give way to another of that name; nothing is lost."""
    others = (folder.with_name(f"{folder.name}.{number}") for number in itertools.count(1))
    folder.rename(next(each for each in others if not each.exists()))
