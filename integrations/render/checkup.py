"""The doctor's look at Render: the key, every id that is configured, and whether they mean this target."""

import asyncio

from psycopg.conninfo import conninfo_to_dict

from bot.doctor.findings import Finding, Findings, fail, failed, ok, warn
from bot.ports import StepError
from bot.target import Target
from integrations.http.client import Policy
from integrations.http.errors import Denied, Missing
from integrations.render.api import RenderApi
from integrations.render.database import Databases
from integrations.render.site import Site

_POLICY = Policy(answer=6.0, attempts=2, patience=9.0, pause=1.0)  # people wait for it


async def look_at_render(site: Site, target: Target) -> Findings:
    """Only reads.  Without a valid key, that alone is said."""
    api = RenderApi(site.client(_POLICY), site.patience)
    looks = [_service(api, name, number, target.name) for name, number in site.services.items()]
    looks += [_job_service(api, site.job_service, target.name)] if site.job_service else []
    looks += [_postgres(api, site.postgres, target)] if site.postgres else []
    try:
        return await asyncio.gather(*looks)
    except Denied as error:
        why, fix = f"{error.problem}.", f"Make an API key in Render's account settings, and set {site.key_name}."
        return [fail("API key", why.replace("..", "."), fix)]
    except StepError as error:
        return [failed("API", error)]


async def _service(api: RenderApi, name: str, number: str, target: str) -> Finding:
    check, entry = f"service {name}", f"{name} in [targets.{target}.render.services]"
    try:
        found = await api.service(number)
    except Missing:
        return fail(
            check, f"Render knows no {number}.", f"Copy the id from the service's dashboard address to {entry}."
        )
    if found.foreign:
        why = f"It is suspended by {', '.join(found.foreign)}, so the bot could not start it again."
        return fail(check, why, "Settle that with Render first.")
    if found.suspended:
        return warn(check, "It is suspended now.", "Resume it on Render, if it should run.")
    if not found.has_instances:
        return warn(
            check, f"It is a {found.kind.value.replace('_', ' ')}, which has nothing to stop.", f"Check {entry}."
        )
    return ok(check, f"{found.name}, {found.kind.value.replace('_', ' ')}")


async def _job_service(api: RenderApi, number: str, target: str) -> Finding:
    entry = f"job_service of [targets.{target}.render]"
    try:
        found = await api.service(number)
    except Missing:
        return fail("job_service", f"Render knows no {number}.", f"Copy its id from its dashboard address to {entry}.")
    if found.suspended:
        return fail("job_service", f"{found.name} is suspended: no job would run.", "Resume it on Render.")
    return ok("job_service", found.name)


async def _postgres(api: RenderApi, number: str, target: Target) -> Finding:
    databases, entry = Databases(api), f"postgres of [targets.{target.name}.render]"
    try:
        found = await databases.detail(number)
        connection = await databases.connection(number)
    except Missing:
        return fail("postgres", f"Render knows no {number}.", f"Copy the id from the database's dashboard to {entry}.")
    if not found.ready:
        why = f"The database is {found.status or 'in no known state'} ({found.role or 'no role'}), so not ready."
        return fail("postgres", why, "Wait until Render shows it as available.")
    there = str(conninfo_to_dict(connection.external or connection.internal).get("dbname") or "")
    if there and there != target.database:
        why = f"{number} is the database {there}, not {target.database}: a recovery would bring back another one."
        return fail("postgres", why, f"Mend {entry}, or the target's connection string.")
    return ok("postgres", f"{found.name}, PostgreSQL {found.version}, {found.status}")
