"""What is noted of a standby copy: in the copy itself, where it is the proof, and beside the backup, to be read fast.

Its SHA-256 is in the ledger, so neither can be another than the one that was proven.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bot.ports import Context, StepError
from bot.runbook.digest import canonical
from bot.runbook.steps import Standby, StepName
from integrations.postgres.baseline import Baseline, from_json
from integrations.postgres.beside import FILE, CannotMake, dsn_of
from integrations.postgres.blocks import blocks
from integrations.postgres.carry import Around
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.manifest import run_folder, write_durably


@dataclass(frozen=True, kw_only=True)
class Note:
    """``fingerprint``: the copy's schema; ``baseline``: where it stands; ``around``: what it is to be given.

    ``by_hand``: statements for a superuser without which it is not yet like the original.  ``seconds``: how long making
    it took.
    """

    kind: Standby
    fingerprint: str
    around: Around
    seconds: float
    bytes: int
    baseline: Baseline | None = None
    by_hand: str = ""

    @property
    def text(self) -> str:
        """The same as JSON, always in the same order."""
        values: dict[str, Any] = {name: getattr(self, name) for name in ("fingerprint", "around", "bytes", "by_hand")}
        base = self.baseline.to_json() if self.baseline else None
        return canonical(values | {"kind": self.kind.value, "seconds": f"{self.seconds:.3f}", "baseline": base})

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(text: str) -> Note | None:
    """A note from its JSON; ``None`` where it is none."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        values: dict[str, Any] = json.loads(text)
        base = values.pop("baseline")
        values["kind"], values["seconds"] = Standby(values["kind"]), float(values["seconds"])
        return Note(baseline=from_json(base) if base else None, **values)
    return None


async def write(db: Session, context: Context, note: Note) -> None:
    """Into the copy, on a session there; one transaction, so it is noted entirely or not at all."""
    file = file_of(context)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.unlink(missing_ok=True)
    write_durably(file, note.text.encode())
    async with db.transaction():
        await db.execute(blocks(FILE)["gone_back_create_schema"])
        await db.execute(blocks(FILE)["standby_create"])
        await db.execute(blocks(FILE)["standby_note"], {"run": context.run.id, "note": note.text})


async def announce_copy(context: Context, name: str) -> None:
    """Into the original, before it is copied: a copy that has this line is this run's own."""
    async with session(context.target.dsn, context.application_name) as db:
        try:
            async with db.transaction():
                await db.execute(blocks(FILE)["gone_back_create_schema"])
                await db.execute(blocks(FILE)["copies_create"])
                await db.execute(blocks(FILE)["copies_note"], {"run": context.run.id, "name": name})
        except psycopg.errors.InsufficientPrivilege as error:
            raise CannotMake(
                f"The role of the target may not use the schema “migrate_bot”: {error.diag.message_primary}",
                "As the database's owner: GRANT CREATE ON DATABASE … TO the role; then type /migrate retry.",
            ) from error


async def noted_in(context: Context, database: str) -> Note | None:
    """What the database itself says of being this run's standby copy."""
    async with session(dsn_of(context, database), context.application_name) as db:
        return await noted_here(db, context.run.id)


async def noted_here(db: Session, run: str) -> Note | None:
    """The same, on a session there."""
    if not (await rows(db, "own_table", {"name": "standby"}, FILE))[0][0]:
        return None
    found = await rows(db, "standby", {"run": run}, FILE)
    return read(str(found[0][0])) if found else None


def file_of(context: Context) -> Path:
    """Where the note is kept beside the backup."""
    folder = run_folder(context.target.backups.absolute(), context.run.id)
    return folder.with_name(folder.name + ".standby") / "note.json"


def recorded(context: Context) -> Mapping[str, str]:
    """The facts of the step that made the standby copy; empty where there was none."""
    done = context.run.result(StepName.STANDBY)
    return dict(done.facts) if done else {}


async def noted(context: Context, database: str, *, is_open: bool) -> Note:
    """The note as it was recorded; ``StepError`` where the copy or the file no longer says the same."""
    wanted = recorded(context).get("baseline", "")
    note = await noted_in(context, database) if is_open else _from_file(context)
    if note is None or note.sha256 != wanted:
        raise StepError(
            f"{database} is not the standby copy that this run has proven.",
            "Look at what was done to it; choose another way back meanwhile.",
        )
    return note


def _from_file(context: Context) -> Note | None:
    """For a copy that takes no connections: the switch has closed it, so it was looked at before."""
    with contextlib.suppress(OSError):
        return read(file_of(context).read_text())
    return None
