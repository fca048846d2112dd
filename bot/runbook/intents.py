"""What somebody or something asks of a run.  Imperative, and never true by itself: ``decide`` answers.

People's intents carry the ``Person`` as they were known at that moment; workers' intents carry the
``claim`` of the attempt they speak for, so that a worker that lost its claim is not believed.
"""

from dataclasses import dataclass

from bot.runbook.criteria import Criterion
from bot.runbook.fixes import Fix
from bot.runbook.people import Person
from bot.runbook.risk import Risk
from bot.runbook.run import Blocker, Database
from bot.runbook.rungs import Option, Rung
from bot.runbook.samples import Sample
from bot.runbook.steps import StepName


@dataclass(frozen=True, kw_only=True)
class Approve:
    """Yes to exactly ``digest``.  ``word`` is what was typed, where the step demands it."""

    person: Person
    number: int
    digest: str
    word: str = ""
    via: str = "slack"


@dataclass(frozen=True, kw_only=True)
class Reject:
    """No, with the reason people will read."""

    person: Person
    number: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PullCord:
    """``/migrate hold``: stop before the next step.  Anyone in the channel may."""

    person: Person
    reason: str


@dataclass(frozen=True, kw_only=True)
class Resume:
    """Go on after a hold, or take a handed-over run back."""

    person: Person


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Try the step that failed again, under the normal approval; with ``fix``, in another way that was offered."""

    person: Person
    fix: Fix | None = None


@dataclass(frozen=True, kw_only=True)
class Abort:
    """End the run without the migration, bringing back what was stopped."""

    person: Person
    reason: str


@dataclass(frozen=True, kw_only=True)
class RollBack:
    """Go back to the state before the migration."""

    person: Person
    reason: str


@dataclass(frozen=True, kw_only=True)
class PickRung:
    """Go back another way than the one that question ``number`` recommends."""

    person: Person
    number: int
    rung: Rung


@dataclass(frozen=True, kw_only=True)
class ExtendWindow:
    """Give the migration until ``until`` (POSIX seconds)."""

    person: Person
    until: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class TakeOver:
    """A named person takes the run into their own hands."""

    person: Person
    note: str


@dataclass(frozen=True, kw_only=True)
class Close:
    """The keeper of a handed-over run says how it ended."""

    person: Person
    note: str


@dataclass(frozen=True, kw_only=True)
class ApproveCancel:
    """Yes to cancelling one blocking session."""

    person: Person
    digest: str


@dataclass(frozen=True, kw_only=True)
class KeepWaiting:
    """Seen: the migration goes on waiting for this blocker."""

    person: Person
    digest: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A worker described ``step``, which is at hand; ``number`` is the question it prepares."""

    number: int
    digest: str
    inputs: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]
    diff: tuple[str, ...] = ()
    undo: str = ""  # how it is undone, or why there is no way
    texts: tuple[tuple[str, str], ...] = ()  # what will be run, name by name, as far as it fits a message
    step: StepName | None = None  # a worker that was frozen meanwhile speaks of another step
    no_return: str = ""  # what it would take to undo what is in, now
    rung: Rung | None = None  # under a rollback: the way described, and all there are
    options: tuple[Option, ...] = ()
    destroys: tuple[str, ...] = ()  # what would be gone for good, or cannot be judged; the digest covers it
    risk: Risk | None = None  # as the bot judges it
    dangers: tuple[str, ...] = ()  # every statement of medium or high risk, in short


@dataclass(frozen=True, kw_only=True)
class CannotAsk:
    """A worker could not describe the step, e.g. because the target does not answer."""

    number: int
    problem: str
    advice: str = ""
    reference: str = ""
    step: StepName | None = None


@dataclass(frozen=True, kw_only=True)
class Begin:
    """A worker is about to act on ``step``.  ``digest`` is of what would run *now*; ``""`` where nothing is asked."""

    attempt: int
    digest: str = ""
    problem: str = ""  # why it cannot be said what would run now
    step: StepName | None = None


@dataclass(frozen=True, kw_only=True)
class Finish:
    """The step is done and shown to be true."""

    claim: int
    evidence: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fail:
    """The step did not succeed; ``database`` says what is known to have become of the target, ``criterion`` which of
    the runbook's rollback criteria that is, ``fixes`` what else than trying again may help."""

    claim: int
    problem: str
    advice: str = ""
    reference: str = ""
    database: Database | None = None
    criterion: Criterion | None = None
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pause:
    """The running step stopped by itself at a safe point because a hold was asked for."""

    claim: int


@dataclass(frozen=True, kw_only=True)
class SeeBlockers:
    """The sessions that keep the running step waiting, as they are now (empty: none any more)."""

    claim: int
    blockers: tuple[Blocker, ...]


@dataclass(frozen=True, kw_only=True)
class TakeSample:
    """One measurement for the timer slot ``due``."""

    due: float
    sample: Sample


@dataclass(frozen=True, kw_only=True)
class TakeBaseline:
    """One measurement before the first change, for the timer slot ``due``."""

    due: float
    sample: Sample


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A derived timer fired."""

    kind: str
    due: float


@dataclass(frozen=True, kw_only=True)
class OfferHandover:
    """Hand the run to ``to``, as they are known at that moment."""

    person: Person
    to: Person


@dataclass(frozen=True, kw_only=True)
class AcceptHandover:
    """Take the run that was offered."""

    person: Person


@dataclass(frozen=True, kw_only=True)
class AnswerCheck:
    """Somebody tried a workflow by hand; ``note`` says what is broken."""

    person: Person
    check: str
    works: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class NoteDatabase:
    """What a look at the database's own health found during a watch."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AskAnalyze:
    """Let the bot gather the statistics that the migration has cost."""

    person: Person


@dataclass(frozen=True, kw_only=True)
class Analyzed:
    """They are gathered, or why not, table by table."""

    lines: tuple[str, ...]


ByPerson = (
    Approve
    | Reject
    | PullCord
    | Resume
    | Retry
    | Abort
    | RollBack
    | PickRung
    | ExtendWindow
    | TakeOver
    | Close
    | ApproveCancel
    | KeepWaiting
)
HandingOver = OfferHandover | AcceptHandover
ByWorker = Ask | CannotAsk | Begin | Finish | Fail | Pause | SeeBlockers
ByClock = TakeSample | TakeBaseline | Tick
ForUpkeep = NoteDatabase | AskAnalyze | Analyzed
Intent = ByPerson | HandingOver | AnswerCheck | ForUpkeep | ByWorker | ByClock


def actor_of(intent: Intent) -> str:
    """Who is behind an intent, for the ledger's own column."""
    if isinstance(intent, ByPerson | HandingOver | AnswerCheck | AskAnalyze):
        return intent.person.id
    return "clock" if isinstance(intent, ByClock) else "worker"
