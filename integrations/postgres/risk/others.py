"""Everything else: names, rights, comments, types, publications, settings."""

from typing import Any

from integrations.postgres.risk import rows
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.model import UNKNOWN, Lock
from integrations.postgres.risk.tree import inner, items, name_of, pb, strings
from integrations.postgres.risk.world import Known

_COMMENTED = (pb.OBJECT_TABLE, pb.OBJECT_VIEW, pb.OBJECT_MATVIEW, pb.OBJECT_FOREIGN_TABLE, pb.OBJECT_SEQUENCE)
_PARTS = (pb.OBJECT_TABCONSTRAINT, pb.OBJECT_TRIGGER, pb.OBJECT_RULE, pb.OBJECT_POLICY)
_RENAMED = (*_COMMENTED, pb.OBJECT_COLUMN, pb.OBJECT_TABCONSTRAINT, pb.OBJECT_TRIGGER, pb.OBJECT_RULE, pb.OBJECT_POLICY)


def comment(effects: Effects, node: Any) -> None:
    """COMMENT and SECURITY LABEL."""
    effects.does.append("sets a comment" if node.DESCRIPTOR.name == "CommentStmt" else "sets a security label")
    path = strings(node.object.list.items)
    if node.objtype in (pb.OBJECT_COLUMN, *_PARTS):
        _weakly(
            effects,
            ".".join(path[:-1]),
            Lock.SHARE_UPDATE_EXCLUSIVE if node.objtype == pb.OBJECT_COLUMN else Lock.ACCESS_SHARE,
        )
    elif node.objtype in _COMMENTED:
        _weakly(effects, ".".join(path), Lock.SHARE_UPDATE_EXCLUSIVE)


def _weakly(effects: Effects, name: str, mode: Lock) -> None:
    if known := effects.find(name):
        effects.lock(known, mode)


def rename(effects: Effects, node: Any) -> None:
    """RENAME: quick, but those who use the old name fail at once."""
    effects.does.append(f"renames {node.subname or _target(node)} to {node.newname}")
    if node.rename_type in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
        effects.world.rename_type(".".join(strings(node.object.list.items)), node.newname)
        return
    if node.rename_type == pb.OBJECT_INDEX or not node.HasField("relation"):
        _rename_index(effects, node)
        return
    known = effects.relation(node.relation, missing_ok=node.missing_ok)
    if known is None or node.rename_type not in _RENAMED:
        return
    effects.lock(known, Lock.ACCESS_EXCLUSIVE)
    if node.rename_type == pb.OBJECT_COLUMN:
        _rename_column(effects, known, node)
    elif node.rename_type in _COMMENTED:
        effects.world.rename(known, f"{known.key.rpartition('.')[0]}.{node.newname}")
        _breaks(effects, known, "expand and contract: leave a view under the old name until no service uses it")


def _target(node: Any) -> str:
    return name_of(node.relation) if node.HasField("relation") else "an object"


def _breaks(effects: Effects, known: Known, safer: str) -> None:
    if not known.fresh:
        effects.breaks.append(f"services that use the old name of {known.shown} fail from then on")
        effects.safer.append(safer)


def _rename_index(effects: Effects, node: Any) -> None:
    index = effects.world.index(name_of(node.relation)) if node.HasField("relation") else None
    if index is None:
        return
    effects.world.indexes.pop(index.key)
    key = f"{index.key.rpartition('.')[0]}.{node.newname}"
    effects.world.indexes[key] = index.__class__(**{**index.__dict__, "key": key})


def _rename_column(effects: Effects, known: Known, node: Any) -> None:
    for each in effects.world.family(known):
        effects.lock(each, Lock.ACCESS_EXCLUSIVE)
        if column := each.columns.pop(node.subname, None):
            each.columns[node.newname] = column
        if node.subname in each.new_columns:
            each.new_columns.add(node.newname)
    _breaks(
        effects,
        known,
        "expand and contract: add a column, keep both equal by a trigger, move the services, drop the old one",
    )


def move(effects: Effects, node: Any) -> None:
    """SET SCHEMA and OWNER TO."""
    schema = node.DESCRIPTOR.name == "AlterObjectSchemaStmt"
    effects.does.append("moves an object to another schema" if schema else "changes an owner")
    if not node.HasField("relation"):
        return
    known = effects.relation(node.relation, missing_ok=schema and node.missing_ok)
    if known is None:
        return
    effects.lock(known, Lock.ACCESS_EXCLUSIVE)
    if schema:
        effects.world.rename(known, f"{node.newschema}.{known.key.rpartition('.')[2]}")
        _breaks(effects, known, "leave a view under the old name until no service uses it")


def policy(effects: Effects, node: Any) -> None:
    """CREATE and ALTER POLICY; its conditions name other tables."""
    known = effects.relation(node.table)
    effects.does.append(f"sets the policy {node.policy_name} on {known.shown if known else ''}")
    if known:
        effects.lock(known, Lock.ACCESS_EXCLUSIVE)
    for part in (node.qual, node.with_check):
        rows.read(effects, part, runs=False)


def rule(effects: Effects, node: Any) -> None:
    effects.does.append(f"makes the rule {node.rulename}")
    if known := effects.relation(node.relation):
        effects.lock(known, Lock.ACCESS_EXCLUSIVE)
        rows.remember_rule(effects, known.key, node)
    for each in node.actions:
        rows.read(effects, each, runs=False)


def statistics(effects: Effects, node: Any) -> None:
    effects.does.append("makes extended statistics")
    for each in items(node.relations):
        if each.DESCRIPTOR.name == "RangeVar" and (known := effects.relation(each)):
            effects.lock(known, Lock.SHARE_UPDATE_EXCLUSIVE)


def publication(effects: Effects, node: Any) -> None:
    """Tables of a publication are held against other changes."""
    effects.does.append(f"sets the publication {node.pubname}")
    for each in items(node.pubobjects):
        if each.pubobjtype == pb.PUBLICATIONOBJ_TABLE and (known := effects.relation(each.pubtable.relation)):
            effects.lock_all(effects.world.family(known), Lock.SHARE_UPDATE_EXCLUSIVE)


def enum(effects: Effects, node: Any) -> None:
    """ALTER TYPE … ADD VALUE: no lock on tables, and no way back but a new type."""
    name = ".".join(strings(node.type_name))
    if node.old_val:
        effects.does.append(f"renames {node.old_val} of {name} to {node.new_val}")
        effects.breaks.append(f"services that know the old value of {name} fail from then on")
        return
    effects.does.append(f"adds the value {node.new_val} to {name}")
    effects.undoable_only_by(f"a value cannot be taken out of {name} again")


def domain(effects: Effects, node: Any) -> None:
    """ALTER DOMAIN tests every column of the domain (get_rels_with_domain in typecmds.c)."""
    name = ".".join(strings(node.type_name))
    effects.does.append(f"alters the domain {name}")
    tests = node.subtype in ("O", "V") or (node.subtype == "C" and not inner(getattr(node, "def")).skip_validation)
    if not tests:
        return
    mode = Lock.SHARE_UPDATE_EXCLUSIVE if node.subtype == "V" and effects.world.facts.major >= 18 else Lock.SHARE
    found = effects.world.type(name)
    for known in effects.world.relations.values():
        if any(found and effects.world.type(each.type) is found for each in known.columns.values()):
            effects.lock(known, mode)
            effects.scan(known, f"every value of the domain {name} is tested")


def copy(effects: Effects, node: Any) -> None:
    """COPY into a table, or out of it."""
    if node.is_program:
        effects.unjudged.append("COPY … PROGRAM runs a program on the server")
    if node.HasField("query"):
        effects.does.append("copies the rows of a query out")
        rows.read(effects, node.query)
    elif node.HasField("relation") and (known := effects.relation(node.relation)):
        effects.does.append(f"copies rows {'into' if node.is_from else 'out of'} {known.shown}")
        effects.lock(known, Lock.ROW_EXCLUSIVE if node.is_from else Lock.ACCESS_SHARE)
        if node.is_from:
            known.filled = True
            rows.check_parents(effects, known, list(known.columns))


def grant(effects: Effects, node: Any) -> None:
    """GRANT and REVOKE look at the tables they name (objectNamesToOids in aclchk.c)."""
    effects.does.append("grants rights" if node.is_grant else "revokes rights")
    for each in items(node.objects):
        if each.DESCRIPTOR.name == "RangeVar" and (known := effects.relation(each)):
            effects.lock(known, Lock.ACCESS_SHARE)


def setting(effects: Effects, node: Any) -> None:
    """SET; the search path decides what later names mean."""
    effects.does.append(f"sets {node.name}")
    if node.name == "search_path":
        effects.world.path = [each.sval.sval for each in items(node.args) if each.HasField("sval")]
    if node.name == "session_replication_role":
        effects.notes.append("triggers and foreign keys no longer watch what this session writes")


def alter_extension(effects: Effects, node: Any) -> None:
    effects.does.append(f"updates the extension {node.extname}")
    effects.notes.append("it runs the extension's own script, which is not part of this migration")


def import_schema(effects: Effects, node: Any) -> None:
    effects.does.append(f"makes foreign tables of {node.remote_schema}")


def reassign(effects: Effects, node: Any) -> None:
    effects.does.append("gives everything of a role to another")
    effects.locks[UNKNOWN] = Lock.ACCESS_EXCLUSIVE
