"""A restore in a hurry: memory for its indexes, and statistics gathered while the copy is compared.

Putting the server's checkpoints off meanwhile (ALTER SYSTEM) was tried and measured: it gains nothing on two cores.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from integrations.postgres.connect import Session, rows, session

T = TypeVar("T")
FILE = "hurry.sql"
MEMORY = 256 * 1024  # kB, for each job; building an index or checking a foreign key spills to the disk without it


async def options(db: Session) -> str:
    """PGOPTIONS for pg_restore; never less memory than the server gives by itself."""
    ((memory,),) = await rows(db, "memory", None, FILE)
    # whatever is lost by a crash now is restored again
    return f"-c synchronous_commit=off -c maintenance_work_mem={max(int(str(memory)), MEMORY)}kB"


async def analysed(dsn: str, application_name: str, comparing: Coroutine[Any, Any, T]) -> T:
    """ANALYZE in a session of its own beside ``comparing``, whose result it is: both read the whole database."""
    task = asyncio.ensure_future(comparing)
    try:
        async with session(dsn, application_name) as db:
            analysing = asyncio.ensure_future(db.execute("ANALYZE"))
            try:
                found = await task
                await analysing
            finally:
                analysing.cancel()
                await asyncio.gather(analysing, return_exceptions=True)
        return found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
