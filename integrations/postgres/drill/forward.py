"""The migration applied to the copy, with the work that the apply step does around it."""

import time
from dataclasses import dataclass

from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.postgres import markers
from integrations.postgres.catalog import Catalog, fingerprint, read_catalog
from integrations.postgres.connect import Session, identity, session
from integrations.postgres.drill.file import run_file
from integrations.postgres.drill.measure import read_known, wal_of
from integrations.postgres.drill.practice import Practice
from integrations.postgres.drill.reach import require_at_home
from integrations.postgres.drill.stand import Stand
from integrations.postgres.psql import Failure, Place, run_psql
from integrations.postgres.rehearse import Scripts, words_of
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.facts import read_facts
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.statements import parse
from integrations.postgres.template import size_of
from integrations.postgres.tools import Tools, find_tools

_NOTHING = "SELECT 1"


@dataclass(frozen=True, kw_only=True)
class Applied:
    """``seconds`` of all of it; ``problem`` in words where a file failed; ``before`` is the schema without it."""

    stand: Stand
    seconds: float
    problem: str
    before: Catalog
    fingerprint: str
    wal: int
    size_before: int
    size_after: int

    @property
    def tools(self) -> Tools:
        return self.stand.tools


async def applied(practice: Practice, db: Session, ups: Scripts, limits: Limits) -> Applied:
    """Run every file until one fails.  ``db`` is on another database; ``StepError`` where psql itself cannot run."""
    context = practice.on_copy(StepName.APPLY)
    async with session(practice.copy_dsn, context.application_name) as eye:
        await markers.ensure_table(eye)
        known, facts = await read_known(eye), await read_facts(eye)
        found = assess(ups, facts)
        require_at_home(ups, found, known.foreign)
        judged = {(each.file, each.number): each.locks for each in found.statements}
        size, wal, began = await size_of(db, practice.names.side), await wal_of(eye), time.monotonic()
        tools = await find_tools((await identity(eye, practice.copy_dsn)).major, context.target.client_tools)
        stand = Stand(context=context, eye=eye, tools=tools, known=known, judged=judged, limits=limits)
        before = await read_catalog(eye)
        problem = await _files(stand, ups)
        now = fingerprint(await read_catalog(eye))
        seconds, wal = time.monotonic() - began - stand.waited, await wal_of(eye) - wal
        return Applied(
            stand=stand, seconds=seconds, problem=problem, before=before, fingerprint=now, wal=wal, size_before=size,
            size_after=await size_of(db, practice.names.side),
        )  # fmt: skip


async def _files(stand: Stand, ups: Scripts) -> str:
    """What went wrong; empty where all are in."""
    for script in ups:
        if failure := await run_file(stand, script):
            return _words(script, failure)
        if script.outside:
            await markers.mark(stand.eye, stand.context.run.id, script, "done")
        if script.name not in stand.whole:
            await _psql_itself(stand, script)
    return ""


async def _psql_itself(stand: Stand, script: Script) -> None:
    """The step starts psql for each file, which takes its time, too; so this also proves that it can."""
    nothing = Script(name=script.name, data=_NOTHING.encode(), statements=parse(_NOTHING))
    place = Place(run=f"{stand.context.run.id}/psql")
    failure = await run_psql(
        stand.context, stand.tools, nothing, lock_timeout=stand.lock_timeout, limits=stand.limits, place=place
    )
    if failure:
        raise StepError(f"psql cannot run on the copy: {words_of(failure)}", "Mend the target's client tools.")


def _words(script: Script, failure: Failure) -> str:
    where = f"{script.name}, line {failure.line}" if failure.line else script.name
    return f"{where}: {words_of(failure)}"
