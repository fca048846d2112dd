"""What goes when something is dropped: its own parts, and with CASCADE all that depends on it."""

from collections.abc import Iterator

from integrations.postgres.risk import constraints
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.model import Lock
from integrations.postgres.risk.world import Known


def drop_table(effects: Effects, known: Known, *, cascade: bool) -> None:
    """A table with its partitions, its foreign keys of both sides and, with CASCADE, the views over it."""
    world = effects.world
    if known.key not in world.relations:
        return
    children = world.children(known)
    effects.lock(known, Lock.ACCESS_EXCLUSIVE)
    _lock_parent(effects, known)
    for key in [*world.keys_of(known), *(world.keys_to(known))]:
        other = world.relations.get(key.references if key.table == known.key else key.table)
        if other and (key.table == known.key or cascade):
            effects.lock_all(world.family(other), Lock.ACCESS_EXCLUSIVE)
    effects.destroy(_what(known), known, extent=_rows(known))
    if cascade:
        drop_users(effects, f"relation {known.origin}")
    _drop_views(effects, known, cascade=cascade)
    for each in children:
        if known.partitioned or cascade:
            drop_table(effects, each, cascade=cascade)
    world.forget(known)


def _what(known: Known) -> str:
    word = {"r": "the table", "p": "the partitioned table", "m": "the materialized view", "f": "the foreign table",
            "S": "the sequence"}.get(known.kind, "the relation")  # fmt: skip
    return f"{word} {known.shown}"


def _rows(known: Known) -> str:
    rows = known.was.rows if known.was else None
    return f" with about {rows:,} rows" if rows and known.kind == "r" else ""


def _lock_parent(effects: Effects, known: Known) -> None:
    """A partition's parent, and the default partition beside it (heap_drop_with_catalog)."""
    for key in known.parents:
        parent = effects.world.relations.get(key)
        if parent and parent.partitioned:
            effects.lock(parent, Lock.ACCESS_EXCLUSIVE)
            for each in effects.world.children(parent):
                if each.was and each.was.default_partition:
                    effects.lock(each, Lock.ACCESS_EXCLUSIVE)


def _drop_views(effects: Effects, known: Known, *, cascade: bool) -> None:
    if not cascade:
        return
    for view in effects.world.views_over(known):
        drop_view(effects, view, cascade=False)
        effects.notes.append(f"{view.shown} goes with it")


def drop_view(effects: Effects, known: Known, *, cascade: bool) -> None:
    """A view holds nothing; a materialized one holds rows."""
    effects.lock(known, Lock.ACCESS_EXCLUSIVE)
    if known.kind == "m":
        effects.destroy(_what(known), known)
    _drop_views(effects, known, cascade=cascade)
    effects.world.forget(known)


def drop_column(effects: Effects, known: Known, name: str, *, cascade: bool) -> None:
    """A column with its values, indexes, foreign keys, and with CASCADE what reads it."""
    world = effects.world
    if name not in known.new_columns and not known.fresh:
        effects.destroy(f"the column {known.shown}.{name} with its values", known)
    for each in list(world.constraints):
        if each.table == known.key and name in each.columns:
            constraints.release(effects, each, cascade=cascade)
        elif each.references == known.key and name in each.referenced and cascade and each.table in world.relations:
            effects.lock(world.relations[each.table], Lock.ACCESS_EXCLUSIVE)
            constraints.release(effects, each, cascade=False)
    world.indexes = {
        key: each for key, each in world.indexes.items() if each.table != known.key or name not in each.columns
    }
    if cascade:
        drop_users(effects, f"column {known.origin}.{name}")
    known.columns.pop(name, None)


def drop_users(effects: Effects, name: str) -> None:
    """Everything that hangs on an object, as pg_depend says; tables and columns among it are data."""
    for user, table in _users(effects, name):
        kind, _, called = user.partition(" ")
        known = effects.world.relations.get(table)
        if known is None:
            continue
        effects.lock(known, Lock.ACCESS_EXCLUSIVE)
        if kind == "relation" and known.kind in "vm":
            drop_view(effects, known, cascade=True)
        elif kind == "relation":
            drop_table(effects, known, cascade=True)
        elif kind == "column" and called.rpartition(".")[2] in known.columns:
            drop_column(effects, known, called.rpartition(".")[2], cascade=True)


def _users(effects: Effects, name: str) -> Iterator[tuple[str, str]]:
    """Directly or through others; each once."""
    by_object: dict[str, list[tuple[str, str]]] = {}
    for edge in effects.world.facts.edges:
        by_object.setdefault(edge.of, []).append((edge.user, edge.table))
    seen, waiting = {name}, [name]
    while waiting:
        for user, table in by_object.get(waiting.pop(), []):
            if user not in seen:
                seen.add(user)
                waiting.append(user)
                yield user, table


def schema_members(effects: Effects, schema: str) -> list[Known]:
    """Everything that lies in a schema now."""
    return [each for each in list(effects.world.relations.values()) if each.key.startswith(f"{schema}.")]
