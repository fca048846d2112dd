"""The doctor's look at Better Stack: the key, the page, and each resource that is configured."""

from bot.doctor.findings import Findings, fail, failed, ok
from bot.outside_settings import StatusPageConfig
from bot.ports import StepError
from integrations.betterstack.build import client_of
from integrations.http.client import HttpClient, Policy
from integrations.http.errors import Denied, Missing
from integrations.http.lenient import at, objects, text

_POLICY = Policy(answer=6.0, attempts=2, patience=9.0, pause=1.0)  # people wait for it
_PAGES = 20


async def look_at_betterstack(config: StatusPageConfig, target: str, *, key: str) -> Findings:
    """Only the resources of the page are read (betterstack.com/docs/uptime/api, Status page resources)."""
    table = f"[targets.{target}.status_page]"
    try:
        there = await _resources(client_of(config, key, _POLICY), config.page)
    except Denied:
        fix = f"Make an Uptime API token, and set {config.key_env}."
        return [fail("API key", "Better Stack does not take it.", fix)]
    except Missing:
        why = f"Better Stack knows no status page {config.page} for this key."
        return [fail("page", why, f"Copy the number from the page's address to page of {table}.")]
    except StepError as error:
        return [failed("API", error)]
    if unknown := sorted(set(config.components.values()) - there):
        why = f"The page has no resource {', '.join(unknown)}."
        known = ", ".join(sorted(there)[:10]) or "none"
        return [fail("components", why, f"Mend components of {table}; there are: {known}.")]
    return [ok("components", f"the key works, and {len(config.components)} of {len(there)} resources are used")]


async def _resources(client: HttpClient, page: str) -> set[str]:
    found: set[str] = set()
    for number in range(1, _PAGES + 1):
        answer = await client.read(f"/status-pages/{page}/resources", params={"page": number})
        found |= {text(each, "id") for each in objects(answer.data, "data")}
        if not at(answer.data, "pagination", "next"):
            break
    return found
