"""ALTER TABLE: the lock of the whole statement, and what each of its commands does.

Lock levels: AlterTableGetLockLevel in tablecmds.c; https://www.postgresql.org/docs/current/sql-altertable.html.
"""

from collections.abc import Callable
from typing import Any

from integrations.postgres.risk import columns, constraints, partitions
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.model import UNKNOWN, Lock
from integrations.postgres.risk.tree import inner, items, name_of, pb
from integrations.postgres.risk.world import Known

Judge = Callable[[Effects, Known, Any], None]
_WEAK = frozenset({
    pb.AT_SetStatistics, pb.AT_ClusterOn, pb.AT_DropCluster, pb.AT_SetOptions, pb.AT_ResetOptions,
    pb.AT_ValidateConstraint, pb.AT_AttachPartition, pb.AT_DetachPartitionFinalize,
})  # fmt: skip
_TRIGGERS = frozenset({
    pb.AT_EnableTrig, pb.AT_EnableAlwaysTrig, pb.AT_EnableReplicaTrig, pb.AT_DisableTrig, pb.AT_EnableTrigAll,
    pb.AT_DisableTrigAll, pb.AT_EnableTrigUser, pb.AT_DisableTrigUser,
})  # fmt: skip
#: Storage parameters that may be set beside readers and writers (lockmode in reloptions.c).
_STRONG_OPTIONS = frozenset({"user_catalog_table", "security_barrier", "security_invoker", "check_option"})
#: Commands that go on to partitions and heirs unless ONLY stands there.
_RECURSES = frozenset({
    pb.AT_AddColumn, pb.AT_ColumnDefault, pb.AT_DropNotNull, pb.AT_SetNotNull, pb.AT_SetStatistics, pb.AT_SetStorage,
    pb.AT_DropColumn, pb.AT_AddConstraint, pb.AT_DropConstraint, pb.AT_AlterColumnType, pb.AT_ValidateConstraint,
    pb.AT_SetExpression, pb.AT_DropExpression, pb.AT_AlterConstraint, pb.AT_AddIdentity, pb.AT_SetIdentity,
    pb.AT_DropIdentity,
}) | _TRIGGERS  # fmt: skip
_WORDS = {
    pb.AT_ColumnDefault: "changes a default value", pb.AT_SetStatistics: "sets a statistics target",
    pb.AT_SetOptions: "sets options of a column", pb.AT_ResetOptions: "resets options of a column",
    pb.AT_SetStorage: "changes how a column is stored from now on",
    pb.AT_SetCompression: "changes how a column is compressed from now on", pb.AT_ChangeOwner: "changes its owner",
    pb.AT_ClusterOn: "marks an index for CLUSTER", pb.AT_DropCluster: "unmarks it for CLUSTER",
    pb.AT_SetRelOptions: "sets storage parameters", pb.AT_ResetRelOptions: "resets storage parameters",
    pb.AT_ReplicaIdentity: "changes its replica identity", pb.AT_EnableRowSecurity: "turns row security on",
    pb.AT_DisableRowSecurity: "turns row security off", pb.AT_ForceRowSecurity: "forces row security",
    pb.AT_NoForceRowSecurity: "no longer forces row security", pb.AT_DropNotNull: "allows NULL in a column",
    pb.AT_AddIdentity: "makes a column an identity column", pb.AT_SetIdentity: "changes an identity column",
    pb.AT_DropOf: "unties it from its type",
    pb.AT_AddOf: "ties it to a type", pb.AT_DropExpression: "makes a generated column a plain one",
    pb.AT_AlterConstraint: "changes when a constraint is checked", pb.AT_DropInherit: "unties it from its parent",
}  # fmt: skip


def alter_table(effects: Effects, node: Any) -> None:
    """Tables, views, indexes, sequences: they share the statement."""
    if node.objtype in (pb.OBJECT_INDEX, pb.OBJECT_SEQUENCE, pb.OBJECT_TYPE):
        effects.does.append(f"alters {name_of(node.relation)}")
        _alter_index(effects, node)
        return
    known = effects.relation(node.relation, missing_ok=node.missing_ok)
    if known is None:
        effects.does.append(f"alters {name_of(node.relation)} if it is there (it is not)")
        return
    commands = items(node.cmds)
    mode = max((lock_level(each) for each in commands), default=Lock.ACCESS_EXCLUSIVE)
    effects.lock(known, mode)
    effects.does.append(f"alters {known.shown}:")
    recursing = [each for each in commands if each.subtype in _RECURSES and not _alone(each)]
    if recursing and node.relation.inh:
        effects.lock_all(effects.world.family(known), _below(recursing, mode))
    for each in _passes(commands):
        JUDGES.get(each.subtype, _plain)(effects, known, each)


def _passes(commands: list[Any]) -> list[Any]:
    """PostgreSQL drops first, then changes types, then adds (AT_PASS_DROP, …): the order decides what is there."""
    order = {
        pb.AT_DropColumn: 0,
        pb.AT_DropConstraint: 0,
        pb.AT_DropNotNull: 0,
        pb.AT_AlterColumnType: 1,
        pb.AT_AddColumn: 2,
    }
    return sorted(commands, key=lambda each: order.get(each.subtype, 3))


def _alone(command: Any) -> bool:
    """A foreign key or an index of the parent deals with the partitions itself."""
    if command.subtype != pb.AT_AddConstraint:
        return False
    constraint = inner(getattr(command, "def"))
    return constraint.contype in (pb.CONSTR_FOREIGN, pb.CONSTR_UNIQUE, pb.CONSTR_EXCLUSION)


def _below(commands: list[Any], mode: Lock) -> Lock:
    return mode if commands else Lock.ACCESS_SHARE


def lock_level(command: Any) -> Lock:
    """Of one command."""
    kind, definition = command.subtype, inner(getattr(command, "def"))
    if kind in _WEAK:
        return Lock.SHARE_UPDATE_EXCLUSIVE
    if kind in _TRIGGERS:
        return Lock.SHARE_ROW_EXCLUSIVE
    if kind in (pb.AT_SetRelOptions, pb.AT_ResetRelOptions):
        names = {each.defname for each in items([getattr(command, "def")])}
        return Lock.ACCESS_EXCLUSIVE if names & _STRONG_OPTIONS else Lock.SHARE_UPDATE_EXCLUSIVE
    if kind == pb.AT_DetachPartition and definition.concurrent:
        return Lock.SHARE_UPDATE_EXCLUSIVE
    if kind == pb.AT_AddConstraint and definition.contype == pb.CONSTR_FOREIGN:
        return Lock.SHARE_ROW_EXCLUSIVE
    return Lock.ACCESS_EXCLUSIVE


def _alter_index(effects: Effects, node: Any) -> None:
    for each in items(node.cmds):
        if each.subtype == pb.AT_SetTableSpace:
            effects.notes.append("the index is copied while nobody can use it")
        if each.subtype == pb.AT_AddColumn:
            _attribute(effects, node, each)
        if each.subtype == pb.AT_DropColumn and node.objtype == pb.OBJECT_TYPE:
            effects.destroy(f"the attribute {each.name} of {name_of(node.relation)} in every value")
    index = effects.world.index(name_of(node.relation))
    attach = any(each.subtype == pb.AT_AttachPartition for each in items(node.cmds))
    if index and attach and index.table in effects.world.relations:
        effects.lock(effects.world.relations[index.table], Lock.ACCESS_SHARE)
        for each in items(node.cmds):
            child = effects.world.index(name_of(inner(getattr(each, "def")).name))
            if child and child.table in effects.world.relations:
                effects.lock(effects.world.relations[child.table], Lock.ACCESS_SHARE)


def _attribute(effects: Effects, node: Any, command: Any) -> None:
    effects.notes.append(f"tables of the type {name_of(node.relation)} are locked with it")


def _plain(effects: Effects, known: Known, command: Any) -> None:
    """Commands that change the catalog only."""
    words = _WORDS.get(command.subtype) or (
        "switches triggers" if command.subtype in _TRIGGERS else "changes a property"
    )
    effects.does.append(words + (f" ({command.name})" if command.name else ""))
    if command.subtype in (pb.AT_DisableTrigAll, pb.AT_DisableTrig, pb.AT_DisableTrigUser):
        effects.notes.append(f"while its triggers are off, nothing checks or follows writes to {known.shown}")


def _tablespace(effects: Effects, known: Known, command: Any) -> None:
    effects.does.append(f"moves it to the tablespace {command.name}")
    effects.rewrite(known, "it is copied into another tablespace")


def _logged(effects: Effects, known: Known, command: Any) -> None:
    wanted = "p" if command.subtype == pb.AT_SetLogged else "u"
    effects.does.append("makes it logged" if wanted == "p" else "makes it unlogged")
    if wanted == "u":
        effects.notes.append(f"after a crash {known.shown} is empty, and standbys do not have it")
    if known.was is None or known.was.persistence != wanted:
        effects.rewrite(known, "SET LOGGED and SET UNLOGGED copy the table")


def _access_method(effects: Effects, known: Known, command: Any) -> None:
    effects.does.append(f"changes its storage to {command.name}")
    if command.name not in ("heap", ""):
        effects.rewrite(known, "another access method stores rows another way")


def _identity_gone(effects: Effects, known: Known, command: Any) -> None:
    effects.does.append(f"makes the identity column {command.name} a plain one")
    if command.name not in known.new_columns:
        effects.destroy(f"the sequence behind {known.shown}.{command.name} with its position", known)


def _inherit(effects: Effects, known: Known, command: Any) -> None:
    parent = effects.relation(inner(getattr(command, "def")))
    effects.does.append("ties it to a parent" if command.subtype == pb.AT_AddInherit else "unties it from its parent")
    if parent:
        adds = command.subtype == pb.AT_AddInherit
        effects.lock(parent, Lock.SHARE_UPDATE_EXCLUSIVE if adds else Lock.ACCESS_SHARE)
        known.parents = (*known.parents, parent.key) if adds else tuple(k for k in known.parents if k != parent.key)


def unknown_tables(effects: Effects, node: Any) -> None:
    """ALTER TABLE ALL IN TABLESPACE."""
    effects.does.append("moves everything of a tablespace")
    effects.locks[UNKNOWN] = Lock.ACCESS_EXCLUSIVE
    effects.rewrites[UNKNOWN] = "each is copied into another tablespace"


JUDGES: dict[int, Judge] = {
    pb.AT_AddColumn: columns.add,
    pb.AT_DropColumn: columns.drop,
    pb.AT_AlterColumnType: columns.change_type,
    pb.AT_SetNotNull: columns.set_not_null,
    pb.AT_SetExpression: columns.set_expression,
    pb.AT_DropNotNull: columns.drop_not_null,
    pb.AT_AddConstraint: constraints.add,
    pb.AT_DropConstraint: constraints.drop,
    pb.AT_ValidateConstraint: constraints.validate,
    pb.AT_AttachPartition: partitions.attach,
    pb.AT_DetachPartition: partitions.detach,
    pb.AT_DetachPartitionFinalize: partitions.detach,
    pb.AT_SetTableSpace: _tablespace,
    pb.AT_SetLogged: _logged,
    pb.AT_SetUnLogged: _logged,
    pb.AT_SetAccessMethod: _access_method,
    pb.AT_AddInherit: _inherit,
    pb.AT_DropInherit: _inherit,
    pb.AT_DropIdentity: _identity_gone,
}
