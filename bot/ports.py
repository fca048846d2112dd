"""The seams: what the bot needs of the world, in the core's own words.

Every port has a real adapter under ``integrations/`` and a small real fake in ``tests/fakes.py``; one contract
test runs over both.  Nothing here does anything.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from psycopg.conninfo import conninfo_to_dict

from bot.runbook.people import Person, Policy, Timing
from bot.runbook.run import Blocker, Database, Run
from bot.runbook.samples import Sample, Verdict

if TYPE_CHECKING:
    from psycopg import AsyncConnection


LOCK_TIMEOUTS = (0.3, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 5.0, 5.0)  # seconds; a waiting ALTER stalls every reader
LOCK_PAUSES = (1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0, 30.0)


@dataclass(frozen=True, kw_only=True)
class Service:
    """One application service of a target.

    ``command`` starts it (local process adapter), ``health_url`` answers with the runbook's JSON, ``metrics_url``
    (optional) with request counts.  ``application_name`` is how its sessions call themselves in PostgreSQL.
    """

    name: str
    health_url: str
    metrics_url: str = ""
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # may hold secrets
    folder: str = "."
    application_name: str = ""
    replicas: int = 1


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is migrated, as configured: a database with its services, folders, people and limits.

    ``dsn`` is a secret: it never reaches argv, logs, messages or the ledger.  Times are seconds.
    """

    name: str
    dsn: str = field(repr=False)
    channel: str
    policy: Policy
    migrations: Path  # folder with the .sql files
    backups: Path  # folder the dumps are written to
    state: Path  # folder for pid files and logs of local services
    services: tuple[Service, ...] = ()
    timing: Timing = field(default_factory=Timing)
    client_tools: Path | None = None  # folder with pg_dump and psql; found by itself when absent
    dump_jobs: int = 2
    # Lock ladder: each try's lock_timeout and the pause after it; the last try keeps its timeout too.
    lock_timeouts: tuple[float, ...] = LOCK_TIMEOUTS
    lock_pauses: tuple[float, ...] = LOCK_PAUSES
    statement_timeout: float = 600.0  # runbook "Migration Times Out": 600000 ms
    verify_command: tuple[str, ...] = ()  # e.g. ("npm", "run", "db:validate")
    orphan_checks: tuple[tuple[str, str], ...] = ()  # name -> SQL that must return 0

    @property
    def database(self) -> str:
        """The database's name, as people type it for the gravest approvals."""
        return str(conninfo_to_dict(self.dsn).get("dbname") or self.name)


@dataclass(frozen=True, kw_only=True)
class Description:
    """Exactly what a step will do.

    ``inputs`` are what the digest covers, name -> value (files by sha256).  ``lines`` say it to people, secrets
    masked.  ``attachments`` are the texts behind it (name -> content), kept so that a later difference can be shown.
    """

    inputs: Mapping[str, str]
    lines: tuple[str, ...]
    attachments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a step achieved: ``evidence`` for people, ``facts`` (small strings) for later steps and the report."""

    evidence: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


class StepError(Exception):
    """A step did not succeed.  ``problem`` says what happened, ``advice`` what to do, ``database`` what is known."""

    def __init__(self, problem: str, advice: str = "", *, database: Database | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice
        self.database = database


async def unheard(_line: str) -> None:
    """A log that nobody reads."""


class StepPaused(Exception):
    """The step stopped by itself at a safe point, having changed nothing, because a hold was asked for."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a step may use while it works.

    ``run`` is the run when the attempt began.  ``current()`` reads it anew (a hold, a granted cancel).
    ``progress(text, fraction)`` shows where it is (fraction 0..1 or None).  ``blockers(found)`` reports who keeps it
    waiting and returns the run as it then stands.  ``log(line)`` keeps a line, redacted before, for ``/migrate logs``.
    ``attempt`` counts from 1; above 1 an earlier attempt died.
    ``application_name`` must be set on every database session the step opens.
    """

    run: Run
    target: Target
    attempt: int
    current: Callable[[], Awaitable[Run]]
    progress: Callable[[str, float | None], Awaitable[None]]
    blockers: Callable[[tuple[Blocker, ...]], Awaitable[Run]]
    log: Callable[[str], Awaitable[None]] = unheard

    @property
    def application_name(self) -> str:
        """``migrate/<run>/<step>``, at most PostgreSQL's 63 bytes."""
        return f"migrate/{self.run.id}/{self.run.step.name}"[:63]


class StepAdapter(Protocol):
    """One kind of step, for real.  It answers five questions (and its test states all five answers)."""

    async def describe(self, context: Context) -> Description:
        """Exactly what will be done.  Reads only; raises ``StepError`` where it cannot be known."""

    async def check(self, context: Context) -> Outcome | None:
        """Is it already so?  Asked first on every attempt; an outcome means there is nothing left to do."""

    async def run(self, context: Context) -> Outcome:
        """Do it.  Raises ``StepError`` or ``StepPaused``."""

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Is it truly so?  Asks the world again."""

    def undo(self, context: Context) -> str:
        """How it is undone, or why there is no way, in one sentence."""


class Platform(Protocol):
    """Where the services of a target run.  Every call is idempotent and reads back what it did."""

    async def status(self, target: Target) -> Mapping[str, bool]:
        """Service name -> is it running?"""

    async def stop(self, target: Target) -> None: ...

    async def start(self, target: Target) -> None: ...

    async def release(self, target: Target, service: Service) -> str:
        """The deploy a service runs, to return to."""


class Probe(Protocol):
    """Takes one measurement of a target's running system."""

    async def sample(self, target: Target) -> Sample: ...


class Directory(Protocol):
    """Who people are: asked anew for every decision, fails closed."""

    async def person(self, user_id: str, policy: Policy) -> Person: ...


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message to a channel, as the outbox keeps it.

    ``key`` is unique for ever: a repeated delivery of the same key posts nothing.  ``thread`` is the key of the
    letter it answers.  ``payload`` is Slack JSON (text, blocks); a console prints its text.
    """

    key: str
    run_id: str
    channel: str
    payload: Mapping[str, object]
    thread: str = ""
    pin: bool = False


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a message is: channel and timestamp, as the channel's owner names them."""

    channel: str
    ts: str


class Channel(Protocol):
    """Where people are told."""

    async def post(self, letter: Letter, thread: Address | None) -> Address:
        """Post; after an unclear answer, look for the key before posting again."""

    async def find(self, letter: Letter, thread: Address | None) -> Address | None:
        """The message with this key, if it is there."""

    async def update(self, address: Address, payload: Mapping[str, object]) -> Address:
        """Redraw a message; a new address if it had to be posted anew."""

    async def pin(self, address: Address) -> None: ...

    async def unpin(self, address: Address) -> None: ...

    async def schedule(self, channel: str, text: str, at: float) -> str:
        """Leave a message with the channel's own scheduler; its id."""

    async def scheduled(self, channel: str, words: str) -> tuple[str, ...]:
        """The ids of the messages that wait there and contain ``words``, whoever forgot about them."""

    async def unschedule(self, channel: str, scheduled: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Job:
    """A piece of durable work.  ``lock``: one at a time; ``once``: not queued twice; ``delay``: seconds from now."""

    name: str
    run_id: str
    lock: str = ""
    once: str = ""
    delay: float = 0.0
    arguments: Mapping[str, str | float] = field(default_factory=dict)


class Queue(Protocol):
    """Durable jobs, deferred in the caller's own transaction."""

    async def defer(self, connection: "AsyncConnection[Any]", job: Job) -> None:
        """Queue ``job`` when the transaction commits; the same ``once`` waiting already is enough."""


class Unclear(Exception):
    """The call may or may not have had its effect: look before doing it again."""


class Undeliverable(Exception):
    """The channel refuses this message, for a reason that trying again at once does not mend."""


class Busy(Exception):
    """Come back after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"busy for {seconds:.0f} s")
        self.seconds = seconds
