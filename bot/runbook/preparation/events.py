"""What happened to a plan.  Past tense; the ledger keeps these like those of a run."""

from dataclasses import dataclass

from bot.runbook.drill import DrillReport
from bot.runbook.preparation.checklist import Item, Proof, Tick, Waiver
from bot.runbook.preparation.preparation import Answer, Draft, Moment, Window
from bot.runbook.risk import RiskReport


@dataclass(frozen=True, kw_only=True)
class Planned:
    draft: Draft
    author: str
    author_name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Edited:
    draft: Draft
    person: str
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Postponed:
    window: Window
    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class PlanCancelled:
    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Proved:
    """The bot looked; ``files`` is what it read."""

    files: str
    proofs: tuple[Proof, ...]
    at: float
    risk: RiskReport | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FellBack:
    """What was shown before is no longer about what is planned."""

    items: tuple[Item, ...]
    answers: tuple[str, ...]  # the names of those whose Go no longer counts
    reason: str
    at: float
    drill: bool = False  # the rehearsal no longer counts either
    changed: tuple[str, ...] = ()  # which files differ, in words


@dataclass(frozen=True, kw_only=True)
class Ticked:
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, kw_only=True)
class Unticked:
    item: Item
    person: str
    name: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class WaiverAsked:
    waiver: Waiver


@dataclass(frozen=True, kw_only=True)
class WaiverAgreed:
    item: Item
    person: str
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class SqlShown:
    person: str
    name: str
    files: str
    at: float


@dataclass(frozen=True, kw_only=True)
class DrillAsked:
    person: str  # empty: the bot by itself
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class DrillBegan:
    at: float


@dataclass(frozen=True, kw_only=True)
class DrillEnded:
    report: DrillReport | None
    at: float
    problem: str = ""
    later: bool = False  # it was only not possible then


@dataclass(frozen=True, kw_only=True)
class Answered:
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class MomentCame:
    """``late`` is how many seconds after its time; ``skipped`` why nothing was done about it."""

    moment: Moment
    at: float
    late: float = 0.0
    skipped: str = ""


@dataclass(frozen=True, kw_only=True)
class StartAsked:
    person: str
    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class StartRefused:
    """The last look found something; ``missing`` says what, line by line."""

    missing: tuple[str, ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class RunBegan:
    """The plan has become a run."""

    run: str
    at: float


@dataclass(frozen=True, kw_only=True)
class PlanMissed:
    """T-0 went by without all Go."""

    missing: tuple[str, ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class PlanNudged:
    at: float


Event = (
    Planned
    | Edited
    | Postponed
    | PlanCancelled
    | Proved
    | FellBack
    | Ticked
    | Unticked
    | WaiverAsked
    | WaiverAgreed
    | SqlShown
    | DrillAsked
    | DrillBegan
    | DrillEnded
    | Answered
    | MomentCame
    | StartAsked
    | StartRefused
    | RunBegan
    | PlanMissed
    | PlanNudged
)
