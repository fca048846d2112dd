"""Where a game day lives: one folder under the target's backups, with everything of it but the copy.

The folder's record says which copy and which stand-ins there are, so that every process of the bot makes the same
target of it.  It holds no secret.
"""

import hashlib
import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from bot.gameday import standin
from bot.runbook.exercise import SUFFIX
from bot.runbook.people import Timing
from bot.target import Service, Target

_RECORD = "exercise.json"


@dataclass(frozen=True, kw_only=True)
class Place:
    """``ports``: stand-in service -> its port on localhost.  ``damage``: the backup is to be damaged once made."""

    run: str
    database: str
    ports: dict[str, int]
    speed: float
    damage: bool = False


def folder_of(target: Target) -> Path:
    """The folder of the target's game days: one at a time, so the next one finds what a dead one has left."""
    name = hashlib.sha256(target.name.encode()).hexdigest()[:12]
    return target.backups.absolute() / f".gameday-{name}"


def furnish(target: Target, place: Place, files: tuple[str, ...]) -> None:
    """Make the folder anew, with copies of the migration files: what is exercised cannot change under way."""
    folder = folder_of(target)
    clear(target)
    for each in ("migrations", "backups", "state"):
        (folder / each).mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    for name in files:
        shutil.copyfile(target.migrations / name, folder / "migrations" / name)
    set_mode(target, standin.Mode.HEALTHY)
    aside = folder / f"{_RECORD}.partial"
    aside.write_text(json.dumps(asdict(place)), "utf-8")
    aside.replace(folder / _RECORD)


def found(target: Target) -> Place | None:
    """The game day that is there, if there is one."""
    try:
        return Place(**json.loads((folder_of(target) / _RECORD).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def clear(target: Target) -> None:
    """Nothing of it is left."""
    shutil.rmtree(folder_of(target), ignore_errors=True)


def set_mode(target: Target, mode: standin.Mode) -> None:
    """What the stand-ins do from now on."""
    file = folder_of(target) / "mode"
    aside = file.with_suffix(".partial")
    aside.write_text(mode.value, "utf-8")
    aside.replace(file)


def target_of(real: Target, place: Place) -> Target:
    """The target of an exercise: made part by part, so that nothing that acts on the outside ever comes along.

    Left out on purpose: the real services and workflows, the project's own verification command (its environment may
    name the real database), staging, freezes, the rollback envelope and going back without asking.
    """
    folder = folder_of(real)
    return Target(
        name=f"{real.name}{SUFFIX}",
        dsn=make_conninfo(real.dsn, dbname=place.database),
        channel=real.channel,
        policy=real.policy,
        migrations=folder / "migrations",
        backups=folder / "backups",
        state=folder / "state",
        services=tuple(_service(folder, name, port) for name, port in sorted(place.ports.items())),
        timing=Timing().faster(place.speed),
        client_tools=real.client_tools,
        dump_jobs=real.dump_jobs,
        lock_timeouts=real.lock_timeouts,
        lock_pauses=real.lock_pauses,
        statement_timeout=real.statement_timeout,
        orphan_checks=real.orphan_checks,
        standby=real.standby,
    )


def _service(folder: Path, name: str, port: int) -> Service:
    base = f"http://127.0.0.1:{port}"
    return Service(
        name=name,
        health_url=f"{base}/health",
        metrics_url=f"{base}/metrics.json",
        command=(sys.executable, "-I", str(Path(standin.__file__)), str(port), str(folder / "mode")),
        folder=str(folder),
        application_name=name,
    )
