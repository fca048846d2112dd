"""The doctor's look at Statuspage: the key, the page, and each component that is configured."""

from bot.doctor.findings import Findings, fail, failed, ok
from bot.outside_settings import StatusPageConfig
from bot.ports import StepError
from integrations.http.client import Policy
from integrations.http.errors import Denied, Missing
from integrations.http.lenient import objects, text
from integrations.statuspage.build import client_of

_POLICY = Policy(answer=6.0, attempts=2, patience=9.0, pause=1.0)  # people wait for it


async def look_at_statuspage(config: StatusPageConfig, target: str, *, key: str) -> Findings:
    """One read: the components of the page."""
    table = f"[targets.{target}.status_page]"
    try:
        answer = await client_of(config, key, _POLICY).read(f"/pages/{config.page}/components")
    except Denied:
        return [fail("API key", "Statuspage does not take it.", f"Make a key (API info), and set {config.key_env}.")]
    except Missing:
        why = f"Statuspage knows no page {config.page} for this key."
        return [fail("page", why, f"Copy the Page ID from API info to page of {table}.")]
    except StepError as error:
        return [failed("API", error)]
    there = {text(each, "id"): text(each, "name") for each in objects(answer.data)}
    unknown = {name: number for name, number in config.components.items() if number not in there}
    if unknown:
        known = ", ".join(f"{number} ({name})" for number, name in list(there.items())[:10]) or "none"
        why = f"The page has no component {', '.join(unknown.values())}."
        return [fail("components", why, f"Mend components of {table}; there are: {known}.")]
    return [ok("components", f"the key works, and {len(config.components)} of {len(there)} components are used")]
