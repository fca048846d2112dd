"""Which judge reads which statement; what none of them knows is said to be unjudged."""

from collections.abc import Callable
from typing import Any

from integrations.postgres.risk import alter, code, creates, drops, others, rows, upkeep
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.tree import inner, kind_of
from integrations.postgres.risk.world import World

Judge = Callable[[Effects, Any], None]


def effects_of(world: World, node: Any, text: str) -> Effects:
    """What one statement does to a world, which has changed accordingly afterwards."""
    effects = Effects(world=world, judge=judge, calls=code.run)
    if kind_of(node) == "create_function_stmt":
        code.create(effects, inner(node), text)
    else:
        judge(effects, node)
    return effects


def judge(effects: Effects, node: Any) -> None:
    """One statement, also one found inside another."""
    kind = kind_of(node)
    if kind == "create_function_stmt":
        code.create(effects, inner(node), "")
    elif kind in JUDGES:
        JUDGES[kind](effects, inner(node))
    elif kind in HARMLESS or kind.startswith("alter_"):
        effects.does.append(kind.removesuffix("_stmt").replace("_", " "))
    else:
        effects.does.append(kind.removesuffix("_stmt").replace("_", " ") or "an unknown statement")
        effects.unjudged.append("no rule for this kind of statement")


def _query(effects: Effects, node: Any) -> None:
    if node.DESCRIPTOR.name == "SelectStmt":
        effects.does.append("reads rows")
    rows.read(effects, node)


def _cursor(effects: Effects, node: Any) -> None:
    effects.does.append("opens a cursor")
    rows.read(effects, node.query)


JUDGES: dict[str, Judge] = {
    "select_stmt": _query, "insert_stmt": _query, "update_stmt": _query, "delete_stmt": _query,
    "merge_stmt": _query, "declare_cursor_stmt": _cursor, "copy_stmt": others.copy, "do_stmt": code.do,
    "call_stmt": code.procedure, "prepare_stmt": code.prepare, "execute_stmt": code.execute,
    "explain_stmt": code.explain, "create_stmt": creates.table, "create_table_as_stmt": creates.table_as,
    "view_stmt": creates.view, "index_stmt": creates.index, "create_trig_stmt": creates.trigger,
    "create_schema_stmt": creates.schema, "create_seq_stmt": creates.sequence, "alter_seq_stmt": creates.sequence,
    "create_enum_stmt": creates.kind, "create_range_stmt": creates.kind, "composite_type_stmt": creates.kind,
    "create_domain_stmt": creates.kind, "create_extension_stmt": creates.extension,
    "create_foreign_table_stmt": creates.foreign_table, "alter_table_stmt": alter.alter_table,
    "alter_table_move_all_stmt": alter.unknown_tables, "drop_stmt": drops.drop, "truncate_stmt": drops.truncate,
    "drop_owned_stmt": drops.everything_of, "dropdb_stmt": drops.database,
    "drop_table_space_stmt": drops.tablespace, "drop_subscription_stmt": drops.subscription,
    "lock_stmt": upkeep.lock, "vacuum_stmt": upkeep.vacuum, "cluster_stmt": upkeep.cluster,
    "reindex_stmt": upkeep.reindex, "refresh_mat_view_stmt": upkeep.refresh, "comment_stmt": others.comment,
    "sec_label_stmt": others.comment, "rename_stmt": others.rename, "alter_object_schema_stmt": others.move,
    "alter_owner_stmt": others.move, "create_policy_stmt": others.policy, "alter_policy_stmt": others.policy,
    "rule_stmt": others.rule, "create_stats_stmt": others.statistics,
    "create_publication_stmt": others.publication, "alter_publication_stmt": others.publication,
    "alter_enum_stmt": others.enum, "alter_domain_stmt": others.domain, "variable_set_stmt": others.setting,
    "alter_extension_stmt": others.alter_extension, "import_foreign_schema_stmt": others.import_schema,
    "reassign_owned_stmt": others.reassign, "grant_stmt": others.grant,
}  # fmt: skip
#: They touch no row and no table that is there.
HARMLESS = frozenset({
    "grant_role_stmt", "variable_show_stmt", "create_table_space_stmt", "create_fdw_stmt",
    "create_foreign_server_stmt", "create_user_mapping_stmt", "drop_user_mapping_stmt", "create_am_stmt",
    "create_event_trig_stmt", "create_plang_stmt", "create_role_stmt", "drop_role_stmt", "define_stmt",
    "create_op_class_stmt", "create_op_family_stmt", "close_portal_stmt", "fetch_stmt", "notify_stmt",
    "listen_stmt", "unlisten_stmt", "transaction_stmt", "createdb_stmt", "check_point_stmt", "discard_stmt",
    "constraints_set_stmt", "create_conversion_stmt", "create_cast_stmt", "create_transform_stmt",
    "deallocate_stmt", "create_subscription_stmt", "return_stmt",
})  # fmt: skip
