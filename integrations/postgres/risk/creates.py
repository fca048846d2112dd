"""CREATE of relations: what is new harms nobody, but it may lock what it points at or reads.

Locks: DefineRelation, DefineIndex and CreateTrigger in PostgreSQL's source.
"""

from typing import Any

from integrations.postgres.risk import columns, constraints, rows
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.facts import Column, Index, Trigger, Type
from integrations.postgres.risk.model import Lock
from integrations.postgres.risk.partitions import default_of
from integrations.postgres.risk.tree import inside, items, name_of, pb, strings, type_name
from integrations.postgres.risk.world import Known

_IN_DOMAIN = (pb.CONSTR_CHECK, pb.CONSTR_NOTNULL)
_IN_COLUMN = (pb.CONSTR_CHECK, pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE, pb.CONSTR_FOREIGN)


def table(effects: Effects, node: Any) -> None:
    """CREATE TABLE, also as a partition, by LIKE or as an heir."""
    name = name_of(node.relation)
    temporary = node.relation.relpersistence == "t"
    if node.if_not_exists and not temporary and effects.world.where(name) in effects.world.relations:
        effects.does.append(f"makes the table {name} if it is not there (it is)")
        return
    effects.does.append(f"makes the table {name}")
    elements = items(node.table_elts)
    defined = {each.colname: columns.of(each) for each in elements if each.DESCRIPTOR.name == "ColumnDef"}
    inherited, parents = _parents(effects, node)
    kind = "p" if node.HasField("partspec") else "r"
    known = effects.world.add(name, kind, temporary=temporary, columns={**inherited, **defined})
    known.parents = tuple(each.key for each in parents)
    for each in elements:
        _element(effects, known, each)
    for each in items(node.constraints):
        constraints.of_new_table(effects, known, each, [])


def _element(effects: Effects, known: Known, element: Any) -> None:
    kind = element.DESCRIPTOR.name
    if kind == "ColumnDef":
        for part in items(element.constraints):
            if part.contype in _IN_COLUMN:
                constraints.of_new_table(effects, known, part, [element.colname])
    elif kind == "Constraint":
        constraints.of_new_table(effects, known, element, [])
    elif kind == "TableLikeClause":
        like = effects.relation(element.relation)
        if like:
            effects.lock(like, Lock.ACCESS_SHARE)
            known.columns.update(like.columns)


def _parents(effects: Effects, node: Any) -> tuple[dict[str, Column], list[Known]]:
    """A partition's parent is locked against everybody, an heir's only against other changes."""
    found: dict[str, Column] = {}
    parents = [known for each in items(node.inh_relations) if (known := effects.relation(each))]
    partition = node.HasField("partbound")
    for parent in parents:
        found.update(parent.columns)
        effects.lock(parent, Lock.ACCESS_EXCLUSIVE if partition else Lock.SHARE_UPDATE_EXCLUSIVE)
        if partition:
            _partition(effects, parent)
    return found, parents


def _partition(effects: Effects, parent: Known) -> None:
    rest = default_of(effects, parent)
    if rest:
        effects.lock(rest, Lock.ACCESS_EXCLUSIVE)
        effects.scan(rest, "no row of the default partition may belong to the new one")
    for key in list(effects.world.keys_of(parent)):
        if key.references in effects.world.relations:
            effects.lock(effects.world.relations[key.references], Lock.SHARE_ROW_EXCLUSIVE)
    if not parent.fresh:
        effects.safer.append(
            "make the table on its own, give it a CHECK of the bounds, then ATTACH PARTITION: readers go on"
        )


def table_as(effects: Effects, node: Any) -> None:
    """CREATE TABLE AS and CREATE MATERIALIZED VIEW run their query, unless WITH NO DATA."""
    name = name_of(node.into.rel)
    view = node.objtype == pb.OBJECT_MATVIEW
    there = effects.world.where(name) in effects.world.relations
    if node.if_not_exists and there:
        effects.does.append(f"makes {name} if it is not there (it is)")
        return
    effects.does.append(f"makes {'the materialized view' if view else 'the table'} {name} from a query")
    rows.read(effects, node.query, runs=not node.into.skip_data)
    known = effects.world.add(name, "m" if view else "r", temporary=node.into.rel.relpersistence == "t")
    known.filled, known.sources = True, tuple(each.key for each in _sources(effects, node.query)) if view else ()


def view(effects: Effects, node: Any) -> None:
    """CREATE VIEW; a view that is replaced is locked against everybody."""
    name = name_of(node.view)
    known = effects.world.find(name) if node.replace else None
    effects.does.append(f"{'replaces' if known else 'makes'} the view {name}")
    if known:
        effects.lock(known, Lock.ACCESS_EXCLUSIVE)
    rows.read(effects, node.query, runs=False)
    known = known or effects.world.add(name, "v", temporary=node.view.relpersistence == "t")
    known.sources = tuple({each.key for each in _sources(effects, node.query)})


def _sources(effects: Effects, query: Any) -> list[Known]:
    messages = list(inside(query))
    with_names = {each.ctename for each in messages if each.DESCRIPTOR.name == "CommonTableExpr"}
    names = {name_of(each) for each in messages if each.DESCRIPTOR.name == "RangeVar"} - with_names
    return [known for name in sorted(names) if (known := effects.world.find(name))]


def index(effects: Effects, node: Any) -> None:
    """CREATE INDEX keeps writers waiting while all rows are read; CONCURRENTLY does not."""
    known = effects.relation(node.relation)
    if known is None:
        return
    names = tuple(each.name for each in items(node.index_params) if each.name)
    table = known.key.rpartition(".")[2]
    name = node.idxname or "_".join([table, *(names or ("expr",)), "idx"])
    effects.does.append(f"builds the {'unique ' if node.unique else ''}index {name} on {known.shown}")
    mode = Lock.SHARE_UPDATE_EXCLUSIVE if node.concurrent else Lock.SHARE
    key = f"{known.key.rpartition('.')[0]}.{name}"
    effects.lock(known, mode)
    if node.if_not_exists and key in effects.world.indexes:
        effects.notes.append(f"{name} is there already")
        return
    for each in effects.world.family(known) if node.relation.inh and known.partitioned else [known]:
        effects.lock(each, mode)
        effects.build(each, f"the index {name} is built")
    if not node.concurrent and not known.fresh:
        effects.safer.append(_concurrently(known))
    effects.world.indexes[key] = Index(key=key, table=known.key, columns=names, unique=node.unique)


def _concurrently(known: Known) -> str:
    if known.partitioned:
        return "CREATE INDEX … ON ONLY the parent, CREATE INDEX CONCURRENTLY on each partition, then ATTACH PARTITION"
    return "CREATE INDEX CONCURRENTLY, in a file of its own"


def trigger(effects: Effects, node: Any) -> None:
    """CREATE TRIGGER keeps writers waiting until the transaction ends."""
    known = effects.relation(node.relation)
    if known is None:
        return
    effects.does.append(f"makes the trigger {node.trigname} on {known.shown}")
    effects.lock(known, Lock.SHARE_ROW_EXCLUSIVE)
    if node.row and known.partitioned:
        effects.lock_all(effects.world.family(known), Lock.SHARE_ROW_EXCLUSIVE)
    if node.HasField("constrrel") and (other := effects.relation(node.constrrel)):
        effects.lock(other, Lock.ACCESS_SHARE)
    events = "".join(letter for letter, bit in (("i", 4), ("d", 8), ("u", 16), ("t", 32)) if node.events & bit)
    function = ".".join(strings(node.funcname))
    effects.world.triggers.append(Trigger(name=node.trigname, table=known.key, function=function, events=events))


def schema(effects: Effects, node: Any) -> None:
    """CREATE SCHEMA, with what it is to hold."""
    name = node.schemaname or node.authrole.rolename
    effects.does.append(f"makes the schema {name}")
    effects.world.fresh_schemas.add(name)
    for each in node.schema_elts:
        effects.judge(effects, each)


def sequence(effects: Effects, node: Any) -> None:
    """CREATE and ALTER SEQUENCE; OWNED BY looks at its table."""
    name = name_of(node.sequence)
    made = node.DESCRIPTOR.name == "CreateSeqStmt"
    effects.does.append(f"{'makes' if made else 'alters'} the sequence {name}")
    for each in items(node.options):
        if each.defname == "owned_by":
            path = strings(each.arg.list.items)
            owner = effects.world.find(".".join(path[:-1])) if len(path) > 1 else None
            if owner:
                effects.lock(owner, Lock.ACCESS_SHARE)
        if each.defname == "restart" and not made:
            known = effects.world.find(name)
            effects.undoable_only_by(f"the position of {name} is set anew", *([known] if known else []))
    if made and not (node.if_not_exists and effects.world.find(name)):
        effects.world.add(name, "S", temporary=node.sequence.relpersistence == "t")


def kind(effects: Effects, node: Any) -> None:
    """CREATE TYPE and CREATE DOMAIN."""
    form = node.DESCRIPTOR.name
    if form == "CompositeTypeStmt":
        name, letter = name_of(node.typevar), "c"
    elif form == "CreateDomainStmt":
        name, letter = ".".join(strings(node.domainname)), "d"
    else:
        name, letter = ".".join(strings(node.type_name)), "e" if form == "CreateEnumStmt" else "r"
    key = effects.world.where(name)
    effects.does.append(f"makes the type {name}")
    constrained = letter == "d" and any(each.contype in _IN_DOMAIN for each in items(node.constraints))
    base = type_name(node.type_name) if letter == "d" else ""
    effects.world.types[key] = Type(key=key, kind=letter, base=base, constrained=constrained)


def extension(effects: Effects, node: Any) -> None:
    effects.does.append(f"makes the extension {node.extname}")
    effects.world.fresh_extensions.add(node.extname)


def foreign_table(effects: Effects, node: Any) -> None:
    name = name_of(node.base_stmt.relation)
    effects.does.append(f"makes the foreign table {name}")
    effects.world.add(name, "f")
