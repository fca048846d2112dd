"""``RenderApi``: the calls we make about services, each by its meaning.  Writes read back what they did."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.ports import StepError
from integrations.http.client import HttpClient, Params
from integrations.http.lenient import objects, text
from integrations.http.settle import settled
from integrations.render.model import Deploy, ServiceState, deploy_of, service_of
from integrations.render.site import Patience

PAGE = 100  # the most that Render gives at once
_MOST_PAGES = 50


class RenderApi:
    """Render's public API.  Errors are ``HttpError`` (a ``StepError``)."""

    def __init__(self, client: HttpClient, patience: Patience | None = None) -> None:
        self.client = client
        self.patience = patience or Patience()

    async def service(self, service: str) -> ServiceState:
        return service_of((await self.client.read(f"/services/{service}")).data)

    async def instances(self, service: str) -> tuple[str, ...]:
        """The ids of the instances that run now."""
        answer = await self.client.read(f"/services/{service}/instances")
        return tuple(text(each, "id") for each in objects(answer.data))

    async def deploys(self, service: str, *, limit: int = 20) -> tuple[Deploy, ...]:
        """The newest deploys, the newest first."""
        answer = await self.client.read(f"/services/{service}/deploys", params={"limit": limit})
        found = [deploy_of(each.get("deploy")) for each in objects(answer.data)]
        return tuple(sorted(found, key=lambda each: each.created, reverse=True))

    async def current(self, service: str) -> Deploy | None:
        """The deploy that is live, or else was so last (of a suspended service)."""
        found = await self.deploys(service)
        return next((each for each in found if each.live), next((each for each in found if each.replaced), None))

    async def suspend(self, service: str) -> None:
        await self._settled("POST", f"/services/{service}/suspend", None, self._is(service, suspended=True))

    async def resume(self, service: str) -> None:
        await self._settled("POST", f"/services/{service}/resume", None, self._is(service, suspended=False))

    async def auto_deploy(self, service: str, *, on: bool) -> None:
        wanted = {"autoDeploy": "yes" if on else "no"}
        await self._settled("PATCH", f"/services/{service}", wanted, self._is(service, auto_deploy=on))

    async def maintenance(self, service: str, *, on: bool, uri: str) -> None:
        """Render wants both keys of the mode."""
        wanted = {"serviceDetails": {"maintenanceMode": {"enabled": on, "uri": uri}}}
        await self._settled("PATCH", f"/services/{service}", wanted, self._is(service, maintenance=on))

    async def rollback(self, service: str, deploy: Deploy) -> None:
        """Deploy what ``deploy`` brought once more.  It does not turn automatic deploys off: do that before."""
        known = {each.id for each in await self.deploys(service)}

        async def there() -> bool:
            new = [each for each in await self.deploys(service) if each.id not in known]
            return any(each.trigger == "rollback" and each.release == deploy.release for each in new)

        await self._settled("POST", f"/services/{service}/rollback", {"deployId": deploy.id}, there)

    async def restart(self, service: str) -> None:
        """Ask for a restart; it has happened when the instances are others."""
        before = set(await self.instances(service))

        async def there() -> bool:
            return bool(now := set(await self.instances(service))) and not now & before

        await self._settled("POST", f"/services/{service}/restart", None, there)

    async def pages(self, path: str, what: str, params: Params) -> tuple[object, ...]:
        """Everything of a list, page by page."""
        found: list[object] = []
        cursor = ""
        for _ in range(_MOST_PAGES):
            answer = await self.client.read(path, params={**params, "limit": PAGE, "cursor": cursor})
            entries = objects(answer.data)
            found += [each.get(what) for each in entries]
            if len(entries) < PAGE or not (cursor := text(entries[-1], "cursor")):
                break
        return tuple(found)

    async def until(self, there: Callable[[], Awaitable[bool]], *, seconds: float, otherwise: StepError) -> None:
        """Look until it is so; raises ``otherwise`` after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not await there():
            if time.monotonic() > deadline:
                raise otherwise
            await asyncio.sleep(self.patience.look)

    def _is(self, service: str, **wanted: object) -> Callable[[], Awaitable[bool]]:
        async def there() -> bool:
            found = await self.service(service)
            return all(getattr(found, name) == value for name, value in wanted.items())

        return there

    async def _settled(self, method: str, path: str, body: object, there: Callable[[], Awaitable[bool]]) -> None:
        writing = self.client.write(method, path, json=body)
        await settled(writing, there, seconds=self.patience.settle, every=self.patience.look)
