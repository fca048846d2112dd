"""The outbox for everything outside of the channel: notices, each told once.  Works in the caller's transaction."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from bot import store
from bot.outside import Body, Medium, Notice
from bot.runbook.codec import build, plain

_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in typing.get_args(Body)}


@dataclass(frozen=True, kw_only=True)
class WaitingNotice:
    """A notice that is not told yet.  ``outdated``: a later one about the same thing waits as well."""

    seq: int
    key: str
    run_id: str
    target: str
    medium: str
    about: str
    kind: str
    body: Mapping[str, object]
    tries: int
    put_at: float
    due: float
    outdated: bool

    @property
    def notice(self) -> Notice:
        """As it was written; raises ``ValueError`` for a kind that this version does not know."""
        if self.kind not in _KINDS:
            raise ValueError(f"A newer version of the bot wrote the notice {self.key} ({self.kind}). Upgrade this one.")
        body: Body = build(_KINDS[self.kind], dict(self.body))
        return Notice(
            key=self.key, run_id=self.run_id, target=self.target, medium=Medium(self.medium), about=self.about,
            body=body,
        )  # fmt: skip


async def put_notice(conn: store.Connection, notice: Notice, *, at: float) -> None:
    """Into the outbox; the same key twice is one notice."""
    await store.execute(
        conn,
        "put_notice",
        key=notice.key,
        run_id=notice.run_id,
        target=notice.target,
        medium=notice.medium.value,
        about=notice.about,
        kind=type(notice.body).__name__,
        body=Jsonb(plain(notice.body)),
        at=at,
    )


async def waiting_notices(conn: store.Connection, run_id: str, medium: str) -> list[WaitingNotice]:
    """What a medium is still to be told of a run, oldest first."""
    async with conn.cursor(row_factory=class_row(WaitingNotice)) as cursor:
        await cursor.execute(store.query("waiting_notices"), {"run_id": run_id, "medium": medium})
        return await cursor.fetchall()


async def settle(conn: store.Connection, notice: WaitingNotice, state: str) -> int:
    """How it came out; how many earlier ones need not be told any more because this one was."""
    await store.execute(conn, "settle_notice", key=notice.key, state=state)
    if state != "told":
        return 0
    return await store.execute(
        conn, "overtaken_notices", run_id=notice.run_id, medium=notice.medium, about=notice.about, seq=notice.seq
    )
