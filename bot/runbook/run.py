"""One execution of a plan: the state everything else is derived from.

A ``Run`` is never stored as such; it is what ``apply`` makes of the ledger's events.
Times are POSIX seconds (UTC).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.runbook.people import Approval, Policy, Timing
from bot.runbook.samples import Judgement, Sample
from bot.runbook.steps import CURRENT_RUNBOOK, Route, Step, StepName, route_steps


class State(StrEnum):
    """What a run is doing now.  ``RECOVERY`` below says, for each, what moves it on."""

    PREPARING = "preparing"  # a job describes the next step so that it can be asked for
    ASKING = "asking"  # people are asked to approve exactly that
    WORKING = "working"  # a job does the step
    WATCHING = "watching"  # the clock takes samples
    HELD = "held"  # somebody pulled the cord
    STUCK = "stuck"  # a step failed; people are asked what now
    HANDED_OVER = "handed_over"  # a named person holds it in their hands
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    ROLLED_BACK = "rolled_back"
    CLOSED = "closed"


FINAL: dict[Route, State] = {
    Route.FORWARD: State.COMPLETED,
    Route.CANCEL: State.CANCELLED,
    Route.RETURN: State.RETURNED,
    Route.ROLLBACK: State.ROLLED_BACK,
    Route.CLOSE: State.CLOSED,
}

#: What moves each state on after a crash, or if nobody does anything.  A state missing here fails the tests.
RECOVERY: dict[State, str] = {
    State.PREPARING: "its job is re-queued when its worker dies; the kick timer re-queues a lost one",
    State.ASKING: "reminders climb, then the question expires and is asked anew",
    State.WORKING: "its job is re-queued when its worker dies; the step asks the world before it acts again",
    State.WATCHING: "the sample timer is derived from the ledger by every clock",
    State.HELD: "the nudge timer repeats who holds it and who can resume",
    State.STUCK: "the nudge timer repeats the question to owners and on-call",
    State.HANDED_OVER: "the nudge timer asks the named person how it stands",
    **{state: "final: it was announced, and nothing more happens" for state in FINAL.values()},
}


class Risk(StrEnum):
    """The runbook's three levels ("Migration Timeline Template")."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Database(StrEnum):
    """What is known of the target's schema and data, compared with the start of the run."""

    UNTOUCHED = "untouched"  # never written, or proven unchanged
    UNKNOWN = "unknown"  # a change was begun and its outcome is not proven
    CHANGED = "changed"  # the migration is in


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was asked for: enough to run without looking at the configuration again."""

    target: str
    database: str
    name: str
    purpose: str
    migrations: tuple[str, ...]
    starter: str
    starter_name: str
    channel: str
    policy: Policy
    services: tuple[str, ...] = ()
    downtime: bool = True
    downtime_minutes: int = 20
    total_minutes: int = 60  # runbook "Timeline Overview"
    risk: Risk = Risk.MEDIUM
    timing: Timing = field(default_factory=Timing)
    runbook: int = CURRENT_RUNBOOK


@dataclass(frozen=True, kw_only=True)
class Question:
    """An open request to approve one step, bound to the digest of exactly what would run."""

    number: int
    step: StepName
    digest: str
    inputs: tuple[tuple[str, str], ...]  # what the digest covers, name by name
    lines: tuple[str, ...]  # the same for people: commands, calls, SQL; secrets masked
    asked_at: float
    expires_at: float
    approvals: tuple[Approval, ...] = ()
    reminded: int = 0
    diff: tuple[str, ...] = ()  # what changed since the question before, if that is why it is asked again
    word: str | None = None  # to be typed with the approval of the gravest steps
    undo: str = ""  # how the step is undone, or why there is no way, in one sentence
    texts: tuple[tuple[str, str], ...] = ()  # the SQL itself, name by name, shown in the question's thread


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A question that got its quorum: the licence for one digest, to the step or steps that the question covers."""

    step: StepName
    digest: str
    approvals: tuple[Approval, ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Who pulled the cord, and why."""

    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """A session that keeps the migration waiting for a lock, as PostgreSQL names it."""

    pid: int
    started: str  # backend_start: a pid alone may be somebody else's a second later
    application: str
    user: str
    age_seconds: float
    query: str  # normalised: literals removed
    approvals: tuple[Approval, ...] = ()
    granted: bool = False
    awaited_by: tuple[str, ...] = ()  # who saw it and lets the migration wait

    @property
    def digest(self) -> str:
        """What an approval to cancel it is bound to."""
        return f"{self.pid}@{self.started}"


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a run is stuck: the step, what happened, and whether anything changed."""

    step: StepName
    problem: str
    advice: str = ""
    reference: str = ""  # found again in the logs


@dataclass(frozen=True, kw_only=True)
class Done:
    """A finished step with its times and its evidence, line by line."""

    step: StepName
    began_at: float
    ended_at: float
    evidence: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def seconds(self) -> float:
        return self.ended_at - self.began_at


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where one migration stands.  ``version`` counts its events."""

    id: str
    plan: Plan
    version: int
    state: State
    route: Route
    position: int
    started_at: float
    since: float  # when the present state was entered
    claim: int | None = None  # the version at which the running attempt began: the fence
    attempt: int = 0
    asked: int = 0
    question: Question | None = None
    grant: Grant | None = None
    hold: Hold | None = None
    keeper: Hold | None = None  # who holds the explicit hand-over
    trouble: Trouble | None = None
    blockers: tuple[Blocker, ...] = ()
    services_down: bool = False  # true from the moment stopping is begun until a restart is proven
    down_at: float | None = None
    up_at: float | None = None
    database_state: Database = Database.UNTOUCHED
    database_before: Database = Database.UNTOUCHED  # as known when the present step first began
    done: tuple[Done, ...] = ()
    samples: tuple[Sample, ...] = ()
    judgement: Judgement | None = None
    judged_because: str = ""
    rollback_wanted: str = ""  # asked for while a step ran: taken up at its end
    left: tuple[Route, int] | None = None  # where a rollback was asked from, to return to if it is declined
    status_at: float = 0.0
    nudged_at: float = 0.0
    reason: str = ""  # why it left the forward route, or how it was closed
    ended_at: float | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the present route."""
        downtime = self.plan.downtime
        return route_steps(self.plan.runbook, self.route, downtime=downtime)

    @property
    def step(self) -> Step:
        """The step the run is at (the last one once it is final)."""
        return self.steps[min(self.position, len(self.steps) - 1)]

    @property
    def final(self) -> bool:
        return self.state in FINAL.values()

    @property
    def backed_up(self) -> bool:
        return any(each.step is StepName.BACKUP for each in self.done)

    def result(self, step: StepName) -> Done | None:
        """The latest finished attempt of ``step``, on whichever route."""
        return next((each for each in reversed(self.done) if each.step is step), None)

    def fact(self, step: StepName, name: str) -> str | None:
        """One recorded fact of a finished step, e.g. the backup's folder."""
        found = self.result(step)
        return dict(found.facts).get(name) if found else None
