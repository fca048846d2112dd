"""``NewRelic``: error rate, failed requests, response time, database latency and throughput of a target's services."""

import time
from collections.abc import Callable, Iterator, Mapping

from bot.ports import StepError
from bot.runbook.readings import MINUTE, Figure, Reading, reading
from bot.target import Target
from integrations.http.answer import Mask
from integrations.http.client import HttpClient
from integrations.http.lenient import at, objects, text
from integrations.newrelic.nrql import GRAPHQL, number, questions
from integrations.newrelic.site import NewRelicSite

Row = Mapping[str, object]
Found = tuple[Figure, float | None, str]
_WORDS = 200  # characters of New Relic's own error text that people are shown


class NewRelic:
    """``Source`` by NerdGraph: both questions in one request for each sample."""

    name = "New Relic"

    def __init__(
        self, site: NewRelicSite, *, client: HttpClient | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._site = site
        self._client = client or site.client()
        self._mask = Mask((site.key,))
        self._now = now

    async def measure(self, target: Target) -> Reading:
        """What the account knows of the last window; nulls, no traffic and old data are gaps."""
        body = {"query": GRAPHQL, "variables": {"id": self._site.account, **questions(self._site)}}
        data = (await self._client.read("/graphql", method="POST", json=body)).data
        rows = {name: self._row(data, name) for name in ("requests", "database")}
        if rows["requests"] is None and rows["database"] is None:
            raise self._refused(data)
        return reading(self.name, (*self._requests(data, rows["requests"]), self._database(data, rows["database"])))

    def _row(self, data: object, name: str) -> Row | None:
        """The one row of a question; ``None`` where it was not answered."""
        found = at(data, "data", "actor", "account", name, "results")
        return next(iter(objects(found)), {}) if isinstance(found, list) else None

    def _requests(self, data: object, row: Row | None) -> Iterator[Found]:
        figures = (Figure.ERROR_RATE, Figure.P95, Figure.THROUGHPUT)
        why = self._why_not(data, "requests", row)
        count = number(row or {}, "n")
        if row is None or why or not count:
            yield from ((figure, None, why or self._nothing("request")) for figure in figures)
            return
        percent, seconds = number(row, "error_percent"), number(row, "p95")
        yield Figure.ERROR_RATE, None if percent is None else percent / 100, "no value"
        yield Figure.P95, None if seconds is None else seconds * 1000, "no value"
        yield Figure.THROUGHPUT, count / self._site.window * MINUTE, ""
        if coded := number(row, "coded"):  # some agents do not report the status: then it is not ours to know
            failed = number(row, "failed")
            yield Figure.FAILED_RATE, None if failed is None else failed / coded, "no value"

    def _database(self, data: object, row: Row | None) -> Found:
        seconds = number(row or {}, "p95")
        why = self._why_not(data, "database", row) or self._nothing("database call")
        return Figure.LATENCY, None if row is None or self._stale(row) or seconds is None else seconds * 1000, why

    def _why_not(self, data: object, name: str, row: Row | None) -> str:
        if row is None:
            return self._said(data, name) or "not answered"
        return f"its newest data is older than {self._site.window:.0f} s" if self._stale(row) else ""

    def _nothing(self, what: str) -> str:
        return f"no {what} in the last {self._site.window:.0f} s"

    def _stale(self, row: Row) -> bool:
        """Timestamps are milliseconds since 1970; without one nobody knows how old it is."""
        if not row or number(row, "n") == 0:
            return False  # nothing there, which is said in other words
        last = number(row, "last")
        return last is None or self._now() - last / 1000 > self._site.window

    def _refused(self, data: object) -> StepError:
        """NerdGraph answers 200 also where it refuses; its ``errors`` say why."""
        said = self._said(data) or "an answer without data"
        key = self._site.key_name
        return StepError(f"New Relic gave no data: {said}", f"Check the account's id, and that {key} may read it.")

    def _said(self, data: object, name: str = "") -> str:
        """What ``errors`` say of one question, or at all."""
        for each in objects(data, "errors"):
            path = each.get("path")
            if not name or (isinstance(path, list) and name in path):
                return self._mask(text(each, "message"))[:_WORDS]
        return ""
