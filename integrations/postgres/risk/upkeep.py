"""Upkeep of tables and indexes, and locks taken by hand (https://www.postgresql.org/docs/current/explicit-locking.html)."""

from typing import Any

from integrations.postgres.risk import rows
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.model import UNKNOWN, Lock
from integrations.postgres.risk.tree import inner, items, name_of, pb
from integrations.postgres.risk.world import Known

_MODES = list(Lock)


def lock(effects: Effects, node: Any) -> None:
    """LOCK TABLE."""
    mode = _MODES[node.mode - 1]
    effects.does.append(f"locks {', '.join(name_of(each) for each in items(node.relations))} in {mode.words}")
    for each in items(node.relations):
        if known := effects.relation(each):
            rows.lock_through(effects, known, mode, heirs=each.inh)


def vacuum(effects: Effects, node: Any) -> None:
    """VACUUM and ANALYZE; VACUUM FULL copies the table."""
    full = any(each.defname == "full" and _on(each) for each in items(node.options))
    word = "VACUUM FULL" if full else "VACUUM" if node.is_vacuumcmd else "ANALYZE"
    effects.does.append(f"{word} of {', '.join(name_of(each.relation) for each in items(node.rels)) or 'every table'}")
    for each in items(node.rels):
        if known := effects.relation(each.relation):
            _upkeep(effects, known, full=full)
    if not len(node.rels):
        for known in list(effects.world.relations.values()):
            if known.kind in "rmp":
                _upkeep(effects, known, full=full)


def _on(option: Any) -> bool:
    return (
        not option.HasField("arg")
        or inner(option.arg).DESCRIPTOR.name != "String"
        or option.arg.string.sval in ("true", "on")
    )


def _upkeep(effects: Effects, known: Known, *, full: bool) -> None:
    mode = Lock.ACCESS_EXCLUSIVE if full else Lock.SHARE_UPDATE_EXCLUSIVE
    effects.lock_all(effects.world.family(known), mode)
    if full:
        for each in effects.world.family(known):
            effects.rewrite(each, "VACUUM FULL copies the table")
        effects.safer.append("plain VACUUM, or pg_repack, which copies beside readers and writers")


def cluster(effects: Effects, node: Any) -> None:
    """CLUSTER copies the table in the order of an index."""
    known = effects.relation(node.relation) if node.HasField("relation") else None
    effects.does.append(f"clusters {known.shown if known else 'every table marked for it'}")
    if known is None:
        effects.locks[UNKNOWN] = Lock.ACCESS_EXCLUSIVE
        return
    effects.lock(known, Lock.ACCESS_EXCLUSIVE)
    effects.rewrite(known, "CLUSTER copies the table in another order")
    effects.safer.append("pg_repack, which copies beside readers and writers")


def reindex(effects: Effects, node: Any) -> None:
    """REINDEX keeps writers waiting; CONCURRENTLY does not."""
    concurrently = any(each.defname == "concurrently" for each in items(node.params))
    mode = Lock.SHARE_UPDATE_EXCLUSIVE if concurrently else Lock.SHARE
    effects.does.append(f"builds indexes anew: {name_of(node.relation) if node.HasField('relation') else node.name}")
    for known in _reindexed(effects, node):
        effects.lock(known, mode)
        effects.build(known, "an index is built anew")
    if not concurrently:
        effects.safer.append("REINDEX … CONCURRENTLY, in a file of its own")


def _reindexed(effects: Effects, node: Any) -> list[Known]:
    world = effects.world
    if node.kind == pb.REINDEX_OBJECT_INDEX:
        index = world.index(name_of(node.relation))
        found = world.relations.get(index.table) if index else None
        return [found] if found else []
    if node.kind == pb.REINDEX_OBJECT_TABLE:
        table = effects.relation(node.relation)
        return world.family(table) if table and table.partitioned else [table] if table else []
    schema = f"{node.name}." if node.kind == pb.REINDEX_OBJECT_SCHEMA else ""
    return [each for each in world.relations.values() if each.key.startswith(schema) and each.kind in "rm"]


def refresh(effects: Effects, node: Any) -> None:
    """REFRESH MATERIALIZED VIEW; CONCURRENTLY lets readers go on."""
    known = effects.relation(node.relation)
    if known is None:
        return
    effects.does.append(f"refreshes {known.shown}")
    effects.lock(known, Lock.EXCLUSIVE if node.concurrent else Lock.ACCESS_EXCLUSIVE)
    for key in known.sources:
        if source := effects.world.relations.get(key):
            rows.lock_through(effects, source, Lock.ACCESS_SHARE)
    effects.scan(known, "it is compared with the new result")
    if not node.concurrent:
        effects.rewrite(known, "REFRESH fills a new file")
        effects.safer.append("REFRESH … CONCURRENTLY, which needs a unique index")
