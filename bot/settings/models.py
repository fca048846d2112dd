"""The targets file as pydantic models; ``python -m bot schema`` makes the editors' JSON Schema from them."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from bot.metrics_settings import Check, HealthConfig, NewRelicConfig, PrometheusConfig, ThresholdsConfig
from bot.outside_settings import MailConfig, PagerDutyConfig, StatusPageConfig
from bot.prisma_settings import PrismaConfig
from bot.proof_settings import FreezeConfig, StagingConfig
from bot.render_settings import RenderConfig
from bot.runbook.exercise import SUFFIX
from bot.runbook.rungs import Envelope
from bot.settings.places import Places
from bot.target import LOCK_PAUSES, LOCK_TIMEOUTS, StandbyPolicy


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServiceConfig(_Model):
    """One ``[[targets.NAME.services]]``."""

    name: str = Field(description="what people know it by")
    health_url: str = Field(description="answers a GET with the runbook's JSON: status, database, latency")
    metrics_url: str = Field(default="", description="answers a GET with its counts of requests and errors")
    command: tuple[str, ...] = Field(default=(), description="starts it; for services on this machine")
    environment: dict[str, str] = Field(default={}, description="variables of the service that are no secret")
    environment_from: dict[str, str] = Field(
        default={}, description="variable of the service = variable of the bot's environment"
    )
    folder: str = Field(default=".", description="where the command is run; may be a link to a release")
    application_name: str = Field(default="", description="how its sessions call themselves in PostgreSQL")
    replicas: int = Field(default=1, description="how many processes of it run")
    health: HealthConfig = Field(default=HealthConfig(), description="what a healthy answer says; the runbook's")


class PolicyConfig(_Model):
    """``[targets.NAME.policy]``: user ids and user-group ids."""

    approvers: frozenset[str] = Field(min_length=1, description="who may approve: people (U…) and user groups (S…)")
    owners: frozenset[str] = Field(default=frozenset(), description="may steer every run of this target")
    on_call: frozenset[str] = Field(default=frozenset(), description="may hold, and ask for the way back")
    quorum: int = Field(default=1, ge=1, description="approvals that each question needs")
    self_approval: bool = Field(default=False, description="may who started the run approve it?")


Seconds = Annotated[float, Field(gt=0)]
Finite = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class RollbackConfig(_Model):
    """``[targets.NAME.rollback]``: how far the bot may go back by itself, and until when going back is meant."""

    auto: bool = Field(default=False, description="a proven breach goes back without asking")
    deadline_hours: Finite | None = Field(default=None, description="from the end of the migration")
    envelope_rows: int | None = Field(default=None, ge=0, description="the most that may be lost")
    envelope_minutes: Finite | None = Field(default=None, description="the longest measured way back")

    @model_validator(mode="after")
    def _envelope_is_whole(self) -> Self:
        """Half an envelope would be no limit at all."""
        given = self.model_dump(include={"envelope_rows", "envelope_minutes"}, exclude_none=True)
        if len(given) == 1:
            (there,) = given
            missing = {"envelope_rows": "envelope_minutes = 15", "envelope_minutes": "envelope_rows = 0"}[there]
            raise PydanticCustomError(
                "half_an_envelope",
                "{there} stands alone. Write {missing} (or your own number) beside it, or remove it",
                {"there": there, "missing": missing},
            )
        return self

    @property
    def envelope(self) -> Envelope | None:
        """What approvers are asked to sign with the migration."""
        if self.envelope_rows is None or self.envelope_minutes is None:
            return None
        return Envelope(rows=self.envelope_rows, minutes=self.envelope_minutes)


class ManualConfig(_Model):
    """``[targets.NAME.manual_checks."CHECK"]``: asked before the migration, and while it is watched."""

    ask: str = Field(min_length=1, max_length=600, description="what they are to do, and what they should see")
    people: frozenset[str] = Field(min_length=1, description="who is asked: people (U…) and user groups (S…)")


Rule = Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]


class TargetConfig(_Model):
    """``[targets.NAME]``: one database that can be migrated."""

    dsn_env: str = Field(description="the environment variable that holds its connection string")
    channel: str = Field(description="the Slack channel it is told in, by its id (C…)")
    migrations: Path | None = Field(
        default=None, description="folder with the .sql files; for Prisma: the folder beside the schema"
    )
    prisma: PrismaConfig | None = Field(default=None, description="the migrations are Prisma's")
    backups: Path = Field(description="folder that the dumps are written to")
    state: Path = Field(default=Path("state"), description="what runs and what ran before a run; one for each target")
    policy: PolicyConfig = Field(description="who decides")
    services: tuple[ServiceConfig, ...] = Field(default=(), description="what is stopped while it is migrated")
    client_tools: Path | None = Field(
        default=None, description="folder with pg_dump, pg_restore and psql; found by itself when absent"
    )
    dump_jobs: int = Field(default=2, ge=1, description="how many tables are dumped side by side")
    lock_timeouts: tuple[Seconds, ...] = Field(default=LOCK_TIMEOUTS, description="seconds, for each try")
    lock_pauses: tuple[Seconds, ...] = Field(default=LOCK_PAUSES, description="seconds after each try")
    statement_timeout: Seconds = Field(default=600.0, description="seconds for one statement of a migration")
    verify_command: tuple[str, ...] = Field(default=(), description="a validation command; it must end with 0")
    orphan_checks: dict[str, str] = Field(default={}, description="name = a query that must return 0")
    workflows: dict[str, Check] = Field(
        default={}, description="critical workflow = an address that must answer 2xx, or a whole request"
    )
    manual_checks: dict[str, ManualConfig] = Field(
        default={}, description="critical workflow that only a person can try = who is asked what"
    )
    thresholds: ThresholdsConfig = Field(default=ThresholdsConfig(), description="numbers instead of the runbook's")
    newrelic: NewRelicConfig | None = Field(default=None, description="its metrics are in New Relic")
    prometheus: PrometheusConfig | None = Field(default=None, description="its metrics are in a Prometheus")
    standby: StandbyPolicy = Field(default=StandbyPolicy.AUTO, description="the copy to switch back to")
    announcement: Path | None = Field(default=None, description="a text file of its own for T-24h")
    drill_backup_within: float = Field(
        default=0.0, ge=0, description="seconds; a whole backup this young is rehearsed with; 0: always a new one"
    )
    follow_up_minutes: Finite = Field(default=5.0, description="between two looks in the 24 hours after a migration")
    rollback: RollbackConfig = Field(default=RollbackConfig(), description="how far the bot may go back by itself")
    staging: StagingConfig | None = Field(default=None, description="where the files must be applied before")
    freeze: FreezeConfig = Field(default=FreezeConfig(), description="times in which nothing is to be changed")
    mail: MailConfig | None = Field(default=None, description="who is told by e-mail")
    status_page: StatusPageConfig | None = Field(default=None, description="the page that customers read")
    pagerduty: PagerDutyConfig | None = Field(default=None, description="who is paged, and what is kept quiet")
    render: RenderConfig | None = Field(default=None, description="its services are on Render")
    checklist: Literal["required", "off"] = Field(
        default="required", description="off: started by a form alone, without a plan"
    )
    squawk_exclude: tuple[Rule, ...] = Field(default=(), description="rules of squawk that are not wanted")
    speed: Seconds = Field(default=1.0, description="how many times faster waits pass; for trials")
    follow_up_speed: Seconds | None = Field(default=None, description="the same after a run; default: as speed")

    @model_validator(mode="after")
    def _every_service_is_somewhere(self) -> Self:
        """A service that the platform does not know could not be stopped."""
        if self.render is not None:
            self.render.require(tuple(each.name for each in self.services))
        return self

    @model_validator(mode="after")
    def _jobs_have_a_service(self) -> Self:
        """Render runs a job on a service, with its build and its environment."""
        on_job = self.prisma is not None and self.prisma.run_on == "render"
        if on_job and (self.render is None or self.render.job_service is None):
            raise PydanticCustomError(
                "job_nowhere", 'prisma.run_on = "render" needs a service. Write job_service = "srv-…" under render'
            )
        return self

    @model_validator(mode="after")
    def _migrations_are_somewhere(self) -> Self:
        """One of the two says where."""
        if self.migrations is None and self.prisma is None:
            raise PydanticCustomError(
                "no_migrations", 'the migrations are nowhere. Write migrations = "migrations", or add a [prisma] table'
            )
        return self

    def migrations_in(self, base: Path) -> Path:
        """The folder of the migrations: named, or where Prisma looks by itself."""
        if self.migrations is not None or self.prisma is None:
            return base / (self.migrations or "migrations")
        return self.prisma.migrations_in(base)


class Operator(_Model):
    """``[operators.OSUSER]``: who somebody at the bot's own host is, for when Slack is down."""

    id: str = Field(description="their Slack id (U…)")
    name: str = Field(description="as people know them")
    groups: frozenset[str] = Field(default=frozenset(), description="user groups (S…) that they count as members of")


class TargetsFile(_Model):
    """The targets file: what may be migrated, and who may act when Slack is down."""

    targets: dict[str, TargetConfig] = Field(min_length=1, description="what may be migrated, each by its name")
    operators: dict[str, Operator] = Field(
        default={}, description="who may act at the bot's own host when Slack is down, by their login name"
    )

    @field_validator("targets")
    @classmethod
    def _no_target_is_an_exercise(cls, targets: dict[str, TargetConfig]) -> dict[str, TargetConfig]:
        """Names of game days are made from targets' names."""
        for name in targets:
            if name.endswith(SUFFIX):
                raise PydanticCustomError("exercise", "{name} ends like a game day's. Choose another", {"name": name})
        return targets

    _path: Path | None = PrivateAttr(default=None)
    _places: Places = PrivateAttr(default_factory=Places)

    def found_at(self, path: Path, places: Places) -> Self:
        """The same, knowing where its entries stand."""
        self._path, self._places = path, places
        return self

    def where(self, entry: str) -> str:
        """File and line of an entry such as ``targets.casework.dsn_env``; empty where that is not known."""
        line = self._places.line_of(entry)
        return f"{self._path}, line {line}" if self._path and line else ""
