"""The status page of a target, from its configuration."""

from bot.outside_settings import StatusPageConfig
from integrations.http.client import HttpClient, Origin, Policy
from integrations.statuspage.page import Statuspage

URL = "https://api.statuspage.io/v1"
#: One request a second and token (developer.statuspage.io, "Rate Limiting"); what fails comes back with the clock.
POLICY = Policy(answer=10.0, attempts=3, patience=20.0, pace=1.0)


def statuspage(config: StatusPageConfig, *, key: str, policy: Policy = POLICY) -> Statuspage:
    """The port, with its own client."""
    return Statuspage(client_of(config, key, policy), page=config.page, components=tuple(config.components.values()))


def client_of(config: StatusPageConfig, key: str, policy: Policy) -> HttpClient:
    """Calls Statuspage with that key."""
    origin = Origin(
        name="Statuspage",
        url=config.url or URL,
        key=config.key_env,
        headers={"Authorization": f"OAuth {key}"},
        secrets=(key,),
    )
    return HttpClient(origin, policy)
