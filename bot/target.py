"""What is migrated, as configured: a database with its services, folders, people and limits."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from bot.runbook.manual import ManualCheck
from bot.runbook.people import Policy, Timing
from bot.runbook.rungs import Envelope
from bot.runbook.steps import Standby
from bot.runbook.thresholds import RUNBOOK, Thresholds

LOCK_TIMEOUTS = (0.3, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 5.0, 5.0)  # seconds; a waiting ALTER stalls every reader
LOCK_PAUSES = (1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0, 30.0)


Scalar = str | bool | int | float


@dataclass(frozen=True, kw_only=True)
class HealthAnswer:
    """What a healthy answer says: each path in its JSON with its value; the defaults are the runbook's (step 6).

    ``database`` is the path that tells whether the service reaches its database: it does where the value there is the
    expected one.  ``latency`` is the path of its database's latency in ms.
    """

    expect: tuple[tuple[str, Scalar], ...] = (("status", "healthy"), ("database", "connected"))
    database: str = "database"
    latency: str = "latency"


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A critical workflow (runbook step 7) as one request: it works when the answer is what is expected.

    ``body`` is sent as it is, ``json`` as JSON.  Without ``expect_status`` any 2xx is success; ``timeout`` is seconds,
    the probe's own where it is ``None``.
    """

    name: str
    url: str
    method: str = "GET"
    body: str = field(default="", repr=False)
    json: object = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # may hold secrets
    expect_status: int | None = None
    expect_json: tuple[tuple[str, Scalar], ...] = ()
    timeout: float | None = None


@dataclass(frozen=True, kw_only=True)
class Service:
    """One application service of a target.

    ``command`` starts it (local process adapter), ``health_url`` answers with JSON (``health`` says which),
    ``metrics_url`` (optional) with request counts.  ``application_name`` is how its sessions call themselves in
    PostgreSQL.
    """

    name: str
    health_url: str
    metrics_url: str = ""
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # may hold secrets
    folder: str = "."
    application_name: str = ""
    replicas: int = 1
    health: HealthAnswer = HealthAnswer()


@dataclass(frozen=True, kw_only=True)
class Prisma:
    """A target's Prisma project: its migrations are folders with a ``migration.sql``, applied by ``migrate deploy``.

    ``command`` is run in ``folder``; each of ``url_variables`` is set to the target's connection string for it.
    """

    schema: Path  # schema.prisma, or a folder of such files
    folder: Path
    command: tuple[str, ...] = ("npx", "prisma")
    url_variables: tuple[str, ...] = ("DATABASE_URL",)
    database_schema: str = "public"  # PostgreSQL's schema that holds _prisma_migrations
    generate: bool = False  # the client anew, after the migration
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # may hold secrets
    on_job: bool = False  # Render runs it, as a one-off job with its service's environment
    job_schema: str = ""  # the schema there; empty: where Prisma looks by itself


class StandbyPolicy(StrEnum):
    """When a target's standby copy is made; ``auto``: after the stop, or before the migration where nothing stops."""

    AUTO = "auto"
    NONE = "none"
    RESTORE = "restore"
    TEMPLATE = "template"

    def of(self, *, downtime: bool) -> Standby:
        """What that means for one migration; the server copies no database that is in use."""
        if self is StandbyPolicy.AUTO:
            return Standby.TEMPLATE if downtime else Standby.RESTORE
        if self is StandbyPolicy.TEMPLATE and not downtime:
            return Standby.RESTORE
        return Standby(self.value)


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """A time in which nothing is to be changed, from ``start`` until before ``end`` (POSIX seconds)."""

    start: float
    end: float
    why: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is migrated, as configured: a database with its services, folders, people and limits.

    ``dsn`` is a secret: it never reaches argv, logs, messages or the ledger.  Times are seconds.
    """

    name: str
    dsn: str = field(repr=False)
    channel: str
    policy: Policy
    migrations: Path  # folder with the .sql files, or with Prisma's folders
    backups: Path  # folder the dumps are written to
    state: Path  # folder for pid files and logs of local services
    services: tuple[Service, ...] = ()
    timing: Timing = field(default_factory=Timing)
    client_tools: Path | None = None  # folder with pg_dump and psql; found by itself when absent
    dump_jobs: int = 2
    # Lock ladder: each try's lock_timeout and the pause after it; the last try keeps its timeout too.
    lock_timeouts: tuple[float, ...] = LOCK_TIMEOUTS
    lock_pauses: tuple[float, ...] = LOCK_PAUSES
    lock_patience: float = 0.0  # seconds in all that it waits beyond the ladder for whoever holds the lock to go
    statement_timeout: float = 600.0  # runbook "Migration Times Out": 600000 ms
    prisma: Prisma | None = None  # its migrations are Prisma's
    verify_command: tuple[str, ...] = ()  # e.g. ("npm", "run", "db:validate")
    orphan_checks: tuple[tuple[str, str], ...] = ()  # name -> SQL that must return 0
    workflows: tuple[Workflow, ...] = ()  # tried with every measurement
    manual: tuple[ManualCheck, ...] = ()  # workflows that people are asked to try
    thresholds: Thresholds = RUNBOOK
    standby: StandbyPolicy = StandbyPolicy.AUTO
    announcement: str = ""  # its own text for the announcement at T-24h, with $name and the like
    auto_rollback: bool = False  # a proven breach goes back without asking
    envelope: Envelope | None = None  # proposed for every run of this target; approvers sign it with the migration
    squawk_exclude: tuple[str, ...] = ()  # rules of the second opinion that are not wanted here
    rollback_deadline: float | None = None  # seconds from the end of the migration
    drill_backup_within: float = 0.0  # a whole backup this young is rehearsed with; 0: always a new one
    staging_dsn: str = field(default="", repr=False)  # a secret like ``dsn``; empty: no staging is configured
    freezes: tuple[Freeze, ...] = ()
    freeze_ics: str = field(default="", repr=False)  # a calendar file, or an https address (which may hold a key)
    freeze_zone: str = "UTC"  # of times in that calendar that name no zone
    freeze_warning: float = 3 * 86400.0  # people hear of a freeze that begins so soon after a window
    checklist: bool = True  # a run is started by a plan whose checklist is shown; else by its form alone

    @property
    def database(self) -> str:
        """The database's name, as people type it for the gravest approvals."""
        return str(conninfo_to_dict(self.dsn).get("dbname") or self.name)
