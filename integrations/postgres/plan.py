"""What applying a plan means here and now: the files, the tools, the target; and that it is what was approved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.ports import Context, Description, StepError
from bot.runbook.digest import canonical, digest_of, digest_of_files, inputs_of
from bot.runbook.fixes import Fix
from bot.runbook.risk import RiskReport
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from bot.target import Target
from integrations.postgres import markers
from integrations.postgres.catalog import Catalog, difference, fingerprint
from integrations.postgres.connect import Identity, Session, identity, masked, session
from integrations.postgres.psql import shown
from integrations.postgres.script import Script, read_migration
from integrations.postgres.separate import separated
from integrations.postgres.tools import Tools, find_tools
from integrations.postgres.words import plural


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The files as read at one moment, with everything else an approval is bound to."""

    target: Target
    who: Identity
    tools: Tools
    scripts: tuple[Script, ...]
    backup: str  # sha256 of the manifest
    destroys: tuple[str, ...] = ()  # as it was asked for last, until these very bytes are judged
    files: tuple[Script, ...] = ()  # the same as they stand in the folder, where they are not run exactly so

    @property
    def inputs(self) -> Mapping[str, str]:
        """What the digest covers."""
        target, who = self.target, self.who
        files = {f"file {number} {each.name}": each.sha256 for number, each in enumerate(self.scripts, start=1)}
        if self.destroys:
            files["destroys"] = canonical(self.destroys)
        return files | {
            "system": who.system_identifier,
            "database": who.database,
            "role": who.role,
            "server": who.address,
            "lock_timeouts": canonical(target.lock_timeouts),
            "lock_pauses": canonical(target.lock_pauses),
            **({"lock_patience": f"{target.lock_patience:g}"} if target.lock_patience else {}),
            "statement_timeout": f"{target.statement_timeout:g}",
            "backup": self.backup,
            "psql": str(self.tools.major),
        }

    def judged(self, context: Context, report: RiskReport) -> "Prepared":
        """With what it destroys: as found now, or, once an attempt has begun, as it was approved.

        After that the database may no longer be what was judged, and the same bytes may destroy less than they did.
        """
        return self if context.run.attempt else replace(self, destroys=report.destroys)

    def description(self, report: RiskReport, warnings: tuple[str, ...] = ()) -> Description:
        """The same for people, with the SQL itself attached."""
        tries, first, last = len(self.target.lock_timeouts), self.target.lock_timeouts[0], self.target.lock_timeouts[-1]
        lines = (
            f"On {masked(self.target.dsn)}, system {self.who.system_identifier}, PostgreSQL {self.who.version_text}",
            *(line for script in self.scripts for line in self._how(script)),
            f"Locks: {plural(tries, 'try', 'tries')}, each giving up after {first:g} s to {last:g} s; "
            f"a statement after {self.target.statement_timeout:g} s",
            *patience(self.target),
            *(
                f"⚠️ {each.name} is split: its constraints are added NOT VALID, and validated in a transaction of their "
                "own. The file itself stays as it is."
                for each in self.files
                if each not in self.scripts
            ),
            f"Way back: the backup with manifest sha256 {self.backup[:12]}…",
            *warnings,
        )
        attachments = {each.name: each.text for each in self.scripts}
        return Description(
            inputs=self.inputs, lines=lines, attachments=attachments, destroys=self.destroys, risk=report.level,
            dangers=report.dangers,
        )  # fmt: skip

    def _how(self, script: Script) -> tuple[str, ...]:
        lines = [f"{shown(self.tools, script)} (sha256 {script.sha256[:12]}…)"]
        if script.trouble:
            lines.append(f"⚠️ {script.name} cannot be parsed ({script.trouble}); it runs in one transaction.")
        elif script.outside:
            lines.append(
                f"{plural(len(script.statements), 'statement')}, not in one transaction, because: {script.outside}. "
                "What was done before a failure stays."
            )
        else:
            lines.append(f"{plural(len(script.statements), 'statement')} in one transaction: all or nothing.")
        if script.indexes:
            names = ", ".join(sorted(script.indexes))
            lines.append(f"If building is interrupted, the invalid index it leaves is dropped: {names}.")
        return tuple(lines)


async def prepare(context: Context) -> Prepared:
    """Read and judge everything; ``StepError`` when there is nothing to run, no backup, or a file is refused."""
    target, names = context.target, context.run.plan.migrations
    if not names or len(set(names)) != len(names):
        raise StepError(
            "The plan names no migration file, or one of them twice.", "Abort, and start with the right ones."
        )
    if not target.lock_timeouts or min(target.lock_timeouts) <= 0:
        raise StepError(
            "The target's lock_timeouts must be above 0: PostgreSQL takes 0 for for ever.", "Mend the target."
        )
    backup = context.run.fact(StepName.BACKUP, "manifest_sha256")
    if not backup:
        raise StepError("This run has no backup, so nothing is applied.", "Abort, and start again with the backup.")
    files = tuple(read_migration(target, name) for name in names)
    async with session(target.dsn, context.application_name) as db:
        who = await identity(db, target.dsn)
        scripts = await as_run(context, db, files)
    tools = await find_tools(who.major, target.client_tools)
    return Prepared(
        target=target, who=who, tools=tools, scripts=scripts, backup=backup,
        destroys=context.run.destroys, files=files,
    )  # fmt: skip


async def as_run(context: Context, db: Session, files: tuple[Script, ...]) -> tuple[Script, ...]:
    """The files as they are run: split where people chose to validate separately, unless they went in whole before."""
    if Fix.VALIDATE_LATER not in context.run.fixes or context.target.prisma is not None:
        return files
    found = await markers.read_markers(db, context.run.id)
    whole = {each.sha256 for each in found.values()}
    return tuple(part for each in files for part in ((each,) if each.sha256 in whole else separated(each)))


def patience(target: Target) -> tuple[str, ...]:
    """What is done when the ladder's last try has failed, for people."""
    if not target.lock_patience:
        return ()
    return (
        f"After the last try it waits, {target.lock_patience / 60:g} min in all and without queueing, until whoever "
        "holds the lock has gone, and tries again",
    )


def require_reviewed(context: Context, scripts: tuple[Script, ...]) -> None:
    """A run that a plan led to asks only for the files that were reviewed, rehearsed and said Go to."""
    plan = context.run.plan
    if not plan.reviewed:
        return
    down = [(each.name, each.sha256) for each in (read_migration(context.target, name) for name in plan.down)]
    if digest_of_files([(each.name, each.sha256) for each in scripts], down) != plan.reviewed:
        raise StepError(
            "The migration files are no longer those that were reviewed, rehearsed and said Go to.",
            "Put those files back and type /migrate retry; or abort, and plan the new ones.",
        )


def require_approved(context: Context, inputs: Mapping[str, str]) -> None:
    """What was read for this attempt is, byte for byte, what was approved.

    What these bytes destroy was compared when the attempt began: with the first of them it may already be gone.
    """
    grant = context.run.grant
    if grant is None or grant.digest != digest_of(inputs_of(inputs)):
        raise StepError(
            "What would run now is not what was approved: a file, a setting or the target has changed.",
            "Type /migrate retry: it is described and asked anew.",
            database=None if context.attempt > 1 else Database.UNTOUCHED,
        )


def backup_folder(context: Context) -> Path:
    """Where the run's backup stands."""
    return Path(context.run.fact(StepName.BACKUP, "folder") or "")


def require_no_drift(context: Context, before: Catalog, now: Catalog) -> None:
    """Nothing of this run is in: then the schema must be the one at the backup, the one that was judged."""
    changed = difference(before, now)
    if fingerprint(now) != context.run.fact(StepName.BACKUP, "fingerprint"):
        listed = "; ".join(changed[:8]) or "the backup's schema file does not match its fingerprint"
        raise StepError(
            f"The schema has changed since the backup: {listed}.",
            "Find out who changed it. To go on from here, abort this run and start a new one with a new backup.",
            database=Database.UNTOUCHED,
        )
