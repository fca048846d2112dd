"""Where a copy of the database stands: everything needed later to say what was written since."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from integrations.postgres.catalog import HIDDEN
from integrations.postgres.connect import Session, rows
from integrations.postgres.manifest import Manifest

FILE = "losses.sql"
Counters = Mapping[str, tuple[int, int, int]]  # "schema.table" -> rows inserted, updated, deleted
WRAP = 2**32  # a row remembers only this much of the number of the transaction that wrote it


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """``at``: ISO 8601 UTC, the server's clock; ``snapshot``: ``xmin:xmax:xip,…`` of pg_current_snapshot().

    All tables are "schema.table".  ``counters``: rows inserted, updated, deleted as pg_stat_user_tables has them.
    ``filenodes`` show which tables were rewritten since, ``oids`` which were renamed.  ``rows``: count, exact?
    ``parts``: subtransactions that were open with their transactions; ``None`` where they could not be found out.
    """

    at: str
    lsn: str
    snapshot: str
    counters: Counters = field(default_factory=dict)
    stats_reset: str = ""
    commits: int = 0
    filenodes: Mapping[str, int] = field(default_factory=dict)
    oids: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    parts: tuple[int, ...] | None = None

    @property
    def oldest(self) -> int:
        """Every transaction before this one had ended."""
        return int(self.snapshot.split(":")[0])

    @property
    def next(self) -> int:
        """The first transaction of which nothing is in the copy."""
        return int(self.snapshot.split(":")[1])

    @property
    def open(self) -> tuple[int, ...]:
        """Transactions, with their known parts, that were at work: nothing of them is in the copy."""
        listed = self.snapshot.split(":")[2]
        return (*(int(each) for each in listed.split(",") if each), *(self.parts or ()))

    @property
    def moment(self) -> str:
        """``14:02:11 UTC``."""
        return datetime.fromisoformat(self.at).strftime("%H:%M:%S UTC")

    def to_json(self) -> dict[str, Any]:
        """As the manifest keeps it."""
        return asdict(self)


def from_json(values: Mapping[str, Any]) -> Baseline:
    """Read what ``to_json`` wrote, of this version or a later one; ``ValueError`` or ``KeyError`` for anything else."""
    known = {each.name for each in fields(Baseline)}
    found = {name: value for name, value in values.items() if name in known}
    for name in ("counters", "rows"):
        found[name] = {table: tuple(figures) for table, figures in found.get(name, {}).items()}
    if found.get("parts") is not None:
        found["parts"] = tuple(found["parts"])
    return Baseline(**found)


def baseline_of(manifest: Manifest) -> Baseline | None:
    """Where the backup stands, with its row counts; ``None`` for a backup of an earlier version of the bot."""
    if manifest.baseline is None:
        return None
    return replace(from_json(manifest.baseline), rows=manifest.rows)


async def read_counters(db: Session) -> Counters:
    """How often rows were written so far, as far as sessions have reported it."""
    return _counters(await rows(db, "tables", {"hidden": HIDDEN}, FILE))


async def take_baseline(db: Session, exported: str = "", counters: Counters | None = None) -> Baseline:
    """Read it on an open session; inside REPEATABLE READ it is of that very snapshot, which may be ``exported``.

    Where others write meanwhile, ``counters`` must have been read before the snapshot was taken: so an act that is not
    in the copy is never in them, and the statistics count too much since then, but never too little.
    """
    ((at, lsn, snapshot, reset, commits, version),) = await rows(db, "baseline", None, FILE)
    tables = await rows(db, "tables", {"hidden": HIDDEN}, FILE)
    names = [f"{each[0]}.{each[1]}" for each in tables]
    base = Baseline(
        at=str(at),
        lsn=str(lsn),
        snapshot=str(snapshot),
        counters=_counters(tables) if counters is None else counters,
        stats_reset=str(reset),
        commits=int(str(commits)),
        filenodes={name: int(str(each[3] or 0)) for name, each in zip(names, tables, strict=True)},
        oids={name: int(str(each[2])) for name, each in zip(names, tables, strict=True)},
    )
    return replace(base, parts=await _parts(db, base, exported, int(str(version))))


async def _parts(db: Session, base: Baseline, exported: str, version: int) -> tuple[int, ...] | None:
    """Subtransactions open at the snapshot: it does not list them, and their rows are not in the copy."""
    if not base.open:
        return ()
    if exported and (await rows(db, "may_read_files", None, FILE))[0][0]:
        text = str((await rows(db, "exported", {"name": f"pg_snapshots/{exported}"}, FILE))[0][0])
        if "sof:1" in text.splitlines():
            return None
        return tuple(int(line[4:]) for line in text.splitlines() if line.startswith("sxp:"))
    if version < 160000:
        return None
    await rows(db, "remember_backends", None, FILE)
    doubtful = await rows(db, "doubtful", {"open": [str(each % WRAP) for each in base.open]}, FILE)
    return None if doubtful else ()


def _counters(tables: Sequence[Sequence[object]]) -> Counters:
    return {f"{each[0]}.{each[1]}": _three(each[5:8]) for each in tables}


def _three(figures: Sequence[object]) -> tuple[int, int, int]:
    inserted, updated, deleted = (int(str(each)) for each in figures)
    return inserted, updated, deleted
