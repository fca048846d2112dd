"""What a run found when it came to stop the services: kept on disk, so that no bot's death loses it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from integrations.local.records import Record, load_json, record_of


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What run ``run`` found: the services that did not run (``idle``), and what the others were started with.

    ``ended`` is what the newest stop ended, service by service: a service that is down and was last ended by a stop
    is down because of us, not because somebody wanted it so.
    """

    run: str = ""  # empty for a stop outside of any run, or of a bot that did not yet write it down
    idle: frozenset[str] = frozenset()
    found: Mapping[str, Record] = field(default_factory=dict)
    ended: Mapping[str, Record] = field(default_factory=dict)


def load_memory(path: Path) -> Memory | None:
    """The memory, or ``None`` when nothing was stopped yet."""
    match load_json(path):
        case {"idle": list(idle), **rest}:
            return Memory(
                run=str(rest.get("run", "")),
                idle=frozenset(map(str, idle)),
                found=_records(rest.get("found")),
                ended=_records(rest.get("ended")),
            )
        case _:
            return None


def save_memory(path: Path, memory: Memory) -> None:
    """On disk before it returns: the first change comes after it."""
    aside = path.with_suffix(".partial")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(asdict(memory) | {"idle": sorted(memory.idle)}, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def found_by(
    run: str, services: Mapping[str, Record | None], running: Mapping[str, Record], earlier: Memory | None
) -> Memory:
    """What ``run`` finds: ``services`` with their records, ``running`` those that live, ``earlier`` what was known.

    A service that is down counts as it did before if a stop was the last thing that happened to it (an earlier run
    has left it down); one that ended by itself, or was never started, is idle.
    """
    before = earlier or Memory(idle=frozenset(services))
    left_down = {
        name
        for name, record in services.items()
        if name not in running and name not in before.idle and record in (None, before.ended.get(name))
    }
    carried = {name: before.ended.get(name) or before.found.get(name) for name in left_down}
    return Memory(
        run=run,
        idle=frozenset(services.keys() - running.keys() - left_down),
        found={**{name: record for name, record in carried.items() if record}, **running},
        ended=before.ended,
    )


def _records(value: Any) -> dict[str, Record]:
    entries = value.items() if isinstance(value, dict) else ()
    return {str(name): record for name, each in entries if (record := record_of(each))}
