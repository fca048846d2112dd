"""What the risk check says: of one statement, and of a whole migration."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from bot.runbook.risk import Risk

UNKNOWN = "a relation only known when it runs"


class Lock(IntEnum):
    """Table-level lock modes, weakest first (https://www.postgresql.org/docs/current/explicit-locking.html)."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @property
    def words(self) -> str:
        """As the documentation writes it."""
        return self.name.replace("_", " ")

    @property
    def stops_reading(self) -> bool:
        return self is Lock.ACCESS_EXCLUSIVE

    @property
    def stops_writing(self) -> bool:
        return self >= Lock.SHARE

    @property
    def harm(self) -> str:
        """Whom it keeps waiting."""
        if self.stops_reading:
            return "reads and writes wait"
        return "writes wait" if self.stops_writing else "nobody waits"


@dataclass(frozen=True, kw_only=True)
class StatementRisk:
    """One statement judged.  Relations are ``schema.table`` and were there before the migration; times are seconds.

    ``locks`` holds the strongest of each relation; ``rewrites`` and ``scans`` are tables read or written whole, with
    the reason; ``destroys`` is what is gone for good afterwards; ``unjudged`` what nobody can know before it runs;
    ``seconds`` is None where nothing is known of the size.
    """

    file: str
    number: int
    line: int
    last_line: int
    text: str
    does: str
    level: Risk
    reasons: tuple[str, ...] = ()
    locks: Mapping[str, Lock]
    rewrites: Mapping[str, str]
    scans: Mapping[str, str]
    destroys: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    irreversible: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    safer: tuple[str, ...] = ()
    outside: str = ""
    seconds: float | None = 0.0
    basis: str = ""

    @property
    def destructive(self) -> bool:
        """Is data gone for good, or can that not be ruled out?"""
        return bool(self.destroys or self.unjudged)

    @property
    def reversible(self) -> bool:
        return not (self.destroys or self.unjudged or self.irreversible)

    @property
    def transaction_safe(self) -> bool:
        return not self.outside

    @property
    def strongest(self) -> Lock | None:
        return max(self.locks.values(), default=None)


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A migration judged.  ``downtime`` is how long reads or writes of some table wait, in seconds, if known."""

    level: Risk
    reasons: tuple[str, ...]
    statements: tuple[StatementRisk, ...]
    downtime: float | None
    downtime_basis: str
    notes: tuple[str, ...] = ()

    @property
    def destructive(self) -> bool:
        return any(each.destructive for each in self.statements)
