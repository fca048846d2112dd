"""What the stand-in knows: services, their deploys and instances, and what has happened.  Nothing passes by the clock:
a deploy comes one step further, and an instance is gone, after so many looks."""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

_LETTERS = string.ascii_lowercase + string.digits
_START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
OWNER = "tea-demo000000000000000"
STEPS = ("created", "update_in_progress", "live")
Json = dict[str, object]


class Machines(Protocol):
    """Where the instances really are."""

    async def up(self, service: str, release: str) -> None:
        """Run ``release`` of the service with that name."""

    async def down(self, service: str) -> None: ...

    async def log(self, service: str) -> Sequence[str]:
        """All that it has written, oldest first."""


class NoMachines:
    """Instances that are only ids."""

    async def up(self, service: str, release: str) -> None:
        """Nothing runs."""

    async def down(self, service: str) -> None:
        """Nothing runs."""

    async def log(self, service: str) -> Sequence[str]:
        """Nothing wrote anything."""
        return ()


def made_id(prefix: str, letters: int = 20) -> str:
    """An id as Render makes them: ``job-`` and 20 letters and digits."""
    return f"{prefix}-" + "".join(secrets.choice(_LETTERS) for _ in range(letters))


@dataclass
class Moments:
    """Time that passes by a second with each event, so that order is never in doubt."""

    passed: int = 0

    def now(self) -> str:
        self.passed += 1
        return (_START + timedelta(seconds=self.passed)).isoformat().replace("+00:00", "Z")


@dataclass
class DeployRecord:
    """One deploy and how far it is; ``looks`` counts down to its next step."""

    id: str
    commit: str
    trigger: str
    created: str
    status: str = "created"
    finished: str = ""
    looks: int = 1

    @property
    def over(self) -> bool:
        return self.status not in STEPS[:-1]


@dataclass
class ServiceRecord:
    """One service.  ``fails``: the next deploy fails; ``stuck``: deploys in flight never end; ``free``: its plan."""

    id: str
    name: str
    kind: str = "web_service"
    suspended: bool = False
    suspenders: list[str] = field(default_factory=list)
    auto_deploy: bool = True
    maintenance: bool = False
    maintenance_uri: str = ""
    instances: list[str] = field(default_factory=list)
    draining: int = 0  # looks until a suspended service's instances are gone
    deploys: list[DeployRecord] = field(default_factory=list)  # oldest first
    fails: bool = False
    stuck: bool = False
    free: bool = False
    pre_deploy: str = ""
    url: str = "https://casework.example.com"

    @property
    def live(self) -> DeployRecord | None:
        return next((each for each in reversed(self.deploys) if each.status == "live"), None)


@dataclass
class World:
    """All of it.  ``nulls``: answer with the nulls that the real service sends against its document."""

    machines: Machines = field(default_factory=NoMachines)
    services: dict[str, ServiceRecord] = field(default_factory=dict)
    moments: Moments = field(default_factory=Moments)
    logs: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    nulls: bool = True
    looks: int = 1  # how many looks each step of a deploy takes

    def add(self, name: str, release: str, *, kind: str = "web_service", running: bool = True) -> ServiceRecord:
        """A service with one live deploy; its instance is only an id until it is brought up."""
        made = ServiceRecord(id=made_id("crn" if kind == "cron_job" else "srv"), name=name, kind=kind)
        made.deploys.append(self._record(release, "manual", status="live"))
        if running:
            made.instances.append(f"{made.id}-{made_id('x', 5)[2:]}")
        else:
            made.suspended, made.suspenders = True, ["user"]
        self.services[made.id] = made
        return made

    def named(self, name: str) -> ServiceRecord:
        return next(each for each in self.services.values() if each.name == name)

    def deploy(self, service: ServiceRecord, commit: str, trigger: str) -> DeployRecord:
        """Begin a deploy; one that is still on its way is given up."""
        for each in service.deploys:
            if not each.over:
                each.status = "canceled"
        made = self._record(commit, trigger)
        service.deploys.append(made)
        self.happened(service, "deploy_started", {"deployId": made.id})
        return made

    async def looked_at(self, service: ServiceRecord) -> None:
        """Somebody has looked: what is under way comes one step further."""
        if service.suspended:
            await self._drain(service)
            return
        newest = service.deploys[-1] if service.deploys else None
        if newest is not None and not newest.over and not service.stuck:
            await self._advance(service, newest)

    async def suspend(self, service: ServiceRecord) -> None:
        if not service.suspended:
            service.suspended, service.suspenders, service.draining = True, ["user"], self.looks
            self.happened(service, "service_suspended", {"actor": "user"})

    async def resume(self, service: ServiceRecord) -> None:
        """Render deploys a service anew when it is resumed."""
        if service.suspended:
            await self.machines.down(service.name)
            service.suspended, service.suspenders, service.instances = False, [], []
            self.happened(service, "service_resumed", {"actor": "user"})
            last = service.live or service.deploys[-1]
            self.deploy(service, last.commit, "service_resumed")

    async def restart(self, service: ServiceRecord) -> None:
        await self.machines.down(service.name)
        await self._run(service, (service.live or service.deploys[-1]).commit)
        self.happened(service, "server_restarted", {})

    def happened(self, service: ServiceRecord, kind: str, details: Json) -> None:
        moment = self.moments.now()
        entry: Json = {
            "id": made_id("evt"),
            "timestamp": moment,
            "serviceId": service.id,
            "type": kind,
            "details": details,
        }
        self.events.append(entry)

    def happenings(self, service: ServiceRecord) -> list[str]:
        """The types of the service's events, oldest first."""
        return [str(each["type"]) for each in self.events if each["serviceId"] == service.id]

    def wrote(self, resource: str, lines: Sequence[str], level: str = "info") -> None:
        """Lines in the log of a service or a job."""
        for line in lines:
            labels = [{"name": "resource", "value": resource}, {"name": "level", "value": level}]
            moment = self.moments.now()
            self.logs.append({"id": made_id("log"), "message": line, "timestamp": moment, "labels": labels})

    def _record(self, commit: str, trigger: str, status: str = "created") -> DeployRecord:
        moment = self.moments.now()
        return DeployRecord(
            id=made_id("dep"), commit=commit, trigger=trigger, created=moment, status=status, looks=self.looks
        )

    async def _drain(self, service: ServiceRecord) -> None:
        if service.instances and service.draining <= 0:
            await self.machines.down(service.name)
            service.instances = []
        service.draining -= 1

    async def _advance(self, service: ServiceRecord, deploy: DeployRecord) -> None:
        deploy.looks -= 1
        if deploy.looks > 0:
            return
        deploy.looks = self.looks
        deploy.status = STEPS[STEPS.index(deploy.status) + 1]
        if deploy.status == "live":
            await self._landed(service, deploy)

    async def _landed(self, service: ServiceRecord, deploy: DeployRecord) -> None:
        deploy.finished = self.moments.now()
        if service.fails:
            deploy.status, service.fails = "update_failed", False
            self.wrote(service.id, ["Error: the service does not start"], "error")
            return
        for each in service.deploys:
            if each is not deploy and each.status == "live":
                each.status = "deactivated"
        await self.machines.down(service.name)
        await self._run(service, deploy.commit)

    async def _run(self, service: ServiceRecord, release: str) -> None:
        if service.kind not in ("cron_job", "static_site"):
            await self.machines.up(service.name, release)
            service.instances = [f"{service.id}-{made_id('x', 5)[2:]}"]
