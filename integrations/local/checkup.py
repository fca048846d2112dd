"""The doctor's look at services that are processes on this host: could they be started again?"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bot.doctor.findings import Finding, Findings, fail, ok
from bot.target import Service, Target


async def look_at_commands(target: Target) -> Findings:
    """Each service's folder and command."""
    return await asyncio.to_thread(lambda: [one for each in target.services for one in _service(target.name, each)])


def _service(target: str, service: Service) -> Iterator[Finding]:
    check, entry = f"command of {service.name}", f"of the service {service.name} in [[targets.{target}.services]]"
    folder = Path(service.folder)
    if not service.command:
        fix = f'Write command = ["…"] {entry}, or [targets.{target}.render] for services on Render.'
        yield fail(check, "Nothing says how it is started again.", fix)
    elif not folder.is_dir():
        yield fail(check, f"There is no folder {folder}.", f"Mend folder {entry}.")
    elif not _found(service, folder):
        why = f"{service.command[0]} is neither in {folder} nor on the bot's PATH, or may not be run."
        yield fail(check, why, f"Install it, make it executable, or mend command {entry}.")
    else:
        yield ok(check, " ".join(service.command)[:80])


def _found(service: Service, folder: Path) -> bool:
    """As the service is started: a path is relative to its folder, a bare name is looked for on its PATH."""
    program = service.command[0]
    if "/" in program:
        return os.access(folder / program, os.X_OK)
    return shutil.which(program, path=dict(service.environment).get("PATH")) is not None
