"""Before anything is taken back: what is lost, measured once more, and the rows themselves, saved as files."""

from bot.ports import Context, StepError
from bot.runbook.run import Licence
from bot.runbook.rungs import Rung, lost
from bot.runbook.steps import Standby
from integrations.postgres.baseline import Baseline, baseline_of
from integrations.postgres.costs import came_back, lost_since
from integrations.postgres.losses import Losses
from integrations.postgres.manifest import read_manifest
from integrations.postgres.note import noted, recorded
from integrations.postgres.offer import salvage_folder
from integrations.postgres.offer_copy import final_words
from integrations.postgres.plan import backup_folder
from integrations.postgres.salvage import LIST, save
from integrations.postgres.scene import Scene
from integrations.postgres.settings import Limits

Kept = tuple[tuple[str, ...], dict[str, str]]  # evidence and facts


async def keep_rows(scene: Scene, rung: Rung, limits: Limits) -> Kept:
    """Measure and save; ``StepError`` for more lost than was shown where nobody could write, and for a DOWN that
    would drop what is not saved.
    """
    context = scene.context
    if scene.begun:
        return saved_before(context)  # an earlier attempt has done it: nobody can connect any more
    scene.require_open()
    base = await _base(scene, rung)
    if base is None:
        _require_saved(rung, "The backup is of an earlier version of the bot.")
        return ("⚠️ Rows written since the backup are not saved as files: it is of an earlier version of the bot",), {}
    found, _ = await lost_since(context, base, limits, "the copy")
    said, facts = _lost(context, rung, found)
    if found is not None and found.exact and found.rows == 0:
        return (*said, "No row was written since the copy, so there is none to save"), facts
    await context.progress("Saving rows written since the copy", 0.9)
    kept = await save(context, base, salvage_folder(context), limits, whole=rung is Rung.DOWN)
    if kept.folder is None:
        _require_saved(rung, kept.lines[0].removeprefix("⚠️ "))
    if kept.folder is not None:
        facts |= {"salvage": str(kept.folder), "rows_saved": str(kept.rows)}
    return (*said, *kept.lines), facts


def saved_before(context: Context) -> Kept:
    """What an earlier attempt has saved, by the folder it left."""
    folder = salvage_folder(context)
    if not (folder / LIST).is_file():
        return (), {}
    return (f"Rows written since the copy were saved by an earlier attempt: {folder}",), {"salvage": str(folder)}


def _require_saved(rung: Rung, why: str) -> None:
    """The other ways keep the failed database with all its rows."""
    if rung is Rung.DOWN:
        raise StepError(
            f"Not every row written since could be saved, and DOWN keeps no failed database. {why}",
            "Mend that, then type /migrate retry; or pick the switch to the standby copy or the restore.",
        )


def lost_by_down(context: Context) -> str:
    """The figure that was shown: none where nothing is dropped or nobody wrote, else not known."""
    way = context.run.way
    return "0" if way is not None and way.rows == 0 else "unknown"


def _lost(context: Context, rung: Rung, found: Losses | None) -> Kept:
    """DOWN scripts lose what they drop; a copy loses what was written since."""
    if rung is Rung.DOWN:
        nothing = found is not None and found.exact and found.rows == 0
        facts = {"rows_lost": "0" if nothing else lost_by_down(context)}
        dropped = context.run.way.loses if context.run.way is not None and facts["rows_lost"] != "0" else ""
        return ((f"⚠️ Dropped: {dropped}; what was written there is in the saved files only",) if dropped else ()), facts
    _require_inside(context, found)
    _require_no_more(context, rung, found)
    lost_rows = "unknown" if found is None or found.rows is None else str(found.rows)
    guess = {"rows_estimated": "yes"} if found is not None and not found.exact else {}
    return (final_words(found, context.run.way),), {"rows_lost": lost_rows, **guess}


async def _base(scene: Scene, rung: Rung) -> Baseline | None:
    """Where the copy stands that is gone back to; for DOWN the nearest one there is."""
    context = scene.context
    side = scene.switch.names.side
    if rung in (Rung.SWITCH, Rung.DOWN) and scene.switch.has_side and recorded(context).get("baseline"):
        return (await noted(context, side, is_open=scene.switch.open[side])).baseline
    manifest, _ = read_manifest(backup_folder(context))
    return baseline_of(manifest)


def _require_inside(context: Context, found: Losses | None) -> None:
    """What was signed beforehand holds for what is lost in the end, not only for what was measured at the breach."""
    grant, envelope = context.run.grant, context.run.plan.envelope
    if grant is None or envelope is None or grant.by is not Licence.ENVELOPE:
        return
    if found is None or found.rows is None or found.rows > envelope.rows:
        raise StepError(
            f"Going back would lose {found.words if found else lost(None)}, more than the {envelope.rows} that the "
            "rollback envelope covers. Nothing was switched.",
            "Type /migrate retry: the way back is asked of people now.",
        )


def _require_no_more(context: Context, rung: Rung, found: Losses | None) -> None:
    """A copy taken after the stop loses what was shown and nothing more, as long as the services stay stopped."""
    shown = context.run.way
    after_stop = recorded(context).get("standby") == Standby.TEMPLATE and not came_back(context.run)
    if rung is not Rung.SWITCH or not after_stop or found is None or shown is None:
        return
    if found.rows is not None and shown.rows is not None and found.rows > shown.rows:
        raise StepError(
            f"Going back would now lose {found.words}; when it was approved it was "
            f"{lost(shown.rows, estimated=shown.estimated)}. "
            f"Somebody has written meanwhile. {' '.join(found.lines[:1])}",
            "Find out who writes while the services are stopped, then type /migrate retry: it is asked anew with the "
            "new figures.",
        )
