"""What an unknown key may have been meant to be, by the schema of the targets file."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

Schema = Mapping[str, Any]


def meant(schema: Schema, path: Sequence[str | int]) -> str:
    """A sentence about the unknown key at the end of ``path``; what to write instead where that can be told."""
    *above, last = path
    tables = _tables(schema, [schema], above)
    names = {name for table in tables for name in table.get("properties", {})}
    if near := get_close_matches(str(last), names, n=1, cutoff=0.6):
        return f"There is no such setting. Did you mean {near[0]}?"
    for name in sorted(names):
        inner = _tables(schema, tables, [name])
        if any(str(last) in each.get("properties", {}) for each in inner):
            return f"There is no such setting here. It belongs under {'.'.join(map(str, [*above, name]))}."
    return f"There is no such setting. Remove it; there are: {', '.join(sorted(names))}."


def _tables(schema: Schema, begin: Iterable[Schema], path: Sequence[str | int]) -> list[Schema]:
    """Everything that the schema allows at ``path``."""
    found = _resolved(schema, begin)
    for part in path:
        found = _resolved(schema, [each for table in found for each in _below(table, part)])
    return found


def _below(table: Schema, part: str | int) -> list[Schema]:
    if isinstance(part, int):
        return [table["items"]] if "items" in table else []
    named = table.get("properties", {}).get(part)
    other = table.get("additionalProperties")
    return [named] if named else [other] if isinstance(other, Mapping) else []


def _resolved(schema: Schema, tables: Iterable[Schema]) -> list[Schema]:
    """References and choices replaced by what they stand for."""
    found: list[Schema] = []
    for each in tables:
        if "$ref" in each:
            found += _resolved(schema, [schema["$defs"][each["$ref"].rpartition("/")[2]]])
        elif "anyOf" in each:
            found += _resolved(schema, each["anyOf"])
        else:
            found.append(each)
    return found
