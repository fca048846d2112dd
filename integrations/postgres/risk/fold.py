"""The SQL that EXECUTE will be given, as far as it can be known: literals, format() and names put together."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.postgres.parser import postgast
from integrations.postgres.risk.tree import inner, strings

HOLE = "unknown_at_review"  # stands for a name or value that cannot be anything but one name or value
_MOST = 200  # texts one EXECUTE may stand for; beyond that nobody reads them
_QUOTING = ("quote_ident", "quote_literal", "quote_nullable")
_SPEC = re.compile(r"%(?:(\d+)\$)?(-?\d*)([sIL%])")
Variables = Mapping[str, Sequence[Any]]


class Unknowable(Exception):
    """Part of the text comes from somewhere that only running tells."""


def texts(node: Any, variables: Variables, depth: int = 0) -> list[str]:
    """Every text an expression may have; raises ``Unknowable``."""
    node = inner(node)
    if depth > 20:
        raise Unknowable
    kind = node.DESCRIPTOR.name
    if kind == "A_Const":
        return [_constant(node)]
    if kind == "TypeCast":
        return [HOLE] if _is_regclass(node) else texts(node.arg, variables, depth + 1)
    if kind == "A_Expr" and strings(node.name) == ["||"]:
        left, right = texts(node.lexpr, variables, depth + 1), texts(node.rexpr, variables, depth + 1)
        return _joined(left, right)
    if kind == "ColumnRef":
        return _variable(strings(node.fields), variables, depth)
    if kind == "FuncCall":
        return _call(node, variables, depth)
    raise Unknowable


def _constant(node: Any) -> str:
    kind = node.WhichOneof("val")
    if kind == "sval":
        return str(node.sval.sval)
    if kind == "ival":
        return str(node.ival.ival)
    if kind == "fval":
        return str(node.fval.fval)
    raise Unknowable


def _is_regclass(node: Any) -> bool:
    """A table's own name as PostgreSQL prints it: quoted where it must be."""
    return strings(node.type_name.names)[-1:] in (["regclass"], ["regtype"], ["oid"], ["int4"], ["int8"])


def _variable(path: list[str], variables: Variables, depth: int) -> list[str]:
    """Each value it is given somewhere; one that is built from itself has no end."""
    values = variables.get(path[-1]) if len(path) == 1 else None
    if not values or any(value is None for value in values):
        raise Unknowable
    others = {name: value for name, value in variables.items() if name != path[-1]}
    return [text for value in values for text in texts(value, others, depth + 1)]


def _call(node: Any, variables: Variables, depth: int) -> list[str]:
    name = strings(node.funcname)[-1]
    if name in _QUOTING:
        return _quoted(name, node.args[0], variables, depth)
    if name == "format":
        patterns = texts(node.args[0], variables, depth + 1)
        return [text for each in patterns for text in _format(each, node.args[1:], variables, depth)]
    if name in ("concat", "upper", "lower", "trim", "btrim") and len(node.args):
        found = [""]
        for arg in node.args:
            found = _joined(found, texts(arg, variables, depth + 1))
        return found
    raise Unknowable


def _quoted(name: str, arg: Any, variables: Variables, depth: int) -> list[str]:
    try:
        found = texts(arg, variables, depth + 1)
    except Unknowable:
        return [HOLE if name == "quote_ident" else f"'{HOLE}'"]
    return [_as(each, "I" if name == "quote_ident" else "L") for each in found]


def _as(text: str, how: str) -> str:
    if how == "I":
        return '"' + text.replace('"', '""') + '"'
    return "'" + text.replace("'", "''") + "'" if how == "L" else text


def _format(pattern: str, args: Any, variables: Variables, depth: int) -> list[str]:
    """format() of PostgreSQL: %I is one name, %L one literal, %s whatever its argument says."""
    found, place, end = [""], -1, 0
    for match in _SPEC.finditer(pattern):
        before, end = pattern[end : match.start()], match.end()
        values = ["%"]
        if match[3] != "%":
            place = int(match[1]) - 1 if match[1] else place + 1
            values = _filled(match[3], args, place, variables, depth)
        found = _joined([each + before for each in found], values)
    return [each + pattern[end:] for each in found]


def _filled(how: str, args: Any, place: int, variables: Variables, depth: int) -> list[str]:
    if place >= len(args):
        raise Unknowable
    try:
        return [_as(each, how) for each in texts(args[place], variables, depth + 1)]
    except Unknowable:
        if how == "s":
            raise
        return [HOLE if how == "I" else f"'{HOLE}'"]


def _joined(left: list[str], right: list[str]) -> list[str]:
    if len(left) * len(right) > _MOST:
        raise Unknowable
    return [one + two for one in left for two in right]


def statements(text: str) -> list[Any]:
    """The parsed statements of a folded text; raises ``Unknowable`` when it is no SQL."""
    try:
        return [raw.stmt for raw in postgast.parse(text).stmts]
    except postgast.PgQueryError as error:
        raise Unknowable from error
