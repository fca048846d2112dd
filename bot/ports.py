"""The seams: what the bot needs of the world, in the core's own words.

Every port has a real adapter under ``integrations/`` and a small real fake in ``tests/fakes.py``; one contract
test runs over both.  Nothing here does anything.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bot.runbook.criteria import Criterion
from bot.runbook.drill import DrillReport
from bot.runbook.fixes import Fix
from bot.runbook.follow_up.queries import Counts
from bot.runbook.people import Person, Policy
from bot.runbook.preparation.checklist import Proof
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.readings import Reading
from bot.runbook.risk import Risk, RiskReport
from bot.runbook.run import Blocker, Database, Run
from bot.runbook.rungs import Option, Rung
from bot.runbook.samples import Sample, Verdict
from bot.target import Freeze, Service, Target

if TYPE_CHECKING:
    from psycopg import AsyncConnection


@dataclass(frozen=True, kw_only=True)
class Description:
    """Exactly what a step will do.

    ``inputs`` are what the digest covers, name -> value (files by sha256).  ``lines`` say it to people, secrets
    masked.  ``attachments`` are the texts behind it (name -> content), kept so that a later difference can be shown.
    Under a rollback ``rung`` is the way described, and ``options`` are all there are, each with its cost.
    ``destroys`` names what would be gone for good, or cannot be judged: it belongs to ``inputs`` too, and needs one
    approval more.  ``risk`` is how the bot judges it, ``dangers`` every statement of medium or high risk in short.
    """

    inputs: Mapping[str, str]
    lines: tuple[str, ...]
    attachments: Mapping[str, str] = field(default_factory=dict)
    rung: Rung | None = None
    options: tuple[Option, ...] = ()
    destroys: tuple[str, ...] = ()
    risk: Risk | None = None
    dangers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a step achieved: ``evidence`` for people, ``facts`` (small strings) for later steps and the report."""

    evidence: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


class StepError(Exception):
    """A step did not succeed.  ``problem`` says what happened, ``advice`` what to do, ``database`` what is known,
    ``criterion`` which of the runbook's rollback criteria is met by it, ``fixes`` what may help beside a retry."""

    def __init__(
        self,
        problem: str,
        advice: str = "",
        *,
        database: Database | None = None,
        criterion: Criterion | None = None,
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice
        self.database = database
        self.criterion = criterion
        self.fixes = fixes


async def unheard(_line: str) -> None:
    """A log that nobody reads."""


class CommandEnd(Protocol):
    """How a command ended: ``why`` in words where it is not ``ok``, and what it wrote, secrets masked."""

    @property
    def ok(self) -> bool: ...

    @property
    def why(self) -> str: ...

    @property
    def lines(self) -> tuple[str, ...]: ...


class Commands(Protocol):
    """Where commands run that must not run beside the bot, such as a platform's one-off jobs."""

    @property
    def place(self) -> str:
        """In words, for people and for the digest."""

    async def run(self, command: Sequence[str], *, seconds: float) -> CommandEnd:
        """Run it to its end, or join the same command if it is under way; ``StepError`` where that cannot be."""

    async def at_rest(self, command: Sequence[str], *, seconds: float) -> None:
        """Wait until no such command is under way any more; ``StepError`` when one goes on for longer."""


class StepPaused(Exception):
    """The step stopped by itself at a safe point, having changed nothing, because a hold was asked for."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a step may use while it works.

    ``run`` is the run when the attempt began.  ``current()`` reads it anew (a hold, a granted cancel).
    ``progress(text, fraction)`` shows where it is (fraction 0..1 or None).  ``blockers(found)`` reports who keeps it
    waiting and returns the run as it then stands.  ``log(line)`` keeps a line, redacted before, for ``/migrate logs``.
    ``attempt`` counts from 1; above 1 an earlier attempt died.
    ``application_name`` must be set on every database session the step opens.  ``commands``: where the target's
    commands run, if that is not beside the bot.
    """

    run: Run
    target: Target
    attempt: int
    current: Callable[[], Awaitable[Run]]
    progress: Callable[[str, float | None], Awaitable[None]]
    blockers: Callable[[tuple[Blocker, ...]], Awaitable[Run]]
    log: Callable[[str], Awaitable[None]] = unheard
    commands: Commands | None = None

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

    async def start(self, target: Target, *, previous: bool = False) -> None:
        """Bring back what ran before the stop.

        ``previous``: on the deploys that ran before the run's first stop, with automatic deploys held, so that
        nothing brings the new code back by itself.
        """

    async def release(self, target: Target, service: Service) -> str:
        """The deploy a service runs."""

    async def previous(self, target: Target, service: Service) -> str:
        """The deploy it ran before the run's first stop; empty where that is not known."""


class PointInTime(Protocol):
    """The hosting platform's recovery to a moment, into a new instance (rung 4 of the ladder)."""

    async def offer(self, target: Target, moment: str) -> tuple[bool, str]:
        """Can people go back to ``moment`` (ISO 8601, UTC) that way, and exactly how; or why not."""


class RiskCheck(Protocol):
    """Judges a migration before it runs."""

    async def judge(self, target: Target, migrations: tuple[str, ...]) -> RiskReport:
        """The risk of these files on the target as it is now.

        Never raises: without the database it is judged by the files alone and says so, and what cannot be judged at
        all is high and counts as destructive.
        """


class Probe(Protocol):
    """Takes one measurement of a target's running system."""

    async def sample(self, target: Target) -> Sample: ...


class Source(Protocol):
    """A system that has metrics of a target's services beside the bot's own probe.

    ``name`` is how people know it: "New Relic".
    """

    @property
    def name(self) -> str: ...

    async def measure(self, target: Target) -> Reading:
        """What it knows now; data older than its sampling window is no data, and partial data says which is missing.

        Raises ``StepError`` where it cannot be asked at all.
        """


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one look at a plan brought.

    ``files`` is ``digest_of_files`` of its migration and DOWN files, empty where they cannot be read; then
    ``unreadable`` says why.  ``texts`` are the files as read (name, SQL): what the reviewer is shown.
    """

    files: str
    proofs: tuple[Proof, ...]
    risk: RiskReport | None = None
    texts: tuple[tuple[str, str], ...] = ()
    unreadable: str = ""


class Prover(Protocol):
    """Looks at everything of a plan that the bot can look at by itself.  Reads only."""

    async def prove(self, preparation: Preparation) -> Found:
        """Never raises for what it looks at: what is wrong, or cannot be told, is a proof that says so."""


class Statements(Protocol):
    """What the database's statements cost, as its own statistics have it."""

    async def count(self, target: Target) -> Counts:
        """As of now.  Never raises for what it cannot see: then the counts are not ``known``, and say ``why``."""


class Upkeep(Protocol):
    """The database's own health; ``StepError`` where it does not answer."""

    async def look(self, target: Target) -> tuple[str, ...]:
        """What is worth a look now, line by line.  Reads only."""

    async def analyze(self, target: Target, tables: tuple[str, ...]) -> tuple[str, ...]:
        """Gather the statistics of these tables (quoted names); what came of it, line by line."""


class Drill(Protocol):
    """Rehearses a migration on a throw-away copy of the target's database."""

    async def rehearse(
        self,
        target: Target,
        migrations: tuple[str, ...],
        down: tuple[str, ...],
        *,
        name: str,
        progress: Callable[[str, float | None], Awaitable[None]],
    ) -> DrillReport:
        """What was measured, also of a migration that fails there; raises ``StepError`` where none is possible.

        ``name`` is the plan's, e.g. ``p-4f7k2q``.  The copy is gone when this returns, and when it is cancelled.
        """


class Ground(Protocol):
    """The throw-away copy on which a game day takes place.  ``target`` is the real one, ``copy`` the exercise's."""

    def database(self, target: Target, run_id: str) -> str:
        """What the copy of that run is called."""

    async def require(self, target: Target, files: tuple[str, ...]) -> None:
        """``StepError`` for files that may not be exercised."""

    async def make(self, target: Target, run_id: str, files: tuple[str, ...]) -> None:
        """Make the copy; ``StepError`` where there can be none, and then nothing is left."""

    async def table(self, copy: Target, migrations: tuple[str, ...]) -> str:
        """A table that the migration needs for itself; empty where it needs none."""

    def holding(self, copy: Target, table: str, name: str) -> AbstractAsyncContextManager[None]:
        """A session called ``name`` that holds a lock on the table."""

    async def remove(self, target: Target, run_id: str) -> None:
        """The copy and whatever its run has kept beside it are gone; said again, it changes nothing."""


class Calendar(Protocol):
    """When a target is not to be changed."""

    async def freezes(self, target: Target, start: float, end: float) -> tuple[Freeze, ...]:
        """Those that overlap ``start`` to ``end``, earliest first; ``StepError`` where it cannot be read."""


class Maintenance(Protocol):
    """What the hosting platform itself has planned."""

    async def during(self, target: Target, start: float, end: float) -> tuple[str, ...]:
        """Maintenance that overlaps ``start`` to ``end``, in words; ``StepError`` where it cannot be asked."""


class OnCall(Protocol):
    """Who is paged."""

    async def covers(self, target: Target, user_id: str, start: float, end: float) -> tuple[bool | None, str]:
        """Is that person paged from ``start`` to ``end``; ``None`` where that cannot be told.  And in words.

        No words where the target has no pager to ask.
        """


class Directory(Protocol):
    """Who people are: asked anew for every decision, fails closed."""

    async def person(self, user_id: str, policy: Policy) -> Person: ...


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes with a letter.  ``name`` is unique for ever: by it the file is found again.

    Of a picture ``text`` is what it is drawn of, ``alt`` says in words what is to be seen, and ``data`` are its bytes,
    once it is drawn.
    """

    name: str
    title: str
    text: str
    alt: str = ""
    data: bytes = b""

    @property
    def body(self) -> bytes:
        """What is uploaded."""
        return self.data or self.text.encode()


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message to a channel, as the outbox keeps it.

    ``key`` is unique for ever: a repeated delivery of the same key posts nothing.  ``thread`` is the key of the
    letter it answers.  ``payload`` is Slack JSON (text, blocks); a console prints its text.  A letter with a ``file``
    is an upload with the payload's text beside it, and is never redrawn.
    """

    key: str
    run_id: str
    channel: str
    payload: Mapping[str, object]
    thread: str = ""
    pin: bool = False
    file: Attachment | None = None


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a message is: channel and timestamp, as the channel's owner names them."""

    channel: str
    ts: str


class Channel(Protocol):
    """Where people are told."""

    async def post(self, letter: Letter, thread: Address | None) -> Address:
        """Post, or upload its file; after an unclear answer, look for the key before posting again."""

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
