"""The bot's table in the target: which file was applied by which run.

A row is written in the file's own transaction, so an unknown outcome is settled by looking, not by guessing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from bot.ports import StepError
from bot.runbook.run import Database
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows
from integrations.postgres.own import ensure_own
from integrations.postgres.script import Script

_Q = "queries.sql"


@dataclass(frozen=True, kw_only=True)
class Marker:
    """``state`` is ``done``, or ``begun`` for a file that no transaction can hold."""

    file: str
    sha256: str
    state: str
    at: str


async def ensure_table(db: Session) -> None:
    """Make the schema and its tables where they are missing; ``StepError`` when the role may not."""
    if not (await rows(db, "marker_table"))[0][0]:
        await _create(db)
    await ensure_own(db)


async def _create(db: Session) -> None:
    try:
        async with db.transaction():
            await db.execute(blocks(_Q)["marker_create_schema"])
            await db.execute(blocks(_Q)["marker_create"])
    except psycopg.errors.InsufficientPrivilege as error:
        raise StepError(
            "The role of the target may not create the schema “migrate_bot”, where applied files are noted.",
            "As the database's owner: GRANT CREATE ON DATABASE … TO the role; then type /migrate retry.",
            database=Database.UNTOUCHED,
        ) from error


async def read_markers(db: Session, run: str) -> Mapping[str, Marker]:
    """What a run has begun and done, by file."""
    if not (await rows(db, "marker_table"))[0][0]:
        return {}
    found = await rows(db, "markers", {"run": run})
    return {str(file): Marker(file=str(file), sha256=str(sha), state=str(state), at=str(at))
            for file, sha, state, at in found}  # fmt: skip


async def earlier(db: Session, run: str, scripts: tuple[Script, ...]) -> tuple[str, ...]:
    """Warnings about files whose very bytes another run has applied here."""
    if not (await rows(db, "marker_table"))[0][0]:
        return ()
    found = await rows(db, "earlier_markers", {"run": run, "sha256": [each.sha256 for each in scripts]})
    return tuple(f"⚠️ {file} was applied before, by run {other} at {at}." for file, other, at in found)


async def mark(db: Session, run: str, script: Script, state: str) -> None:
    """Note a file that no transaction can hold as begun or done."""
    await db.execute(blocks(_Q)["mark"], _values(run, script, state))


async def unmark(db: Session, run: str, script: Script) -> None:
    """Forget a begun file that is proven to have done nothing."""
    await db.execute(blocks(_Q)["unmark"], {"run": run, "file": script.name})


def insert_statement(run: str, script: Script) -> str:
    """The same note as SQL text, for psql to run in the file's own transaction."""
    values = map(sql.Literal, (run, script.name, script.sha256))
    statement = "INSERT INTO migrate_bot.applied (run_id, file, sha256, state) VALUES ({}, {}, {}, 'done')"
    return sql.SQL(statement).format(*values).as_string(None)


def settled(scripts: tuple[Script, ...], markers: Mapping[str, Marker]) -> tuple[Script, ...]:
    """The files that are in; ``StepError`` if one went in with other bytes than it has now."""
    done = []
    for script in scripts:
        marker = markers.get(script.name)
        if marker is None:
            continue
        if marker.sha256 != script.sha256:
            raise StepError(
                f"{script.name} was {marker.state} by this run with other content (sha256 {marker.sha256[:12]}…).",
                "Put the file back as it was, then type /migrate retry; or roll back.",
                database=Database.CHANGED if marker.state == "done" else Database.UNKNOWN,
            )
        if marker.state == "done":
            done.append(script)
    return tuple(done)


def _values(run: str, script: Script, state: str) -> dict[str, str]:
    return {"run": run, "file": script.name, "sha256": script.sha256, "state": state}
