"""What services and jobs wrote, from Render's logs: page by page, secrets masked."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.http.lenient import at, objects, text
from integrations.process import Redactor
from integrations.render.api import PAGE, RenderApi

LINE_CHARACTERS = 500
_MOST_PAGES = 20  # /logs is limited to 30 calls a minute


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line; ``at`` is ISO 8601, ``level`` as the application named it."""

    at: str
    message: str
    level: str = ""


class Logs:
    """Reads the logs of ``owner``'s resources; all of one call must be in one region (OpenAPI, ``/logs``)."""

    def __init__(self, api: RenderApi, owner: str, *, secrets: Sequence[str] = ()) -> None:
        self._api = api
        self._owner = owner
        self._mask = Redactor(secrets)

    async def tail(self, resource: str, lines: int, *, level: str = "") -> tuple[str, ...]:
        """The last ``lines`` lines of the last hour, oldest first; of one ``level`` where it is given."""
        found = await self._page({"resource": [resource], "limit": min(lines, PAGE), "level": level})
        return tuple(each.message for each in reversed(_lines(found, self._mask)))[-lines:]

    async def errors(self, resources: Sequence[str], since: str) -> tuple[Line, ...]:
        """Every line of level error since ``since`` (ISO 8601), oldest first."""
        return await self.read(resources, since=since, level="error")

    async def read(self, resources: Sequence[str], *, since: str, level: str = "") -> tuple[Line, ...]:
        """Every line since ``since``, oldest first; at most 2000."""
        found: list[Line] = []
        query: dict[str, str | int | list[str]] = {"resource": list(resources), "limit": PAGE, "level": level}
        query["direction"] = "forward"
        window = {"startTime": since}
        for _ in range(_MOST_PAGES):
            page = await self._page({**query, **window})
            found += _lines(page, self._mask)
            if at(page, "hasMore") is not True:
                break
            window = {"startTime": text(page, "nextStartTime"), "endTime": text(page, "nextEndTime")}
        return tuple(found)

    async def _page(self, query: dict[str, str | int | list[str]]) -> object:
        return (await self._api.client.read("/logs", params={"ownerId": self._owner, **query})).data


def _lines(page: object, mask: Redactor) -> tuple[Line, ...]:
    return tuple(
        Line(at=text(each, "timestamp"), message=mask(text(each, "message"))[:LINE_CHARACTERS], level=_level(each))
        for each in objects(page, "logs")
    )


def _level(line: object) -> str:
    return next((text(each, "value") for each in objects(line, "labels") if text(each, "name") == "level"), "")
