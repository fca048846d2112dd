"""The databases an ended run has kept beside the live one, removed after people have said yes to exactly these."""

from collections.abc import Collection
from dataclasses import dataclass

import psycopg
from psycopg import sql

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.samples import Verdict
from integrations.postgres.beside import FAILED, FILE, KINDS, REHEARSAL, RESTORED, STANDBY, beside, live_of, maintenance
from integrations.postgres.catalog import read_catalog
from integrations.postgres.connect import Session, identity, rows, session
from integrations.postgres.settings import Limits
from integrations.postgres.words import human_bytes

_WHAT = {
    FAILED: "the failed database, kept as evidence",
    STANDBY: "the standby copy from before the migration",
    RESTORED: "a copy restored from the backup",
    REHEARSAL: "a left-over of a rehearsal",
}


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One database that is there; ``seen`` is who uses it and who used it last."""

    name: str
    what: str
    size: int
    seen: str

    @property
    def line(self) -> str:
        return f'DROP DATABASE "{self.name}"; – {self.what}, {human_bytes(self.size)}, {self.seen}'


class CleanUp:
    """``protected`` are the databases of all targets: whatever a run's names come to, these are never dropped."""

    def __init__(self, limits: Limits, *, protected: Collection[str] = ()) -> None:
        self._limits = limits
        self._protected = frozenset(protected)

    async def describe(self, context: Context) -> Description:
        """Each database with its size and who used it last; the digest covers every name a run can keep."""
        async with maintenance(context) as db:
            who = await identity(db, context.target.dsn)
            kept = await self._kept(db, context)
            await _require_live(db, context, kept)
        run = context.run.plan.cleans
        names = ", ".join(beside(context, kind, run) for kind in KINDS)  # the same when some of them are gone already
        inputs = {"cleans": run, "databases": names, "system": who.system_identifier, "server": who.address}
        lines = (
            f"Remove for good what run {run} has kept beside {live_of(context)}:",
            *(each.line for each in kept),
            *([] if kept else ["Nothing of it is there any more."]),
            "Whoever is connected to one of them stops its removal. Backups and saved rows stay where they are.",
        )
        return Description(inputs=inputs | {"role": who.role}, lines=lines)

    async def check(self, context: Context) -> Outcome | None:
        """Nothing left is the outcome."""
        async with maintenance(context) as db:
            if await self._kept(db, context):
                return None
        return Outcome(evidence=(f"Nothing of run {context.run.plan.cleans} is kept any more",), facts={"dropped": ""})

    async def run(self, context: Context) -> Outcome:
        """Drop what is still there, one after the other; ``StepError`` names who is connected."""
        said, names, freed = [], [], 0
        async with maintenance(context) as db:
            for each in (kept := await self._kept(db, context)):
                await _require_live(db, context, kept)
                await context.progress(f"Removing {each.name}", None)
                await _drop(db, each)
                said.append(f"Removed {each.name} ({each.what}, {human_bytes(each.size)})")
                names.append(each.name)
                freed += each.size
        return Outcome(evidence=tuple(said), facts={"dropped": ", ".join(names), "bytes": str(freed)})

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Asks the server again."""
        async with maintenance(context) as db:
            left = await self._kept(db, context)
            live = await _seen(db, [live_of(context)])
        if left:
            return Verdict(ok=False, reason=f"Still there: {', '.join(each.name for each in left)}.")
        if not live:
            return Verdict(ok=False, reason=f"{live_of(context)} itself is not there: look at once.")
        return Verdict(ok=True, reason=f"None of them is there any more; {live_of(context)} is.")

    def undo(self, context: Context) -> str:
        """There is none."""
        return "There is no way back from this: a dropped database is gone. The backup and the saved rows stay."

    async def _kept(self, db: Session, context: Context) -> tuple[Kept, ...]:
        run = context.run.plan.cleans
        if not run or run == context.run.id:
            raise StepError("The plan does not say which run is to be cleaned up.", "Start it with the run's id.")
        wanted = {beside(context, kind, run): kind for kind in KINDS}
        if clash := sorted(wanted.keys() & (self._protected | {live_of(context)})):
            raise StepError(
                f"{', '.join(clash)} is the database of a target: it is not removed.",
                "Rename whichever is wrong by hand; the bot drops no live database.",
            )
        found = await _seen(db, list(wanted))
        return tuple(_judged(wanted[str(name)], str(name), row) for name, *row in found)


async def _seen(db: Session, names: list[str]) -> list[tuple[object, ...]]:
    return await rows(db, "kept", {"names": names}, FILE)


async def _require_live(db: Session, context: Context, kept: tuple[Kept, ...]) -> None:
    """Refuse while the live database is not at work: what is kept may then be all there is of it."""
    if not (why := await _why_not_live(db, context)):
        return
    live = live_of(context)
    named = ", ".join(f"{each.name} ({each.what})" for each in kept)
    raise StepError(
        f"{live} {why}, so nothing is removed: what run {context.run.plan.cleans} has kept may hold the only copy of "
        f"production: {named or 'nothing of it is there'}.",
        f"Put the database in its place first: rename the right one to {live}, or, where it is only closed, "
        f'ALTER DATABASE "{live}" ALLOW_CONNECTIONS true; then type /migrate retry.',
    )


async def _why_not_live(db: Session, context: Context) -> str:
    """What is wrong with the live database; empty where it is there, open, and holds something."""
    live = live_of(context)
    if not (found := await _seen(db, [live])):
        return "is not there"
    if not found[0][2]:
        return "is closed to connections"
    async with session(context.target.dsn, context.application_name) as there:
        return "has no tables" if set(await read_catalog(there)) <= {"schema"} else ""


def _judged(kind: str, name: str, row: list[object]) -> Kept:
    size, is_open, connected, last, commits = row
    doors = "open to connections" if is_open else "closed to connections"
    used = f"last used {last}" if last else f"{commits} transactions counted, nobody connected"
    seen = f"{doors}, connected now: {connected}; {used}" if connected else f"{doors}, {used}"
    return Kept(name=name, what=_WHAT[kind], size=int(str(size)), seen=seen)


async def _drop(db: Session, kept: Kept) -> None:
    """Plain DROP DATABASE: nobody is put out for it, and one that has gone meanwhile is no trouble."""
    try:
        await db.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(kept.name)))
    except psycopg.errors.ObjectInUse as error:
        found = await rows(db, "connected_to", {"name": kept.name}, FILE)
        who = ", ".join(f"{what} (pid {pid})" for pid, what in found) or error.diag.message_detail
        raise StepError(
            f"{kept.name} is not removed: somebody is connected to it: {who}.",
            "Find out what they need it for; when they have left, type /migrate retry.",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise StepError(
            f"{kept.name} is not removed: {error.diag.message_primary}.",
            f'As its owner or a superuser: DROP DATABASE "{kept.name}"; then type /migrate retry.',
        ) from error
