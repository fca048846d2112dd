"""The record of a run: verified, shown, exported."""

import datetime
import json
from collections.abc import Awaitable, Callable, Sequence

from bot import store
from bot.engine import Engine, UnknownRun


class LedgerError(Exception):
    """The chain of hashes is broken; the text says where."""


async def verify(engine: Engine, run_id: str) -> str:
    """Recompute every hash; raises ``LedgerError`` at the first line that does not fit."""
    entries, head = await _read(engine, run_id)
    check(run_id, entries, head)
    return f"The ledger of {run_id} is whole: {len(entries)} lines, head {head}."


def check(run_id: str, entries: Sequence[store.Entry], head: str) -> None:
    """Raise ``LedgerError`` unless every line fits the one before, and the last one the head."""
    before = ""
    for expected, entry in enumerate(entries, 1):
        line = {name: getattr(entry, name) for name in ("seq", "at", "actor", "kind", "body")}
        before = store.chained(before, run_id, line)
        if entry.seq != expected or entry.hash != before:
            raise LedgerError(
                f"The ledger of {run_id} is not what was written: line {expected} does not fit the chain. "
                "Compare the record hashes in Slack's status posts to see from when on, and keep a copy of the store."
            )
    if before != head:
        raise LedgerError(
            f"The ledger of {run_id} was cut short: its last lines are missing. Restore the store's backup."
        )


async def show(engine: Engine, run_id: str) -> str:
    """One line an event, for people."""
    entries, _ = await _read(engine, run_id)
    return "\n".join(
        f"{entry.seq:4} {_utc(entry.at)} {entry.actor:12} {entry.kind:16} {entry.body}" for entry in entries
    )


async def export(engine: Engine, run_id: str) -> str:
    """The whole record as JSON: the run, its head, and every line with its hash."""
    entries, head = await _read(engine, run_id)
    state = await _state(engine, run_id)
    lines = [
        {"seq": each.seq, "at": each.at, "actor": each.actor, "kind": each.kind, "event": json.loads(each.body),
         "body": each.body, "hash": each.hash}
        for each in entries
    ]  # fmt: skip
    return json.dumps({"run": run_id, "state": state, "head": head, "events": lines}, indent=1, ensure_ascii=False)


async def _read(engine: Engine, run_id: str) -> tuple[list[store.Entry], str]:
    async with engine.connection() as conn:
        found = await store.rows(conn, "ledger_head", id=run_id)
        if not found:
            raise UnknownRun(run_id)
        return await store.entries(conn, run_id), found[0][1]


async def _state(engine: Engine, run_id: str) -> str:
    async with engine.connection() as conn:
        ((state,),) = await store.rows(conn, "state_of", id=run_id)
    return str(state)


def _utc(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


COMMANDS: dict[str, Callable[[Engine, str], Awaitable[str]]] = {"verify": verify, "show": show, "export": export}
