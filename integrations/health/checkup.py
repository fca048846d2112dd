"""The doctor's look at a target's services over HTTP: what they answer, and not only whether they are well."""

import asyncio
from collections.abc import Mapping

import httpx

from bot.doctor.findings import Finding, Findings, fail, ok, warn
from bot.runbook.wording import one_line
from bot.target import HealthAnswer, Service, Target, Workflow
from integrations.health.probe import fits, holds, number
from integrations.http.lenient import along

_SECONDS = 5.0
_SHAPE = 'a 200 with {"status": "healthy", "database": "connected", …}'


async def look_at_health(target: Target) -> Findings:
    """Every health and metrics address, and every critical workflow that only reads, with one request each."""
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
        looks = [_health(client, each) for each in target.services]
        looks += [_metrics(client, each) for each in target.services if each.metrics_url]
        looks += [_workflow(client, target, each) for each in target.workflows]
        return await asyncio.gather(*looks)


async def _health(client: httpx.AsyncClient, service: Service) -> Finding:
    check, where = f"health of {one_line(service.name, 60)}", _shown(service.health_url)
    answer = await _asked(client, service.health_url)
    if isinstance(answer, str):
        return fail(check, f"{where} gave no answer ({answer}).", "Start the service, or mend its health_url.")
    if answer.is_redirect:
        fix = "Write the address that answers itself as health_url."
        return fail(check, f"{where} sends elsewhere ({answer.status_code}), which is not followed.", fix)
    found = _json(answer)
    expected = service.health.expect
    shape = _SHAPE if service.health == HealthAnswer() else f"a 200 with {', '.join(path for path, _ in expected)}"
    if all(along(found, path) is None for path, _ in expected):
        what = "the runbook's JSON" if shape == _SHAPE else "what its health table expects"
        why = f"{where} answers {answer.status_code}, without {what}."
        return fail(check, why, f"Have it answer {shape}, or mend health_url.")
    if answer.status_code != httpx.codes.OK or not holds(found, expected):
        why = f"{where} answers {answer.status_code}, not healthy."
        return fail(check, why, f"Mend the service; it has to answer {shape}.")
    return ok(check, "healthy, and connected to its database")


async def _metrics(client: httpx.AsyncClient, service: Service) -> Finding:
    check, where = f"metrics of {one_line(service.name, 60)}", _shown(service.metrics_url)
    answer = await _asked(client, service.metrics_url)
    found = None if isinstance(answer, str) else _json(answer)
    counts = isinstance(found, dict) and None not in (number(found.get("requests")), number(found.get("failed")))
    if counts:
        return ok(check, "requests and failures are counted")
    how = "gave no answer" if isinstance(answer, str) else "answers without counts"
    why = f"{where} {how}: no error rate is known."
    return warn(check, why, 'Have it answer {"requests": …, "failed": …, "p95_ms": …}, or mend metrics_url.')


async def _workflow(client: httpx.AsyncClient, target: Target, workflow: Workflow) -> Finding:
    check = f"workflow “{one_line(workflow.name, 60)}”"
    if workflow.method not in ("GET", "HEAD"):
        return ok(check, f"not tried: a {workflow.method} may change something, and the doctor changes nothing")
    answer = await _asked(client, workflow.url, workflow.method, headers=dict(workflow.headers))
    if not isinstance(answer, str) and fits(workflow, answer.status_code, _json(answer)):
        return ok(check, "answers with success")
    said = f"gave no answer ({answer})" if isinstance(answer, str) else f"answers {answer.status_code}"
    if not isinstance(answer, str) and answer.is_success:
        said += ", and not what it is expected to"
    fix = f"Mend it, or its address in workflows of [targets.{target.name}]."
    return fail(check, f"{_shown(workflow.url)} {said}.", fix)


async def _asked(
    client: httpx.AsyncClient, url: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> httpx.Response | str:
    """The answer, or what kind of failure there was."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await client.request(method, url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
        return type(error).__name__


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def _shown(url: str) -> str:
    """Without its query and without who logs in: either may be a secret."""
    try:
        return str(httpx.URL(url).copy_with(query=None, userinfo=b""))
    except (httpx.InvalidURL, ValueError):
        return "The address"
