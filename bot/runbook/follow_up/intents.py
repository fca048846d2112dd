"""What somebody or something asks of a follow-up."""

from dataclasses import dataclass

from bot.runbook.follow_up.queries import Counted, Counts
from bot.runbook.people import Person
from bot.runbook.samples import Sample


@dataclass(frozen=True, kw_only=True)
class TakeLook:
    """One measurement for the slot ``due``; ``slow`` are statements that took too long since the look before."""

    due: float
    sample: Sample
    slow: tuple[Counted, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SkipLook:
    """Nothing is measured for the slot ``due``."""

    due: float
    why: str


@dataclass(frozen=True, kw_only=True)
class Overtake:
    """The run ``by`` has changed the target since."""

    by: str


@dataclass(frozen=True, kw_only=True)
class PostReview:
    """Time for the review; ``counts`` are the database's statements now."""

    due: float
    counts: Counts


@dataclass(frozen=True, kw_only=True)
class FollowTick:
    """Another derived timer fired."""

    kind: str
    due: float


@dataclass(frozen=True, kw_only=True)
class AnswerTickets:
    """Runbook: "Analyze any spike in support tickets"."""

    person: Person
    spike: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class NoteAnomalies:
    """Runbook: "Document any anomalies"."""

    person: Person
    note: str


ByPerson = AnswerTickets | NoteAnomalies
Intent = TakeLook | SkipLook | Overtake | PostReview | FollowTick | ByPerson


def actor_of(intent: Intent) -> str:
    """Who is behind an intent, for the ledger's own column."""
    return intent.person.id if isinstance(intent, ByPerson) else "clock"
