"""One rehearsal of a target at a time, and nothing of a dead one left: neither its databases nor its sessions."""

import asyncio
import shutil
import time
import zlib
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg

from bot.ports import Context, StepError
from bot.runbook.steps import StepName
from integrations.postgres.beside import KINDS, CannotMake, beside, maintenance
from integrations.postgres.connect import Session, rows
from integrations.postgres.drill.practice import PREFIX, Practice
from integrations.postgres.orphans import signal_session
from integrations.postgres.restore import drop_half_made
from integrations.postgres.settings import Limits
from integrations.postgres.template import HALF_MADE

FILE = "drill.sql"
_CLASS = 0x6472696C  # "dril"; a run's own guards are of another class, so a way back never waits for a rehearsal


@asynccontextmanager
async def alone(practice: Practice, limits: Limits) -> AsyncIterator[Session]:
    """A session on the maintenance database that holds the target's rehearsals; ``StepError`` names who has them.

    A rehearsal whose process has died lets go of it by itself, at the latest when its last statement has ended.
    """
    live = practice.names.live
    async with maintenance(practice.at(StepName.BACKUP)) as db:
        lock = {"class": _CLASS, "object": zlib.crc32(live.encode()) & 0x7FFFFFFF}
        deadline = time.monotonic() + limits.orphan_wait
        while not (await rows(db, "guard_try", lock))[0][0]:
            if time.monotonic() > deadline:
                raise _busy(live, await rows(db, "guard_holder", lock))
            await asyncio.sleep(0.05)
        yield db


def _busy(live: str, holders: list[tuple[object, ...]]) -> StepError:
    who = ", ".join(f"{name} (session {pid})" for pid, _, name in holders) or "it has just ended"
    end = ", ".join(f"select pg_terminate_backend({pid})" for pid, *_ in holders)
    return StepError(
        f"Another rehearsal is at work on {live}: {who}.",
        "Wait until it has ended and ask for this one again"
        + (f"; if its bot is dead, end it: {end}." if end else "."),
    )


async def sweep(practice: Practice, db: Session, protected: Collection[str]) -> tuple[str, ...]:
    """Remove what rehearsals of this target have left; what cannot be proven to be theirs is named and stays.

    ``CannotMake`` where that has a name that this rehearsal needs.
    ``db`` must hold the rehearsals, so whatever there is belongs to a dead one, or to the one that is ending.
    """
    for pid, started in await rows(
        db, "drill_sessions", {"database": practice.names.live, "name": _like(PREFIX)}, FILE
    ):
        await signal_session(db, "terminate", f"{pid}@{started}")
    context, left = practice.at(StepName.BACKUP), dict[str, str]()
    for name, run in await _databases(practice, db):
        try:
            if name in protected or name == practice.names.live:
                raise StepError(f"{name} is the database of a target.")
            await drop_half_made(db, _of(context, run), name)
        except (StepError, psycopg.Error) as error:
            why = error.problem if isinstance(error, StepError) else f"{name}: {error.diag.message_primary or error}"
            left[name] = f"⚠️ Left alone: {why}"
    if needed := sorted(left.keys() & {beside(context, kind) for kind in KINDS}):
        raise CannotMake(
            f"{', '.join(needed)} is there, and is not provably a rehearsal's.",
            "Look at it and rename it, then ask again.",
        )
    await asyncio.to_thread(shutil.rmtree, practice.target.backups, ignore_errors=True)
    return tuple(left.values())


async def surely(working: Coroutine[Any, Any, object]) -> None:
    """Finish it whatever happens to the caller, and only then be cancelled."""
    task = asyncio.ensure_future(working)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _databases(practice: Practice, db: Session) -> list[tuple[str, str]]:
    """Every database whose name is one that a rehearsal of this target gives, with that rehearsal's run."""
    context, live = practice.at(StepName.BACKUP), practice.names.live
    likes = [_like(f"{live}_{kind}_{PREFIX}") for kind in KINDS]
    found = []
    for name, comment in await rows(db, "drill_databases", {"likes": likes, "mark": _like(HALF_MADE + PREFIX)}, FILE):
        marked = str(comment or "").removeprefix(HALF_MADE) if str(comment or "").startswith(HALF_MADE) else ""
        named = [str(name).removeprefix(f"{live}_{kind}_") for kind in KINDS if str(name).startswith(f"{live}_{kind}_")]
        for run in (marked, *named):
            if run.startswith(PREFIX) and str(name) in {beside(context, kind, run) for kind in KINDS}:
                found.append((str(name), run))
                break
    return found


def _of(context: Context, run: str) -> Context:
    """The same of another rehearsal."""
    return replace(context, run=replace(context.run, id=run))


def _like(prefix: str) -> str:
    """A LIKE pattern for what begins so."""
    return prefix.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
