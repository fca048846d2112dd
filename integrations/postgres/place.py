"""A copy takes the place of the database: made or found, proven, given what belongs to it, and switched to."""

import asyncio
import contextlib
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.ports import Context, Outcome, StepError
from bot.runbook.run import Database
from bot.runbook.rungs import Rung
from integrations.postgres.beside import Names, Standing, exclusively, live_of, look, maintenance
from integrations.postgres.carry import Around, around, carry, finish, unlike
from integrations.postgres.connect import Session, rows
from integrations.postgres.keep import keep_rows
from integrations.postgres.manifest import read_manifest
from integrations.postgres.note import noted, noted_in, recorded
from integrations.postgres.offer_copy import proven_copy
from integrations.postgres.orphans import GUARD, guarded
from integrations.postgres.plan import backup_folder
from integrations.postgres.restore import is_ours, make
from integrations.postgres.scene import backup_of, side_names
from integrations.postgres.settings import Limits
from integrations.postgres.switch import Stop, by_hand, switch
from integrations.postgres.ways import Way
from integrations.postgres.whole import whole_backup
from integrations.postgres.words import plural

COPIES = {Rung.SWITCH: "the standby copy", Rung.RESTORE: "the restored copy"}
Evidence = tuple[str, ...]


async def take_place(context: Context, way: Way, limits: Limits, after: Stop) -> Outcome:
    """Go the way; until the first renaming every failure leaves the live database as it was."""
    began = time.monotonic()
    names = way.scene.standing(way.rung).names
    way.scene.require_open()  # before a restore of hours; keeping rows needs it, too
    async with exclusively(context, limits) as db:
        standing = await look(db, names)
        said = await _beside(context, db, way, standing, limits)
        kept, facts = await keep_rows(way.scene, way.rung, limits)
        after("rows kept")
        await context.progress(f"Switching {names.live} to {COPIES[way.rung]}", 0.97)
        seconds = await switch(db, names, limits, after, lambda: _afresh(context, limits))
    said += (
        *kept,
        f"Switched in {seconds:.2f} s: {names.live} is {COPIES[way.rung]}",
        f"The failed database is kept, closed, as {names.failed}",
    )
    return placed(way.rung, names, said, facts, seconds=time.monotonic() - began, switched=seconds)


@asynccontextmanager
async def _afresh(context: Context, limits: Limits) -> AsyncIterator[Session]:
    """Another session with the guard, once the dead one has let go of it; never against another attempt at work."""
    lock = {"class": GUARD["class"], "object": zlib.crc32(live_of(context).encode()) & 0x7FFFFFFF}
    deadline = time.monotonic() + limits.orphan_wait
    async with maintenance(context) as db:
        while not (await rows(db, "guard_try", lock))[0][0]:
            if time.monotonic() > deadline:
                raise StepError("another session still holds the guard of this database.")
            await asyncio.sleep(0.05)
        yield db


def placed(
    rung: Rung, names: Names, said: Evidence, facts: dict[str, str] | None = None, *,
    seconds: float = 0.0, switched: float = 0.0,
) -> Outcome:  # fmt: skip
    """What is recorded of it."""
    times = {"seconds": f"{seconds:.3f}", "switch_seconds": f"{switched:.3f}"}
    return Outcome(evidence=said, facts={"rung": rung.value, "failed_database": names.failed, **times, **(facts or {})})


async def is_in_place(context: Context, rung: Rung, name: str) -> bool:
    """Is that database, by its own word, the copy of this run that this rung puts in place?"""
    if rung is Rung.RESTORE:
        return await is_ours(context, name, backup_of(context)) is not None
    note = await noted_in(context, name)
    return note is not None and note.sha256 == recorded(context).get("baseline")


async def _beside(context: Context, db: Session, way: Way, standing: Standing, limits: Limits) -> Evidence:
    """A proven copy beside the live database; evidence of what was done for it."""
    names = standing.names
    if standing.has_live and standing.has_failed and standing.has_side:
        raise _crossed(names)
    if way.scene.begun:
        return ("Finished the switch that an earlier attempt had begun",)
    if way.rung is Rung.SWITCH:
        return await _standby(context, db, way, standing)
    copied: Evidence = (f"{names.side} had been restored and proven by an earlier attempt",)
    if not await _is_ready(context, standing):
        copied = await _restored(context, db, names, limits)
    if not standing.has_side or standing.open[names.side]:
        like, told = await _as_before(context, db, names)
        carried = await carry(db, names, like)
        await finish(db, names.side, like)
        kept = f"Owner, locale, comment and {plural(carried, 'grant or setting', 'grants and settings')} kept"
        copied += (kept, *told)
    return copied


async def _as_before(context: Context, db: Session, names: Names) -> tuple[Around, Evidence]:
    """What the copy is to be given: as it was at the backup, so that nothing of the migration is carried over."""
    now, like = await around(db, names.live), None
    with contextlib.suppress(StepError):
        manifest, digest = read_manifest(backup_folder(context))
        like = manifest.around if digest == backup_of(context) else None
    with contextlib.suppress(StepError):
        like = like or (await noted(context, side_names(context, Rung.SWITCH).side, is_open=False)).around
    if like is None:
        said = "the backup is of an earlier version of the bot, so what the migration changed of them stays"
        return now, (f"⚠️ Owner, grants and settings are those of the failed database: {said}",)
    changed = ", ".join(unlike(like, now))
    return like, (f"As at the backup again, because changed since: {changed}",) if changed else ()


async def _standby(context: Context, db: Session, way: Way, standing: Standing) -> Evidence:
    """What belongs to it was noted before the migration, so nothing of the migration is carried over."""
    names = standing.names
    if not standing.has_side:
        raise StepError(
            f"The standby copy {names.side} is no longer there. Nothing was switched.",
            "Type /migrate retry: the other ways back are described.",
        )
    note = await proven_copy(context, way.scene)
    said: Evidence = (f"{names.side} is the proven standby copy (schema {note.fingerprint[:12]}…)",)
    if standing.open[names.side]:
        carried = await carry(db, names, note.around)
        await finish(db, names.side, note.around)
        said += (f"{plural(carried, 'grant or setting', 'grants and settings')} carried over",) if carried else ()
    return said


async def _is_ready(context: Context, standing: Standing) -> bool:
    """A closed copy was closed by the switch, and so was ready before."""
    side = standing.names.side
    if not standing.has_side or not standing.open[side]:
        return standing.has_side
    return await is_ours(context, side, backup_of(context)) is not None


async def _restored(context: Context, db: Session, names: Names, limits: Limits) -> Evidence:
    copy = await whole_backup(context, names, limits)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(guarded(context, limits))
        said, _ = await make(db, copy)
    return (f"{plural(len(copy.manifest.files), 'checksum')} of the backup match", *said)


def stranger(rung: Rung, names: Names) -> StepError:
    """The names are as after a switch, but the database does not say that it is the copy."""
    return StepError(
        f"{names.failed} is put away, but {names.live} is not {COPIES[rung]} of this run.",
        f"Somebody made it by hand: take the run over and decide which of the two is {names.live}.",
        database=Database.UNKNOWN,
    )


def _crossed(names: Names) -> StepError:
    return StepError(
        f"There are {names.live}, {names.side} and {names.failed} all at once: somebody made {names.live} anew "
        "while it was being switched.",
        f"Look at it and rename it away, then type /migrate retry. By hand, the whole switch is: {by_hand(names)}",
        database=Database.UNKNOWN,
    )
