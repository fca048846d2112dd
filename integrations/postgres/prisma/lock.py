"""Prisma's own advisory lock: one ``prisma migrate`` at a time, waited for ten seconds (P1002)."""

from collections.abc import Sequence

from psycopg.rows import class_row

from bot.runbook.run import Blocker
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session
from integrations.postgres.prisma.history import FILE
from integrations.postgres.statements import normalised


async def held_by(db: Session) -> Sequence[Blocker]:
    """The sessions that hold it now."""
    async with db.cursor(row_factory=class_row(Blocker)) as cursor:
        await cursor.execute(blocks(FILE)["advisory_holder"])
        return await cursor.fetchall()


async def holders(db: Session) -> tuple[str, ...]:
    """A warning for each, before anything is begun."""
    return tuple(
        f"⚠️ Prisma's advisory lock (72707369) is held by {each.application or 'a session without a name'} "
        f"(user {each.user}, pid {each.pid}, for {each.age_seconds:.0f} s: {normalised(each.query)})"
        for each in await held_by(db)
    )
