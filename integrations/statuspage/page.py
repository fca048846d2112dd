"""``Statuspage``: the ``StatusPage`` port on Atlassian Statuspage (developer.statuspage.io).

A run is one scheduled maintenance, which the API calls an incident.  The API has no idempotency key: the run's id and
the keys of what was said stand in the incident's metadata, written by the very request that says it, and are read
before anything is said.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.outside import Condition, Maintenance, Notice, Phase
from integrations.http.client import HttpClient
from integrations.http.lenient import objects, text

MARK = "migrate_bot"  # all top-level values of the metadata must be objects
_NEWEST = 100  # incidents looked at, newest first; the most that one page holds
_STATUS = {
    Phase.IN_PROGRESS: "in_progress",
    Phase.VERIFYING: "verifying",
    Phase.COMPLETED: "completed",
}
_COMPONENT = {
    Condition.OPERATIONAL: "operational",
    Condition.MAINTENANCE: "under_maintenance",
    Condition.DEGRADED: "degraded_performance",
    Condition.OUTAGE: "major_outage",
}


class Statuspage:
    """The page ``page``; ``components`` are the ids of the affected services' components."""

    def __init__(self, client: HttpClient, *, page: str, components: Sequence[str]) -> None:
        self._client = client
        self._incidents = f"/pages/{page}/incidents"
        self._components = tuple(dict.fromkeys(components))

    async def show(self, notice: Notice, update: Maintenance) -> None:
        """Open the run's maintenance or bring it up to date, once per notice; raises ``HttpError``."""
        found = await self._of(notice.run_id)
        if found is None:
            if update.phase is not Phase.COMPLETED:
                await self._client.write("POST", self._incidents, json={"incident": self._opening(notice, update)})
            return
        told = text(found, "metadata", MARK, "told").split()
        if notice.key not in told:
            body = {"incident": self._said(notice, update, told)}
            await self._client.write("PATCH", f"{self._incidents}/{text(found, 'id')}", json=body)

    async def _of(self, run_id: str) -> Mapping[str, object] | None:
        answer = await self._client.read(self._incidents, params={"limit": _NEWEST})
        return next((each for each in objects(answer.data) if text(each, "metadata", MARK, "run") == run_id), None)

    def _opening(self, notice: Notice, update: Maintenance) -> dict[str, object]:
        return {
            "name": update.title,
            "impact_override": "maintenance",
            "scheduled_for": _moment(update.starts),
            "scheduled_remind_prior": False,
            "scheduled_auto_in_progress": False,  # the bot says when it is, not the clock
            "scheduled_auto_completed": False,
            **self._said(notice, update, []),
        }

    def _said(self, notice: Notice, update: Maintenance, told: list[str]) -> dict[str, object]:
        said: dict[str, object] = {
            "status": _STATUS[update.phase],
            "body": update.words,
            "deliver_notifications": update.aloud,
            "metadata": {MARK: {"run": notice.run_id, "told": " ".join([*told, notice.key])}},
        }
        if update.phase is not Phase.COMPLETED:
            said["scheduled_until"] = _moment(update.ends)
        if self._components:
            said["component_ids"] = list(self._components)
        if self._components and update.condition is not None:
            said["components"] = dict.fromkeys(self._components, _COMPONENT[update.condition])
        return said


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
