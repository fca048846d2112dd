"""One pg_dump: its command line, its run, its size and its table of contents."""

import asyncio
import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.advice import explain
from bot.ports import Context, StepError
from bot.runbook.run import Database
from integrations.postgres.connect import Identity, connection_env, identity, rows, secrets_of, session
from integrations.postgres.pack import HOW, packed
from integrations.postgres.settings import Limits
from integrations.postgres.tools import NONE, Tools, compression, find_tools
from integrations.postgres.words import human_bytes
from integrations.process import Exit, Redactor, base_env, run_child
from integrations.spoken import ending, spoken

SPARE = 50_000_000  # bytes beside the dump itself
MORE_ROOM = "Free some space or set the target's backups folder to a larger disk."


@dataclass(frozen=True, kw_only=True)
class Dump:
    """What a dump of a target will be: ``command`` lacks only the snapshot; it holds no secret."""

    who: Identity
    tools: Tools
    jobs: int
    packed: bool  # by us, because this pg_dump has no zstd
    command: tuple[str, ...]
    partial: Path

    @property
    def how(self) -> str:
        return HOW if self.packed else "zstd, level 1"


async def plan_dump(context: Context, folder: Path, limits: Limits) -> Dump:
    """Find the server, the tools and the command for a dump that will be called ``folder``."""
    target = context.target
    async with session(target.dsn, context.application_name) as db:
        who = await identity(db, target.dsn)
    tools = await find_tools(who.major, target.client_tools)
    how = await compression(tools)
    partial = folder.with_name(folder.name + ".partial")
    flags = ["--format=directory", f"--jobs={target.dump_jobs}", f"--compress={how}", "--no-password"]
    if how == NONE:
        flags.append("--no-sync")  # what it writes does not stay; the packed files are synced instead
    limit = f"--lock-wait-timeout={int(limits.lock_wait * 1000)}"
    command = (tools.path("pg_dump"), *flags, limit, f"--file={partial}")
    return Dump(who=who, tools=tools, jobs=target.dump_jobs, packed=how == NONE, command=command, partial=partial)


async def run_dump(context: Context, dump: Dump, snapshot: str, limits: Limits) -> Exit:
    """Run it in that snapshot, showing bytes written; ``StepError`` with pg_dump's own words when it fails.

    When it has ended well, the whole dump is on disk in its final form.
    """
    showing = asyncio.create_task(_show(context, dump))
    try:
        env, more = connection_env(context.target.dsn)
        async with spoken(context, shown(dump.command)) as say:
            dumping = run_child(
                [*dump.command, f"--snapshot={snapshot}", *more],
                env=base_env() | env | {"PGAPPNAME": context.application_name, "LC_ALL": "C"},
                cwd=dump.partial.parent, on_line=say, time_limit=limits.backup_time,
                redactor=Redactor(secrets_of(context.target.dsn)),
            )  # fmt: skip
            ended = await (packed(dump.partial, dump.jobs, dumping) if dump.packed else dumping)
            say(f"pg_dump {ending(ended)}")
    finally:
        showing.cancel()
    if not ended.ok:
        why = f"took longer than {limits.backup_time:.0f} s" if ended.timed_out else "failed"
        said = " ".join(ended.tail[-3:])
        raise StepError(f"pg_dump {why}: {said}", explain("", said), database=Database.UNTOUCHED)
    return ended


async def missing_from(context: Context, folder: Path) -> tuple[list[str], int]:
    """What the catalog has and the dump's table of contents lacks, and how many objects were looked for."""
    async with session(context.target.dsn, context.application_name) as db:
        expected = await rows(db, "dumped", None, "catalog.sql")
        tools = await find_tools((await identity(db, context.target.dsn)).major, context.target.client_tools)
    listed: list[str] = []
    argv = [tools.path("pg_restore"), "--list", str(folder)]
    ended = await run_child(argv, env=base_env(), cwd=folder, on_line=listed.append, time_limit=120)
    if not ended.ok:
        return ["everything: " + " ".join(ended.tail[-2:])], len(expected)
    # "3379; 1259 16390 TABLE public cases owner": what follows the numbers, without the owner; newlines become spaces
    contents = {" ".join(line.split(" ")[3:-1]) for line in listed if line[:1].isdigit()}
    wanted = [" ".join(str(part) for part in row).replace("\n", " ") for row in expected]
    return [each for each in wanted if each not in contents], len(expected)


def require_space(dump: Dump) -> None:
    """As much as the database has must be free: a full disk would be found out too late.

    The dump is a quarter of that or less.  One that is packed here holds its raw text beside it for a moment, or to
    the end where the file system cannot give it back: the text is without indexes, so both together are still less.
    """
    if short := shortage(dump.partial.parent, dump.who.size):
        raise StepError(f"{short}.", MORE_ROOM, database=Database.UNTOUCHED)


def shortage(folder: Path, size: int, spare: int = SPARE) -> str:
    """Why a backup of a database of ``size`` bytes has no room in ``folder``; empty where it has."""
    free = shutil.disk_usage(folder).free
    if free >= size + spare:
        return ""
    return f"{folder} has {human_bytes(free)} free; the database has {human_bytes(size)}"


async def _show(context: Context, dump: Dump) -> None:
    while True:
        written = await asyncio.to_thread(_bytes_in, dump.partial)
        text = f"{human_bytes(written)} written (the database has {human_bytes(dump.who.size)} uncompressed)"
        # how far it will compress is unknown (a quarter is usual), so the bar never reaches its end by itself
        await context.progress(text, min(0.95, 4 * written / max(dump.who.size, 1)))
        await asyncio.sleep(1.0)


def _bytes_in(folder: Path) -> int:
    """What it takes on the disk: of a raw file that is being packed, only what is not yet packed."""
    written = 0
    with contextlib.suppress(FileNotFoundError):  # not yet made, or just packed
        for path in folder.iterdir():
            written += 512 * path.stat().st_blocks
    return written


def shown(command: Sequence[str]) -> str:
    """The command as people read it; the connection travels by environment and is no part of it."""
    return " ".join([*command, "--snapshot=…"])
