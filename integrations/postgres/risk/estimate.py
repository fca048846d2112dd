"""How long a statement is at work, from the sizes of its tables; cautious, and always with its basis."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.facts import Relation
from integrations.postgres.words import human_bytes, plural

READ = 250e6  # bytes a second that a sequential scan passes, from a plain cloud disk
COPY = 40e6  # bytes a second of a rewrite, its write-ahead log and new indexes included
SORT = 600_000  # rows a second put into one index
WRITE = 30_000  # rows a second that an UPDATE or DELETE writes, indexes included


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What statements really took on a copy: seconds by file and first line, and when (in words) it was measured."""

    seconds: Mapping[tuple[str, int], float] = field(default_factory=dict)
    taken: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """``seconds`` is None when a table's size is not known."""

    seconds: float | None
    basis: str


def known_or_estimated(effects: Effects, measured: Measured, place: tuple[str, int]) -> Estimate:
    """What was measured on a copy instead of a guess, where there is such a figure."""
    if (seconds := measured.seconds.get(place)) is None:
        return estimate(effects)
    return Estimate(seconds=seconds, basis=f"measured on a copy of {measured.taken}")


def estimate(effects: Effects) -> Estimate:
    """The sum over all tables a statement works through."""
    total, parts, unknown = 0.0, [], []
    facts = effects.world.facts.relations
    at_work = dict.fromkeys([*effects.rewrites, *effects.scans, *effects.touched])
    for name in (each for each in at_work if each not in effects.emptied):
        relation = facts.get(name)
        if relation is None:
            unknown.append(name)
            continue
        seconds, basis = _one(effects, relation)
        total += seconds
        parts.append(basis)
    if unknown:
        return Estimate(seconds=None, basis=f"the size of {', '.join(unknown)} is not known")
    return Estimate(seconds=total, basis="; ".join(parts) or "the catalog only")


def _one(effects: Effects, relation: Relation) -> tuple[float, str]:
    name, size, rows = relation.key.removeprefix("public."), relation.bytes, rows_of(relation)
    if relation.key in effects.rewrites:
        whole = size + relation.index_bytes
        return whole / COPY, f"{name}: {human_bytes(whole)} at {human_bytes(COPY)}/s"
    if relation.key in effects.touched:
        written = rows * effects.touched[relation.key]
        return written / WRITE, f"{name}: {plural(round(written), 'row')} at {WRITE:,} a second"
    built = effects.builds.get(relation.key, 0)
    seconds = size / READ + built * rows / SORT
    basis = f"{name}: {human_bytes(size)} at {human_bytes(READ)}/s"
    return seconds, basis + (f", {plural(rows, 'row')} into {plural(built, 'index', 'indexes')}" if built else "")


def rows_of(relation: Relation) -> int:
    """As last counted, or from the size at 100 bytes a row."""
    return relation.rows if relation.rows is not None else relation.bytes // 100


def spoken(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2.5 h``."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 120:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 7200 else f"about {seconds / 3600:.1f} h"
