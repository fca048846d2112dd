"""Runbook step 2, option B: a dump of the whole database, taken in one snapshot with everything said about it."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.digest import canonical
from bot.runbook.run import Database
from bot.runbook.samples import Verdict
from integrations.postgres import query_plans
from integrations.postgres.baseline import Baseline, take_baseline
from integrations.postgres.carry import around
from integrations.postgres.catalog import Catalog, fingerprint
from integrations.postgres.connect import masked, session
from integrations.postgres.dump import Dump, missing_from, plan_dump, require_space, run_dump, shown
from integrations.postgres.manifest import (
    CATALOG,
    Manifest,
    damage,
    hash_files,
    read_manifest,
    run_folder,
    sync_folder,
    write_durably,
    write_manifest,
)
from integrations.postgres.orphans import end_orphans, guarded
from integrations.postgres.settings import Limits
from integrations.postgres.snapshot import Rows, count_rows, open_snapshot
from integrations.postgres.words import human_bytes, plural
from integrations.process import Exit

MOST_ROWS = 200  # tables in the ``rows`` fact; the manifest has them all


class Backup:
    """``pg_dump -Fd`` into ``<backups>/<run>``, with a manifest and the readable schema beside the data."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def describe(self, context: Context) -> Description:
        """The exact command, where to, and of which database."""
        dump = await plan_dump(context, _folder(context), self._limits)
        who = dump.who
        lines = (
            shown(dump.command),
            f"Database {masked(context.target.dsn)}, {human_bytes(who.size)}, system {who.system_identifier}",
            f"pg_dump {dump.tools.version} for PostgreSQL {who.version_text}, "
            f"{plural(context.target.dump_jobs, 'job')}, {dump.how}",
            "Row counts, WAL position and schema fingerprint come from the dump's own snapshot.",
        )
        inputs = {
            "command": canonical(dump.command),
            "compression": dump.how,
            "client": dump.tools.version,
            "system": who.system_identifier,
            "database": who.database,
            "role": who.role,
            "server": who.address,
        }
        return Description(inputs=inputs, lines=lines)

    async def check(self, context: Context) -> Outcome | None:
        """A whole backup of this very run is the outcome; leftovers of a dead attempt are ended and removed.

        Raises ``StepError`` when the folder holds something else: the bot never overwrites a backup.
        """
        folder = _folder(context)
        async with session(context.target.dsn, context.application_name) as db:
            await end_orphans(db, context.application_name, self._limits)
        await asyncio.to_thread(shutil.rmtree, _partial(folder), ignore_errors=True)
        if not folder.exists():
            return None
        with contextlib.suppress(StepError):
            manifest, digest = read_manifest(folder)
            if manifest.run == context.run.id and await damage(folder, manifest) is None:
                return _outcome(folder, manifest, digest)
        raise StepError(
            f"{folder} exists, but is no whole backup of this run.",
            "Look at it and move it away, then type /migrate retry. The bot never overwrites a backup.",
            database=Database.UNTOUCHED,
        )

    async def run(self, context: Context) -> Outcome:
        """Dump, count and describe in one snapshot; the folder gets its name only when all of it is on disk."""
        folder = _folder(context)
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        dump = await plan_dump(context, folder, self._limits)
        require_space(dump)
        try:
            manifest, digest = await self._dump(context, dump)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, dump.partial, ignore_errors=True)
            raise
        dump.partial.rename(folder)
        sync_folder(folder.parent)
        outcome = _outcome(folder, manifest, digest)
        plans = await query_plans.as_fact(context.target, context.application_name)
        return replace(outcome, facts={**outcome.facts, **plans})

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """Every checksum again, the dump's table of contents against the catalog, and a size that makes sense."""
        folder = Path(outcome.facts["folder"])
        manifest, digest = read_manifest(folder)
        if digest != outcome.facts["manifest_sha256"]:
            return Verdict(ok=False, reason="The manifest is not the one that was written.")
        if broken := await damage(folder, manifest):
            return Verdict(ok=False, reason=f"The backup is damaged: {broken}.")
        if odd := _odd_size(manifest):
            return Verdict(ok=False, reason=odd)
        missing, objects = await missing_from(context, folder)
        if missing:
            names = ", ".join(missing[:5])
            return Verdict(ok=False, reason=f"The dump's table of contents lacks {len(missing)} objects: {names}.")
        files = plural(len(manifest.files), "checksum")
        return Verdict(ok=True, reason=f"{files} match; all {objects} catalog objects are in the dump.")

    def undo(self, context: Context) -> str:
        """A backup changes nothing."""
        return "Nothing needs undoing: a backup only reads, and its folder may stay."

    async def _dump(self, context: Context, dump: Dump) -> tuple[Manifest, str]:
        began = _now()
        async with guarded(context, self._limits), open_snapshot(context) as snapshot:
            base = await take_baseline(snapshot.db, snapshot.name, snapshot.counters)
            base = replace(base, lsn=snapshot.lsn)
            like = await around(snapshot.db, dump.who.database)
            _, counted = await self._together(context, dump, snapshot.name, count_rows(snapshot.db, self._limits))
        await asyncio.to_thread(write_durably, dump.partial / CATALOG, canonical(snapshot.catalog).encode())
        made = await _manifest(context, dump, snapshot.catalog, snapshot.name, base, counted, began)
        manifest = replace(made, around=like)
        digest = write_manifest(dump.partial, manifest)
        sync_folder(dump.partial)
        return manifest, digest

    async def _together(
        self, context: Context, dump: Dump, snapshot: str, counting: Coroutine[Any, Any, Rows]
    ) -> tuple[Exit, Rows]:
        """Dump and count side by side; when one fails the other is stopped, and its error is the one that counts."""
        try:
            async with asyncio.TaskGroup() as group:
                dumping = group.create_task(run_dump(context, dump, snapshot, self._limits))
                counted = group.create_task(counting)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        return dumping.result(), counted.result()


async def _manifest(
    context: Context, dump: Dump, catalog: Catalog, snapshot: str, base: Baseline, counted: Rows, began: str
) -> Manifest:
    return Manifest(
        run=context.run.id,
        database=dump.who.database,
        system_identifier=dump.who.system_identifier,
        server=dump.who.version_text,
        client=dump.tools.version,
        command=dump.command,
        snapshot=snapshot,
        lsn=base.lsn,
        fingerprint=fingerprint(catalog),
        database_bytes=dump.who.size,
        started=began,
        ended=_now(),
        rows=counted,
        files=await hash_files(dump.partial),
        baseline=base.to_json(),
    )


def _outcome(folder: Path, manifest: Manifest, digest: str) -> Outcome:
    seconds = (datetime.fromisoformat(manifest.ended) - datetime.fromisoformat(manifest.started)).total_seconds()
    total = sum(count for count, _ in manifest.rows.values())
    guessed = [name for name, (_, exact) in manifest.rows.items() if not exact]
    estimated = f"; estimated, because large: {', '.join(guessed[:5])}" if guessed else ", all counted exactly"
    evidence = (
        f"Backup: {folder}, {human_bytes(manifest.bytes)}, {plural(len(manifest.files), 'file')}, "
        f"manifest sha256 {digest[:12]}…, {seconds:.1f} s",
        f"Snapshot {manifest.snapshot} at WAL {manifest.lsn}: {plural(total, 'row')} in "
        f"{plural(len(manifest.rows), 'table')}{estimated}",
    )
    facts = {
        "folder": str(folder),
        "manifest_sha256": digest,
        "bytes": str(manifest.bytes),
        "seconds": f"{seconds:.3f}",
        "lsn": manifest.lsn,
        "snapshot": manifest.snapshot,
        "fingerprint": manifest.fingerprint,
        "rows": json.dumps({name: count for name, (count, _) in sorted(manifest.rows.items())[:MOST_ROWS]}),
    }
    return Outcome(evidence=evidence, facts=facts)


def _odd_size(manifest: Manifest) -> str | None:
    """Runbook step 2: "not 0 bytes, not unexpectedly large"; a compressed dump beyond the database is unexpected."""
    data = sum(size for name, (size, _) in manifest.files.items() if name != CATALOG)
    if data == 0 or any(size == 0 for name, (size, _) in manifest.files.items() if name == "toc.dat"):
        return "The backup has 0 bytes."
    if data > 1.5 * manifest.database_bytes + 10_000_000:
        size = human_bytes(manifest.database_bytes)
        return f"The backup is unexpectedly large: {human_bytes(data)} for a database of {size}."
    return None


def _folder(context: Context) -> Path:
    return run_folder(context.target.backups.absolute(), context.run.id)


def _partial(folder: Path) -> Path:
    return folder.with_name(folder.name + ".partial")


def _now() -> str:
    return datetime.now(UTC).isoformat()
