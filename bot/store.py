"""The bot's own PostgreSQL store: the ledger and the outbox.  Every function works in the caller's transaction.

SQL lives in ``sql/queries.sql`` as named blocks; rows become objects here and nowhere else.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, cast

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from bot.ports import Address, Letter
from bot.runbook import events as e
from bot.runbook.codec import decode, encode
from bot.runbook.digest import canonical
from bot.runbook.run import Run

Connection = AsyncConnection[Any]
_FOLDER = Path(__file__).parent / "sql"


@cache
def _queries() -> Mapping[str, LiteralString]:
    blocks = re.split(r"^-- name: (\w+)\n", (_FOLDER / "queries.sql").read_text("utf-8"), flags=re.MULTILINE)
    texts = (re.sub(r"^--.*\n", "", block, flags=re.MULTILINE).strip().rstrip(";") for block in blocks[2::2])
    return cast(Mapping[str, LiteralString], dict(zip(blocks[1::2], texts, strict=True)))


def schema() -> LiteralString:
    """The store's own tables, safe to run again."""
    return (_FOLDER / "schema.sql").read_text("utf-8")


async def execute(conn: Connection, query: str, /, **values: Any) -> int:
    """Run the named statement; how many rows it touched."""
    return (await conn.execute(_queries()[query], values)).rowcount


async def rows(conn: Connection, query: str, /, **values: Any) -> list[tuple[Any, ...]]:
    """The rows of the named query."""
    return await (await conn.execute(_queries()[query], values)).fetchall()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the ledger, as it is stored."""

    seq: int
    at: float
    actor: str
    kind: str
    body: str
    hash: str

    @property
    def event(self) -> e.Event:
        return decode(self.kind, self.body)


def chained(previous: str, run_id: str, entry: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and everything the line says: changing, removing or reordering one breaks it."""
    line = {name: entry[name] for name in ("seq", "at", "actor", "kind", "body")}
    return hashlib.sha256((previous + canonical({"run": run_id, **line})).encode()).hexdigest()


async def append(
    conn: Connection, run_id: str, events: Iterable[e.Event], *, seq: int, head: str, at: float, actor: str
) -> str:
    """Write ``events`` after version ``seq``; the new head hash."""
    for number, event in enumerate(events, seq + 1):
        kind, body = encode(event)
        line = {"seq": number, "at": at, "actor": actor, "kind": kind, "body": body}
        head = chained(head, run_id, line)
        await execute(conn, "append_event", run_id=run_id, hash=head, **line)
    return head


async def entries(conn: Connection, run_id: str, *, after: int = 0) -> list[Entry]:
    """The ledger of a run, in order."""
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(_queries()["events_after"], {"id": run_id, "seq": after})
        return await cursor.fetchall()


async def save(conn: Connection, run: Run, head: str) -> None:
    """Keep the run's row in step with its ledger."""
    await execute(
        conn, "update_run", id=run.id, state=run.state.value, active=not run.final, version=run.version, head=head
    )


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A message of the outbox and how far it got.  ``wanted`` and ``posted`` count its forms."""

    key: str
    run_id: str
    channel: str
    thread: str
    pin: bool
    payload: Mapping[str, object]
    wanted: int
    posted: int
    trying: bool
    at: str
    ts: str

    @property
    def letter(self) -> Letter:
        return Letter(
            key=self.key,
            run_id=self.run_id,
            channel=self.channel,
            payload=self.payload,
            thread=self.thread,
            pin=self.pin,
        )

    @property
    def address(self) -> Address | None:
        return Address(channel=self.at, ts=self.ts) if self.ts else None


async def put_letter(conn: Connection, letter: Letter) -> None:
    """Into the outbox; the same key twice is one letter."""
    await execute(
        conn,
        "put_letter",
        key=letter.key,
        run_id=letter.run_id,
        channel=letter.channel,
        thread=letter.thread,
        pin=letter.pin,
        payload=Jsonb(letter.payload),
    )


async def redraw(conn: Connection, key: str, payload: Mapping[str, object]) -> int:
    """A letter should look different; 0 when it already does."""
    return await execute(conn, "redraw_letter", key=key, payload=Jsonb(payload))


async def waiting_letters(conn: Connection, run_id: str) -> list[Waiting]:
    """What of a run is not delivered yet, oldest first."""
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        await cursor.execute(_queries()["waiting_letters"], {"run_id": run_id})
        return await cursor.fetchall()


async def letter(conn: Connection, key: str) -> Waiting | None:
    """One letter by its key."""
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        await cursor.execute(_queries()["letter"], {"key": key})
        return await cursor.fetchone()
