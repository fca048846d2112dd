"""What Render says about a service and its deploys, read leniently."""

from dataclasses import dataclass
from enum import StrEnum

from integrations.http.lenient import at, text, texts

# Deploy statuses that do not change any more (OpenAPI, schema ``deploy``); one that we do not know is in flight.
LIVE = "live"
_REPLACED = "deactivated"
_FAILED = ("build_failed", "update_failed", "pre_deploy_failed", "canceled")
_COMMIT = 12  # characters of a commit that people read


class Kind(StrEnum):
    """The types of service; one that we do not know is treated as a private service."""

    WEB = "web_service"
    PRIVATE = "private_service"
    WORKER = "background_worker"
    CRON = "cron_job"
    STATIC = "static_site"


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """One deploy.  ``release`` is the code it brought, so two deploys of the same code have the same."""

    id: str
    status: str
    trigger: str
    release: str
    created: str = ""

    @property
    def live(self) -> bool:
        return self.status == LIVE

    @property
    def replaced(self) -> bool:
        return self.status == _REPLACED

    @property
    def failed(self) -> bool:
        return self.status in _FAILED

    @property
    def in_flight(self) -> bool:
        return self.status not in (LIVE, _REPLACED, *_FAILED)

    def __str__(self) -> str:
        return f"deploy {self.id} ({self.status or 'no status yet'}, {self.trigger or 'unknown trigger'})"


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """A service as it is configured and suspended; ``maintenance`` is ``None`` where there is no such mode."""

    id: str
    name: str
    kind: Kind
    owner: str
    suspended: bool
    suspenders: tuple[str, ...]
    auto_deploy: bool
    maintenance: bool | None = None
    maintenance_uri: str = ""
    pre_deploy: str = ""

    @property
    def foreign(self) -> tuple[str, ...]:
        """Who suspended it beside a person with a key: we do not undo what billing or an administrator did."""
        return tuple(each for each in self.suspenders if each != "user")

    @property
    def has_instances(self) -> bool:
        """Does it run all the time?  Cron jobs come and go, static sites are files."""
        return self.kind not in (Kind.CRON, Kind.STATIC)


def deploy_of(data: object) -> Deploy:
    """A deploy from its JSON; a commit and an image may both be null."""
    commit, image = text(data, "commit", "id"), text(data, "image", "sha") or text(data, "image", "ref")
    return Deploy(
        id=text(data, "id"),
        status=text(data, "status"),
        trigger=text(data, "trigger"),
        release=commit[:_COMMIT] or image or text(data, "id"),
        created=text(data, "createdAt"),
    )


def service_of(data: object) -> ServiceState:
    """A service from its JSON.  Only ``not_suspended`` means that it is not."""
    kind, details = text(data, "type"), at(data, "serviceDetails")
    known = next((each for each in Kind if each == kind), Kind.PRIVATE)
    mode = at(details, "maintenanceMode", "enabled")
    return ServiceState(
        id=text(data, "id"),
        name=text(data, "name"),
        kind=known,
        owner=text(data, "ownerId"),
        suspended=text(data, "suspended") != "not_suspended",
        suspenders=texts(data, "suspenders"),
        auto_deploy=text(data, "autoDeploy") == "yes",
        maintenance=mode is True if known is Kind.WEB else None,
        maintenance_uri=text(details, "maintenanceMode", "uri"),
        pre_deploy=text(details, "envSpecificDetails", "preDeployCommand"),
    )
