"""One execution of a plan: the state everything else is derived from.

A ``Run`` is never stored as such; it is what ``apply`` makes of the ledger's events.
Times are POSIX seconds (UTC).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.runbook.criteria import Criterion
from bot.runbook.drill import DrillReport
from bot.runbook.expected import Expected
from bot.runbook.fixes import Fix
from bot.runbook.manual import Answer, ManualCheck
from bot.runbook.people import Approval, Policy, Timing
from bot.runbook.risk import Risk as Risk
from bot.runbook.risk import highest
from bot.runbook.rungs import Envelope, Option, Rung
from bot.runbook.samples import Judgement, Sample
from bot.runbook.steps import CURRENT_RUNBOOK, Route, Standby, Step, StepName, route_steps
from bot.runbook.thresholds import RUNBOOK, Thresholds


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
    CLEANED = "cleaned"


FINAL: dict[Route, State] = {
    Route.FORWARD: State.COMPLETED,
    Route.CANCEL: State.CANCELLED,
    Route.RETURN: State.RETURNED,
    Route.ROLLBACK: State.ROLLED_BACK,
    Route.CLOSE: State.CLOSED,
    Route.CLEANUP: State.CLEANED,
}

_FINAL = frozenset(FINAL.values())

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


class Database(StrEnum):
    """What is known of the target's schema and data, compared with the start of the run."""

    UNTOUCHED = "untouched"  # never written, or proven unchanged
    UNKNOWN = "unknown"  # a change was begun and its outcome is not proven
    CHANGED = "changed"  # the migration is in


class Licence(StrEnum):
    """Whose consent a grant is."""

    PEOPLE = "people"  # a quorum said yes to exactly this digest
    ENVELOPE = "envelope"  # a quorum signed beforehand how far the bot may go back, and this is inside it
    AUTO = "auto"  # the target's ``auto_rollback`` is on


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was asked for: enough to run without looking at the configuration again.

    ``down`` are the DOWN scripts in the order they are run.  ``rollback_deadline`` is in seconds from the end of the
    migration (runbook: "If issues detected within [X hours], rollback immediately").  ``cleans`` names the ended run
    whose kept databases this one removes; such a run migrates nothing.
    """

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
    standby: Standby = Standby.NONE
    down: tuple[str, ...] = ()
    rollback_deadline: float | None = None
    auto_rollback: bool = False
    envelope: Envelope | None = None
    cleans: str = ""
    author: str = ""  # who wrote the plan: their own approval does not count either
    reviewed: str = ""  # digest of the files that were reviewed, rehearsed and said Go to
    preparation: str = ""  # the id of the plan this run was prepared by; empty where the target asks for none
    waived: tuple[str, ...] = ()  # items of the checklist that were set aside, by whom and why
    drill: DrillReport | None = None  # what was measured on a copy beforehand
    window_end: float | None = None  # of the maintenance window; ``None``: nobody agreed on one
    expected: tuple[Expected, ...] = ()  # how long each step takes, as known when the run began
    back_seconds: float | None = None  # how long going back takes, as rehearsed
    exercise: bool = False  # a game day: on a throw-away copy with stand-in services, and never counted
    thresholds: Thresholds = RUNBOOK
    manual: tuple[ManualCheck, ...] = ()  # workflows that people are asked to try


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
    no_return: str = ""  # the point-of-no-return line: undo method, undo seconds, rows lost now
    rung: Rung | None = None  # the way back that is asked for; the digest covers it
    options: tuple[Option, ...] = ()  # every rung as it stood when it was asked
    quorum: int = 0  # how many approvals it needs; 0: as many as the policy says
    destroys: tuple[str, ...] = ()  # what would be gone for good, or cannot be judged: one approval more for it
    risk: Risk | None = None  # as the bot judges what would run
    dangers: tuple[str, ...] = ()  # every statement of medium or high risk, in short

    @property
    def option(self) -> Option | None:
        """The way back that is asked for, with its cost."""
        return next((each for each in self.options if each.rung is self.rung), None)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A question that got its quorum: the licence for one digest, to the step or steps that the question covers."""

    step: StepName
    digest: str
    approvals: tuple[Approval, ...]
    at: float
    by: Licence = Licence.PEOPLE


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Who pulled the cord, and why."""

    person: str
    name: str
    reason: str
    at: float
    window: bool = False  # the bot itself, because the rest no longer fits the window


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
class Passing:
    """A hand-over from one person to another, offered or done."""

    to: str
    to_name: str
    by: str
    by_name: str
    at: float


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
    proposed: tuple[Fix, ...] = ()  # by the step that failed last, until one begins again
    fixes: tuple[Fix, ...] = ()  # taken so far: each changes how its step is done from then on
    blockers: tuple[Blocker, ...] = ()
    services_down: bool = False  # true from the moment stopping is begun until a restart is proven
    down_at: float | None = None  # when the present or the last outage began
    up_at: float | None = None
    down_seconds: float = 0.0  # of all outages that are over
    database_state: Database = Database.UNTOUCHED
    database_before: Database = Database.UNTOUCHED  # as known when the present step first began
    done: tuple[Done, ...] = ()
    samples: tuple[Sample, ...] = ()
    speaks_for: tuple[str, ...] = ()  # that it was the migration, as the watch was when it failed
    speaks_against: tuple[str, ...] = ()
    judgement: Judgement | None = None
    judged_because: str = ""
    answers: tuple[Answer, ...] = ()  # of those who were asked to try something, oldest first
    database_notes: tuple[str, ...] = ()  # of its own health, as last seen during a watch
    analyzing: tuple[str, ...] = ()  # tables whose statistics are being gathered
    analyzed: bool = False
    baseline: tuple[Sample, ...] = ()  # the newest measurements from before the first change
    rollback_wanted: str = ""  # asked for while a step ran: taken up at its end
    left: tuple[Route, int] | None = None  # where a rollback was asked from, to return to if it is declined
    breach: Criterion | None = None  # the criterion that opened the present way back, where no person did
    rung_wanted: Rung | None = None  # picked by a person instead of the recommended one
    way: Option | None = None  # the rung that was granted, with its cost as it was shown
    risk_found: Risk | None = None  # how the bot judged the migration when it was asked for
    destroys: tuple[str, ...] = ()  # what the migration that was asked for destroys, as the digest covers it
    dangers: tuple[str, ...] = ()  # and its dangerous statements
    signed: tuple[Approval, ...] = ()  # who signed the plan's rollback envelope, with the migration's approval
    deadline_told: int = 0  # 1: people were warned, 2: it has passed
    extended: float | None = None  # until when people have extended the window
    offered: Passing | None = None  # a hand-over that waits for the receiver
    passed: tuple[Passing, ...] = ()  # every hand-over that was accepted
    status_at: float = 0.0
    nudged_at: float = 0.0
    reason: str = ""  # why it left the forward route, or how it was closed
    ended_at: float | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the present route."""
        plan = self.plan
        return route_steps(plan.runbook, self.route, downtime=plan.downtime, standby=plan.standby)

    @property
    def step(self) -> Step:
        """The step the run is at (the last one once it is final)."""
        return self.steps[min(self.position, len(self.steps) - 1)]

    @property
    def quorum(self) -> int:
        """How many approvals the open question needs, or an ordinary one would."""
        return (self.question.quorum if self.question else 0) or self.plan.policy.quorum

    @property
    def risk(self) -> Risk:
        """The higher of what people said and what the bot found."""
        return highest((self.plan.risk, self.risk_found))

    @property
    def final(self) -> bool:
        return self.state in _FINAL

    @property
    def executor(self) -> str:
        """Whose run it is: the starter's, until somebody took it over from them."""
        return self.passed[-1].to if self.passed else self.plan.starter

    @property
    def executor_name(self) -> str:
        return self.passed[-1].to_name if self.passed else self.plan.starter_name

    @property
    def hands(self) -> frozenset[str]:
        """Whoever planned it and everybody who has had it in hand; none of them approves it."""
        return frozenset({self.plan.starter, self.plan.author, *(each.to for each in self.passed)})

    @property
    def backed_up(self) -> bool:
        return any(each.step is StepName.BACKUP for each in self.done)

    @property
    def before_any_change(self) -> bool:
        """Does everything still run as it did before?  As long as it does, it is measured for comparison."""
        untouched = self.database_state is Database.UNTOUCHED and not self.services_down
        return self.route is Route.FORWARD and untouched and self.result(StepName.STOP_SERVICES) is None

    @property
    def watch_seconds(self) -> float:
        """How long the present watch lasts: runbook step 7, or "Monitor for 15 minutes" after the way back."""
        timing = self.plan.timing
        return timing.watch_back_for if self.step.name is StepName.WATCH_BACK else timing.monitor_for

    @property
    def window_end(self) -> float | None:
        """When the maintenance window is over, as people last agreed."""
        return self.extended or self.plan.window_end

    @property
    def deadline(self) -> float | None:
        """When the plan's rollback deadline passes; ``None`` before the migration is in, or without one."""
        applied = self.result(StepName.APPLY)
        if self.plan.rollback_deadline is None or applied is None:
            return None
        return applied.ended_at + self.plan.rollback_deadline

    def result(self, step: StepName) -> Done | None:
        """The latest finished attempt of ``step``, on whichever route."""
        return next((each for each in reversed(self.done) if each.step is step), None)

    def fact(self, step: StepName, name: str) -> str | None:
        """One recorded fact of a finished step, e.g. the backup's folder."""
        found = self.result(step)
        return dict(found.facts).get(name) if found else None
