"""Changing a column's type: is the table rewritten, can values get lost?

Rewrites: ATColumnChangeRequiresRewrite in tablecmds.c, and the support functions that prove a length cast idle.
"""

import re
from typing import Any

from integrations.postgres.risk.tree import inner, strings, type_name
from integrations.postgres.risk.world import World

_LIMIT = re.compile(r"^([a-z ]+?)\s*(?:\((\d+)(?:,(-?\d+))?\))?( with(?:out)? time zone)?$")
_TEXTS = ("text", "character varying", "character", "citext")
_WHOLE = ("smallint", "integer", "bigint")
_UTC = ("utc", "etc/utc", "gmt", "etc/gmt", "uct", "etc/uct", "zulu", "etc/zulu", "universal", "etc/universal")


def split(name: str) -> tuple[str, tuple[int, ...]]:
    """``numeric(10,2)`` as ``numeric`` and its modifiers."""
    found = _LIMIT.match(name)
    if not found:
        return name, ()
    base, one, two, zone = found.groups()
    return base + (zone or ""), tuple(int(each) for each in (one, two) if each is not None)


def base_of(world: World, name: str) -> tuple[str, bool]:
    """A domain's base type, and whether any domain on the way has constraints."""
    constrained = False
    for _ in range(10):
        found = world.type(name)
        if found is None or found.kind != "d":
            break
        name, constrained = found.base, constrained or found.constrained
    return name, constrained


def rewrites(world: World, old: str, new: str, using: Any = None) -> bool:
    """Must every row be written anew?  Only a change that alters no stored byte and needs no check is free."""
    if using is not None and not _is_plain(using, world, new):
        return True
    before, _ = base_of(world, old)
    after, constrained = base_of(world, new)
    if constrained and old != new:
        return True
    (was, length), (becomes, wanted) = split(before), split(after)
    if was == becomes:
        return not _fits(was, length, wanted)
    if {was, becomes} == {"timestamp without time zone", "timestamp with time zone"}:
        return world.facts.timezone.lower() not in _UTC or length != wanted
    if (was.startswith("character") and becomes == "character") or becomes == "character":
        return True
    if not _binary(world, was, becomes):
        return True
    return bool(wanted) and not (was == "character varying" and length and length <= wanted)


def _binary(world: World, was: str, becomes: str) -> bool:
    known = world.facts.casts or {("character varying", "text"), ("text", "character varying")}
    return (was, becomes) in known


def _fits(base: str, old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """Is every value of the old size one of the new?  (varchar, varbit, numeric, times: the planner proves it.)"""
    if old == new:
        return True
    if base in ("character varying", "bit varying"):
        return not new or (bool(old) and new[0] >= old[0])
    if base == "numeric":
        return not new or (bool(old) and _scale(old) == _scale(new) and new[0] >= old[0])
    if base.startswith(("timestamp", "time", "interval")):
        return not new or new[0] >= 6 or (bool(old) and new[0] >= old[0])
    return False


def _scale(modifiers: tuple[int, ...]) -> int:
    """Digits after the point."""
    return modifiers[1] if len(modifiers) > 1 else 0


def _is_plain(using: Any, world: World, new: str) -> bool:
    """``USING column`` or ``USING column::the new type`` asks for nothing more than the change itself."""
    node = inner(using)
    if node.DESCRIPTOR.name == "TypeCast":
        cast = type_name(node.type_name)
        return same_type(world, cast, new) and inner(node.arg).DESCRIPTOR.name == "ColumnRef"
    return bool(node.DESCRIPTOR.name == "ColumnRef")


def same_type(world: World, one: str, two: str) -> bool:
    found = world.type(one), world.type(two)
    return one == two or bool(found[0] and found[0] is found[1])


def loses(world: World, old: str, new: str, using: Any = None) -> str:
    """How values can get lost without an error, or nothing."""
    steps = [new] if using is None else _steps(using)
    if steps is None:
        return "by an expression nobody can judge from here"
    if using is not None and not (steps and same_type(world, steps[-1], new)):
        steps = [*steps, new]
    was, explicit = base_of(world, old)[0], using is not None
    for step in steps:
        becomes = base_of(world, step)[0]
        if why := _loses(split(was), split(becomes), explicit=explicit):
            return why
        was = becomes
    return ""


def _steps(using: Any) -> list[str] | None:
    """The casts around a plain column, innermost first; None for any other expression."""
    node = inner(using)
    kind = node.DESCRIPTOR.name
    if kind == "ColumnRef":
        return []
    if kind == "TypeCast":
        below = _steps(node.arg)
        return None if below is None else [*below, type_name(node.type_name)]
    if kind == "FuncCall" and strings(node.funcname)[-1] in ("timezone", "to_json", "to_jsonb", "int4", "btrim"):
        return _steps(node.args[-1])
    if kind == "A_ArrayExpr" and len(node.elements) == 1:
        return _steps(node.elements[0])
    return None


def _loses(old: tuple[str, tuple[int, ...]], new: tuple[str, tuple[int, ...]], *, explicit: bool) -> str:
    """Assignment casts refuse what is too long or too large; explicit ones cut it, and both of them round."""
    (was, length), (becomes, wanted) = old, new
    if becomes in _TEXTS:
        longer = bool(wanted) and not (length and was in _TEXTS and length[0] <= wanted[0])
        return "longer values are cut" if explicit and longer else ""
    if was == "numeric" and becomes == "numeric":
        return "decimals are rounded" if wanted and (not length or _scale(wanted) < _scale(length)) else ""
    if becomes in _WHOLE and was in ("numeric", "real", "double precision", "money"):
        return "" if was == "numeric" and length and _scale(length) == 0 else "decimals are rounded"
    if becomes in ("real", "double precision", "money") and was in ("numeric", "double precision") and was != becomes:
        return "digits are lost"
    return _loses_time(was, length, becomes, wanted) or _loses_other(was, becomes)


def _loses_time(was: str, length: tuple[int, ...], becomes: str, wanted: tuple[int, ...]) -> str:
    if was.startswith("timestamp") and (becomes == "date" or becomes.startswith("time ")):
        return f"only the {'day' if becomes == 'date' else 'time of day'} is kept"
    if was.startswith(("timestamp", "time")) and becomes.startswith(("timestamp", "time")):
        return "fractions of a second are lost" if wanted and wanted[0] < (*length, 6)[0] else ""
    return ""


def _loses_other(was: str, becomes: str) -> str:
    if becomes == "boolean" and was in (*_WHOLE, "numeric"):
        return "every number but 0 becomes true"
    if was in _TEXTS and becomes in (*_WHOLE, "numeric", "date"):
        return "how the values were written (leading zeros, blanks) is lost"
    if was.endswith("[]") and not becomes.endswith("[]") and becomes not in (*_TEXTS, "jsonb", "json"):
        return "all but one element are lost"
    return ""
