"""How many transactions a database has ended so far: two of these are a rate."""

from bot.ports import StepError
from bot.target import Target
from integrations.postgres.proofs.reading import ask, reading


async def transactions(target: Target) -> tuple[int, str]:
    """The counter, and since when it counts; ``StepError`` where the database cannot be asked."""
    async with reading(target.dsn) as db:
        found = await ask(db, "transactions")
    if not found:
        raise StepError("The server keeps no statistics of this database.")
    ((count, since),) = found
    return int(str(count)), str(since)
