"""The copy: the backup restored beside the live database, proven equal, with the settings of the original."""

import time

from bot.runbook.steps import StepName
from integrations.postgres.beside import CannotMake
from integrations.postgres.carry import ByHand, around, carry
from integrations.postgres.connect import Session
from integrations.postgres.costs import lacking
from integrations.postgres.drill.practice import Practice
from integrations.postgres.restore import make
from integrations.postgres.settings import Limits
from integrations.postgres.template import require_room, size_of
from integrations.postgres.whole import whole_backup


async def require_possible(practice: Practice, db: Session) -> None:
    """Rights and room for a copy, asked before anything is made; ``StepError`` says what is missing."""
    live = practice.names.live
    if lacks := await lacking(db, live):
        raise CannotMake(f"{live} cannot be rehearsed: {lacks}", "Then ask for the rehearsal again.")
    await require_room(db, await size_of(db, live))


async def make_copy(practice: Practice, db: Session, limits: Limits) -> tuple[float, tuple[str, ...]]:
    """Seconds from the first checksum to the proof that it is equal, and notes.

    ``CannotMake`` where there can be no copy; any other ``StepError`` says that the backup does not restore.
    """
    began = time.monotonic()
    whole = await whole_backup(practice.at(StepName.BACKUP), practice.names, limits)
    said, _ = await make(db, whole)
    notes: tuple[str, ...] = ()
    try:
        await carry(db, practice.names, whole.manifest.around or await around(db, practice.names.live))
    except ByHand as refused:
        notes = (f"⚠️ The copy lacks what only a superuser may set: {refused.statements}",)
    return time.monotonic() - began, (*said, *notes)
