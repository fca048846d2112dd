"""Broken copies of the core: each takes one promise away, and the exploration must notice which."""

import sys
from dataclasses import dataclass
from pathlib import Path

import bot.runbook
from tests.runbook.cast import Core, load

SOURCE = Path(bot.runbook.__file__).parent
PURE_TEXT = {"texts.py", "silence.py", "busy.py"}  # words for people: no judgement in them


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One substitution in one module, and the invariants that may notice it first."""

    name: str
    module: str
    was: str
    becomes: str
    caught_by: tuple[str, ...]


def breed(mutant: Mutant, folder: Path) -> Core:
    """The core with the substitution made, as a package of its own; the real one is untouched."""
    package = f"broken_{mutant.name.replace(' ', '_').replace('-', '_')}"
    for path in SOURCE.rglob("*.py"):
        copy = folder / package / path.relative_to(SOURCE)
        copy.parent.mkdir(exist_ok=True)
        if path.parent != SOURCE or path.name not in PURE_TEXT:
            source = path.read_text(encoding="utf-8")
            if path.parent == SOURCE and path.stem == mutant.module:
                assert source.count(mutant.was) == 1, f"{mutant.name}: found {source.count(mutant.was)} times"
                source = source.replace(mutant.was, mutant.becomes)
            copy.write_text(source.replace("bot.runbook", package), encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        return load(package)
    finally:
        sys.path.remove(str(folder))
