"""What somebody or something asks of a plan.  People's intents carry the ``Person`` as they were at that moment."""

from dataclasses import dataclass

from bot.runbook.drill import DrillReport
from bot.runbook.people import Person
from bot.runbook.preparation.checklist import Item, Proof
from bot.runbook.preparation.preparation import Draft, Window
from bot.runbook.risk import RiskReport


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Change what is planned; the window is moved by ``Postpone``."""

    person: Person
    draft: Draft
    before: Draft | None = None  # as it was when the form was filled in


@dataclass(frozen=True, kw_only=True)
class Postpone:
    """Move the window."""

    person: Person
    window: Window
    reason: str


@dataclass(frozen=True, kw_only=True)
class CancelPlan:
    person: Person
    reason: str


@dataclass(frozen=True, kw_only=True)
class TickItems:
    """These items are true, and this shows it."""

    person: Person
    items: tuple[Item, ...]
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Untick:
    """Take one's word back."""

    person: Person
    item: Item
    reason: str


@dataclass(frozen=True, kw_only=True)
class Waive:
    """This item shall not count; a second person has to agree."""

    person: Person
    item: Item
    reason: str


@dataclass(frozen=True, kw_only=True)
class AgreeToWaiver:
    """The second person's yes."""

    person: Person
    item: Item
    asked_at: float = 0.0  # of the waiver that was shown, in whole seconds; 0: not said


@dataclass(frozen=True, kw_only=True)
class ReadSql:
    """The bot has shown this person the SQL of ``files``."""

    person: Person
    files: str


@dataclass(frozen=True, kw_only=True)
class Review:
    """The peer review: yes to the SQL of ``files``, as it was shown."""

    person: Person
    files: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class AskDrill:
    """Rehearse on a copy, now."""

    person: Person


@dataclass(frozen=True, kw_only=True)
class SayGo:
    """Go, or No-go with a reason."""

    person: Person
    go: bool
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class AskStart:
    """Begin the migration."""

    person: Person


@dataclass(frozen=True, kw_only=True)
class ProofsFound:
    """What the bot found out.  ``files`` is the digest of the files as they are now; ``problem`` why it could not be
    made; ``changed`` says in words which files differ from those looked at before."""

    files: str
    proofs: tuple[Proof, ...]
    risk: RiskReport | None = None
    changed: tuple[str, ...] = ()
    starts: bool = False  # it is the last look before the start
    names: tuple[str, ...] = ()  # which files were looked at


@dataclass(frozen=True, kw_only=True)
class DrillBegins:
    """A worker is about to rehearse."""


@dataclass(frozen=True, kw_only=True)
class DrillEnds:
    """How the rehearsal went; ``problem`` where there was none at all."""

    report: DrillReport | None
    problem: str = ""
    later: bool = False  # it was only not possible now


@dataclass(frozen=True, kw_only=True)
class PlanTick:
    """A derived timer fired."""

    kind: str
    due: float


ByPerson = (
    Edit
    | Postpone
    | CancelPlan
    | TickItems
    | Untick
    | Waive
    | AgreeToWaiver
    | ReadSql
    | Review
    | AskDrill
    | SayGo
    | AskStart
)
ByWorker = ProofsFound | DrillBegins | DrillEnds
Intent = ByPerson | ByWorker | PlanTick


def actor_of(intent: Intent) -> str:
    """Who is behind an intent, for the ledger's own column."""
    if isinstance(intent, ByPerson):
        return intent.person.id
    return "clock" if isinstance(intent, PlanTick) else "worker"
