"""Which way back there is: nothing to undo, or the backup restored beside and switched to.  It only reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.ports import Context, Description, StepError
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.beside import FILE, Standing, look, maintenance, names_of
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import identity, rows, session
from integrations.postgres.costs import costs
from integrations.postgres.markers import read_markers
from integrations.postgres.settings import Limits


class Rung(StrEnum):
    """How the run goes back, least loss first."""

    NOTHING = "nothing happened: only restart"
    RESTORE = "restore the backup beside and switch"


@dataclass(frozen=True, kw_only=True)
class Way:
    """The way back as it is now; ``inputs`` stay the same from the question to the end of the rollback."""

    rung: Rung
    standing: Standing
    inputs: Mapping[str, str]


async def ladder(context: Context, limits: Limits | None = None) -> Description:
    """What the one question of a rollback asks for: the way with the least loss, and what it costs.

    The costs are only for people: once approved, no more than the inputs is found out again.
    """
    chosen = limits or Limits()
    way = await find_way(context, chosen)
    if context.run.grant is not None and context.run.grant.step is StepName.ANNOUNCE_ROLLBACK:
        return Description(inputs=way.inputs, lines=())
    if way.rung is Rung.NOTHING:
        return Description(inputs=way.inputs, lines=_NOTHING)
    return Description(inputs=way.inputs, lines=await costs(context, way.standing, chosen))


async def find_way(context: Context, limits: Limits) -> Way:
    """Look at the server and, unless a way back was already begun, at the database itself."""
    names = names_of(context)
    async with maintenance(context) as db:
        who = await identity(db, context.target.dsn)
        standing = await look(db, names)
    nothing = not standing.begun and await nothing_happened(context)
    rung = Rung.NOTHING if nothing else Rung.RESTORE
    inputs = {
        "rung": rung.value,
        "target": context.target.name,
        "backup": backup_of(context),
        "system": who.system_identifier,
        "database": names.live,
        "role": who.role,
        "server": who.address,
    }
    return Way(rung=rung, standing=standing, inputs=inputs)


async def nothing_happened(context: Context) -> bool:
    """No mark of this run, nobody still applying, and the schema is the backup's: all three, or it is not proven."""
    async with session(context.target.dsn, context.application_name) as db:
        applying = f"migrate/{context.run.id}/{StepName.APPLY}"[:63]
        if await rows(db, "at_work", {"name": applying}, FILE) or await read_markers(db, context.run.id):
            return False
        return fingerprint(await read_catalog(db)) == context.run.fact(StepName.BACKUP, "fingerprint")


def backup_of(context: Context) -> str:
    """The SHA-256 of the run's backup manifest; ``StepError`` without one."""
    found = context.run.fact(StepName.BACKUP, "manifest_sha256")
    if not found:
        raise StepError(
            "This run has no backup with a manifest to go back to.",
            "Hand the run over to a person who decides how to go back.",
            database=Database.UNKNOWN,
        )
    return found


_NOTHING = (
    "Nothing needs to be undone: no file of this run is marked as applied, and the schema is the backup's.",
    "The database is not touched; nothing is lost. The services are stopped, if they run, and started again.",
)
