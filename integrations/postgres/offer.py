"""One rung as it can be taken now: its cost, and exactly what would be done; and how each is bound by the digest."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.ports import Context
from bot.runbook.digest import canonical
from bot.runbook.rungs import Option, Rung
from bot.runbook.steps import StepName
from integrations.postgres.manifest import run_folder
from integrations.postgres.note import recorded
from integrations.postgres.rehearse import downs_of
from integrations.postgres.scene import Scene, backup_of, side_names
from integrations.postgres.untouched import moment_of_backup


@dataclass(frozen=True, kw_only=True)
class Offer:
    """``lines`` say what would be done, ``lost`` what would be lost; ``attachments`` are the texts behind it."""

    option: Option
    lines: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    attachments: Mapping[str, str] = field(default_factory=dict)


def impossible(rung: Rung, why: str) -> Offer:
    """A rung that is not there, and why."""
    return Offer(option=Option(rung=rung, possible=False, why=why))


def as_begun(context: Context, rung: Rung, scene: Scene) -> Offer:
    """The rung whose renaming was begun: it can only be finished, at the cost that was shown."""
    shown = context.run.way if context.run.way is not None and context.run.way.rung is rung else None
    option = shown or Option(rung=rung, possible=True, rows=None)
    standing = scene.standing(rung)
    what = "is switched to the copy already" if standing.switched else "is being switched; that is now finished"
    said = f"An earlier attempt has put the failed database away as {scene.failed}; {scene.live} {what}."
    return Offer(option=replace(option, seconds=1.0, basis="only the rest of the switch"), lines=(said,))


def salvage_line(context: Context) -> str:
    """Where rows written since the copy are saved."""
    return (
        f"Rows written since the copy are saved first, as files, in {salvage_folder(context)}; where there are none, "
        "this takes no time."
    )


def salvage_folder(context: Context) -> Path:
    """``<backups>/<run>.salvage``."""
    folder = run_folder(context.target.backups.absolute(), context.run.id)
    return folder.with_name(folder.name + ".salvage")


def inputs_of_rung(scene: Scene, rung: Rung) -> Mapping[str, str]:
    """What the digest covers; the same from the question to the end of the rollback."""
    context, who = scene.context, scene.who
    return {
        "rung": rung.value,
        "target": context.target.name,
        "backup": backup_of(context),
        "system": who.system_identifier,
        "database": scene.live,
        "role": who.role,
        "server": who.address,
        **_more(context, rung),
    }


def _more(context: Context, rung: Rung) -> Mapping[str, str]:
    match rung:
        case Rung.DOWN:
            files = {f"down {number} {each.name}": each.sha256 for number, each in enumerate(downs_of(context), 1)}
            target = context.target
            limits = canonical([target.lock_timeouts, target.lock_pauses, target.statement_timeout])
            return files | {"rehearsed": recorded(context).get("down_rehearsed", ""), "limits": limits}
        case Rung.SWITCH:
            return {"standby": side_names(context, rung).side, "baseline": recorded(context).get("baseline", "")}
        case Rung.PLATFORM:
            return {"moment": moment_before(context)}
    return {}


def moment_before(context: Context) -> str:
    """The moment to recover to (ISO 8601 UTC): the first stop, from which on nobody wrote; else the backup's snapshot.

    A stop on the way back comes later and changes nothing here, so the digest stays.
    """
    run = context.run
    backup, stop = run.result(StepName.BACKUP), next((e for e in run.done if e.step is StepName.STOP_SERVICES), None)
    if run.plan.downtime and stop is not None and backup is not None and stop.ended_at >= backup.ended_at:
        return datetime.fromtimestamp(stop.ended_at, UTC).isoformat(timespec="seconds")
    return moment_of_backup(context)
