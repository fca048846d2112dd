"""``BetterStackPage``: the ``StatusPage`` port on Better Stack's status reports (betterstack.com/docs/uptime/api).

A run is one report of the type ``maintenance``, found again by its title, which holds the run's id.  An update is known
by its words and its time of publication, which is that of the event.  Resources of a maintenance can only be in
maintenance there: how they are otherwise is said in words, and they are back when the report has ended.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.outside import Maintenance, Notice, Phase
from integrations.http.client import HttpClient
from integrations.http.lenient import at, objects, text

_PAGES = 20  # of a list, before we hold it for endless


class BetterStackPage:
    """The page ``page``; ``resources`` are the ids of the affected services' resources on it."""

    def __init__(self, client: HttpClient, *, page: str, resources: Sequence[str]) -> None:
        self._client = client
        self._reports = f"/status-pages/{page}/status-reports"
        self._resources = tuple(dict.fromkeys(resources))

    async def show(self, notice: Notice, update: Maintenance) -> None:
        """Open the run's report or bring it up to date, once per notice; raises ``HttpError``."""
        found = await self._titled(update.title)
        if found is None:
            if update.phase is not Phase.COMPLETED:
                opening = {"title": update.title, "report_type": "maintenance", **_window(update)}
                await self._client.write("POST", self._reports, json={**opening, **self._said(update)})
            return
        report = f"{self._reports}/{text(found, 'id')}"
        if not await self._told(report, update):
            await self._client.write("POST", f"{report}/status-updates", json=self._said(update))
        if _seconds(text(found, "attributes", "ends_at")) != int(update.ends):
            await self._client.write("PATCH", report, json={"ends_at": _moment(update.ends)}, repeatable=True)

    async def _titled(self, title: str) -> Mapping[str, object] | None:
        listed = await self._listed(self._reports)
        return next((each for each in listed if text(each, "attributes", "title") == title), None)

    async def _told(self, report: str, update: Maintenance) -> bool:
        known = {
            (text(each, "attributes", "message"), _seconds(text(each, "attributes", "published_at")))
            for each in await self._listed(f"{report}/status-updates")
        }
        return (update.words, int(update.at)) in known

    async def _listed(self, path: str) -> list[Mapping[str, object]]:
        """Every page of a list."""
        found: list[Mapping[str, object]] = []
        for number in range(1, _PAGES + 1):
            answer = await self._client.read(path, params={"page": number})
            found += objects(answer.data, "data")
            if not at(answer.data, "pagination", "next"):
                break
        return found

    def _said(self, update: Maintenance) -> dict[str, object]:
        affected = [{"status_page_resource_id": each, "status": "maintenance"} for each in self._resources]
        return {
            "message": update.words,
            "published_at": _moment(update.at),
            "notify_subscribers": update.aloud,
            "affected_resources": affected,
        }


def _window(update: Maintenance) -> dict[str, object]:
    return {"starts_at": _moment(update.starts), "ends_at": _moment(update.ends)}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def _seconds(moment: str) -> int | None:
    try:
        return int(datetime.fromisoformat(moment).timestamp())
    except ValueError:
        return None
