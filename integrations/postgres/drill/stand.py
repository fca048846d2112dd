"""Where the files are run: the copy, with what is known of it and what was measured so far."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.ports import Context
from bot.runbook.drill import Measured
from integrations.postgres.connect import Session
from integrations.postgres.drill.measure import Known, files_of, strongest, wal_of
from integrations.postgres.psql import Failure, run_psql
from integrations.postgres.risk.model import Lock
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.tools import Tools

Judged = Mapping[tuple[str, int], Mapping[str, Lock]]  # file and number (from 1) -> the locks the risk check expects


@dataclass
class Stand:
    """``eye`` looks on from a session of its own.  ``judged`` is only asked about locks that are held already.

    ``files`` are those of the tables as they were last seen; ``seen`` grows with every statement; ``whole`` names the
    files of which there is only one figure.  ``waited`` are seconds in which statements only waited to be looked at;
    ``expected`` counts those that were gone before a look, so that their locks are the expected ones.
    """

    context: Context
    eye: Session
    tools: Tools
    known: Known
    judged: Judged
    limits: Limits
    files: dict[int, int] = field(default_factory=dict)
    seen: list[Measured] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    waited: float = 0.0
    expected: int = 0

    def __post_init__(self) -> None:
        self.files = dict(self.known.files)

    @property
    def dsn(self) -> str:
        return self.context.target.dsn

    @property
    def lock_timeout(self) -> float:
        """The longest of the ladder's: nobody else is on the copy."""
        return max(self.context.target.lock_timeouts)

    async def rewritten(self, db: Session, oids: Iterable[int]) -> tuple[str, ...]:
        """Which of these tables have another file than when last looked at, in the eyes of that session."""
        now = await files_of(db, [oid for oid in oids if oid in self.files])
        found = sorted(self.known.names[oid] for oid, file in now.items() if file != self.files[oid])
        self.files |= now
        return tuple(found)

    def note(self, script: Script, line: int, head: str, seconds: float, locks: Mapping[str, Lock],
             rewrote: tuple[str, ...], wal: int) -> None:  # fmt: skip
        """Keep one figure."""
        lock, relation = strongest(locks)
        self.seen.append(
            Measured(file=script.name, line=line, head=head, seconds=seconds, lock=lock, relation=relation,
                     rewrote=rewrote, wal=max(0, wal))
        )  # fmt: skip


async def by_psql(stand: Stand, script: Script) -> Failure | None:
    """A file as the step itself runs it, with one figure for all of it."""
    stand.whole.append(script.name)
    wal, began = await wal_of(stand.eye), time.monotonic()
    failure = await run_psql(
        stand.context, stand.tools, script, lock_timeout=stand.lock_timeout, limits=stand.limits
    )  # fmt: skip
    seconds = time.monotonic() - began
    rewrote = await stand.rewritten(stand.eye, stand.files)
    stand.note(script, 1, "the whole file", seconds, {}, rewrote, await wal_of(stand.eye) - wal)
    return failure
