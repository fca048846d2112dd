"""A dump's data files packed with igzip while pg_dump is still writing them: for a client whose gzip is the slow part.

pg_restore takes ``NNNN.dat.gz`` where there is no ``NNNN.dat``, and gzip files may have many members (RFC 1952, 2.2).
So every piece is packed by itself, and its place in the raw file given back at once where the file system can.
"""

import asyncio
import ctypes
import os
import struct
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isal import isal_zlib

from bot.advice import explain
from bot.ports import StepError
from bot.runbook.run import Database
from integrations.process import Exit

LEVEL = 1  # 0 is a third larger, 2 and 3 are slower and no smaller
HOW = f"packed by the bot as it is written: igzip, level {LEVEL}, each .dat becomes .dat.gz"
PIECE = 4 * 2**20  # bytes; gzip's window is 32 kB, so cutting costs nothing
LEAST = 2**16  # bytes of a file that has stopped growing
EVERY = 0.05  # seconds between two looks at what has grown
_GZIP = 31  # wbits: the largest window, with gzip's header and checksum (zlib manual, deflateInit2)
_ERROR: type[Exception] = isal_zlib.IsalError  # type: ignore[assignment]  # its stub says an instance
_HEADER = struct.Struct("5sBB3xBBx")  # of which the version's third part and the sizes of numbers do not matter here
_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # fallocate(2)


@dataclass
class _File:
    """How far a raw file was packed, and its size at the last look."""

    raw: Path
    packed: int = 0
    size: int = 0

    @property
    def gz(self) -> Path:
        return self.raw.with_name(self.raw.name + ".gz")


async def packed(folder: Path, jobs: int, dumping: Coroutine[Any, Any, Exit]) -> Exit:
    """Run ``dumping`` and pack what it writes into ``folder``, ``jobs`` files at a time; when it ended well, the rest.

    Afterwards everything in ``folder`` is on disk.  ``StepError`` when packing fails; then ``dumping`` was stopped.
    """
    files: dict[str, _File] = {}
    pool = ThreadPoolExecutor(jobs, "pack")
    task = asyncio.ensure_future(dumping)
    try:
        pause = EVERY
        while not (await asyncio.wait({task}, timeout=pause))[0]:
            began = time.monotonic()
            grown = await asyncio.to_thread(_grown, folder, files)
            pause = max(EVERY, 4 * (time.monotonic() - began))  # a folder of very many files is looked at less often
            await _each(pool, _advance, grown)
        if (ended := task.result()).ok:
            await asyncio.to_thread(_grown, folder, files)
            await _each(pool, _finish, files.values())
            await asyncio.to_thread(_say_gzip, folder / "toc.dat")
            await asyncio.to_thread(_sync_others, folder)
        return ended
    except (OSError, _ERROR) as error:
        raise _failed(error) from error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(pool.shutdown, cancel_futures=True)  # nobody writes here any more


async def _each(pool: ThreadPoolExecutor, work: Callable[[_File], None], files: Iterable[_File]) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(pool, work, file) for file in files))


def _grown(folder: Path, files: dict[str, _File]) -> list[_File]:
    """What is worth packing now: a whole piece, or what a file ends with that nobody writes to at the moment."""
    found = []
    for raw in _raw_files(folder):
        file = files.setdefault(raw.name, _File(raw))
        before, file.size = file.size, raw.stat().st_size
        if file.size - file.packed >= (LEAST if file.size == before else PIECE):
            found.append(file)
    return found


def _raw_files(folder: Path) -> list[Path]:
    """Tables' and large objects' data; the tables of contents stay as they are."""
    try:
        return [folder / name for name in os.listdir(folder) if name.endswith(".dat") and name != "toc.dat"]
    except FileNotFoundError:
        return []


def _advance(file: _File) -> None:
    """Pack what there was at the last look."""
    with file.raw.open("r+b") as raw, open(os.open(file.gz, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as gz:
        while file.packed < file.size:
            raw.seek(file.packed)
            piece = raw.read(min(PIECE, file.size - file.packed))
            if not piece:
                raise OSError(f"{file.raw.name} became shorter while it was packed")
            gz.write(isal_zlib.compress(piece, LEVEL, _GZIP))
            _give_back(raw.fileno(), file.packed, len(piece))
            file.packed += len(piece)


def _finish(file: _File) -> None:
    _advance(file)
    if not file.size:
        file.gz.write_bytes(isal_zlib.compress(b"", LEVEL, _GZIP))  # an empty large object
    _sync(file.gz)
    file.raw.unlink()


def _give_back(handle: int, start: int, length: int) -> None:
    """Free that part of the file (Linux); where it cannot be, the file only takes its place until the end.

    It was written once and is never read again, so packing needs the packed size and little more.
    """
    if punch := getattr(ctypes.CDLL(None), "fallocate", None):
        punch(handle, _KEEP_SIZE | _PUNCH_HOLE, ctypes.c_int64(start), ctypes.c_int64(length))


def _say_gzip(toc: Path) -> None:
    """Let the table of contents say what the files are now: then pg_restore finds their sizes, and begins the largest.

    The header is pg_backup_archiver.c's (WriteHead): the format's version, 3 (a directory's says tar), then the
    compression: since 1.15 an algorithm (1 is gzip), before that a level, written as its sign and its bytes.  Others
    are left alone.
    """
    with toc.open("r+b") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return
        magic, major, minor, form, compression = _HEADER.unpack(head)
        if (magic, major, form) == (b"PGDMP", 1, 3) and 12 <= minor <= 16 and compression == 0:
            file.seek(11 if minor >= 15 else 12)
            file.write(b"\1")


def _sync_others(folder: Path) -> None:
    for path in folder.iterdir():
        if path.suffix != ".gz":
            _sync(path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _failed(error: Exception) -> StepError:
    said = str(error)
    return StepError(f"The dump could not be packed: {said}", explain("", said), database=Database.UNTOUCHED)
