"""What happened.  Past tense, and true for ever: the ledger holds these and nothing else."""

from dataclasses import dataclass

from bot.runbook.criteria import Criterion
from bot.runbook.fixes import Fix
from bot.runbook.manual import Answer
from bot.runbook.people import Approval
from bot.runbook.run import Blocker, Database, Hold, Licence, Passing, Plan, Question
from bot.runbook.rungs import Rung
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
    """The quorum is complete; or, by another licence, none was needed, and ``why`` says so."""

    step: StepName
    digest: str
    at: float
    by: Licence = Licence.PEOPLE
    why: str = ""


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
    criterion: Criterion | None = None  # the rollback criterion that this failure meets
    fixes: tuple[Fix, ...] = ()  # what may help, beside trying again


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
    """The failed step is tried again; with ``fix``, in another way."""

    person: str
    name: str
    at: float
    fix: Fix | None = None


@dataclass(frozen=True, kw_only=True)
class Aborted:
    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class RollbackAsked:
    """A person wants to go back; or the bot asks by itself, because ``criterion`` is met."""

    person: str
    name: str
    reason: str
    at: float
    criterion: Criterion | None = None


@dataclass(frozen=True, kw_only=True)
class RungPicked:
    """Somebody wants another way back than the recommended one: it is described and asked for anew."""

    rung: Rung
    person: str
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class DeadlineTold:
    """The plan's rollback deadline comes near, or has passed."""

    passed: bool
    at: float


@dataclass(frozen=True, kw_only=True)
class WindowExtended:
    until: float
    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class HandedOver:
    keeper: Hold
    at: float


@dataclass(frozen=True, kw_only=True)
class HandoverOffered:
    """Somebody shall take the run; they have not said yes yet."""

    offer: Passing


@dataclass(frozen=True, kw_only=True)
class Handed:
    """They took it; what they had approved of the open question no longer counts."""

    to: str
    to_name: str
    by: str
    by_name: str
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
class BaselineTaken:
    """One measurement of how it was before the first change."""

    sample: Sample
    at: float


@dataclass(frozen=True, kw_only=True)
class HealthJudged:
    """The watch came to a new judgement (posted only when it changes)."""

    judgement: Judgement
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class CheckAnswered:
    """Somebody tried a workflow by hand."""

    answer: Answer


@dataclass(frozen=True, kw_only=True)
class DatabaseNoted:
    """A look at the database's own health found something else than the one before."""

    lines: tuple[str, ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class AnalyzeAsked:
    tables: tuple[str, ...]
    person: str
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class AnalyzeEnded:
    lines: tuple[str, ...]
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
    | RungPicked
    | DeadlineTold
    | WindowExtended
    | HandedOver
    | HandoverOffered
    | Handed
    | BlockersSeen
    | CancelApproved
    | WaitingAccepted
    | Sampled
    | BaselineTaken
    | HealthJudged
    | CheckAnswered
    | DatabaseNoted
    | AnalyzeAsked
    | AnalyzeEnded
    | StatusPosted
    | Reminded
    | Nudged
    | Ended
)
