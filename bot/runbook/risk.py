"""How dangerous a migration is: the runbook's three levels, and what whoever judged it found before it runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

HANDFUL = 20  # things that a question names; what is more is counted


class Risk(StrEnum):
    """The runbook's three levels ("Migration Timeline Template")."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


_ORDER = tuple(Risk)


def highest(levels: Iterable[Risk | None]) -> Risk:
    """The gravest of some levels; what nobody judged counts for nothing, and nothing at all is low."""
    return max((each for each in levels if each is not None), key=_ORDER.index, default=Risk.LOW)


@dataclass(frozen=True, kw_only=True)
class StatementReport:
    """One statement: what it does to whom.

    ``head`` is its beginning, ``does`` what it does in words; ``lock`` the strongest it takes, in PostgreSQL's words,
    on ``relation`` (both empty where it takes none).  ``rewrites`` and ``scans`` are tables written anew or read whole;
    ``seconds`` is how long it is at work, ``None`` if unknown, and ``basis`` what that rests on; ``destroys`` what is
    gone for good, or why that cannot be judged; ``safer`` how to write it so that nobody waits and nothing is lost.
    """

    file: str
    line: int
    head: str
    level: Risk
    does: str = ""
    reasons: tuple[str, ...] = ()
    lock: str = ""
    relation: str = ""
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    seconds: float | None = None
    basis: str = ""
    destroys: tuple[str, ...] = ()
    reversible: bool = True
    transaction_safe: bool = True
    safer: tuple[str, ...] = ()

    @property
    def destructive(self) -> bool:
        """Is data gone for good, or can that not be ruled out?"""
        return bool(self.destroys)


@dataclass(frozen=True, kw_only=True)
class RiskReport:
    """The whole migration.

    ``destroys`` names what is gone for good afterwards and what cannot be judged, in words that stay the same while
    files and schema do; ``dangers`` every statement of medium or high risk in short.  ``downtime`` is for how many
    seconds reads or writes of some table wait, if known.  ``notes`` say what could not be found out,
    ``second`` what another linter adds.
    """

    level: Risk
    reasons: tuple[str, ...]
    destroys: tuple[str, ...] = ()
    dangers: tuple[str, ...] = ()
    downtime: float | None = None
    downtime_basis: str = ""
    statements: tuple[StatementReport, ...] = ()
    notes: tuple[str, ...] = ()
    second: tuple[str, ...] = ()


def handful(things: Iterable[str]) -> tuple[str, ...]:
    """Each thing once, the first twenty of them, and how many more there are."""
    once = tuple(dict.fromkeys(things))
    if len(once) <= HANDFUL:
        return once
    return (*once[: HANDFUL - 1], f"and {len(once) - HANDFUL + 1} more")
