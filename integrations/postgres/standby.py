"""The standby copy: the database as it is before the migration, proven, under a name one renaming away.

Without it a run goes on, and says so loudly; a backup that does not restore ends it.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import replace

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.run import Database
from bot.runbook.samples import Verdict
from bot.runbook.steps import Standby as Kind
from integrations.postgres import note as notes
from integrations.postgres.baseline import baseline_of, take_baseline
from integrations.postgres.beside import STANDBY, CannotMake, Names, dsn_of, exclusively, maintenance, names_of
from integrations.postgres.carry import ByHand, around, carry, finish, properties
from integrations.postgres.catalog import difference, fingerprint, read_catalog
from integrations.postgres.connect import Session, session
from integrations.postgres.note import Note
from integrations.postgres.orphans import guarded
from integrations.postgres.rehearse import rehearse
from integrations.postgres.restore import drop_half_made, make
from integrations.postgres.settings import Limits
from integrations.postgres.template import HALF_MADE, PATIENCE, copy_template, require_room, size_of
from integrations.postgres.whole import whole_backup
from integrations.postgres.words import human_bytes

Facts = Mapping[str, str]
_HOW = {
    Kind.RESTORE: "Restore the backup into {side} and compare it with the backup: this proves that it restores.",
    Kind.TEMPLATE: "Let the server copy {live} to {side}; the services are stopped, so it is exactly the state before.",
}


class Standby:
    """Makes it in the way the plan says, and rehearses the plan's DOWN scripts on a copy of it.

    ``patience``: seconds to wait for sessions that keep the database from being copied.
    """

    def __init__(self, limits: Limits, *, patience: float = PATIENCE) -> None:
        self._limits = limits
        self._patience = patience

    async def describe(self, context: Context) -> Description:
        """Which copy, how, and what is tried on it."""
        kind, names = context.run.plan.standby, names_of(context, STANDBY)
        how = _HOW[kind].format(live=names.live, side=names.side)
        down = context.run.plan.down
        lines = (how, *([f"Try the DOWN scripts on a copy of it: {', '.join(down)}"] if down else []))
        return Description(inputs={"standby": kind.value, "database": names.side, "down": ", ".join(down)}, lines=lines)

    async def check(self, context: Context) -> Outcome | None:
        """A proven copy of this run is the outcome; whatever else there is, ``run`` sees to."""
        side, note = names_of(context, STANDBY).side, None
        with contextlib.suppress(CannotMake):
            note = None if context.run.plan.down else await self._proven(context, side)
        return (
            _outcome(side, note, (f"{side} was proven by an earlier attempt (settled by its note)",)) if note else None
        )

    async def run(self, context: Context) -> Outcome:
        """Make it, or say why there is none; ``StepError`` only for what the run must not go on with."""
        names = names_of(context, STANDBY)
        try:
            async with exclusively(context, self._limits) as db:
                note = await self._proven(context, names.side)
                said: tuple[str, ...] = (f"{names.side} was proven by an earlier attempt",)
                if note is None:
                    await drop_half_made(db, context, names.side)
                    note, said = await self._make(context, db, names)
                tried, facts = await self._rehearsed(context, db, note, names.side)
            return _outcome(names.side, note, (*said, *tried), facts)
        except CannotMake as error:
            async with session(context.target.dsn, context.application_name):  # a server that is gone is no such case
                return _none(error)
        except StepError as error:
            error.database = error.database or Database.UNTOUCHED
            raise

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Asks the copy again what it is."""
        if outcome.facts["standby"] == Kind.NONE:
            return Verdict(ok=True, reason="The run goes on without a standby copy; the backup is the way back.")
        side = outcome.facts["standby_database"]
        note = await self._proven(context, side)
        if note is None or note.sha256 != outcome.facts["baseline"]:
            return Verdict(ok=False, reason=f"{side} is not the copy that was proven.")
        return Verdict(ok=True, reason=f"{side} says so itself: proven, schema {note.fingerprint[:12]}…")

    def undo(self, context: Context) -> str:
        """It stands beside."""
        return "Nothing needs undoing: the copy stands beside the database and is removed with /migrate cleanup."

    async def _proven(self, context: Context, side: str) -> Note | None:
        """The note of a whole copy of this run whose schema is still what was noted."""
        async with maintenance(context) as db:
            there = await properties(db, side)
        if not there or there["comment"] == HALF_MADE + context.run.id:
            return None
        async with session(dsn_of(context, side), context.application_name) as db:
            note = await notes.noted_here(db, context.run.id)
            same = note is not None and fingerprint(await read_catalog(db)) == note.fingerprint
        return note if same else None

    async def _make(self, context: Context, db: Session, names: Names) -> tuple[Note, tuple[str, ...]]:
        room = await require_room(db, await size_of(db, names.live))
        restoring = context.run.plan.standby is Kind.RESTORE
        note, said = await (self._restored if restoring else self._copied)(context, db, names)
        note = await _given(db, names, note)
        async with session(dsn_of(context, names.side), context.application_name) as side:
            await notes.write(side, context, note)
        await finish(db, names.side, note.around)
        if note.by_hand:
            said += (f"⚠️ Not all could be carried over; before a switch, as a superuser run: {note.by_hand}",)
        return note, (*said, f"Disk: {human_bytes(note.bytes)} taken by the copy; {room} before")

    async def _restored(self, context: Context, db: Session, names: Names) -> tuple[Note, tuple[str, ...]]:
        """From the backup, services running."""
        copy = await whole_backup(context, names, self._limits)
        async with guarded(context, self._limits):
            said, seconds = await make(db, copy)
        note = Note(
            kind=Kind.RESTORE,
            fingerprint=copy.manifest.fingerprint,
            around=await around(db, names.live),
            seconds=seconds,
            bytes=await size_of(db, names.side),
            baseline=baseline_of(copy.manifest),
        )
        return note, ("The backup restores:", *said)

    async def _copied(self, context: Context, db: Session, names: Names) -> tuple[Note, tuple[str, ...]]:
        """By the server, nobody connected."""
        await notes.announce_copy(context, names.side)
        async with session(context.target.dsn, context.application_name) as live:
            base = await take_baseline(live)
        seconds = await copy_template(db, context, names.live, names.side, patience=self._patience)
        async with session(context.target.dsn, context.application_name) as live:
            before = await read_catalog(live)
        async with session(dsn_of(context, names.side), context.application_name) as side:
            copied = await read_catalog(side)
        if found := difference(before, copied):
            raise StepError(
                f"{names.side} is not what {names.live} is: {'; '.join(found[:8])}. Nothing was changed.",
                "Somebody changed the schema while it was copied: find out who, then type /migrate retry.",
            )
        note = Note(
            kind=Kind.TEMPLATE,
            fingerprint=fingerprint(copied),
            around=await around(db, names.live),
            seconds=seconds,
            bytes=await size_of(db, names.side),
            baseline=base,
        )
        return note, (
            f"Standby copy: {names.side}, {human_bytes(note.bytes)}, copied by the server in {seconds:.1f} s; "
            f"its schema is {names.live}'s ({note.fingerprint[:12]}…)",
        )

    async def _rehearsed(self, context: Context, db: Session, note: Note, side: str) -> tuple[tuple[str, ...], Facts]:
        if not context.run.plan.down:
            return (), {}
        return await rehearse(db, context, side, note.around, self._limits, patience=self._patience)


async def _given(db: Session, names: Names, note: Note) -> Note:
    """Grants, settings and limit as they are now, before the migration; what only a superuser may do is noted."""
    try:
        await carry(db, names, note.around)
    except ByHand as refused:
        return replace(note, by_hand=refused.statements)
    return note


def _outcome(side: str, note: Note, said: tuple[str, ...], more: Facts | None = None) -> Outcome:
    facts = {
        "standby": note.kind.value,
        "standby_database": side,
        "seconds": f"{note.seconds:.3f}",
        "bytes": str(note.bytes),
        "baseline": note.sha256,
        "fingerprint": note.fingerprint,
    }
    where = f"Baseline at {note.baseline.moment}, WAL {note.baseline.lsn}" if note.baseline else "No baseline is known"
    return Outcome(evidence=(*said, where), facts=facts | dict(more or {}))


def _none(error: StepError) -> Outcome:
    said = (
        f"⚠️ There is no standby copy: {error.problem}",
        f"The run goes on; a way back takes the restore of the backup. {error.advice}",
    )
    return Outcome(evidence=said, facts={"standby": Kind.NONE.value, "why": error.problem})
