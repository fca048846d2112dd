"""BACKUP: pg_dump works against this very server, may read everything, and there is room for what it writes."""

import asyncio
import contextlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.advice import explain
from bot.ports import StepError
from bot.proving.subject import Looked, Looks, Subject, fine, untold, wrong
from bot.runbook.preparation.checklist import Item
from bot.runbook.wording import duration
from bot.target import StandbyPolicy, Target
from integrations.postgres.connect import Identity, connection_env, identity, secrets_of
from integrations.postgres.dump import MORE_ROOM, SPARE, shortage
from integrations.postgres.manifest import Manifest, read_manifest
from integrations.postgres.proofs.reading import APPLICATION, ask, failed, reading
from integrations.postgres.template import free_bytes
from integrations.postgres.template import shortage as copy_shortage
from integrations.postgres.tools import Tools, find_tools
from integrations.postgres.words import human_bytes
from integrations.process import Exit, Redactor, base_env, run_child

ITEMS = (Item.BACKUP,)
_LOCK_WAIT = 2000  # milliseconds that pg_dump may wait for a table


@dataclass(frozen=True, kw_only=True)
class BackupProof:
    """``spare`` is how many bytes must be free beside the database's own size; ``seconds`` bounds pg_dump."""

    spare: int = SPARE
    seconds: float = 12.0

    async def look(self, subject: Subject) -> Looks:
        """The one item."""
        try:
            return {Item.BACKUP: await self.of(subject.target, subject.now)}
        except StepError as error:
            return {Item.BACKUP: failed(error)}

    async def of(self, target: Target, now: float) -> Looked:
        """Of any plan; ``now`` is POSIX seconds.  Raises ``StepError`` without the database or the tools."""
        async with reading(target.dsn) as db:
            who = await identity(db, target.dsn)
            hidden = await ask(db, "not_dumpable")
            free = await free_bytes(db)
        tools = await find_tools(who.major, target.client_tools)
        problems = [*_hidden(hidden, who), *_copy_room(target, free, who)]
        problems += await asyncio.to_thread(_room, target.backups.absolute(), who.size, self.spare)
        ended = await self._dumped(target, tools)
        if not ended.ok and not ended.timed_out:
            said = " ".join(ended.tail[-2:])
            problems.insert(0, f"pg_dump failed: {said.rstrip('.')}. {explain('', said)}".strip())
        newest = await asyncio.to_thread(_newest, target.backups.absolute(), who, now)
        if problems:
            return wrong(*problems, newest)
        if ended.timed_out:
            slow = f"pg_dump was still reading the schema after {self.seconds:.0f} s; a rehearsal makes a whole backup."
            return untold(slow, newest)
        said = f"pg_dump {tools.version} read the whole schema in {ended.seconds:.1f} s"
        return fine(said, _rooms(target, free, who), newest)

    async def _dumped(self, target: Target, tools: Tools) -> Exit:
        """The schema into nothing: it takes the same connection, locks and rights as the real dump."""
        env, more = connection_env(target.dsn)
        flags = ["--schema-only", "--no-password", f"--lock-wait-timeout={_LOCK_WAIT}", f"--file={os.devnull}"]
        return await run_child(
            [tools.path("pg_dump"), *flags, *more],
            env=base_env() | env | {"PGAPPNAME": APPLICATION, "LC_ALL": "C"},
            cwd=Path("/"), on_line=lambda _: None, time_limit=self.seconds, redactor=Redactor(secrets_of(target.dsn)),
        )  # fmt: skip


def _hidden(found: list[tuple[object, ...]], who: Identity) -> list[str]:
    """A dump that leaves rows out would be no backup."""
    unread = [str(name) for name, denied in found if denied]
    policed = [str(name) for name, denied in found if not denied]
    said = []
    if unread:
        said.append(f"{who.role} may not read {', '.join(unread[:5])}. As the owner: GRANT SELECT ON … TO {who.role}.")
    if policed:
        said.append(
            f"Row-level policies would hide rows of {', '.join(policed[:5])} from the dump."
            f" As a superuser: ALTER ROLE {who.role} BYPASSRLS, or back up as the owner."
        )
    return said


def _room(backups: Path, size: int, spare: int) -> list[str]:
    """The folder may not be there yet: then its nearest parent counts."""
    folder = next(each for each in (backups, *backups.parents) if each.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return [f"The bot may not write to {folder}. Mend its permissions, or the target's backups folder."]
    short = shortage(folder, size, spare)
    return [f"{short}. {MORE_ROOM}"] if short else []


def _copy_room(target: Target, free: int | None, who: Identity) -> list[str]:
    """Without a standby copy a restore still needs the same room, but the disk may be freed until then."""
    short = copy_shortage(free, who.size)
    if not short or target.standby is StandbyPolicy.NONE:
        return []
    return [f'{short[0].upper()}{short[1:]}. Free some space there, or set standby = "none".']


def _rooms(target: Target, free: int | None, who: Identity) -> str:
    there = "cannot be asked from here" if free is None else f"{human_bytes(free)} free"
    return f"Room: enough in {target.backups} for {human_bytes(who.size)}; the server's own disk: {there}"


def _newest(backups: Path, who: Identity, now: float) -> str:
    """The newest whole backup of this very database, by its manifest."""
    found: list[tuple[float, Path, Manifest]] = []
    for folder in backups.iterdir() if backups.is_dir() else ():
        with contextlib.suppress(StepError, ValueError, OSError):
            manifest, _ = read_manifest(folder)
            if (manifest.system_identifier, manifest.database) == (who.system_identifier, who.database):
                found.append((_at(manifest), folder, manifest))
    if not found:
        return "No backup yet: the run makes one before it changes anything"
    at, folder, manifest = max(found, key=lambda each: each[0])
    return f"Newest backup: {folder.name}, {human_bytes(manifest.bytes)}, {duration(max(0.0, now - at))} ago"


def _at(manifest: Manifest) -> float:
    return datetime.fromisoformat(manifest.ended).astimezone(UTC).timestamp()
