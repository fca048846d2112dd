"""Rung 4 on Render: point-in-time recovery into a new instance, which the services are then pointed to."""

from datetime import UTC, datetime, timedelta

from bot.ports import StepError
from bot.target import Target
from integrations.http.lenient import text
from integrations.render.api import RenderApi
from integrations.render.site import Site

NOT_YET = timedelta(minutes=10)  # the newest history that Render can restore to (docs.render.com/postgresql-backups)


class RenderRecovery:
    """``PointInTime`` on Render.  It never restores in place, so it costs a second instance and a deploy."""

    def __init__(self, site: Site, *, api: RenderApi | None = None) -> None:
        self._site = site
        self._api = api or RenderApi(site.client(), site.patience)

    async def offer(self, target: Target, moment: str) -> tuple[bool, str]:
        """The steps with their ids, or why it cannot be done; never raises."""
        postgres = self._site.postgres
        if not postgres:
            return False, f"no Render database is configured for {target.name} (targets.{target.name}.render.postgres)"
        try:
            answer = await self._api.client.read(f"/postgres/{postgres}/recovery")
        except StepError as error:
            return False, f"Render does not say whether it can: {error.problem}"
        status, begins = text(answer.data, "recoveryStatus"), text(answer.data, "startsAt")
        if status != "AVAILABLE":
            return False, f"Render has no point-in-time recovery for {postgres} now ({status or 'no status'})"
        if begins and moment and parsed(moment) < parsed(begins):
            return False, f"Render's history of {postgres} begins at {begins}, after {moment}"
        return True, self._steps(target, moment)

    def _steps(self, target: Target, moment: str) -> str:
        pairs = [f"{each.name} ({self._site.services[each.name]})" for each in target.services]
        services = ", ".join(pairs) or "the services"
        waiting = f", from {(parsed(moment) + NOT_YET).strftime('%H:%M UTC')} on" if moment else ""
        steps = (
            f"on Render, recover {self._site.postgres} to {moment} into a NEW instance{waiting}",
            "wait until it is available and compare it: schema before the migration, newest rows before that moment",
            f"set the database URL (DATABASE_URL) of {services} to the new instance, and deploy each of them",
            "look at their health; keep the old instance, for its backups go with it",
            "close the run with a sentence on how it ended",
        )
        return "by hand: " + "; ".join(f"{number}) {step}" for number, step in enumerate(steps, start=1))


def parsed(moment: str) -> datetime:
    """A moment in ISO 8601, UTC where it does not say."""
    found = datetime.fromisoformat(moment)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
