"""What a session does, as the server shows it: relations, their files, locks and the write-ahead log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.postgres.connect import Session, rows
from integrations.postgres.risk.model import Lock

FILE = "drill.sql"
_MODES = {f"{mode.words.title().replace(' ', '')}Lock": mode for mode in Lock}
Held = Mapping[int, Lock]  # the strongest of each relation, by its oid
Files = Mapping[int, int]  # relfilenode by oid


@dataclass(frozen=True, kw_only=True)
class Known:
    """The relations there were before the migration; only they are spoken of, by the names they had then."""

    names: Mapping[int, str]
    kinds: Mapping[int, str]
    files: Files

    def named(self, held: Held) -> dict[str, Lock]:
        """Locks by name, without those on indexes, sequences and what is new."""
        found: dict[str, Lock] = {}
        for oid, mode in held.items():
            if name := self.names.get(oid):
                found[name] = max(mode, found.get(name, mode))
        return found

    @property
    def foreign(self) -> frozenset[str]:
        return frozenset(name for oid, name in self.names.items() if self.kinds[oid] == "f")

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(name for oid, name in self.names.items() if self.kinds[oid] in "rp")


async def read_known(db: Session) -> Known:
    """The relations as they are now."""
    found = [
        (int(str(oid)), str(name), str(kind), int(str(file)))
        for oid, name, kind, file in await rows(db, "relations", None, FILE)
    ]
    return Known(
        names={oid: name for oid, name, *_ in found},
        kinds={oid: kind for oid, _, kind, _ in found},
        files={oid: file for oid, _, kind, file in found if kind in "rm"},
    )


async def files_of(db: Session, oids: Iterable[int]) -> Files:
    """The files of these tables now, in the eyes of that very session."""
    found = await rows(db, "files", {"oids": list(oids)}, FILE)
    return {int(str(oid)): int(str(file)) for oid, file in found}


async def locks_of(eye: Session, pid: int) -> dict[int, Lock]:
    """What that session holds or waits for."""
    found: dict[int, Lock] = {}
    for oid, mode in await rows(eye, "locks_of", {"pid": pid}, FILE):
        lock, number = _MODES[str(mode)], int(str(oid))
        found[number] = max(lock, found.get(number, lock))
    return found


async def waits(eye: Session, pid: int) -> bool:
    """Does that session wait for a lock?"""
    return bool((await rows(eye, "waits", {"pid": pid}, FILE))[0][0])


async def wal_of(eye: Session) -> int:
    """Bytes of write-ahead log of the whole server, since it was made."""
    return int(str((await rows(eye, "wal", None, FILE))[0][0]))


def taken(before: Held, now: Held) -> dict[int, Lock]:
    """Locks that are new or stronger."""
    return {oid: mode for oid, mode in now.items() if mode > before.get(oid, 0)}


def strongest(locks: Mapping[str, Lock]) -> tuple[str, str]:
    """The strongest lock in PostgreSQL's words and what it is on; of equals the first by name."""
    if not locks:
        return "", ""
    name = min(locks, key=lambda each: (-locks[each], each))
    return locks[name].words, name
