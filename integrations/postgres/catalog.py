"""The schema of a database as data: every object with its definition, a fingerprint of all, and readable differences.

Nothing depends on the order of columns or on object ids, so a restored dump has the fingerprint of its source.
"""

import hashlib
from collections.abc import Iterator, Mapping

from bot.runbook.digest import canonical
from integrations.postgres.connect import Session, rows

OWN_SCHEMA = "migrate_bot"  # the bot's corner of the target is no part of what is migrated
HIDDEN = ["information_schema", OWN_SCHEMA]
Catalog = Mapping[str, Mapping[str, str]]  # kind -> full name -> definition


async def read_catalog(db: Session) -> Catalog:
    """Every object of the database except PostgreSQL's, extensions' and the bot's own."""
    found: dict[str, dict[str, str]] = {}
    for kind, name, definition in await rows(db, "objects", {"hidden": HIDDEN}, "catalog.sql"):
        found.setdefault(str(kind), {})[str(name)] = str(definition)
    return {kind: dict(sorted(found[kind].items())) for kind in sorted(found)}


def fingerprint(catalog: Catalog) -> str:
    """SHA-256 (hex) over the whole schema, in any order."""
    return hashlib.sha256(canonical(catalog).encode()).hexdigest()


def difference(before: Catalog, now: Catalog) -> tuple[str, ...]:
    """What was added (+), removed (-) and changed (~), a line each; parts of a new or gone table go with it."""
    return tuple(_lines(before, now))


def _lines(before: Catalog, now: Catalog) -> Iterator[str]:
    for kind in sorted(before.keys() | now.keys()):
        old, new = before.get(kind, {}), now.get(kind, {})
        for name in sorted(old.keys() | new.keys()):
            if name not in old:
                yield f"+ {kind} {name} {_short(new[name])}".rstrip()
            elif name not in new:
                yield f"- {kind} {name} {_short(old[name])}".rstrip()
            elif old[name] != new[name]:
                yield f"~ {kind} {name}: {_change(old[name], new[name])}"


def _change(old: str, new: str) -> str:
    """Long definitions (views, functions) are named, not printed twice."""
    if len(old) + len(new) > 160:
        return f"definition changed ({len(old)} → {len(new)} characters)"
    return f"{_short(old)} → {_short(new)}"


def _short(text: str, limit: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def tables(catalog: Catalog) -> frozenset[str]:
    """Full names of the tables."""
    return frozenset(catalog.get("table", {}))
