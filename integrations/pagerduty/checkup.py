"""The doctor's look at PagerDuty: its REST API by asking, its Events keys by their shape: to try one is to page."""

import asyncio
import re
from collections.abc import Iterator, Mapping

from bot.doctor.findings import Finding, Findings, fail, failed, ok, warn
from bot.outside_settings import PagerDutyConfig
from bot.ports import StepError
from integrations.http.client import Policy
from integrations.http.errors import Denied, Missing, Rejected
from integrations.pagerduty.build import rest_of
from integrations.pagerduty.rest import Rest

_POLICY = Policy(answer=6.0, attempts=2, patience=9.0, pause=1.0)  # people wait for it
_KEY = re.compile("[0-9A-Za-z]{32}")  # of an Events API v2 integration


async def look_at_pagerduty(config: PagerDutyConfig, target: str, *, keys: Mapping[str, str]) -> Findings:
    """``keys`` are the secrets by the names of their variables."""
    found = [*_events(config, keys)]
    if not config.api_key_env:
        why = "Without a REST key nobody is known to be on call, and the services are not kept quiet."
        return [*found, warn("API key", why, f"Write api_key_env in [targets.{target}.pagerduty], and set it.")]
    rest = rest_of(config, keys[config.api_key_env], _POLICY)
    looks = [_service(rest, each, target) for each in config.services]
    looks += [_user(rest, config.email, target)] if config.email else []
    looks += [_on_call(rest, target)] if config.schedules or config.escalation_policies else []
    try:
        return [*found, *await asyncio.gather(*looks)]
    except Denied:
        fix = f"Make a REST API key (Integrations → API Access Keys), and set {config.api_key_env}."
        return [*found, fail("API key", "PagerDuty does not take it.", fix)]
    except StepError as error:
        return [*found, failed("API", error)]


def _events(config: PagerDutyConfig, keys: Mapping[str, str]) -> Iterator[Finding]:
    for name in filter(None, (config.routing_key_env, config.change_key_env)):
        if _KEY.fullmatch(keys[name]):
            yield ok("Events key", f"{name} has the shape of one; only an event could prove it")
        else:
            why = f"{name} does not hold an Events API v2 key: those have 32 letters and digits."
            fix = f"Copy the Integration Key (Service → Integrations → Events API v2) to {name}."
            yield fail("Events key", why, fix)


async def _service(rest: Rest, number: str, target: str) -> Finding:
    try:
        return ok(f"service {number}", await rest.service(number))
    except Missing:
        fix = f"Copy the id from the service's address to services of [targets.{target}.pagerduty]."
        return fail(f"service {number}", f"PagerDuty knows no service {number}.", fix)


async def _user(rest: Rest, address: str, target: str) -> Finding:
    if await rest.user(address):
        return ok("email", f"{address} may make maintenance windows")
    fix = f"Write the address of a PagerDuty user as email of [targets.{target}.pagerduty]."
    return fail("email", f"PagerDuty has no user {address}, so no maintenance window could be made.", fix)


async def _on_call(rest: Rest, target: str) -> Finding:
    fix = f"Mend schedules and escalation_policies of [targets.{target}.pagerduty], or fill the schedule."
    try:
        found = await rest.on_call()
    except (Missing, Rejected) as error:
        return fail("on call", error.problem, fix)
    if not found:
        return warn("on call", "Nobody is on call now.", fix)
    return ok("on call", ", ".join(each.name for each in found))
