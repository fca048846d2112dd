"""Which rights a migration takes, read from its parse tree: what it must own, write to, and make.

What is hidden in a DO block or a function is not seen here; the risk check names it and the rehearsal meets it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from integrations.postgres.parser import postgast
from integrations.postgres.risk.tree import inner, inside, items, kind_of, pb, strings

#: Only the owner of a table may do these to it (PostgreSQL documentation, "Privileges").
_OWNERS = ("alter_table_stmt", "index_stmt", "rename_stmt", "refresh_mat_view_stmt", "rule_stmt", "cluster_stmt")
_WRITES = {"InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE"}
_MAKES = ("create_stmt", "create_table_as_stmt", "create_seq_stmt", "view_stmt", "create_foreign_table_stmt")
_TARGETS = {"view_stmt": "view", "create_seq_stmt": "sequence"}
_ON_TABLE = ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE")
_RELATIONS = ("OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE")


@dataclass(kw_only=True)
class Needs:
    """Names are quoted as SQL has them.  ``schemas`` holds "" for the one that the role makes things in by default;
    ``beside`` are relations in whose schema something is made (an index) or renamed."""

    owns: set[str] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)
    privileges: set[tuple[str, str]] = field(default_factory=set)
    schemas: set[str] = field(default_factory=set)
    extensions: set[str] = field(default_factory=set)
    makes_schema: bool = False
    made: set[str] = field(default_factory=set)  # by the migration itself: nobody's rights are needed for these


def needs_of(texts: Iterable[str]) -> Needs:
    """The rights that these files take, in their order; a file that does not parse needs nothing that is known."""
    needs = Needs()
    for text in texts:
        try:
            found = postgast.parse(text).stmts
        except postgast.PgQueryError:
            continue
        for raw in found:
            _one(needs, raw.stmt)
    return needs


def _one(needs: Needs, node: Any) -> None:
    kind, statement = kind_of(node), inner(node)
    if kind in _OWNERS and statement.HasField("relation"):
        _own(needs, _named(statement.relation))
        if _makes_beside(kind, statement) and _named(statement.relation) not in needs.made:
            needs.beside.add(_named(statement.relation))
    elif kind == "truncate_stmt":
        for each in items(statement.relations):
            _privilege(needs, _named(each), "TRUNCATE")
    elif kind == "create_trig_stmt":
        _privilege(needs, _named(statement.relation), "TRIGGER")
    elif kind == "drop_stmt":
        for name in _dropped(statement):
            _own(needs, name)
    _makes(needs, kind, statement)
    _within(needs, statement)


def _makes_beside(kind: str, statement: Any) -> bool:
    """An index, also that of a constraint, and a new name take CREATE on the schema; other changes do not."""
    if kind == "rename_stmt":
        return pb.ObjectType.Name(statement.rename_type) in _RELATIONS
    indexed = (pb.CONSTR_UNIQUE, pb.CONSTR_PRIMARY, pb.CONSTR_EXCLUSION)
    return kind == "index_stmt" or any(
        each.DESCRIPTOR.name == "Constraint" and each.contype in indexed for each in inside(statement)
    )


def _makes(needs: Needs, kind: str, statement: Any) -> None:
    if kind == "create_schema_stmt":
        needs.makes_schema = True
        needs.made.add(_quoted(statement.schemaname) + ".")
    elif kind == "create_extension_stmt":
        needs.extensions.add(statement.extname)
    elif kind == "index_stmt":
        needs.made.add(_quoted(statement.idxname))
    elif kind == "rename_stmt":
        needs.made.add(_quoted(statement.newname))
    elif kind in _MAKES:
        into = statement.into.rel if kind == "create_table_as_stmt" else _target(statement, kind)
        if into.relpersistence != "t":
            _into(needs, into)


def _target(statement: Any, kind: str) -> Any:
    holder = statement.base_stmt if kind == "create_foreign_table_stmt" else statement
    return getattr(holder, _TARGETS.get(kind, "relation"))


def _into(needs: Needs, relation: Any) -> None:
    schema = relation.schemaname
    needs.made.add(_named(relation))
    if f"{_quoted(schema)}." not in needs.made:
        needs.schemas.add(schema)


def _within(needs: Needs, statement: Any) -> None:
    """Writes anywhere in the statement, tables that foreign keys point at, partitions that are attached."""
    for each in inside(statement):
        name = each.DESCRIPTOR.name
        if name in _WRITES and each.HasField("relation"):
            _privilege(needs, _named(each.relation), _WRITES[name])
        elif name == "Constraint" and each.contype == pb.CONSTR_FOREIGN:
            _privilege(needs, _named(each.pktable), "REFERENCES")
        elif name == "PartitionCmd":
            _own(needs, _named(each.name))


def _dropped(statement: Any) -> Iterator[str]:
    kind = pb.ObjectType.Name(statement.remove_type)
    if kind not in (*_RELATIONS, *_ON_TABLE):
        return
    for each in statement.objects:
        parts = strings([each]) or strings(inner(each).items)
        yield ".".join(map(_quoted, parts[:-1] if kind in _ON_TABLE else parts))


def _own(needs: Needs, name: str) -> None:
    if name not in needs.made:
        needs.owns.add(name)


def _privilege(needs: Needs, name: str, privilege: str) -> None:
    if name not in needs.made:
        needs.privileges.add((name, privilege))


def _named(relation: Any) -> str:
    return ".".join(_quoted(each) for each in (relation.schemaname, relation.relname) if each)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
