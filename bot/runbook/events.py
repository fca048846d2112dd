"""What happened.  Past tense, and true for ever: the ledger holds these and nothing else."""

from dataclasses import dataclass

from bot.runbook.people import Approval
from bot.runbook.run import Blocker, Database, Hold, Plan, Question
from bot.runbook.samples import Judgement, Sample
from bot.runbook.steps import Route, StepName


@dataclass(frozen=True, kw_only=True)
class Started:
    plan: Plan
    at: float


@dataclass(frozen=True, kw_only=True)
class Entered:
    """The run came to a step of a route: forward after a finished one, or on a new route."""

    route: Route
    position: int
    at: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    question: Question
    at: float


@dataclass(frozen=True, kw_only=True)
class Approved:
    number: int
    approval: Approval


@dataclass(frozen=True, kw_only=True)
class Granted:
    """The quorum is complete."""

    step: StepName
    digest: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Rejected:
    number: int
    step: StepName
    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Voided:
    """Approvals no longer count; the step will be described and asked for anew."""

    step: StepName
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class StepBegan:
    step: StepName
    attempt: int
    digest: str
    at: float


@dataclass(frozen=True, kw_only=True)
class StepFinished:
    step: StepName
    began_at: float
    at: float
    evidence: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepFailed:
    step: StepName
    problem: str
    at: float
    advice: str = ""
    reference: str = ""
    database: Database | None = None


@dataclass(frozen=True, kw_only=True)
class HoldAsked:
    """The cord was pulled while a step was running: it takes effect at the step's end."""

    hold: Hold


@dataclass(frozen=True, kw_only=True)
class Held:
    hold: Hold
    at: float


@dataclass(frozen=True, kw_only=True)
class Resumed:
    person: str
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Retried:
    person: str
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Aborted:
    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class RollbackAsked:
    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class HandedOver:
    keeper: Hold
    at: float


@dataclass(frozen=True, kw_only=True)
class BlockersSeen:
    blockers: tuple[Blocker, ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class CancelApproved:
    digest: str
    approval: Approval
    granted: bool


@dataclass(frozen=True, kw_only=True)
class WaitingAccepted:
    digest: str
    person: str
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Sampled:
    sample: Sample
    at: float


@dataclass(frozen=True, kw_only=True)
class HealthJudged:
    """The watch came to a new judgement (posted only when it changes)."""

    judgement: Judgement
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class StatusPosted:
    at: float


@dataclass(frozen=True, kw_only=True)
class Reminded:
    number: int
    level: int
    at: float


@dataclass(frozen=True, kw_only=True)
class Nudged:
    at: float


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The last announcement is made: the run is final."""

    at: float


Event = (
    Started
    | Entered
    | Asked
    | Approved
    | Granted
    | Rejected
    | Voided
    | StepBegan
    | StepFinished
    | StepFailed
    | HoldAsked
    | Held
    | Resumed
    | Retried
    | Aborted
    | RollbackAsked
    | HandedOver
    | BlockersSeen
    | CancelApproved
    | WaitingAccepted
    | Sampled
    | HealthJudged
    | StatusPosted
    | Reminded
    | Nudged
    | Ended
)
