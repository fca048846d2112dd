"""Runbook step 4, option A: ``prisma migrate deploy``, climbing the lock ladder; the truth is the database's."""

import time
from collections.abc import Mapping

from bot.ports import Context, Description, Outcome
from bot.runbook.samples import Verdict
from integrations.postgres import markers
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import session
from integrations.postgres.manifest import read_catalog_file
from integrations.postgres.orphans import end_orphans, guarded
from integrations.postgres.plan import backup_folder, require_approved, require_no_drift
from integrations.postgres.prisma.away import at_rest
from integrations.postgres.prisma.cli import DEPLOY
from integrations.postgres.prisma.climb import Work
from integrations.postgres.prisma.guard import remove_guard
from integrations.postgres.prisma.history import read_history
from integrations.postgres.prisma.lock import holders
from integrations.postgres.prisma.plan import plan_deploy
from integrations.postgres.prisma.truth import is_in, mark_done
from integrations.postgres.rehearse import ups_of
from integrations.postgres.risk.summary import look
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.words import plural


class ApplyPrisma:
    """Every pending migration of the Prisma project, which must be exactly those of the plan."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def describe(self, context: Context) -> Description:
        """What runs, after which repair; the digest covers every byte of it."""
        deploy = await plan_deploy(context, self._limits)
        async with session(context.target.dsn, context.application_name) as db:
            risk = await look(context.target, deploy.scripts, db)
            held = await holders(db)
        return deploy.judged(risk.report).description(risk.report, (*risk.lines, *held))

    async def check(self, context: Context) -> Outcome | None:
        """End what a dead attempt left at work, then ask the list: everything in is the outcome."""
        return await self._settled(context)

    async def run(self, context: Context) -> Outcome:
        """Read once, compare with what was approved, repair what was approved, deploy what is not yet in."""
        began = time.monotonic()
        deploy = await plan_deploy(context, self._limits)
        require_approved(context, deploy.inputs)
        async with guarded(context, self._limits) as db:
            await markers.ensure_table(db)
            await remove_guard(db, context)
            before = read_catalog_file(backup_folder(context))
            if not any(each.late for each in deploy.history.rows):
                require_no_drift(context, before, await read_catalog(db))
            work = Work(context, db, deploy, before, self._limits)
            evidence = await work.everything()
            now = fingerprint(await read_catalog(db))
        facts = {"tries": str(work.tries), "lock_wait": f"{work.waited:.1f}"}
        return _outcome(deploy.scripts, evidence, now, time.monotonic() - began, facts)

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """The list has every migration, finished, with the bytes that were approved; nothing is at work any more."""
        settled = await self._settled(context)
        if settled is None:
            return Verdict(ok=False, reason="_prisma_migrations does not list every migration of the plan as applied.")
        count = plural(len(context.run.plan.migrations), "migration")
        return Verdict(ok=True, reason=f"_prisma_migrations itself lists {count} as applied, with these checksums.")

    def undo(self, context: Context) -> str:
        """Prisma has no way down; the bot has."""
        return (
            "A migration that fails in its transaction undoes itself and is then marked as rolled back; what is "
            "committed is undone by a rollback, the way that loses least: the rehearsed down.sql scripts, the standby "
            "copy, or the backup restored beside."
        )

    async def _settled(self, context: Context) -> Outcome | None:
        """The list's own word, and the bot's marks after it."""
        scripts = ups_of(context)
        await at_rest(context, DEPLOY)
        async with session(context.target.dsn, context.application_name) as db:
            await end_orphans(db, context.application_name, self._limits)
            history = await read_history(db, context)
            if history.there:
                await remove_guard(db, context)
            if not all(is_in(history, each) for each in scripts):
                return None
            await mark_done(db, context, scripts)
            now = fingerprint(await read_catalog(db))
        said = tuple(f"{each.name}: listed as applied (settled by _prisma_migrations)" for each in scripts)
        return _outcome(scripts, said, now, 0.0, {"tries": "0", "lock_wait": "0.0"})


def _outcome(
    scripts: tuple[Script, ...], evidence: tuple[str, ...], now: str, seconds: float, more: Mapping[str, str]
) -> Outcome:
    files = ", ".join(each.name for each in scripts)
    return Outcome(evidence=evidence, facts={"files": files, "fingerprint": now, "seconds": f"{seconds:.3f}", **more})
