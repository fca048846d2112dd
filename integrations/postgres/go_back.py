"""The runbook's rollback step 3 without its dropdb: restore beside, prove it, switch; the failed database is kept."""

import time
from contextlib import AsyncExitStack
from pathlib import Path

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.digest import digest_of, inputs_of
from bot.runbook.run import Database
from bot.runbook.samples import Verdict
from bot.runbook.steps import StepName
from integrations.postgres.beside import Names, Standing, exclusively, look, maintenance, names_of
from integrations.postgres.carry import carry
from integrations.postgres.connect import Session
from integrations.postgres.manifest import damage, read_manifest
from integrations.postgres.orphans import guarded
from integrations.postgres.restore import Copy, is_ours, make
from integrations.postgres.settings import Limits
from integrations.postgres.switch import Stop, by_hand, nothing, switch
from integrations.postgres.ways import Rung, Way, backup_of, find_way, ladder, nothing_happened
from integrations.postgres.words import plural

RESTORED = "restored"
UNTOUCHED = "untouched"


class GoBack:
    """Goes the way that was approved under ``announce_rollback``.

    ``after`` is called after every sub-step of the switch; tests crash there.
    """

    def __init__(self, limits: Limits, after: Stop = nothing) -> None:
        self._limits = limits
        self._after = after

    async def describe(self, context: Context) -> Description:
        """The same as the one question of the rollback."""
        return await ladder(context, self._limits)

    async def check(self, context: Context) -> Outcome | None:
        """Is the database under the target's name already the copy that this run restored?"""
        names = names_of(context)
        async with maintenance(context) as db:
            standing = await look(db, names)
        if not standing.switched or not standing.open[names.live]:
            return None
        at = await is_ours(context, names.live, backup_of(context))
        if at is None:
            raise _stranger(names)
        return _restored(names, (f"{names.live} is the copy that this run restored at {at} (settled by its note)",))

    async def run(self, context: Context) -> Outcome:
        """Do what was approved; until the first renaming every failure leaves the live database as it was."""
        way = await find_way(context, self._limits)
        _require_approved(context, way)
        if way.rung is Rung.NOTHING:
            evidence = "The migration is not in the database: no mark of this run, and the schema is the backup's"
            return Outcome(evidence=(evidence, "The database was not touched"), facts={"rung": UNTOUCHED})
        try:
            return await self._restore_and_switch(context, way.standing.names)
        except StepError as error:
            if error.database is None:
                error.database = await self._known(context)
            raise

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Asks the server again which database has the target's name, and the database which copy it is."""
        if outcome.facts["rung"] == UNTOUCHED:
            if await nothing_happened(context):
                return Verdict(ok=True, reason="The schema is the backup's and there is no mark of this run.")
            return Verdict(ok=False, reason="The database has changed since it was found untouched.")
        names = names_of(context)
        async with maintenance(context) as db:
            standing = await look(db, names)
        if not standing.switched or not standing.open[names.live]:
            return Verdict(ok=False, reason=f"The databases are not as they should be: {_there(standing)}.")
        if await is_ours(context, names.live, backup_of(context)) is None:
            return Verdict(ok=False, reason=_stranger(names).problem)
        return Verdict(ok=True, reason=f"{names.live} is the restored copy; {names.failed} is kept.")

    def undo(self, context: Context) -> str:
        """The failed database is still there."""
        return "Nothing is dropped: the failed database is kept under another name, and a person can rename it back."

    async def _restore_and_switch(self, context: Context, names: Names) -> Outcome:
        began = time.monotonic()
        async with exclusively(context, self._limits) as db:
            standing = await look(db, names)
            evidence = await self._beside(context, db, standing)
            await context.progress(f"Switching {names.live} to the restored copy", 0.97)
            seconds = await switch(db, names, self._limits, self._after)
        evidence += (
            f"Switched in {seconds:.2f} s: {names.live} is the restored copy",
            f"The failed database is kept, closed, as {names.failed}",
        )
        return _restored(names, evidence, seconds=time.monotonic() - began, switched=seconds)

    async def _beside(self, context: Context, db: Session, standing: Standing) -> tuple[str, ...]:
        """A proven copy beside the live database, made now or by an earlier attempt; evidence of what was done."""
        names = standing.names
        if standing.has_live and standing.has_failed and standing.has_side:
            raise _crossed(names)
        if standing.has_failed or not standing.has_live:
            return ("Finished the switch that an earlier attempt had begun",)
        copied: tuple[str, ...] = (f"{names.side} had been restored and proven by an earlier attempt",)
        if not await self._is_ready(context, standing):
            copied = await self._make(context, db, names)
        if not standing.has_side or standing.open[names.side]:
            carried = await carry(db, names)
            copied += (f"Owner, locale, comment and {plural(carried, 'grant or setting', 'grants and settings')} kept",)
        return copied

    async def _is_ready(self, context: Context, standing: Standing) -> bool:
        """A closed copy was closed by the switch, and so was ready before."""
        side = standing.names.side
        if not standing.has_side or not standing.open[side]:
            return standing.has_side
        return await is_ours(context, side, backup_of(context)) is not None

    async def _make(self, context: Context, db: Session, names: Names) -> tuple[str, ...]:
        copy = await self._copy(context, names)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(guarded(context, self._limits))
            return (f"{plural(len(copy.manifest.files), 'checksum')} of the backup match", *await make(db, copy))

    async def _copy(self, context: Context, names: Names) -> Copy:
        """The backup, proven whole by its manifest, which is the approved one."""
        folder = Path(context.run.fact(StepName.BACKUP, "folder") or "")
        await context.progress("Checking the backup's checksums", 0.0)
        manifest, digest = read_manifest(folder)
        broken = "its manifest is not the approved one" if digest != backup_of(context) else None
        broken = broken or await damage(folder, manifest)
        if not broken and manifest.database != names.live:
            broken = f"it is one of the database {manifest.database}"
        if broken:
            raise StepError(
                f"The backup in {folder} is not restored: {broken}. Nothing was changed.",
                "Put a whole copy of that folder back, then type /migrate retry; or take over and restore another.",
            )
        return Copy(context=context, names=names, folder=folder, manifest=manifest, digest=digest, limits=self._limits)

    async def _known(self, context: Context) -> Database:
        """What a failure leaves: as it was before this step, unless the names say that renaming has begun."""
        try:
            async with maintenance(context) as db:
                standing = await look(db, names_of(context))
        except StepError:
            return Database.UNKNOWN
        return Database.UNKNOWN if standing.has_failed or not standing.has_live else context.run.database_before


def _require_approved(context: Context, way: Way) -> None:
    grant = context.run.grant
    if grant is None or grant.digest != digest_of(inputs_of(way.inputs)):
        raise StepError(
            "The way back that would be gone now is not the one that was approved.",
            "Type /migrate retry: it is described and asked anew.",
        )


def _restored(names: Names, evidence: tuple[str, ...], *, seconds: float = 0.0, switched: float = 0.0) -> Outcome:
    facts = {
        "rung": RESTORED,
        "failed_database": names.failed,
        "seconds": f"{seconds:.3f}",
        "switch_seconds": f"{switched:.3f}",
    }
    return Outcome(evidence=evidence, facts=facts)


def _there(standing: Standing) -> str:
    return ", ".join(f"{name} ({'open' if is_open else 'closed'})" for name, is_open in standing.open.items()) or "none"


def _stranger(names: Names) -> StepError:
    return StepError(
        f"{names.failed} is put away, but {names.live} is not the copy that this run restored.",
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
