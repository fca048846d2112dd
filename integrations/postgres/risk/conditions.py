"""Does a WHERE choose anything, and does a SET keep what was there?"""

from collections.abc import Iterator
from typing import Any

from integrations.postgres.risk.tree import inner, items, pb, strings
from integrations.postgres.risk.world import Known


def chooses(where: Any, target: Known, names: frozenset[str]) -> bool:
    """False when the condition is missing, constant or always true: then every row is meant.

    ``names`` are what the target is called in the statement.
    """
    node = inner(where)
    kind = node.DESCRIPTOR.name
    if kind == "Node":
        return False
    if kind == "BoolExpr" and node.boolop != pb.NOT_EXPR:
        found = [chooses(each, target, names) for each in node.args]
        return any(found) if node.boolop == pb.AND_EXPR else all(found)
    if kind == "NullTest" and node.nulltesttype == pb.IS_NOT_NULL:
        column = _column(node.arg)
        return not (column in target.columns and target.columns[column].not_null)
    if kind == "A_Expr" and strings(node.name) == ["="] and _column(node.lexpr):
        return _column(node.lexpr) != _column(node.rexpr)
    return kind == "CurrentOfExpr" or any(_is_of(each, names) for each in _references(node))


def keeps(value: Any, column: str) -> bool:
    """Is the old value still there afterwards: ``coalesce(column, …)`` or the column itself?"""
    node = inner(value)
    if node.DESCRIPTOR.name == "CoalesceExpr":
        return _column(node.args[0]) == column
    return _column(node) == column


def _column(value: Any) -> str:
    node = inner(value)
    if node.DESCRIPTOR.name == "TypeCast":
        return _column(node.arg)
    if node.DESCRIPTOR.name != "ColumnRef":
        return ""
    return (strings(node.fields) or [""])[-1]


def _is_of(reference: tuple[list[str], bool], names: frozenset[str]) -> bool:
    """A bare name outside a subquery is a column of the statement; inside one only with the target's name."""
    path, nested = reference
    return path[-2] in names if len(path) > 1 else not nested


def _references(node: Any) -> Iterator[tuple[list[str], bool]]:
    """Every column reference with whether it stands in a subquery."""
    waiting = [(node, False)]
    while waiting:
        one, nested = waiting.pop()
        message = inner(one)
        kind = message.DESCRIPTOR.name
        if kind == "ColumnRef":
            yield strings(message.fields) or ["*"], nested
        for descriptor, value in message.ListFields():
            if descriptor.message_type is not None:
                below = nested or kind == "SelectStmt"
                waiting += [(each, below) for each in (value if descriptor.is_repeated else [value])]


def set_columns(node: Any) -> list[tuple[str, Any]]:
    """Of UPDATE, MERGE or ON CONFLICT: each column with its new value."""
    return [(each.name, each.val) for each in items(node.target_list)]
