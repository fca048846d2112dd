"""Low, Medium or High, with the reasons in words."""

from collections.abc import Sequence

from bot.runbook.risk import Risk, highest
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.estimate import Estimate, spoken
from integrations.postgres.risk.model import Assessment, StatementRisk

LONG = 10.0  # seconds for which nobody can write: longer than people and connection pools are patient
NOTICEABLE = 1.0
OLD = 60.0  # seconds a transaction is open before it is likely to hold the migration up
_ORDER = tuple(Risk)


def of_statement(effects: Effects, guess: Estimate, outside: str) -> tuple[Risk, tuple[str, ...]]:
    """The level of one statement and every reason for it, gravest first."""
    found = [*_grave(effects, guess), *_middling(effects, guess, outside)]
    level = highest(level for level, _ in found)
    return level, tuple(dict.fromkeys(reason for _, reason in sorted(found, key=lambda each: -_ORDER.index(each[0]))))


def _grave(effects: Effects, guess: Estimate) -> list[tuple[Risk, str]]:
    found = [(Risk.HIGH, f"destroys {each}{effects.extents.get(each, '')}") for each in effects.destroys]
    found += [(Risk.HIGH, f"cannot be judged: {each}") for each in effects.unjudged]
    if guess.seconds is not None and guess.seconds >= LONG and (blocked := _blocked(effects)):
        found.append((Risk.HIGH, f"{blocked} for {spoken(guess.seconds)}"))
    return found


def _blocked(effects: Effects) -> str:
    """Who waits for whom, if anybody does while the work lasts."""
    busy = {*effects.rewrites, *effects.scans}
    held = {name: mode for name, mode in effects.locks.items() if mode.stops_writing and (name in busy or busy)}
    if not held or not busy:
        return ""
    name, mode = max(held.items(), key=lambda each: each[1])
    return f"{mode.harm} on {_short(name)}"


def _middling(effects: Effects, guess: Estimate, outside: str) -> list[tuple[Risk, str]]:
    found = [
        (Risk.MEDIUM, f"rewrites {_short(name)}: {why}")
        for name, why in effects.rewrites.items()
        if _full(effects, name)
    ]
    if guess.seconds is None:
        found.append((Risk.MEDIUM, guess.basis))
    elif NOTICEABLE <= guess.seconds < LONG and (blocked := _blocked(effects)):
        found.append((Risk.MEDIUM, f"{blocked} for {spoken(guess.seconds)}"))
    found += [(Risk.MEDIUM, f"cannot be undone: {each}") for each in effects.irreversible]
    found += [(Risk.MEDIUM, f"will fail: {each}") for each in effects.fails]
    found += [(Risk.MEDIUM, each) for each in effects.breaks]
    if outside and outside.startswith(("CREATE", "DROP", "REINDEX", "DETACH")):
        found.append((Risk.MEDIUM, f"{outside} is no part of a transaction: a failure leaves it half done"))
    return found + _load(effects)


def _load(effects: Effects) -> list[tuple[Risk, str]]:
    load = effects.world.facts.load
    if load.oldest >= OLD and any(mode.stops_reading for mode in effects.locks.values()):
        why = f"a transaction of {load.oldest_who} is open for {spoken(load.oldest)} and may hold its lock up"
        return [(Risk.MEDIUM, why)]
    return []


def _full(effects: Effects, name: str) -> bool:
    relation = effects.world.facts.relations.get(name)
    return name not in effects.emptied and (relation is None or not relation.empty)


def _short(name: str) -> str:
    return name.removeprefix("public.")


def overall(
    statements: Sequence[StatementRisk], notes: tuple[str, ...], files: Sequence[tuple[str, bool]]
) -> Assessment:
    """The whole migration; ``files`` are their names and whether one transaction holds each."""
    level = highest(each.level for each in statements)
    gravest = [each for each in statements if each.level is level and level is not Risk.LOW]
    reasons = list(dict.fromkeys(reason for each in gravest for reason in each.reasons))
    if not reasons:
        reasons = ["nothing is destroyed, rewritten or blocked for long"]
    downtime, basis = _downtime(statements, files)
    return Assessment(
        level=level,
        reasons=tuple(reasons),
        statements=tuple(statements),
        downtime=downtime,
        downtime_basis=basis,
        notes=notes,
    )


def _downtime(statements: Sequence[StatementRisk], files: Sequence[tuple[str, bool]]) -> tuple[float | None, str]:
    """A lock is held until its transaction ends: all that follows in the file counts."""
    total, first = 0.0, ""
    for name, whole in files:
        held = False
        for each in (each for each in statements if each.file == name):
            stops = any(mode.stops_writing for mode in each.locks.values())
            held = stops or (held and whole)
            if not held:
                continue
            first = first or f"from line {each.line} of {name} to its end" if whole else "the statements that lock"
            if each.seconds is None:
                return None, each.basis
            total += each.seconds
    return total, first or "no lock that keeps reads or writes waiting"
