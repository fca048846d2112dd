"""A short session that only reads, and never waits for long."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bot.ports import StepError
from bot.proving.subject import Looked, Looks, wrong
from bot.runbook.preparation.checklist import Item
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows, session

FILE = "proofs.sql"
APPLICATION = "migrate/proofs"
STATEMENT_SECONDS = 5.0  # catalog queries of a large schema take tenths of a second


@asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[Session]:
    """A session in which nothing can be written; ``StepError`` as ``session`` has it."""
    async with session(dsn, APPLICATION) as db:
        await calm(db)
        yield db


async def calm(db: Session) -> None:
    """From here on the session reads only, each statement at most ``STATEMENT_SECONDS``."""
    await db.execute(blocks(FILE)["read_only"], {"limit": f"{STATEMENT_SECONDS * 1000:.0f}"})


async def ask(db: Session, block: str, values: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
    """All rows of one of the proofs' own blocks."""
    return await rows(db, block, values, FILE)


def failed(error: StepError) -> Looked:
    """What happened and how to mend it, as one finding."""
    return wrong(f"{error.problem} {error.advice}".strip())


def unreached(items: tuple[Item, ...], error: StepError) -> Looks:
    """The first item has the reason; the others only say that they wait for it."""
    first, *others = items
    waiting = wrong("The database could not be asked; see “Database connection credentials verified”.")
    return {first: failed(error), **dict.fromkeys(others, waiting)}
