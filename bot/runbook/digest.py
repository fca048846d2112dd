"""The digest: one hash over exactly what a step will do, and what of it changed between two asks."""

import hashlib
import json
from collections.abc import Iterable, Mapping

Inputs = tuple[tuple[str, str], ...]


def canonical(value: object) -> str:
    """One spelling of a JSON value: sorted keys, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(inputs: Inputs) -> str:
    """SHA-256 (hex) over the named inputs of a step, in any order."""
    return hashlib.sha256(canonical(sorted(inputs)).encode()).hexdigest()


def short(digest: str) -> str:
    """The first eight characters: enough for people to compare."""
    return digest[:8]


def inputs_of(values: Mapping[str, object]) -> Inputs:
    """Named values as a step's inputs, sorted by name."""
    return tuple(sorted((name, str(value)) for name, value in values.items()))


def changes(before: Inputs, now: Inputs) -> Iterable[str]:
    """Each input that differs between two asks, in words."""
    old, new = dict(before), dict(now)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"{name}: {old.get(name, 'absent')} → {new.get(name, 'absent')}"


def digest_of_files(migrations: Iterable[tuple[str, str]], down: Iterable[tuple[str, str]]) -> str:
    """SHA-256 (hex) over the planned files in their order: each one's name and the SHA-256 of its bytes."""
    listed = {"migrations": [list(each) for each in migrations], "down": [list(each) for each in down]}
    return hashlib.sha256(canonical(listed).encode()).hexdigest()
