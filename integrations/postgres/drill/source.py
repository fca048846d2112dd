"""What a rehearsal's copy is made of: a dump made for it by the backup step's own code, or an earlier backup."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.postgres.backup import Backup
from integrations.postgres.connect import Identity, identity, session
from integrations.postgres.drill.practice import Practice
from integrations.postgres.manifest import Manifest, damage, read_manifest
from integrations.postgres.settings import Limits
from integrations.postgres.words import human_bytes


@dataclass(frozen=True, kw_only=True)
class Source:
    """``practice`` has the backup among what is done; ``seconds`` is how long making it took."""

    practice: Practice
    words: str
    seconds: float | None


async def source_of(practice: Practice, limits: Limits) -> Source:
    """The newest whole backup that is young enough, else a new one; ``StepError`` where none can be made."""
    if (within := practice.target.drill_backup_within) > 0:
        async with session(practice.target.dsn, practice.at(StepName.BACKUP).application_name) as db:
            who = await identity(db, practice.target.dsn)
        if found := await _newest(practice, who, within):
            return _existing(practice, *found)
    await practice.progress("Making the backup that the copy is restored from", 0.0)
    made = await Backup(limits).run(practice.at(StepName.BACKUP))
    facts = dict(made.facts)
    words = f"a backup made for it, {human_bytes(float(facts['bytes']))} in {float(facts['seconds']):.1f} s"
    return Source(practice=practice.having(StepName.BACKUP, facts), words=words, seconds=float(facts["seconds"]))


async def _newest(practice: Practice, who: Identity, within: float) -> tuple[Path, Manifest, str] | None:
    """The newest backup of this very database that is young enough and whole."""
    young = await asyncio.to_thread(lambda: list(_backups(practice.backups, who, within)))
    for folder, manifest, digest in sorted(young, key=lambda each: each[1].ended, reverse=True):
        if await damage(folder, manifest) is None:
            return folder, manifest, digest
    return None


def _backups(folder: Path, who: Identity, within: float) -> Iterator[tuple[Path, Manifest, str]]:
    oldest = datetime.now(UTC).timestamp() - within
    for each in folder.iterdir() if folder.is_dir() else ():
        try:
            manifest, digest = read_manifest(each)
        except StepError:
            continue
        same = (manifest.system_identifier, manifest.database) == (who.system_identifier, who.database)
        if same and datetime.fromisoformat(manifest.ended).timestamp() >= oldest:
            yield each, manifest, digest


def _existing(practice: Practice, folder: Path, manifest: Manifest, digest: str) -> Source:
    began, ended = datetime.fromisoformat(manifest.started), datetime.fromisoformat(manifest.ended)
    facts = {"folder": str(folder), "manifest_sha256": digest, "fingerprint": manifest.fingerprint}
    return Source(
        practice=practice.having(StepName.BACKUP, facts),
        words=f"the backup of run {manifest.run}, {ended.astimezone(UTC):%Y-%m-%d %H:%M UTC}",
        seconds=(ended - began).total_seconds(),
    )
