"""What the migration's session is doing and who keeps it waiting, seen from a second session."""

import asyncio
import contextlib
import time
from collections.abc import Sequence

import psycopg
from psycopg.rows import class_row

from bot.ports import Context
from bot.runbook.run import Blocker, Run
from integrations.postgres.blocks import blocks
from integrations.postgres.connect import Session, rows
from integrations.postgres.orphans import signal_session
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.statements import bare, normalised

PREPARED = Blocker(pid=0, started="", application="a prepared transaction", user="", age_seconds=0.0, query="")


class Watch:
    """Samples one file's work: tells progress, reports blockers, ends those whose cancelling was approved.

    ``waited`` is the seconds spent waiting for locks so far; ``last`` the blockers seen last.
    """

    def __init__(
        self, context: Context, db: Session, script: Script, limits: Limits, share: tuple[int, int] = (0, 1)
    ) -> None:
        self.waited = 0.0
        self.last: tuple[Blocker, ...] = ()
        self._context, self._db, self._script, self._limits = context, db, script, limits
        self._share = share  # which file of how many, so that the bar never goes back
        self._known: dict[str, Blocker] = {}
        self._cancelled: dict[str, float] = {}
        self._ended: set[str] = set()
        self._statement = 0
        self._sampled = time.monotonic()
        self._told = ""

    @property
    def blocked(self) -> bool:
        """Is one of the blockers seen last still there?"""
        return bool(self._known)

    async def follow(self, stop: asyncio.Event) -> None:
        """Sample until ``stop``; a lost second session is told, and does not stop the migration."""
        try:
            while not stop.is_set():
                await self.sample()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._limits.sample_every)
        except psycopg.Error as error:
            await self._context.progress(f"⚠️ The migration goes on unwatched: {str(error).strip()}", None)

    async def sample(self) -> None:
        """One look: our session, its blockers, its progress."""
        now = time.monotonic()
        passed, self._sampled = now - self._sampled, now
        ours = await rows(self._db, "our_backend", {"name": self._context.application_name})
        if not ours:
            await self._report(await self._still_there())
            return
        pid, query, waits_for, blocking = ours[0]
        if waits_for == "Lock":
            self.waited += passed
        await self._report(await self._name(list(blocking)) if isinstance(blocking, list) else [])
        await self._tell(int(str(pid)), str(query))

    async def clear(self) -> None:
        """Nobody blocks any longer: the people's view is emptied."""
        await self._report([])

    async def _name(self, pids: Sequence[int]) -> Sequence[Blocker]:
        if not pids:
            return []
        async with self._db.cursor(row_factory=class_row(Blocker)) as cursor:
            await cursor.execute(blocks("queries.sql")["blockers"], {"pids": sorted(set(pids) - {0})})
            found = await cursor.fetchall()
        named = [_as_people_see_it(each) for each in found]
        return [*named, PREPARED] if 0 in pids else named

    async def _still_there(self) -> Sequence[Blocker]:
        """Between two tries nobody waits, yet whoever was in the way may still be."""
        alive = await rows(self._db, "alive", {"pids": [each.pid for each in self._known.values()]})
        digests = {f"{pid}@{started}" for pid, started in alive}
        return [each for digest, each in self._known.items() if digest in digests or each is PREPARED]

    async def _report(self, seen: Sequence[Blocker]) -> None:
        changed = {each.digest for each in seen} != set(self._known)
        if not changed and not seen:
            return
        self._known = {each.digest: each for each in seen}
        self.last = tuple(seen) or self.last
        run = await (self._context.blockers(tuple(seen)) if changed else self._context.current())
        await self._act(run)

    async def _act(self, run: Run) -> None:
        """Cancel what people approved to cancel; after a moment, terminate it."""
        for blocker in run.blockers:
            digest = blocker.digest
            if not blocker.granted or digest not in self._known or digest in self._ended:
                continue
            kind = "cancel" if digest not in self._cancelled else "terminate"
            since = self._cancelled.setdefault(digest, time.monotonic())
            if kind == "terminate" and time.monotonic() - since < self._limits.terminate_after:
                continue
            if kind == "terminate":
                self._ended.add(digest)
            refused = await signal_session(self._db, kind, digest)
            done = refused or ("its query was cancelled" if kind == "cancel" else "it was ended")
            await self._context.progress(f"Blocker {blocker.pid} ({blocker.application}): {done}.", None)

    async def _tell(self, pid: int, query: str) -> None:
        where, fraction = self._where(query)
        parts = [where]
        for what, phase, done, whole in await rows(self._db, "progress", {"pid": pid}):
            share = f", {int(str(done)) / int(str(whole)):.0%}" if done and whole else ""
            parts.append(f"{what} ({phase}{share})")
        parts += await self._loud(pid)
        text = " · ".join(parts)
        if text != self._told:
            self._told = text
            await self._context.progress(text, fraction)

    def _where(self, query: str) -> tuple[str, float]:
        """Which statement of which file, and how far that is of all files."""
        total = len(self._script.statements)
        self._statement = self._locate(query)
        where = f"{self._script.name}: statement {self._statement + 1} of {total}" if total else self._script.name
        number, files = self._share
        return where, (number + (self._statement / total if total else 0)) / files

    async def _loud(self, pid: int) -> list[str]:
        """Runbook step 4: "Check database locks (shouldn't block for >30 seconds)", both ways."""
        found, limit = [], self._limits.loud_wait
        if self._known:
            found.append(f"waiting for {len(self._known)} other session(s)")
        if self.waited > limit:
            found.append(f"⚠️ waited over {limit:.0f} s for locks")
        ((count, longest),) = await rows(self._db, "waiting_for", {"pid": pid})
        if float(str(longest)) > limit:
            found.append(f"⚠️ {count} session(s) have waited over {limit:.0f} s for this migration")
        return found

    def _locate(self, query: str) -> int:
        """Which statement the session is at; never backwards (track_activity_query_size cuts the text)."""
        running = bare(query)[:900]
        statements = self._script.statements
        for number in range(self._statement, len(statements)):
            if running and statements[number].text[: len(running)] == running.rstrip("; \n"):
                return number
        return self._statement


def _as_people_see_it(found: Blocker) -> Blocker:
    """The query without its literals: they may be people's data."""
    shown = normalised(found.query)
    return Blocker(pid=found.pid, started=found.started, application=found.application, user=found.user,
                   age_seconds=round(found.age_seconds, 1), query=shown)  # fmt: skip
