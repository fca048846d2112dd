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

from bot.ports import Address, Attachment, Letter
from bot.runbook import events as e
from bot.runbook.codec import decode, decode_follow_up, decode_plan, encode
from bot.runbook.digest import canonical
from bot.runbook.follow_up import events as after_run
from bot.runbook.follow_up.apply import apply as apply_to_follow_up
from bot.runbook.follow_up.apply import begin as begin_follow_up
from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.preparation import events as before
from bot.runbook.preparation.apply import apply as apply_to_plan
from bot.runbook.preparation.apply import begin as begin_plan
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.run import Run
from bot.views.timeline import Record

Connection = AsyncConnection[Any]
_FOLDER = Path(__file__).parent / "sql"
_LOG_LINES = 500  # of a run, for its report


@cache
def _queries() -> Mapping[str, LiteralString]:
    blocks = re.split(r"^-- name: (\w+)\n", (_FOLDER / "queries.sql").read_text("utf-8"), flags=re.MULTILINE)
    texts = (re.sub(r"^--.*\n", "", block, flags=re.MULTILINE).strip().rstrip(";") for block in blocks[2::2])
    return cast(Mapping[str, LiteralString], dict(zip(blocks[1::2], texts, strict=True)))


def query(name: str) -> LiteralString:
    """The named statement."""
    return _queries()[name]


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

    @property
    def plan_event(self) -> before.Event:
        """The same, of a plan's ledger."""
        return decode_plan(self.kind, self.body)

    @property
    def follow_up_event(self) -> after_run.Event:
        """The same, of a follow-up's ledger."""
        return decode_follow_up(self.kind, self.body)


def chained(previous: str, run_id: str, entry: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and everything the line says: changing, removing or reordering one breaks it."""
    line = {name: entry[name] for name in ("seq", "at", "actor", "kind", "body")}
    return hashlib.sha256((previous + canonical({"run": run_id, **line})).encode()).hexdigest()


async def append(
    conn: Connection,
    run_id: str,
    events: Iterable[e.Event | before.Event | after_run.Event],
    *,
    seq: int,
    head: str,
    at: float,
    actor: str,
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


async def plan_entries(conn: Connection, plan_id: str, *, after: int = 0) -> list[Entry]:
    """The ledger of a plan from a version on, in order; empty for anything else."""
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(_queries()["plan_events"], {"id": plan_id, "seq": after})
        return await cursor.fetchall()


async def follow_up(conn: Connection, follow_up_id: str) -> FollowUp | None:
    """The follow-up as its ledger has it now; ``None`` where there is none of that id."""
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(_queries()["follow_up_events"], {"id": follow_up_id})
        entries = await cursor.fetchall()
    found: FollowUp | None = None
    for event in (each.follow_up_event for each in entries):
        if found is not None:
            found = apply_to_follow_up(found, event)
        elif isinstance(event, after_run.FollowUpBegan):
            found = begin_follow_up(follow_up_id, event)
    return found


async def record(conn: Connection, run_id: str) -> Record:
    """Everything that happened in a run, the newest of what its steps' programs said, and the plan it came of."""
    lines = await rows(conn, "log_lines", run_id=run_id, limit=_LOG_LINES)
    events = [each.event for each in await entries(conn, run_id)]
    first = events[0] if events else None
    return Record(
        events=tuple(events),
        logs=tuple(f"[{step}] {line}" for step, _, line in lines),
        preparation=await preparation(conn, first.plan.preparation) if isinstance(first, e.Started) else None,
        follow_up=await follow_up(conn, follow_up_id(run_id)),
    )


async def preparation(conn: Connection, plan_id: str) -> Preparation | None:
    """The plan as its ledger has it now; ``None`` where there is none of that id."""
    found: Preparation | None = None
    for entry in await plan_entries(conn, plan_id):
        event = entry.plan_event
        if found is not None:
            found = apply_to_plan(found, event)
        elif isinstance(event, before.Planned):
            found = begin_plan(plan_id, event)
    return found


async def save(conn: Connection, run: Run, head: str) -> None:
    """Keep the run's row in step with its ledger."""
    await execute(
        conn, "update_run", id=run.id, state=run.state.value, active=not run.final, version=run.version, head=head
    )


async def save_plan(conn: Connection, plan: Preparation, head: str) -> None:
    """Keep the plan's row in step with its ledger."""
    await execute(
        conn, "update_plan", id=plan.id, state=plan.stage.value, open=not plan.final, version=plan.version, head=head
    )


async def save_follow_up(conn: Connection, found: FollowUp, head: str) -> None:
    """Keep the follow-up's row in step with its ledger."""
    state, following = found.stage.value, not found.final
    await execute(
        conn, "update_follow_up", id=found.id, state=state, following=following, version=found.version, head=head
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
    file_name: str | None
    file_title: str | None
    file_text: str | None
    file_alt: str | None
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
            file=self.file,
        )

    @property
    def file(self) -> Attachment | None:
        if self.file_name is None:
            return None
        return Attachment(
            name=self.file_name, title=self.file_title or "", text=self.file_text or "", alt=self.file_alt or ""
        )

    @property
    def address(self) -> Address | None:
        return Address(channel=self.at, ts=self.ts) if self.ts else None


def follow_up_id(run_id: str) -> str:
    """The id of what follows a run: there is never more than one."""
    return f"f-{run_id}"


async def put_letter(conn: Connection, letter: Letter) -> None:
    """Into the outbox; the same key twice is one letter."""
    file = letter.file
    await execute(
        conn,
        "put_letter",
        key=letter.key,
        run_id=letter.run_id,
        channel=letter.channel,
        thread=letter.thread,
        pin=letter.pin,
        payload=Jsonb(letter.payload),
        file_name=file.name if file else None,
        file_title=file.title if file else None,
        file_text=file.text if file else None,
        file_alt=file.alt or None if file else None,
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
