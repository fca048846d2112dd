"""Statements that read and write rows: whom they lock, which rows are lost, which functions they run.

Locks: https://www.postgresql.org/docs/current/explicit-locking.html; checks of foreign keys by ri_triggers.c.
"""

from typing import Any

from integrations.postgres.risk.conditions import chooses, keeps, set_columns
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.facts import Constraint
from integrations.postgres.risk.model import Lock
from integrations.postgres.risk.tree import inner, inside, items, name_of, pb, strings
from integrations.postgres.risk.world import Known, stand_in

_WRITES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
_SOME = 0.1  # of the rows, where a condition chooses and nobody knows how many


def read(effects: Effects, node: Any, *, runs: bool = True) -> None:
    """Everything a query does; ``runs`` is false where it is only analysed, as in CREATE VIEW."""
    messages = list(inside(node))
    with_names = {each.ctename for each in messages if each.DESCRIPTOR.name == "CommonTableExpr"}
    skip = {each.rel.location for each in messages if each.DESCRIPTOR.name == "IntoClause"}
    for each in messages:
        if each.DESCRIPTOR.name in _WRITES:
            skip.add(each.relation.location)
    locked = any(each.DESCRIPTOR.name == "LockingClause" for each in messages)
    for each in messages:
        kind = each.DESCRIPTOR.name
        if kind == "RangeVar" and each.location not in skip and name_of(each) not in with_names:
            _read_one(effects, each, Lock.ROW_SHARE if locked else Lock.ACCESS_SHARE, runs=runs)
        elif kind in _WRITES:
            (_write if runs else _analyse)(effects, each)
        elif kind == "FuncCall" and runs:
            name = ".".join(strings(each.funcname))
            _set_path(effects, name, each)
            effects.calls(effects, name, f"the function {name}()")
        elif kind == "SelectStmt" and each.HasField("into_clause") and runs:
            _into(effects, each.into_clause.rel)


def _set_path(effects: Effects, name: str, node: Any) -> None:
    """``set_config('search_path', …)``, which dumps begin with."""
    if name.rpartition(".")[2] == "set_config" and len(node.args) > 1:
        setting, value = inner(node.args[0]), inner(node.args[1])
        if setting.DESCRIPTOR.name == "A_Const" and setting.sval.sval == "search_path":
            effects.world.path = [each.strip(' "') for each in value.sval.sval.split(",") if each.strip(' "')]


def _into(effects: Effects, rel: Any) -> None:
    effects.does.append(f"makes the table {name_of(rel)} from a query")
    effects.world.add(name_of(rel), "r", temporary=rel.relpersistence == "t").filled = True


def is_system(name: str) -> bool:
    """PostgreSQL's own catalogs: read by everybody, and nobody waits for a reader of theirs."""
    schema, _, bare = name.rpartition(".")
    return schema in ("pg_catalog", "information_schema") or (not schema and bare.startswith("pg_"))


def _read_one(effects: Effects, range_var: Any, mode: Lock, *, runs: bool) -> None:
    name = name_of(range_var)
    if is_system(name) and effects.world.find(name) is None:
        return
    known = effects.relation(range_var)
    if known and runs:
        lock_through(effects, known, mode, heirs=range_var.inh)
    elif known:
        effects.lock(known, mode)


def lock_through(effects: Effects, known: Known, mode: Lock, *, heirs: bool = True) -> None:
    """A view is locked with everything it reads, a parent with its partitions."""
    effects.lock(known, mode)
    if known.kind == "v":
        for key in known.sources:
            below = effects.world.relations.get(key)
            if below and below is not known:
                lock_through(effects, below, mode)
    elif heirs and known.kind != "m":
        effects.lock_all(effects.world.family(known), mode)


def _analyse(effects: Effects, node: Any) -> None:
    known = effects.relation(node.relation)
    if known:
        effects.lock(known, Lock.ROW_EXCLUSIVE)


def _write(effects: Effects, node: Any) -> None:
    name = name_of(node.relation)
    known = effects.world.find(name)
    if known is None and is_system(name):
        effects.unjudged.append(f"it changes PostgreSQL's own catalog {name}")
        return
    known = known or effects.relation(node.relation)
    if known is None:
        return
    lock_through(effects, known, Lock.ROW_EXCLUSIVE, heirs=node.relation.inh)
    for each in _stored(effects, known):
        _WRITERS[node.DESCRIPTOR.name](effects, node, each)


def _stored(effects: Effects, known: Known) -> list[Known]:
    """Whose rows are written: of a simple view those of the table it shows."""
    if known.kind != "v":
        return [known]
    if not known.sources:  # over something nobody has heard of
        return [stand_in(known.key)]
    below = [effects.world.relations[key] for key in known.sources if key in effects.world.relations]
    return [table for each in below if each is not known for table in _stored(effects, each)]


def _names(node: Any) -> frozenset[str]:
    alias = node.relation.alias.aliasname if node.relation.HasField("alias") else ""
    return frozenset({alias or node.relation.relname})


def _insert(effects: Effects, node: Any, known: Known) -> None:
    effects.does.append(f"adds rows to {known.shown}")
    if _has_no_source(effects, node):
        return
    known.filled = True
    columns = [each.name for each in items(node.cols)] or list(known.columns)
    check_parents(effects, known, columns)
    _fire(effects, known, "i")
    if node.HasField("on_conflict_clause") and node.on_conflict_clause.action == pb.ONCONFLICT_UPDATE:
        _overwrite(effects, node.on_conflict_clause, known, some=True)


def _has_no_source(effects: Effects, node: Any) -> bool:
    """``INSERT … SELECT`` from tables that are all empty inserts nothing."""
    select = inner(node.select_stmt)
    if select.DESCRIPTOR.name != "SelectStmt" or not len(select.from_clause):
        return False
    found = [effects.world.find(name_of(each)) for each in inside(select) if each.DESCRIPTOR.name == "RangeVar"]
    return bool(found) and all(each is not None and each.empty for each in found)


def _update(effects: Effects, node: Any, known: Known) -> None:
    some = chooses(node.where_clause, known, _names(node))
    effects.does.append(f"changes {'some' if some else 'all'} rows of {known.shown}")
    effects.touched[known.origin] = _SOME if some else 1.0
    if not some:
        effects.safer.append(
            f"fill {known.shown} in batches of some thousand rows, each in a transaction of its own, "
            "before or after this migration"
        )
    _overwrite(effects, node, known, some=some)


def _overwrite(effects: Effects, node: Any, known: Known, *, some: bool) -> None:
    """Values that were there before are lost unless they are kept, or the column is new."""
    columns = [column for column, _ in set_columns(node)]
    lost = [
        column for column, value in set_columns(node) if column not in known.new_columns and not keeps(value, column)
    ]
    if lost and not some:
        effects.destroy(f"the values of {', '.join(lost)} in all rows of {known.shown}", known)
    elif lost:
        effects.undoable_only_by(f"it overwrites {', '.join(lost)} in rows of {known.shown}", known)
    if known.empty:
        return
    check_parents(effects, known, columns)
    _check_children(effects, known, columns)
    _fire(effects, known, "u")


def _delete(effects: Effects, node: Any, known: Known) -> None:
    some = chooses(node.where_clause, known, _names(node))
    effects.does.append(f"deletes {'some' if some else 'all'} rows of {known.shown}")
    effects.touched[known.origin] = _SOME if some else 1.0
    effects.destroy(f"{'the matching' if some else 'all'} rows of {known.shown}", known)
    if some:
        effects.safer.append(f"copy those rows of {known.shown} into a table beforehand, and delete in batches")
    else:
        effects.safer.append(f"rename {known.shown} out of the way and drop it some days later")
    if not known.empty:
        _check_children(effects, known, None)
        _fire(effects, known, "d")


def _merge(effects: Effects, node: Any, known: Known) -> None:
    effects.does.append(f"merges rows into {known.shown}")
    effects.touched[known.origin] = _SOME
    for each in items(node.merge_when_clauses):
        if each.command_type == pb.CMD_DELETE:
            effects.destroy(f"the matching rows of {known.shown}", known)
            _check_children(effects, known, None)
            _fire(effects, known, "d")
        elif each.command_type == pb.CMD_UPDATE:
            _overwrite(effects, each, known, some=True)
        elif each.command_type == pb.CMD_INSERT:
            check_parents(effects, known, list(known.columns))
            _fire(effects, known, "i")


def check_parents(effects: Effects, known: Known, columns: list[str]) -> None:
    """A new reference is looked up: ``SELECT … FOR KEY SHARE`` on the parent."""
    for key in effects.world.keys_of(known):
        parent = effects.world.relations.get(key.references)
        if parent and set(key.columns) & set(columns or key.columns):
            effects.lock_all(effects.world.family(parent), Lock.ROW_SHARE)


def _check_children(effects: Effects, known: Known, columns: list[str] | None) -> None:
    """A key that goes or changes is looked for in its children, or carried into them (ON DELETE, ON UPDATE)."""
    for key in list(effects.world.keys_to(known)):
        child = effects.world.relations.get(key.table)
        if child is None or (columns is not None and not set(key.referenced) & set(columns)):
            continue
        action = key.on_delete if columns is None else key.on_update
        effects.lock_all(effects.world.family(child), Lock.ROW_SHARE if action in "ar" else Lock.ROW_EXCLUSIVE)
        if action not in "ar" and columns is None:
            _carry(effects, key, child, action)


def _carry(effects: Effects, key: Constraint, child: Known, action: str) -> None:
    cascades = action == "c"
    what = "rows" if cascades else "values"
    effects.destroy(f"{what} of {child.shown} that point at them (ON DELETE of {key.name})", child)
    if cascades and child.key not in effects.calling and child.key != key.references:
        effects.calling = (*effects.calling, child.key)
        _check_children(effects, child, None)


def remember_rule(effects: Effects, table: str, node: Any) -> None:
    """What a rule adds to a write is run with every write from then on."""
    letter = {pb.CMD_INSERT: "i", pb.CMD_UPDATE: "u", pb.CMD_DELETE: "d"}.get(node.event, "")
    effects.world.rules += [(table, letter, each) for each in node.actions]


def _fire(effects: Effects, known: Known, event: str) -> None:
    """Triggers run functions, which may do anything."""
    if (write := f"{event} {known.key}") not in effects.calling:  # a rule may write to its own table
        effects.calling = (*effects.calling, write)
        for table, letter, action in effects.world.rules:
            if table == known.key and letter == event:
                effects.judge(effects, action)
    for trigger in effects.world.triggers:
        if trigger.table == known.key and event in trigger.events:
            effects.calls(effects, trigger.function, f"the trigger {trigger.name}")


_WRITERS = {"InsertStmt": _insert, "UpdateStmt": _update, "DeleteStmt": _delete, "MergeStmt": _merge}
