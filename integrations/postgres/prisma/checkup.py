"""The doctor's look at a target's Prisma project: its schema, its command, and whether both mean this database."""

import asyncio
import os
import shutil
from collections.abc import Iterator

from bot.doctor.findings import Finding, Findings, fail, failed, ok, warn
from bot.ports import StepError
from bot.target import Prisma, Target
from integrations.postgres.prisma.project import project_of, require_own_url


async def look_at_prisma(target: Target) -> Findings:
    """Nothing is run: ``npx`` would fetch what is not there."""
    return await asyncio.to_thread(lambda: list(_looked(target.name, project_of(target))))


def _looked(target: str, project: Prisma) -> Iterator[Finding]:
    table = f"[targets.{target}.prisma]"
    try:
        require_own_url(project)
        yield ok("schema", f"{project.schema} takes its connection from the bot")
    except StepError as error:
        yield failed("schema", error)
    if not project.folder.is_dir():
        yield fail("folder", f"There is no folder {project.folder}.", f"Mend folder of {table}.")
        return
    if project.on_job:
        yield ok("command", f"{' '.join(project.command)}, as a one-off job of render.job_service")
        return
    program = project.command[0]
    path = os.pathsep.join((str(project.folder), os.environ.get("PATH", "")))
    if not shutil.which(program, path=path):
        yield fail("command", f"{program} is not on the bot's PATH.", f"Install it, or mend command of {table}.")
    elif project.command[:2] == ("npx", "prisma") and not _installed(project):
        why = f"Prisma is not installed in {project.folder}: npx would fetch the newest one during the migration."
        yield warn("command", why, f"Run: npm ci (in {project.folder})")
    else:
        yield ok("command", " ".join(project.command))


def _installed(project: Prisma) -> bool:
    """As Node looks for it: here, or in a folder above."""
    folder = project.folder.absolute()
    return any((each / "node_modules" / ".bin" / "prisma").exists() for each in (folder, *folder.parents))
