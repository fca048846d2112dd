"""The status page of a target, from its configuration."""

from bot.outside_settings import StatusPageConfig
from integrations.betterstack.page import BetterStackPage
from integrations.http.client import HttpClient, Origin, Policy

URL = "https://uptime.betterstack.com/api/v2"
POLICY = Policy(answer=10.0, attempts=3, patience=20.0)  # what fails comes back with the clock


def betterstack(config: StatusPageConfig, *, key: str, policy: Policy = POLICY) -> BetterStackPage:
    """The port, with its own client."""
    client = client_of(config, key, policy)
    return BetterStackPage(client, page=config.page, resources=tuple(config.components.values()))


def client_of(config: StatusPageConfig, key: str, policy: Policy) -> HttpClient:
    """Calls Better Stack with that key."""
    origin = Origin(
        name="Better Stack",
        url=config.url or URL,
        key=config.key_env,
        headers={"Authorization": f"Bearer {key}"},
        secrets=(key,),
    )
    return HttpClient(origin, policy)
