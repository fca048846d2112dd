"""DROP of every kind, TRUNCATE, and what takes everything of somebody."""

from typing import Any

from integrations.postgres.risk import cascade as goes
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.model import UNKNOWN, Lock
from integrations.postgres.risk.tree import inner, items, pb, strings
from integrations.postgres.risk.world import Known

_RELATIONS = (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE, pb.OBJECT_MATVIEW, pb.OBJECT_VIEW, pb.OBJECT_SEQUENCE)
_ON_TABLE = (pb.OBJECT_TRIGGER, pb.OBJECT_RULE, pb.OBJECT_POLICY)
_KIND = {
    pb.OBJECT_TYPE: "type", pb.OBJECT_DOMAIN: "type", pb.OBJECT_FUNCTION: "function", pb.OBJECT_ROUTINE: "function",
    pb.OBJECT_PROCEDURE: "function", pb.OBJECT_AGGREGATE: "function", pb.OBJECT_EXTENSION: "extension",
}  # fmt: skip
#: What only others look after: with it goes more than this database knows.
_BEYOND = (pb.OBJECT_FOREIGN_SERVER, pb.OBJECT_FDW, pb.OBJECT_LANGUAGE, pb.OBJECT_ACCESS_METHOD)


def drop(effects: Effects, node: Any) -> None:
    """One DROP may name several."""
    for each in node.objects:
        _drop_one(effects, node, _path(each))


def _path(node: Any) -> list[str]:
    one = inner(node)
    kind = one.DESCRIPTOR.name
    if kind == "List":
        return strings(one.items)
    if kind == "TypeName":
        return [each for each in strings(one.names) if each != "pg_catalog"]
    if kind == "ObjectWithArgs":
        return strings(one.objname)
    return [one.sval] if kind == "String" else []


def _drop_one(effects: Effects, node: Any, path: list[str]) -> None:
    name, cascade = ".".join(path[-2:]), node.behavior == pb.DROP_CASCADE
    word = pb.ObjectType.Name(node.remove_type).removeprefix("OBJECT_").replace("_", " ").lower()
    effects.does.append(f"drops the {word} {name}" + (" and all that depends on it" if cascade else ""))
    if node.remove_type in _RELATIONS:
        _relation(effects, node, name, cascade=cascade)
    elif node.remove_type == pb.OBJECT_INDEX:
        _index(effects, node, name)
    elif node.remove_type in _ON_TABLE:
        _on_table(effects, node, ".".join(path[:-1]), path[-1])
    elif node.remove_type == pb.OBJECT_SCHEMA:
        _schema(effects, node, name, cascade=cascade)
    else:
        _other(effects, node, name, cascade=cascade)


def _relation(effects: Effects, node: Any, name: str, *, cascade: bool) -> None:
    known = effects.find(name, missing_ok=node.missing_ok)
    if known is None:
        effects.notes.append(f"{name} is not there now, so nothing is dropped")
    elif known.kind == "v" or node.remove_type == pb.OBJECT_VIEW:
        goes.drop_view(effects, known, cascade=cascade)
    else:
        _stored(effects, known, cascade=cascade)


def _stored(effects: Effects, known: Known, *, cascade: bool) -> None:
    if not known.fresh and known.kind in "rp":
        effects.safer.append(
            f"rename {known.shown} out of the way first, and drop it some days later when nobody has missed it"
        )
    if effects.world.relations.get(known.key) is not known:  # nobody has heard of it: believe the statement
        effects.lock(known, Lock.ACCESS_EXCLUSIVE)
        effects.destroy(f"the relation {known.shown}", known)
    elif known.kind == "S":
        effects.lock(known, Lock.ACCESS_EXCLUSIVE)
        effects.destroy(f"the sequence {known.shown} with its position", known)
        if cascade:
            goes.drop_users(effects, f"relation {known.origin}")
        effects.world.forget(known)
    else:
        goes.drop_table(effects, known, cascade=cascade)


def _index(effects: Effects, node: Any, name: str) -> None:
    index = effects.world.index(name)
    if index is None:
        effects.notes.append(f"the index {name} is not there now")
        return
    table = effects.world.relations.get(index.table)
    if table:
        mode = Lock.SHARE_UPDATE_EXCLUSIVE if node.concurrent else Lock.ACCESS_EXCLUSIVE
        effects.lock_all(effects.world.family(table) if table.partitioned else [table], mode)
        if not node.concurrent and not table.fresh:
            effects.safer.append("DROP INDEX CONCURRENTLY, in a file of its own")
    effects.world.indexes.pop(index.key, None)


def _on_table(effects: Effects, node: Any, table: str, name: str) -> None:
    known = effects.find(table, missing_ok=node.missing_ok)
    if known is None:
        return
    if node.remove_type == pb.OBJECT_TRIGGER:
        there = [each for each in effects.world.triggers if each.table == known.key and each.name == name]
        if not there and node.missing_ok:
            return
        effects.world.triggers = [each for each in effects.world.triggers if each not in there]
        for each in effects.world.family(known) if known.partitioned else [known]:
            effects.lock(each, Lock.ACCESS_EXCLUSIVE)
    effects.lock(known, Lock.ACCESS_EXCLUSIVE)
    if node.remove_type == pb.OBJECT_POLICY:
        effects.notes.append(f"who may see which rows of {known.shown} changes")


def _schema(effects: Effects, node: Any, name: str, *, cascade: bool) -> None:
    members = goes.schema_members(effects, name)
    old = [each for each in members if not each.fresh]
    if not cascade:
        if old:
            effects.destroy(f"the schema {name}")
            effects.fails.append(f"{name} still holds {len(old)} relations, and CASCADE is missing")
        return
    for each in members:
        if each.kind == "v":
            goes.drop_view(effects, each, cascade=True)
        else:
            goes.drop_table(effects, each, cascade=True)
    known = {key.partition(".")[0] for key in effects.world.facts.relations}
    absent = node.missing_ok and effects.world.facts.read
    if old or (not absent and name not in known and name not in effects.world.fresh_schemas):
        effects.destroy(f"the schema {name} with {len(old)} relations")


def _other(effects: Effects, node: Any, name: str, *, cascade: bool) -> None:
    """Types, functions, extensions and the rest: without CASCADE PostgreSQL refuses while data needs them."""
    kind = _KIND.get(node.remove_type)
    if kind == "function":
        for key in effects.world.candidates(name):
            effects.world.functions.pop(key, None)
    if kind == "extension":
        _extension(effects, name)
    if cascade and not effects.world.facts.read:
        effects.unjudged.append(f"what depends on {name} is dropped with it, and the database could not be read")
    if cascade and kind == "type":
        _columns_of_type(effects, name)
    if cascade and kind == "extension" and name in effects.world.fresh_extensions:
        effects.unjudged.append(f"what uses the extension {name} is dropped with it")
    if cascade and kind:
        keys = [name] if kind == "extension" else effects.world.candidates(name)
        for key in keys:
            goes.drop_users(effects, f"{kind} {key}")
    elif cascade and node.remove_type in _BEYOND:
        effects.unjudged.append(f"what depends on {name} is dropped with it")
    for key in effects.world.candidates(name):
        effects.world.types.pop(key, None)


def _columns_of_type(effects: Effects, name: str) -> None:
    """Columns that got the type within this migration are not in pg_depend yet."""
    found = effects.world.type(name)
    for known in list(effects.world.relations.values()):
        for column in list(known.columns.values()):
            if found and effects.world.type(column.type.removesuffix("[]")) is found:
                effects.lock(known, Lock.ACCESS_EXCLUSIVE)
                goes.drop_column(effects, known, column.name, cascade=True)


def _extension(effects: Effects, name: str) -> None:
    """Tables an extension made go with it, even without CASCADE."""
    owned = [each for each in effects.world.relations.values() if each.was and each.was.extension == name]
    for each in owned:
        if each.kind == "v":
            goes.drop_view(effects, each, cascade=False)
        else:
            goes.drop_table(effects, each, cascade=False)


def truncate(effects: Effects, node: Any) -> None:
    """TRUNCATE, with CASCADE also of every table that points at one."""
    waiting = [known for each in items(node.relations) if (known := effects.relation(each))]
    names = ", ".join(each.shown for each in waiting)
    effects.does.append(
        f"empties {names}" + (" and every table that points at them" if node.behavior == pb.DROP_CASCADE else "")
    )
    done: list[Known] = []
    while waiting:
        known = waiting.pop(0)
        if known in done:
            continue
        done.append(known)
        waiting += effects.world.children(known)
        if node.behavior == pb.DROP_CASCADE:
            waiting += [
                effects.world.relations[key.table]
                for key in effects.world.keys_to(known)
                if key.table in effects.world.relations
            ]
        effects.lock(known, Lock.ACCESS_EXCLUSIVE)
        effects.destroy(f"all rows of {known.shown}", known)
        effects.emptied.add(known.origin)
        effects.rewrite(known, "TRUNCATE gives it a new, empty file")
    if any(not each.fresh for each in done):
        effects.safer.append("rename the table, make an empty one of its name, and drop the old one some days later")


def everything_of(effects: Effects, node: Any) -> None:
    """DROP OWNED: all that a role owns here."""
    names = ", ".join(each.rolename or "the current role" for each in items(node.roles))
    effects.does.append(f"drops everything owned by {names}")
    effects.destroy(f"everything owned by {names}")
    effects.locks[UNKNOWN] = Lock.ACCESS_EXCLUSIVE


def database(effects: Effects, node: Any) -> None:
    effects.does.append(f"drops the database {node.dbname}")
    effects.destroy(f"the database {node.dbname}")


def tablespace(effects: Effects, node: Any) -> None:
    """PostgreSQL refuses while anything lies in it."""
    effects.does.append(f"drops the tablespace {node.tablespacename}")


def subscription(effects: Effects, node: Any) -> None:
    effects.does.append(f"drops the subscription {node.subname}")
    effects.undoable_only_by("the copied position of the subscription is lost")
