"""``Prometheus``: whatever figures its queries give of a target's services."""

import asyncio
import math
import time
from collections.abc import Callable

from bot.ports import StepError
from bot.runbook.readings import Figure, Reading, reading
from bot.target import Target
from integrations.http.client import HttpClient
from integrations.http.lenient import at, objects, text
from integrations.prometheus.site import PrometheusSite

_PATH = "/api/v1/query"  # Prometheus "HTTP API", instant queries


class Prometheus:
    """``Source`` by instant queries, one for each different figure and one for the age of the data."""

    name = "Prometheus"

    def __init__(
        self, site: PrometheusSite, *, client: HttpClient | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._site = site
        self._client = client or site.client()
        self._now = now

    async def measure(self, target: Target) -> Reading:
        """What the queries give now; an empty answer, NaN and old data are gaps."""
        asked = self._site.asked
        texts = tuple(dict.fromkeys(asked.values()))
        age, *answers = await asyncio.gather(self._ask(self._site.filled(self._site.age)), *map(self._ask, texts))
        if all(isinstance(each, StepError) for each in answers):
            raise next(each for each in answers if isinstance(each, StepError))
        old, found = self._too_old(age), dict(zip(texts, answers, strict=True))
        return reading(self.name, ((figure, *_value(figure, found[query], old)) for figure, query in asked.items()))

    async def _ask(self, query: str) -> "tuple[float, ...] | StepError":
        """The values of every series that is a number and young enough; the error where the query has failed."""
        try:
            answer = (await self._client.read(_PATH, params={"query": query, "timeout": "7s"})).data
        except StepError as error:
            return error
        if text(answer, "status") != "success":
            return StepError(f"Prometheus refused a query: {text(answer, 'error') or 'it is no Prometheus'}")
        result = at(answer, "data", "result")
        scalar = text(answer, "data", "resultType") == "scalar"
        pairs = [result] if scalar else [each.get("value") for each in objects(result)]
        return tuple(value for value in map(self._number, pairs) if value is not None)

    def _number(self, pair: object) -> float | None:
        """A pair of a moment and a number written as text; "NaN" is what a division by no requests gives."""
        match pair:
            case [int() | float() as moment, str(written)] if self._now() - moment <= self._site.window:
                try:
                    value = float(written)
                except ValueError:
                    return None
                return value if math.isfinite(value) else None
            case _:
                return None

    def _too_old(self, age: "tuple[float, ...] | StepError") -> str:
        """Why nothing of it counts; rates are evaluated now whatever the age of what they are made of."""
        if isinstance(age, StepError):
            return f"the age of its data is not known: {age.problem}"
        if not age:
            return "none of its scrapes got through lately"
        seconds = max(age)
        return f"its newest data is {seconds:.0f} s old" if seconds > self._site.window else ""


def _value(figure: Figure, answer: "tuple[float, ...] | StepError", old: str) -> tuple[float | None, str]:
    """Of several series the worst; throughput is the sum of them."""
    if isinstance(answer, StepError):
        return None, answer.problem
    if old or not answer:
        return None, old or "no data"
    return (sum(answer) if figure is Figure.THROUGHPUT else max(answer)), ""
