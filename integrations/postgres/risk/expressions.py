"""Default values: the same for every row, or worked out anew for each?"""

from typing import Any

from integrations.postgres.risk import rows
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.tree import inner, inside, strings
from integrations.postgres.risk.world import World

#: In case the server's own list is not at hand (pg_proc.provolatile = v).
_VOLATILE = frozenset({
    "random", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv4", "uuidv7", "nextval", "setval",
    "uuid_generate_v4", "uuid_generate_v1", "uuid_generate_v1mc", "random_normal", "currval", "lastval", "pg_sleep",
})  # fmt: skip


def is_volatile(world: World, expression: Any) -> bool:
    """Does it give another value for each row?  Then a column with this default needs every row rewritten."""
    calls = [each for each in inside(expression) if each.DESCRIPTOR.name == "FuncCall"]
    return any(_volatile(world, ".".join(strings(each.funcname))) for each in calls)


def _volatile(world: World, name: str) -> bool:
    found = world.function(name)
    if found:
        return any(each.volatility == "v" for each in found)
    bare = name.rpartition(".")[2].lower()
    return world.facts.builtins.get(bare, "v" if bare in _VOLATILE else "s") == "v"


def evaluate(effects: Effects, expression: Any) -> None:
    """Functions of a default that is worked out for existing rows run now."""
    rows.read(effects, expression)


def is_null(expression: Any) -> bool:
    """``NULL``, also with a cast."""
    node = inner(expression)
    if node.DESCRIPTOR.name == "TypeCast":
        return is_null(node.arg)
    return bool(node.DESCRIPTOR.name == "A_Const" and node.isnull)


def columns_in(expression: Any) -> set[str]:
    """The columns an expression names."""
    found = [strings(each.fields) for each in inside(expression) if each.DESCRIPTOR.name == "ColumnRef"]
    return {each[-1] for each in found if each}
