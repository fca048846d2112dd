"""Where a target's Prometheus is, how to be let in, and what to ask it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.runbook.readings import Figure
from integrations.http.client import HttpClient, Origin, Policy

SAMPLING = Policy(answer=8.0, attempts=2, patience=4.0, pause=1.0)  # the next sample is half a minute away

# The names are those that Prometheus' own documentation uses ("Metric and label naming", "Histograms and summaries").
# "or … * 0": without a single error there is no series of errors, and yet the rate is known to be zero.
_ALL = "sum(rate(http_requests_total{$selector}[$window]))"
_FAILED = f'(sum(rate(http_requests_total{{$selector,status=~"5.."}}[$window])) or {_ALL} * 0) / {_ALL}'
_BUCKETS = "sum by (le) (rate(http_request_duration_seconds_bucket{$selector}[$window]))"
QUERIES: Mapping[Figure, str] = {
    Figure.ERROR_RATE: _FAILED,
    Figure.FAILED_RATE: _FAILED,
    Figure.P95: f"1000 * histogram_quantile(0.95, {_BUCKETS})",
    Figure.THROUGHPUT: f"60 * {_ALL}",
}
#: How old the newest measurement is, in seconds: of the last scrape that got through.
AGE = "time() - max(timestamp(up{$selector}) and (up{$selector} == 1))"


@dataclass(frozen=True, kw_only=True)
class PrometheusSite:
    """One target: ``queries`` beside or instead of the defaults (an empty one: do not ask).

    In a query ``$selector`` stands for the label matchers and ``$window`` for the sampling window.  With ``token``
    there is a bearer, with ``username`` and ``password`` basic authentication.  ``window`` is seconds.
    """

    url: str
    selector: str
    queries: Mapping[str, str] = field(default_factory=dict)
    age: str = AGE
    window: float = 120.0
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    key_name: str = "the address in targets.toml"

    @property
    def asked(self) -> dict[Figure, str]:
        """Figure -> PromQL, ready to be sent."""
        texts = {**{figure.value: text for figure, text in QUERIES.items()}, **self.queries}
        return {Figure(name): self.filled(text) for name, text in texts.items() if text}

    def filled(self, query: str) -> str:
        """The query with its two placeholders filled in."""
        return query.replace("$selector", self.selector).replace("$window", f"{self.window:.0f}s")

    def client(self, policy: Policy = SAMPLING) -> HttpClient:
        """Calls the query API, with whatever lets us in."""
        basic = base64.b64encode(f"{self.username}:{self.password}".encode()).decode() if self.username else ""
        scheme = f"Bearer {self.token}" if self.token else f"Basic {basic}"
        headers = {"Authorization": scheme} if self.token or basic else {}
        secrets = tuple(each for each in (self.token, self.password, basic) if each)
        origin = Origin(name="Prometheus", url=self.url, key=self.key_name, headers=headers, secrets=secrets)
        return HttpClient(origin, policy)
