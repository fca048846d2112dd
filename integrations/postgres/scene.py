"""What there is on the server when a way back is looked for, seen once and used by every rung."""

from dataclasses import dataclass

from bot.ports import Context, PointInTime, StepError
from bot.runbook.run import Database
from bot.runbook.rungs import Rung
from bot.runbook.steps import Standby, StepName
from integrations.postgres.beside import RESTORED, STANDBY, Names, Standing, look, maintenance, names_of
from integrations.postgres.by_hand import ByHandRecovery
from integrations.postgres.connect import Identity, identity
from integrations.postgres.note import recorded
from integrations.postgres.settings import Limits

SIDES = {Rung.SWITCH: STANDBY, Rung.RESTORE: RESTORED}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The server's word on every database that matters; ``begun`` is the rung whose renaming was begun."""

    context: Context
    limits: Limits
    platform: PointInTime
    who: Identity
    switch: Standing
    restore: Standing

    @property
    def live(self) -> str:
        return self.switch.names.live

    @property
    def failed(self) -> str:
        return self.switch.names.failed

    def standing(self, rung: Rung) -> Standing:
        return self.restore if rung is Rung.RESTORE else self.switch

    @property
    def begun(self) -> Rung | None:
        """Seen from the names, or from a closed live one beside a closed copy: the bot closes the copy first.

        A live database that alone is closed was closed by a person.  Where both copies would fit, what was granted
        decides.
        """
        fitting = [rung for rung in SIDES if self._fits(rung)]
        if not self.switch.begun:
            fitting = [rung for rung in fitting if self._is_closed(self.standing(rung))] if self._is_shut else []
            if not fitting:
                return None
        granted = self.context.run.way
        if granted is not None and granted.rung in (fitting or SIDES):
            return granted.rung
        closed = [rung for rung in fitting if self._is_closed(self.standing(rung))]
        return next(iter((*closed, *fitting)), Rung.RESTORE)

    def require_open(self) -> None:
        """``StepError`` where somebody else has closed the live database: nobody can say what is in it now."""
        if self._is_shut and not self.begun:
            raise StepError(
                f"{self.live} takes no connections, and no switch of this run has closed it: a person has.",
                f"Find out who closed it and why. To go on, as a superuser on the database “postgres”: "
                f'ALTER DATABASE "{self.live}" ALLOW_CONNECTIONS true; then type /migrate retry.',
            )

    @property
    def _is_shut(self) -> bool:
        return not self.switch.open.get(self.live, True)

    def _fits(self, rung: Rung) -> bool:
        """Could this rung have left the names as they are?"""
        standing = self.standing(rung)
        if standing.has_live and standing.has_failed:
            return not standing.has_side and (rung is Rung.RESTORE or self._had_standby)
        return standing.has_side

    @staticmethod
    def _is_closed(standing: Standing) -> bool:
        return standing.has_side and not standing.open[standing.names.side]

    @property
    def _had_standby(self) -> bool:
        return recorded(self.context).get("standby", Standby.NONE) != Standby.NONE


async def look_around(context: Context, limits: Limits, platform: PointInTime | None = None) -> Scene:
    """Ask the server once; ``StepError`` where it cannot be reached."""
    async with maintenance(context) as db:
        return Scene(
            context=context,
            limits=limits,
            platform=platform or ByHandRecovery(),
            who=await identity(db, context.target.dsn),
            switch=await look(db, side_names(context, Rung.SWITCH)),
            restore=await look(db, side_names(context, Rung.RESTORE)),
        )


def side_names(context: Context, rung: Rung) -> Names:
    """The three names of a switch by that rung."""
    return names_of(context, SIDES[rung])


def backup_of(context: Context) -> str:
    """The SHA-256 of the run's backup manifest; ``StepError`` without one."""
    found = context.run.fact(StepName.BACKUP, "manifest_sha256")
    if not found:
        raise StepError(
            "This run has no backup with a manifest to go back to.",
            "Hand the run over to a person who decides how to go back.",
            database=Database.UNKNOWN,
        )
    return found
