"""Reading PostgreSQL's parse tree: its nodes unwrapped, names as keys, everything inside a node."""

from collections.abc import Iterator
from typing import Any

from integrations.postgres.parser import nodes as pb

__all__ = ["inner", "inside", "items", "kind_of", "name_of", "pb", "strings", "type_name"]

#: What format_type prints for the parser's own names.
_SPELT = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
    "bool": "boolean", "varchar": "character varying", "bpchar": "character", "char": "\"char\"",
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
    "time": "time without time zone", "timetz": "time with time zone", "decimal": "numeric", "varbit": "bit varying",
}  # fmt: skip


def kind_of(node: Any) -> str:
    """Which member of the union a ``Node`` holds, or nothing."""
    return node.WhichOneof("node") or "" if node.DESCRIPTOR.name == "Node" else ""


def inner(node: Any) -> Any:
    """The statement or expression inside a ``Node``; what is none stays as it is."""
    kind = kind_of(node)
    return getattr(node, kind) if kind else node


def items(nodes: Any) -> list[Any]:
    """The members of a list, unwrapped; a single list node is opened."""
    found = []
    for each in nodes:
        one = inner(each)
        found += items(one.items) if one.DESCRIPTOR.name == "List" else [one]
    return found


def strings(nodes: Any) -> list[str]:
    """The texts of a list of strings (a dotted name)."""
    return [each.sval for each in items(nodes) if each.DESCRIPTOR.name == "String"]


def name_of(range_var: Any) -> str:
    """``schema.table`` or ``table``."""
    return f"{range_var.schemaname}.{range_var.relname}" if range_var.schemaname else str(range_var.relname)


def type_name(node: Any) -> str:
    """A type as format_type writes it, with its modifiers; user types as ``schema.name`` or ``name``."""
    names = [each for each in strings(node.names) if each != "pg_catalog"]
    bare = ".".join(names)
    spelt = _SPELT.get(bare, bare) if len(names) == 1 else bare
    numbers = [each.ival.ival for each in items(node.typmods) if each.DESCRIPTOR.name == "A_Const"]
    if spelt.startswith("interval"):
        numbers = numbers[1:]
    shown = f"({','.join(map(str, numbers))})" if numbers else ""
    head, zone, tail = spelt.partition(" with")
    whole = f"{head}{shown}{zone}{tail}" if head in ("time", "timestamp") else f"{spelt}{shown}"
    return whole + "[]" * bool(len(node.array_bounds))


def inside(node: Any) -> Iterator[Any]:
    """Every message below and including a node, in no particular order; no recursion, so no depth is too deep."""
    waiting = [node]
    while waiting:
        message = waiting.pop()
        if message.DESCRIPTOR.name == "Node":
            kind = message.WhichOneof("node")
            if kind:
                waiting.append(getattr(message, kind))
            continue
        yield message
        for descriptor, value in message.ListFields():
            if descriptor.message_type is not None:
                waiting.extend(value if descriptor.is_repeated else [value])
