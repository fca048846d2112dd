"""Partitions attached and detached (ATExecAttachPartition and ATExecDetachPartition in tablecmds.c)."""

from typing import Any

from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.model import Lock
from integrations.postgres.risk.tree import inner
from integrations.postgres.risk.world import Known


def default_of(effects: Effects, parent: Known) -> Known | None:
    """The partition for everything else, which must be read when another one comes."""
    return next((each for each in effects.world.children(parent) if each.was and each.was.default_partition), None)


def attach(effects: Effects, known: Known, command: Any) -> None:
    """ATTACH PARTITION reads the new partition, unless a CHECK proves its bounds."""
    part = inner(getattr(command, "def"))
    child = effects.relation(part.name)
    if child is None:
        return
    effects.does.append(f"attaches {child.shown} as a partition")
    effects.lock_all(effects.world.family(child), Lock.ACCESS_EXCLUSIVE)
    if not any(each.kind == "c" and each.table == child.key and each.valid for each in effects.world.constraints):
        effects.scan(child, "every row must fit the partition's bounds")
        effects.safer.append(f"first give {child.shown} a CHECK of the same bounds, NOT VALID and then validated")
    _lock_default(effects, known, child)
    for key in effects.world.keys_of(known):
        if key.references in effects.world.relations:
            effects.lock(effects.world.relations[key.references], Lock.SHARE_ROW_EXCLUSIVE)
            effects.scan(child, "every row must satisfy the parent's foreign key")
    child.parents = (*child.parents, known.key)


def _lock_default(effects: Effects, parent: Known, child: Known) -> None:
    rest = default_of(effects, parent)
    if rest and rest is not child:
        effects.lock(rest, Lock.ACCESS_EXCLUSIVE)
        effects.scan(rest, "no row of the default partition may belong to the new one")


def detach(effects: Effects, known: Known, command: Any) -> None:
    """DETACH PARTITION: the rows stay in a table of their own."""
    part = inner(getattr(command, "def"))
    child = effects.relation(part.name)
    if child is None:
        return
    effects.does.append(f"detaches the partition {child.shown}")
    effects.lock(child, Lock.ACCESS_EXCLUSIVE)
    rest = default_of(effects, known)
    if rest and not part.concurrent:
        effects.lock(rest, Lock.ACCESS_EXCLUSIVE)
    if not part.concurrent:
        effects.safer.append("DETACH PARTITION … CONCURRENTLY, in a file of its own")
    for key in effects.world.keys_of(known):
        if key.references in effects.world.relations:
            effects.lock(effects.world.relations[key.references], Lock.SHARE_ROW_EXCLUSIVE)
    child.parents = tuple(each for each in child.parents if each != known.key)
