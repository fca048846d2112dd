"""What a migration wrote by its own hand, noted in its own transaction: going back does not lose that to anybody."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows
from integrations.postgres.script import Script

_FILE = "losses.sql"
Counts = tuple[int, int, int]  # rows inserted, updated, deleted


@dataclass(frozen=True, kw_only=True)
class Own:
    """``xids``: transactions with their parts; ``counts``: by the table's oid.

    ``unknown``: files of which nothing is noted; ``unsure``: files whose parts could not be told from other sessions'.
    """

    xids: tuple[int, ...] = ()
    counts: Mapping[int, Counts] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


async def ensure_own(db: Session) -> None:
    """Make the table where it is missing; where the role may not, going back is told less exactly, and that is all."""
    if (await rows(db, "own_table", None, _FILE))[0][0]:
        return
    try:
        async with db.transaction():
            await db.execute(blocks(_FILE)["own_create"])
    except psycopg.errors.InsufficientPrivilege:
        return


def note_statement(run: str, script: Script) -> str:
    """The note as SQL text, for psql to run at the end of the file's own transaction; it cannot fail that."""
    return blocks(_FILE)["own_note"].format(run=sql.Literal(run), file=sql.Literal(script.name)).as_string(None)


async def read_own(db: Session, run: str) -> Own:
    """What is noted of a run's files, begun or done."""
    if not (await rows(db, "marker_table"))[0][0]:
        return Own()
    files = {str(each[0]) for each in await rows(db, "markers", {"run": run})}
    noted: list[tuple[object, ...]] = []
    if (await rows(db, "own_table", None, _FILE))[0][0]:
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):  # another role's: as if nothing were noted
            noted = await rows(db, "own", {"run": run}, _FILE)
    return _own(files, noted)


def _own(files: set[str], noted: list[tuple[object, ...]]) -> Own:
    xids: set[int] = set()
    counts: dict[int, Counts] = {}
    unsure = set()
    for file, xid, parts, sure, table, *written in noted:
        oid = int(str(table))
        if oid:
            old = counts.get(oid, (0, 0, 0))
            new = [int(str(each)) for each in written]
            counts[oid] = (old[0] + new[0], old[1] + new[1], old[2] + new[2])
            continue
        xids |= {int(str(xid)), *(parts if isinstance(parts, list) else [])}
        if not sure:
            unsure.add(str(file))
    unknown = files - {str(each[0]) for each in noted}
    return Own(xids=tuple(sorted(xids)), counts=counts, unknown=tuple(sorted(unknown)), unsure=tuple(sorted(unsure)))
