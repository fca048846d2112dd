"""A rehearsal of one migration on a copy of its target: what was measured, and what it says of the real one."""

from dataclasses import dataclass, field

from bot.runbook.rungs import Rung


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One statement as it ran on the copy.

    ``lock`` is the strongest lock it took, in PostgreSQL's words, and ``relation`` what it was on; ``rewrote`` are the
    relations whose file changed (relfilenode).  Times are seconds, WAL is bytes.
    """

    file: str
    line: int
    head: str  # its first words, literals removed
    seconds: float
    lock: str = ""
    relation: str = ""
    rewrote: tuple[str, ...] = ()
    wal: int = 0


@dataclass(frozen=True, kw_only=True)
class BackTime:
    """One way back, gone on the copy: how long it took, or why it cannot be gone."""

    rung: Rung
    seconds: float | None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class DrillReport:
    """The whole rehearsal.  ``files`` is the digest of the migration and DOWN files it was about.

    ``source`` says in words what the copy was made of; sizes are bytes of the whole database, WAL is bytes.  ``at`` is
    when it began.  ``copy_seconds`` is making the copy and proving it equal; ``backup_seconds`` is ``None`` where no
    backup was made for it; ``verify_seconds`` where it did not get that far.
    """

    at: float
    ok: bool
    files: str
    source: str = ""
    problem: str = ""
    copy_seconds: float = 0.0
    apply_seconds: float = 0.0
    statements: tuple[Measured, ...] = ()
    wal: int = 0
    size_before: int = 0
    size_after: int = 0
    verified: tuple[str, ...] = ()
    down_seconds: float | None = None
    down_problem: str = ""
    backup_seconds: float | None = None
    back: tuple[BackTime, ...] = ()
    notes: tuple[str, ...] = field(default=())
    name: str = ""  # of the plan
    verify_seconds: float | None = None
    plans: tuple[str, ...] = ()  # what became of the plans of the application's costliest statements

    @property
    def rewrites(self) -> tuple[str, ...]:
        """Every relation that was rewritten."""
        return tuple(dict.fromkeys(name for each in self.statements for name in each.rewrote))

    def back_seconds(self, rung: Rung) -> float | None:
        """How long that way back took; ``None`` where it was not gone."""
        return next((each.seconds for each in self.back if each.rung is rung), None)
