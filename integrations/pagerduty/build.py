"""The pager of a target, from its configuration."""

from collections.abc import Mapping

from bot.outside_settings import PagerDutyConfig
from integrations.http.client import HttpClient, Origin, Policy
from integrations.pagerduty.events import Events
from integrations.pagerduty.pager import PagerDuty
from integrations.pagerduty.rest import Rest

POLICY = Policy(answer=10.0, attempts=3, patience=20.0)  # what fails comes back with the clock
_VERSION = "application/vnd.pagerduty+json;version=2"


def pagerduty(config: PagerDutyConfig, *, keys: Mapping[str, str], policy: Policy = POLICY) -> PagerDuty:
    """``keys`` are the secrets by the names of their variables, as the configuration names them."""
    key, change_key = keys[config.routing_key_env], keys.get(config.change_key_env, "")
    events = Origin(name="PagerDuty", url=config.events_url, key=config.routing_key_env, secrets=(key, change_key))
    rest = rest_of(config, keys[config.api_key_env], policy) if config.api_key_env else None
    return PagerDuty(Events(HttpClient(events, policy), key=key, change_key=change_key), rest)


def rest_of(config: PagerDutyConfig, key: str, policy: Policy) -> Rest:
    """The REST API, with its own client."""
    headers = {"Authorization": f"Token token={key}", "Accept": _VERSION, "From": config.email}
    origin = Origin(
        name="PagerDuty",
        url=config.api_url,
        key=config.api_key_env,
        headers={name: value for name, value in headers.items() if value},
        secrets=(key,),
    )
    return Rest(
        HttpClient(origin, policy),
        services=config.services,
        schedules=config.schedules,
        policies=config.escalation_policies,
    )
