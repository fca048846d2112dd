"""PagerDuty's REST API: who is on call, maintenance windows, and which change events are there already."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.outside import Notice, OnCall, Quiet
from integrations.http.client import HttpClient, Params
from integrations.http.errors import Missing, Rejected
from integrations.http.lenient import at, integer, objects, text
from integrations.pagerduty.events import moment

_PAGE, _PAGES = 100, 20
_OVER = 405  # a window that has ended cannot be deleted


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Somebody on call; without ``start`` or ``end`` (seconds since 1970) it has none."""

    name: str
    address: str
    start: int | None = None
    end: int | None = None


class Rest:
    """``services`` are kept quiet; ``schedules`` and ``policies`` say who is on call."""

    def __init__(
        self, client: HttpClient, *, services: Sequence[str], schedules: Sequence[str], policies: Sequence[str]
    ) -> None:
        self._client = client
        self._services = tuple(services)
        self._asked: Params = {"schedule_ids[]": list(schedules), "escalation_policy_ids[]": list(policies)}
        self._asks = bool(schedules or policies)

    async def on_call(self) -> tuple[OnCall, ...]:
        """The first level of each schedule and policy that is asked, each person once."""
        if not self._asks:
            return ()
        asked: Params = {**self._asked, "earliest": "true", "include[]": ["users"]}
        found = [each async for each in self._listed("/oncalls", "oncalls", asked)]
        first = min((integer(each, "escalation_level") or 1 for each in found), default=1)
        people = {
            text(each, "user", "summary"): OnCall(name=text(each, "user", "summary"), until=_seconds(text(each, "end")))
            for each in found
            if (integer(each, "escalation_level") or 1) == first
        }
        return tuple(people.values())

    async def shifts(self, start: float, end: float) -> tuple[Shift, ...]:
        """Who is on call at the first level, from ``start`` to ``end`` (seconds since 1970), shift by shift."""
        asked: Params = {**self._asked, "since": moment(start), "until": moment(end), "include[]": ["users"]}
        found = [each async for each in self._listed("/oncalls", "oncalls", asked)] if self._asks else []
        return tuple(
            Shift(
                name=text(each, "user", "summary") or text(each, "user", "name"),
                address=text(each, "user", "email"),
                start=_seconds(text(each, "start")),
                end=_seconds(text(each, "end")),
            )
            for each in found
            if (integer(each, "escalation_level") or 1) == 1
        )

    async def service(self, number: str) -> str:
        """Its name; raises ``Missing`` for an id that is not there."""
        return text((await self._client.read(f"/services/{number}")).data, "service", "name")

    async def user(self, address: str) -> bool:
        """Is somebody there with that e-mail address?"""
        found = [each async for each in self._listed("/users", "users", {"query": address})]
        return any(text(each, "email").lower() == address.lower() for each in found)

    async def quiet(self, notice: Notice, quiet: Quiet) -> None:
        """One window per run, ending when it should; of no services there is none to make."""
        if not self._services:
            return
        found = await self._window(notice.run_id)
        if found is None:
            await self._client.write("POST", "/maintenance_windows", json=self._body(quiet, moment(quiet.starts)))
        elif _seconds(text(found, "end_time")) != int(quiet.ends):
            body = self._body(quiet, text(found, "start_time"))
            path = f"/maintenance_windows/{text(found, 'id')}"
            await self._client.write("PUT", path, json=body, repeatable=True)

    async def loud(self, notice: Notice) -> None:
        """End the run's window, if it is open."""
        found = await self._window(notice.run_id) if self._services else None
        if found is None:
            return
        try:
            await self._client.write("DELETE", f"/maintenance_windows/{text(found, 'id')}", repeatable=True)
        except Missing:
            return  # ended by itself, or by the request whose answer was lost
        except Rejected as error:
            if error.status != _OVER:
                raise

    async def changed(self, notice: Notice, since: float) -> bool:
        """Is the change event of that notice there?"""
        asked: Params = {"since": moment(since - 3600), "until": moment(since + 86_400)}
        async for each in self._listed("/change_events", "change_events", asked):
            if text(each, "custom_details", "notice") == notice.key:
                return True
        return False

    async def _window(self, run_id: str) -> Mapping[str, object] | None:
        asked: Params = {"filter": "open", "service_ids[]": list(self._services)}
        async for each in self._listed("/maintenance_windows", "maintenance_windows", asked):
            if f" {run_id}:" in f" {text(each, 'description')}:":
                return each
        return None

    async def _listed(self, path: str, name: str, asked: Params) -> AsyncIterator[Mapping[str, object]]:
        for number in range(_PAGES):
            params: Params = {**asked, "limit": _PAGE, "offset": number * _PAGE}
            answer = await self._client.read(path, params=params)
            for each in objects(answer.data, name):
                yield each
            if at(answer.data, "more") is not True:
                return

    def _body(self, quiet: Quiet, starts: str) -> dict[str, object]:
        window = {
            "type": "maintenance_window",
            "start_time": starts,
            "end_time": moment(quiet.ends),
            "description": quiet.reason,
            "services": [{"id": each, "type": "service_reference"} for each in self._services],
        }
        return {"maintenance_window": window}


def _seconds(written: str) -> int | None:
    try:
        return int(datetime.fromisoformat(written).timestamp())
    except ValueError:
        return None
