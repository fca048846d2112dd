"""The runbook's rollback step 3, by the rung that was approved; a database that is replaced is kept, never dropped."""

from bot.ports import Context, Description, Outcome, PointInTime, StepError
from bot.runbook.run import Database
from bot.runbook.rungs import Rung
from bot.runbook.samples import Verdict
from integrations.postgres.beside import Standing, look, maintenance, names_of
from integrations.postgres.by_hand import ByHandRecovery
from integrations.postgres.down import go_down, went_down
from integrations.postgres.offer import moment_before
from integrations.postgres.place import COPIES, is_in_place, placed, stranger, take_place
from integrations.postgres.scene import SIDES, side_names
from integrations.postgres.settings import Limits
from integrations.postgres.switch import Stop, nothing
from integrations.postgres.untouched import why_touched
from integrations.postgres.ways import granted_way, ladder, not_approved


class GoBack:
    """Goes the way that was approved under ``announce_rollback``.

    ``after`` is called after every sub-step; tests crash there.
    """

    def __init__(self, limits: Limits, after: Stop = nothing, platform: PointInTime | None = None) -> None:
        self._limits = limits
        self._after = after
        self._platform = platform or ByHandRecovery()

    async def describe(self, context: Context) -> Description:
        """The same as the one question of the rollback."""
        return await ladder(context, self._limits, self._platform)

    async def check(self, context: Context) -> Outcome | None:
        """Is it already so, by the database's own word?"""
        way = await granted_way(context, self._limits)
        if way.rung is Rung.DOWN:
            return await went_down(context)
        if way.rung not in SIDES:
            return None
        standing = way.scene.standing(way.rung)
        names = standing.names
        if not standing.switched or not standing.open[names.live]:
            return None
        if not await is_in_place(context, way.rung, names.live):
            raise stranger(way.rung, names)
        said = f"{names.live} is {COPIES[way.rung]} of this run (settled by its note)"
        return placed(way.rung, names, (said, f"The failed database is kept, closed, as {names.failed}"))

    async def run(self, context: Context) -> Outcome:
        """Do what was approved; whatever fails says what is known of the database."""
        try:
            way = await granted_way(context, self._limits)
            match way.rung:
                case Rung.NOTHING:
                    return await _nothing(context)
                case Rung.DOWN:
                    return await go_down(context, way, self._limits, self._after)
                case Rung.PLATFORM:
                    raise await self._in_peoples_hands(context)
            return await take_place(context, way, self._limits, self._after)
        except StepError as error:
            if error.database is None:
                error.database = await self._known(context)
            raise

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Asks the server again which database has the target's name, and the database what it is."""
        rung = Rung(outcome.facts["rung"])
        if rung is Rung.NOTHING:
            if why := await why_touched(context):
                return Verdict(ok=False, reason=f"The database has changed since it was found untouched: {why}.")
            return Verdict(ok=True, reason="The schema is the backup's and there is no mark of this run.")
        if rung is Rung.DOWN:
            done = await went_down(context) is not None
            reason = (
                "The marks and the schema say so." if done else "The schema is not the backup's, or marks are left."
            )
            return Verdict(ok=done, reason=reason)
        names = side_names(context, rung)
        async with maintenance(context) as db:
            standing = await look(db, names)
        if not standing.switched or not standing.open[names.live]:
            return Verdict(ok=False, reason=f"The databases are not as they should be: {_there(standing)}.")
        if not await is_in_place(context, rung, names.live):
            return Verdict(ok=False, reason=stranger(rung, names).problem)
        return Verdict(ok=True, reason=f"{names.live} is {COPIES[rung]}; {names.failed} is kept.")

    def undo(self, context: Context) -> str:
        """The failed database is still there; only what DOWN scripts drop is not."""
        return (
            "Nothing is dropped by the bot: a database that is replaced is kept under another name, and a person can "
            "rename it back. DOWN scripts have no way back but the copies from before the migration."
        )

    async def _in_peoples_hands(self, context: Context) -> StepError:
        _, how = await self._platform.offer(context.target, moment_before(context))
        return StepError(
            f"This way back is in people's hands: {how}.",
            "Take the run over with /migrate takeover, go the steps, and close it with /migrate close.",
        )

    async def _known(self, context: Context) -> Database:
        """What a failure leaves: as it was before this step, unless renaming has begun or nobody can get in."""
        try:
            async with maintenance(context) as db:
                standing = await look(db, names_of(context))
        except StepError:
            return Database.UNKNOWN
        reachable = standing.open.get(standing.names.live, False)
        return context.run.database_before if reachable and not standing.begun else Database.UNKNOWN


async def _nothing(context: Context) -> Outcome:
    """Proven once more: the migration may have been finished by hand since it was asked."""
    if await why_touched(context):
        raise not_approved()
    said = "The migration is not in the database: no mark of this run, and the schema is the backup's"
    return Outcome(evidence=(said, "The database was not touched"), facts={"rung": Rung.NOTHING.value})


def _there(standing: Standing) -> str:
    return ", ".join(f"{name} ({'open' if is_open else 'closed'})" for name, is_open in standing.open.items()) or "none"
