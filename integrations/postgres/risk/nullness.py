"""NOT NULL: which columns have to be looked at, and what proves it without (ATExecSetNotNull in tablecmds.c)."""

import re
from collections.abc import Sequence
from dataclasses import replace

from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.world import Known


def require(effects: Effects, known: Known, names: Sequence[str]) -> None:
    """NOT NULL for columns, of a parent and all below it."""
    for each in effects.world.family(known):
        for name in names:
            column = each.columns.get(name)
            if column and column.not_null:
                continue
            if column:
                each.columns[name] = replace(column, not_null=True)
            if proven(effects, each, name):
                effects.notes.append(f"a valid CHECK proves that {name} is not NULL: no row is read")
                continue
            effects.scan(each, f"is {name} NULL anywhere?")
            effects.safer.append(
                f"ADD CONSTRAINT … CHECK ({name} IS NOT NULL) NOT VALID; VALIDATE CONSTRAINT in a later transaction; "
                "SET NOT NULL; drop the CHECK"
            )


def proven(effects: Effects, known: Known, name: str) -> bool:
    """Is there a valid CHECK (name IS NOT NULL)?  Used since PostgreSQL 12."""
    if effects.world.facts.major < 12:
        return False
    pattern = re.compile(rf'(?i)(^|\band\b|check)\W*"?{re.escape(name)}"?\s+is\s+not\s+null\b')
    checks = (c for c in effects.world.constraints if c.kind == "c" and c.table == known.key and c.valid)
    return any(pattern.search(each.definition) and " or " not in each.definition.lower() for each in checks)
