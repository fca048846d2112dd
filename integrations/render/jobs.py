"""One command, run on Render as a one-off job; how it ended is an event, what it said is in the logs."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.ports import StepError
from integrations.http.lenient import at, integer, text
from integrations.http.settle import settled
from integrations.render.api import RenderApi
from integrations.render.logs import Logs
from integrations.render.site import Site

JOB_SECONDS = 3600.0
_OVER = ("succeeded", "failed", "canceled")


@dataclass(frozen=True, kw_only=True)
class JobEnd:
    """How a job ended: ``why`` in words where it did not succeed, and what it wrote, secrets masked."""

    id: str
    status: str
    why: str = ""
    lines: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "succeeded"


class Jobs:
    """Runs commands on ``service``'s newest successful build, with its environment; never one twice at a time.

    Whether a job runs on a suspended service is not documented: use one that is never suspended.  The command is not
    given to a shell, so it is one program with its arguments.
    """

    def __init__(self, api: RenderApi, service: str, *, secrets: Sequence[str] = ()) -> None:
        self._api = api
        self._service = service
        self._secrets = (*secrets, *api.client.origin.secrets)

    @property
    def place(self) -> str:
        """For people, and for the digest."""
        return f"a one-off job of Render's service {self._service}"

    async def run(self, command: Sequence[str], *, seconds: float = JOB_SECONDS) -> JobEnd:
        """Run it to its end.  Raises ``StepError`` when it goes on longer; cancelling it would not undo its SQL."""
        service = await self._api.service(self._service)
        if service.suspended:
            raise StepError(
                f"{service.name or self._service} is suspended, so a job may not run on it.",
                "Name a service that stays up as render.job_service, then retry.",
            )
        joined = await self._at_work(shlex.join(command))
        number = joined[0] if joined else await self._begun(shlex.join(command))
        ended = await self._ended(number, seconds)
        lines = await Logs(self._api, service.owner, secrets=self._secrets).read(
            [number], since=text(ended, "createdAt")
        )
        status = text(ended, "status")
        why = "" if status == "succeeded" else await self._why(number, text(ended, "createdAt"))
        return JobEnd(id=number, status=status, why=why, lines=tuple(each.message for each in lines))

    async def at_rest(self, command: Sequence[str], *, seconds: float = JOB_SECONDS) -> None:
        """Wait until each such job that a dead attempt has left is over; a pending one would still begin."""
        for number in await self._at_work(shlex.join(command)):
            await self._ended(number, seconds)

    async def _at_work(self, command: str) -> list[str]:
        jobs = await self._api.pages(f"/services/{self._service}/jobs", "job", {})
        mine = [each for each in jobs if text(each, "startCommand") == command]
        return [text(each, "id") for each in mine if text(each, "status") not in _OVER]

    async def _begun(self, command: str) -> str:
        """After an unclear answer the job is looked for; it is never made twice."""
        known, path = await self._ids(command), f"/services/{self._service}/jobs"
        new: list[str] = []

        async def there() -> bool:
            new[:] = sorted(await self._ids(command) - known)
            return bool(new)

        patience = self._api.patience
        writing = self._api.client.write("POST", path, json={"startCommand": command})
        answer = await settled(writing, there, seconds=patience.settle, every=patience.look)
        return text(answer.data, "id") if answer is not None else new[0]

    async def _ids(self, command: str) -> set[str]:
        jobs = await self._api.pages(f"/services/{self._service}/jobs", "job", {})
        return {text(each, "id") for each in jobs if text(each, "startCommand") == command}

    async def _ended(self, number: str, seconds: float) -> object:
        found: list[object] = []

        async def over() -> bool:
            found[:] = [(await self._api.client.read(f"/services/{self._service}/jobs/{number}")).data]
            return text(found[0], "status") in _OVER  # null at first

        otherwise = StepError(
            f"The job {number} has not ended after {seconds:.0f} s; it goes on.",
            "Look at the job on Render. Cancelling it does not stop what it has asked of the database.",
        )
        await self._api.until(over, seconds=seconds, otherwise=otherwise)
        return found[0]

    async def _why(self, number: str, since: str) -> str:
        query = {"type": "job_run_ended", "startTime": since}
        events = await self._api.pages(f"/services/{self._service}/events", "event", query)
        mine = [at(each, "details") for each in events if text(each, "details", "jobId") == number]
        return reason_of(at(mine[0], "reason")) if mine else "Render gives no reason"


def jobs_of(sites: Mapping[str, Site]) -> dict[str, Jobs]:
    """The targets that have a service for jobs."""
    named = {name: site for name, site in sites.items() if site.job_service}
    return {name: Jobs(RenderApi(site.client(), site.patience), site.job_service) for name, site in named.items()}


def reason_of(reason: object) -> str:
    """Render's reason in words (OpenAPI, schema ``failureReason``)."""
    if (code := integer(reason, "nonZeroExit")) is not None:
        return f"it ended with code {code}"
    if isinstance(at(reason, "oomKilled"), Mapping):
        return f"it used more than its {text(reason, 'oomKilled', 'memoryLimit') or 'limit'} of memory"
    if (seconds := integer(reason, "timedOutSeconds")) is not None:
        return f"it was stopped after {seconds} s"
    if at(reason, "evicted") is True:
        return "Render moved it away from its machine"
    return text(reason, "unhealthy") or text(reason, "timedOutReason") or "Render gives no reason"
