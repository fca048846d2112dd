"""What is proven on the copy once the migration is in: the verify step's answers, and the times of the ways back."""

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import psycopg

from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.postgres.beside import Names, dsn_of
from integrations.postgres.carry import creation, properties
from integrations.postgres.catalog import Catalog
from integrations.postgres.checks import Findings
from integrations.postgres.connect import Session
from integrations.postgres.drill.practice import Practice
from integrations.postgres.rehearse import Scripts, and_back
from integrations.postgres.settings import Limits
from integrations.postgres.switch import switch
from integrations.postgres.template import mark_half_made
from integrations.postgres.tools import Tools
from integrations.postgres.verify import Verify

SESSIONS = 5  # connected to the database that is put away: ending them is a part of every switch


async def verified(practice: Practice, limits: Limits) -> tuple[Findings, float]:
    """The verify step's own questions to the copy, and their seconds."""
    began = time.monotonic()
    findings, _, _ = await Verify(limits).findings(practice.on_copy(StepName.VERIFY), deployed=False)
    return findings, time.monotonic() - began


async def went_down(
    practice: Practice, tools: Tools, downs: Scripts, before: Catalog, limits: Limits
) -> tuple[float | None, str]:
    """Seconds of the DOWN scripts on the migrated copy, or why they are no way back."""
    try:
        context = practice.at(StepName.APPLY)
        return await and_back(context, tools, practice.names.side, downs, before, limits), ""
    except StepError as error:
        return None, error.problem


async def switched(practice: Practice, db: Session, limits: Limits) -> float:
    """Seconds in which the copy takes the place of a database that nobody needs; the live one has no part in it.

    The stand-in is empty: a renaming takes as long at any size.
    """
    names = practice.stand_in
    await db.execute(creation(Names(live=names.live, side=names.live, failed=""), await properties(db, names.side)))
    await mark_half_made(db, practice.at(StepName.BACKUP), names.live)
    async with AsyncExitStack() as stack:
        for _ in range(SESSIONS):
            await stack.enter_async_context(_client(practice, names.live))
        return await switch(db, names, limits)


@contextlib.asynccontextmanager
async def _client(practice: Practice, name: str) -> AsyncIterator[None]:
    """A session as a service has it; the switch ends it."""
    context = practice.at(StepName.BACKUP)
    held = await psycopg.AsyncConnection.connect(
        dsn_of(context, name), autocommit=True, application_name="migrate/drill/client"
    )
    try:
        yield
    finally:
        await held.close()
