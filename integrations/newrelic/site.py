"""Where a target is in New Relic, and with which key."""

from dataclasses import dataclass, field

from integrations.http.client import HttpClient, Origin, Policy

#: The host of NerdGraph in each region (docs.newrelic.com "Introduction to NerdGraph").
URLS = {"us": "https://api.newrelic.com", "eu": "https://api.eu.newrelic.com"}
SAMPLING = Policy(answer=8.0, attempts=2, patience=4.0, pause=1.0)  # the next sample is half a minute away


@dataclass(frozen=True, kw_only=True)
class NewRelicSite:
    """One target: the account, and its services as ``apps`` (APM names) or ``entities`` (GUIDs).

    ``where`` is one more condition in NRQL.  ``window`` is the sampling window in seconds.
    """

    account: int
    key: str = field(repr=False)
    key_name: str = "NEW_RELIC_API_KEY"
    apps: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    where: str = ""
    window: float = 120.0
    url: str = URLS["us"]

    def client(self, policy: Policy = SAMPLING) -> HttpClient:
        """Calls NerdGraph with this site's key."""
        headers = {"API-Key": self.key}
        return HttpClient(
            Origin(name="New Relic", url=self.url, key=self.key_name, headers=headers, secrets=(self.key,)), policy
        )
