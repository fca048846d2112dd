"""The two rungs that put a copy in the place of the database: the standby copy, or the backup restored beside."""

from pathlib import Path

from bot.ports import Context, StepError
from bot.runbook.rungs import Option, Rung, lost
from bot.runbook.steps import Standby, StepName
from integrations.postgres.beside import dsn_of, maintenance
from integrations.postgres.carry import around, unlike
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import Session, session
from integrations.postgres.costs import (
    SWITCH_SECONDS,
    came_back,
    lacking,
    lost_since,
    lost_since_backup,
    restore_time,
    warnings,
)
from integrations.postgres.losses import Losses
from integrations.postgres.manifest import Manifest, read_manifest
from integrations.postgres.note import Note, noted, recorded
from integrations.postgres.offer import Offer, impossible, salvage_line
from integrations.postgres.restore import command
from integrations.postgres.scene import Scene, backup_of
from integrations.postgres.settings import Limits
from integrations.postgres.switch import statements
from integrations.postgres.template import free_bytes, shortage
from integrations.postgres.words import human_bytes, plural

STAYS = "the services have been stopped since"


async def offer_switch(scene: Scene) -> Offer:
    """The standby copy of this run, asked itself whether it still is that."""
    context, standing = scene.context, scene.switch
    names, facts = standing.names, recorded(context)
    if facts.get("standby", Standby.NONE) == Standby.NONE:
        return impossible(Rung.SWITCH, facts.get("why") or "this run has made no standby copy")
    if not standing.has_side:
        return impossible(Rung.SWITCH, f"{names.side} is no longer there")
    try:
        note = await proven_copy(context, scene)
        async with maintenance(context) as db:
            why = await lacking(db, names.live) or await _not_given(db, names.side, note)
            more = await warnings(db, names.live)
    except StepError as error:
        return impossible(Rung.SWITCH, error.problem)
    if why:
        return impossible(Rung.SWITCH, why)
    found, lines = await _lost_since_copy(context, note, scene.limits)
    rows = found.rows if found else None
    stays = note.kind is Standby.TEMPLATE and not came_back(context.run)
    option = Option(
        rung=Rung.SWITCH,
        possible=True,
        seconds=SWITCH_SECONDS,
        basis="two renamings; measured: under a second at any size",
        rows=rows,
        loses=f"nothing: {STAYS}" if stays and rows == 0 else "",
        estimated=found is not None and not found.exact,
    )
    said = (
        f"Switch to {names.side}, the proven copy from before the migration:",
        *statements(names),
        f"The database as it is now stays, closed, as {names.failed}; nothing is dropped, and no more disk is needed.",
        f"Expected downtime of the database: about {SWITCH_SECONDS:.0f} s ({option.basis}).",
        salvage_line(context),
        *more,
    )
    return Offer(option=option, lines=said, lost=lines)


async def _not_given(db: Session, side: str, note: Note) -> str:
    """What only a superuser may give the copy and nobody has given it yet; empty where it has everything."""
    if not note.by_hand or not unlike(note.around, await around(db, side)):
        return ""
    return f"{side} still lacks what this role may not give it; as a superuser run: {note.by_hand}"


async def proven_copy(context: Context, scene: Scene) -> Note:
    """The standby copy's note, where the copy is still what was noted; ``StepError`` says what it is not."""
    side = scene.switch.names.side
    is_open = scene.switch.open[side]
    note = await noted(context, side, is_open=is_open)
    if is_open:
        async with session(dsn_of(context, side), context.application_name) as db:
            if fingerprint(await read_catalog(db)) != note.fingerprint:
                raise StepError(f"the schema of {side} has been changed since it was proven")
    return note


async def _lost_since_copy(context: Context, note: Note, limits: Limits) -> tuple[Losses | None, tuple[str, ...]]:
    if note.baseline is None:
        return None, ("⚠️ What is lost cannot be measured: the backup is of an earlier version of the bot.",)
    what = "the standby copy" if note.kind is Standby.TEMPLATE else "the backup's snapshot"
    return await lost_since(context, note.baseline, limits, what)


async def offer_restore(scene: Scene) -> Offer:
    """The run's backup, as far as can be seen without reading it all; its checksums are proven before it is used."""
    context, names = scene.context, scene.restore.names
    folder = Path(context.run.fact(StepName.BACKUP, "folder") or "")
    try:
        manifest, digest = read_manifest(folder)
        if broken := _missing(folder, manifest, digest, backup_of(context)):
            return impossible(Rung.RESTORE, f"the backup in {folder} is not whole: {broken}")
        async with maintenance(context) as db:
            if why := await lacking(db, names.live):
                return impossible(Rung.RESTORE, why)
            argv = await command(context, db, folder)
            more, free = await warnings(db, names.live), await free_bytes(db)
            # one that is there already is either whole, or dropped before another is made
            if not scene.restore.has_side and (short := shortage(free, manifest.database_bytes)):
                return impossible(Rung.RESTORE, short)
    except StepError as error:
        return impossible(Rung.RESTORE, error.problem)
    facts = recorded(context)
    measured = float(facts["seconds"]) if facts.get("standby") == Standby.RESTORE else None
    seconds, basis = restore_time(context, manifest, measured)
    found, lines = await lost_since_backup(context, manifest, scene.limits)
    option = Option(
        rung=Rung.RESTORE,
        possible=True,
        seconds=seconds,
        basis=basis,
        rows=found.rows if found else None,
        estimated=found is not None and not found.exact,
    )
    said = (
        f"Restore into a new database {names.side} and compare it with the backup before anything is switched:",
        " ".join(argv),
        f"Then {names.side} takes the name {names.live}. The database as it is now stays, closed, as {names.failed}; "
        "nothing is dropped.",
        f"Expected downtime: about {_duration(seconds)}, of which the switch is under a second. Basis: {basis}.",
        salvage_line(context),
        _disk(manifest, free),
        *more,
    )
    return Offer(option=option, lines=said, lost=lines)


def _missing(folder: Path, manifest: Manifest, digest: str, wanted: str) -> str:
    """Sizes only: the checksums of a large backup take longer than people wait."""
    if digest != wanted:
        return "its manifest is not the recorded one"
    for name, (size, _) in manifest.files.items():
        file = folder / name
        if not file.is_file() or file.stat().st_size != size:
            return f"{name} is missing or has another size"
    return ""


def _disk(manifest: Manifest, free: int | None) -> str:
    needed = f"Disk: about {human_bytes(manifest.database_bytes)} more on the database server"
    if free is None:
        return f"{needed}; how much is free there cannot be asked through SQL, so look before you approve."
    low = "⚠️ " if free < manifest.database_bytes else ""
    return f"{low}{needed}, where {human_bytes(free)} are free."


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def final_words(found: Losses | None, shown: Option | None) -> str:
    """The figures at the moment of switching, beside those that were approved."""
    if found is None or found.rows is None:
        return "What is lost could not be measured at the moment of switching"
    figures = f"Lost at the moment of switching: {found.words}"
    if shown is not None and shown.rows is not None and found.rows != shown.rows:
        was = lost(shown.rows, estimated=shown.estimated)
        figures += f" (when it was approved: {was}; the services were at work until they were stopped)"
    return figures + (f", in {plural(len(found.tables), 'table')}" if found.rows else "")
