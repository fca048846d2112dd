"""``RenderMetrics``: error rate, failed requests, response time and throughput, from Render itself."""

import time
from collections.abc import Callable

from bot.runbook.readings import Figure, Reading, reading
from bot.target import Target
from integrations.http.client import Policy
from integrations.render.api import RenderApi
from integrations.render.metrics import Metrics
from integrations.render.site import Site

SAMPLING = Policy(answer=8.0, attempts=2, patience=4.0, pause=1.0)  # the next sample is half a minute away
MINUTES = 3.0  # Render's values are one minute apart, and come a little late


class RenderMetrics:
    """``Source`` that needs no setting up.  Only services that answer requests have anything here.

    How much of the connections is used is not among it: Render does not say how many there may be, PostgreSQL does.
    """

    name = "Render"

    def __init__(self, site: Site, *, api: RenderApi | None = None, now: Callable[[], float] = time.time) -> None:
        self._services = site.services
        self._metrics = Metrics(api or RenderApi(site.client(SAMPLING)), minutes=MINUTES, now=now)

    async def measure(self, target: Target) -> Reading:
        """The target's services together: one rate over all requests, the slowest response time."""
        resources = [self._services[each.name] for each in target.services]
        requests = await self._metrics.requests(resources)
        times = [await self._metrics.p95_ms(each) for each in resources]
        share = None if requests is None else requests.failed / requests.total
        nothing = f"no request in the last {MINUTES:.0f} min"
        return reading(
            self.name,
            (
                (Figure.ERROR_RATE, share, nothing),
                (Figure.FAILED_RATE, share, nothing),
                (Figure.P95, max((each for each in times if each is not None), default=None), nothing),
                (Figure.THROUGHPUT, None if requests is None else requests.total / requests.minutes, nothing),
            ),
        )
