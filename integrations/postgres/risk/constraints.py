"""Constraints added, checked and dropped, and whom a foreign key concerns on its other side.

Locks: ATAddForeignKeyConstraint, ATExecValidateConstraint and RemoveTriggerById in PostgreSQL's source.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from integrations.postgres.parser import postgast
from integrations.postgres.risk import nullness
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.facts import Constraint, Index
from integrations.postgres.risk.model import Lock
from integrations.postgres.risk.tree import inner, pb, strings
from integrations.postgres.risk.world import Known

_LETTER = {pb.CONSTR_CHECK: "c", pb.CONSTR_PRIMARY: "p", pb.CONSTR_UNIQUE: "u", pb.CONSTR_EXCLUSION: "x",
           pb.CONSTR_FOREIGN: "f", pb.CONSTR_NOTNULL: "n"}  # fmt: skip
_SUFFIX = {"c": "check", "p": "pkey", "u": "key", "x": "excl", "f": "fkey", "n": "not_null"}


def add(effects: Effects, known: Known, command: Any) -> None:
    """ADD CONSTRAINT on a table that is there."""
    part = inner(getattr(command, "def"))
    names = strings(part.fk_attrs) if part.contype == pb.CONSTR_FOREIGN else strings(part.keys)
    _add(effects, known, part, names, validate=not part.skip_validation)


def of_new_column(effects: Effects, known: Known, part: Any, name: str, *, has_value: bool) -> None:
    """A constraint that comes with a new column; a key without values needs no check."""
    validate = has_value or part.contype != pb.CONSTR_FOREIGN
    _add(effects, known, part, [name], validate=validate)


def of_new_table(effects: Effects, known: Known, part: Any, names: list[str]) -> None:
    """Nothing to check, but a foreign key locks its other side."""
    _add(effects, known, part, names or strings(part.fk_attrs) or strings(part.keys), validate=False)


def _add(effects: Effects, known: Known, part: Any, names: list[str], *, validate: bool) -> None:
    kind = _LETTER.get(part.contype, "")
    validate = validate and (part.is_enforced or part.contype not in (pb.CONSTR_FOREIGN, pb.CONSTR_CHECK))
    if kind == "f":
        _foreign(effects, known, part, names, validate=validate)
    elif kind in ("p", "u", "x"):
        _indexed(effects, known, part, names, kind)
    elif kind == "c" and validate:
        effects.does.append("adds a CHECK and tests all rows")
        _test(effects, known, "every row is tested against the new CHECK")
    elif kind == "n":
        _required(effects, known, names, validate=validate)
    elif kind:
        effects.does.append("adds a CHECK for new rows")
    if kind and kind != "n":
        _remember(effects, known, part, names, kind, valid=validate or known.fresh)


def _test(effects: Effects, known: Known, why: str) -> None:
    for each in effects.world.family(known):
        effects.scan(each, why)
    effects.safer.append("ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a later transaction: nobody waits")


def _required(effects: Effects, known: Known, names: list[str], *, validate: bool) -> None:
    effects.does.append(f"forbids NULL in {', '.join(names)}" + ("" if validate else " for new rows"))
    if validate:
        nullness.require(effects, known, names)


def _remember(effects: Effects, known: Known, part: Any, names: list[str], kind: str, *, valid: bool) -> None:
    table = known.key.rpartition(".")[2]
    joined = "_".join([table, *(names if kind != "p" else []), _SUFFIX[kind]])
    name = part.conname or (part.indexname if kind in ("p", "u") else "") or joined
    target = effects.world.find(_pointed(part)) if kind == "f" else None
    effects.world.constraints.append(Constraint(
        name=name, table=known.key, kind=kind, columns=tuple(names), valid=valid, definition=_text(part),
        references=target.key if target else "", referenced=tuple(strings(part.pk_attrs)) or _key(effects, target),
        on_delete=part.fk_del_action or "a", on_update=part.fk_upd_action or "a",
    ))  # fmt: skip
    if kind in ("p", "u", "x"):
        key = f"{known.key.rpartition('.')[0]}.{name}"
        effects.world.indexes[key] = Index(key=key, table=known.key, columns=tuple(names), unique=True, constraint=name)


def _pointed(part: Any) -> str:
    table = part.pktable
    return f"{table.schemaname}.{table.relname}" if table.schemaname else str(table.relname)


def _key(effects: Effects, target: Known | None) -> tuple[str, ...]:
    """The primary key a foreign key means when it names no columns."""
    found = (c for c in effects.world.constraints if target and c.table == target.key and c.kind == "p")
    return next((each.columns for each in found), ())


def _text(part: Any) -> str:
    """A CHECK's condition, as SQL."""
    if part.contype != pb.CONSTR_CHECK:
        return ""
    tree = postgast.parse("SELECT 1")
    tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val.CopyFrom(part.raw_expr)
    try:
        return str(postgast.deparse(tree)).partition(" ")[2]
    except postgast.PgQueryError:
        return ""


def _foreign(effects: Effects, known: Known, part: Any, names: list[str], *, validate: bool) -> None:
    parent = effects.relation(part.pktable)
    if parent is None:
        return
    effects.does.append(f"adds a foreign key to {parent.shown}" + (" and tests all rows" if validate else ""))
    for each in effects.world.family(known):
        effects.lock(each, Lock.SHARE_ROW_EXCLUSIVE)
        if validate:
            effects.scan(each, f"every row must be found in {parent.shown}")
            effects.scan(parent, f"the rows of {each.shown} are looked up in it")
    effects.lock_all(effects.world.family(parent), Lock.SHARE_ROW_EXCLUSIVE)
    if validate and not known.fresh:
        effects.safer.append(
            "ADD CONSTRAINT … FOREIGN KEY … NOT VALID, then VALIDATE CONSTRAINT in a later transaction"
        )
    if names and not known.fresh and not _has_index(effects, known, names):
        effects.notes.append(
            f"{known.shown} has no index that begins with {', '.join(names)}: deletes in {parent.shown} read it whole"
        )


def _has_index(effects: Effects, known: Known, names: Sequence[str]) -> bool:
    found = (each for each in effects.world.indexes.values() if each.table == known.key)
    return any(set(each.columns[: len(names)]) == set(names) for each in found)


def _indexed(effects: Effects, known: Known, part: Any, names: list[str], kind: str) -> None:
    word = {"p": "a primary key", "u": "a unique constraint", "x": "an exclusion constraint"}[kind]
    ready = effects.world.index(part.indexname) if part.indexname else None
    effects.does.append(f"adds {word}" + (f" with the index {part.indexname}" if part.indexname else ""))
    if not part.indexname:
        for each in effects.world.family(known):
            effects.lock(each, Lock.SHARE)
            effects.build(each, f"the index of {word} is built")
        if not known.fresh:
            effects.safer.append(
                "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX" if kind != "x" else
                "an exclusion constraint cannot be built beside writers: choose a quiet time"
            )  # fmt: skip
    if kind == "p":
        _primary(effects, known, list(ready.columns) if ready else names)


def _primary(effects: Effects, known: Known, names: list[str]) -> None:
    """A primary key makes its columns NOT NULL."""
    safer = len(effects.safer)
    nullness.require(effects, known, names)
    effects.lock_all(effects.world.family(known), Lock.ACCESS_EXCLUSIVE)
    del effects.safer[safer:]


def validate(effects: Effects, known: Known, command: Any) -> None:
    """VALIDATE CONSTRAINT reads all rows beside readers and writers."""
    effects.does.append(f"tests all rows against {command.name}")
    for each in effects.world.constraints:
        if each.name == command.name and each.table == known.key:
            if each.valid:
                return
            if each.kind == "f" and each.references in effects.world.relations:
                parents = effects.world.family(effects.world.relations[each.references])
                effects.lock_all(parents, Lock.ROW_SHARE)
                for parent in parents:
                    effects.scan(parent, f"the rows of {known.shown} are looked up in it")
            effects.world.constraints[effects.world.constraints.index(each)] = replace(each, valid=True)
            break
    for each_known in effects.world.family(known):
        effects.scan(each_known, f"every row is tested against {command.name}")


def drop(effects: Effects, known: Known, command: Any) -> None:
    """DROP CONSTRAINT; of a foreign key also the triggers on its other side."""
    effects.does.append(f"drops the constraint {command.name}")
    for table in effects.world.family(known):
        for each in [c for c in effects.world.constraints if c.table == table.key and c.name == command.name]:
            release(effects, each, cascade=command.behavior == pb.DROP_CASCADE)


def release(effects: Effects, constraint: Constraint, *, cascade: bool) -> None:
    """A constraint goes, with the foreign keys that need it (CASCADE)."""
    world = effects.world
    if constraint in world.constraints:
        world.constraints.remove(constraint)
    if constraint.kind == "f" and constraint.references in world.relations:
        effects.lock_all(world.family(world.relations[constraint.references]), Lock.ACCESS_EXCLUSIVE)
    if constraint.kind in ("p", "u", "x"):
        world.indexes = {
            key: each for key, each in world.indexes.items()
            if (each.table, each.constraint) != (constraint.table, constraint.name)
        }  # fmt: skip
    if cascade and constraint.kind in ("p", "u"):
        for key in [c for c in world.constraints if c.kind == "f" and c.references == constraint.table]:
            if set(key.referenced) == set(constraint.columns) and key.table in world.relations:
                effects.lock(world.relations[key.table], Lock.ACCESS_EXCLUSIVE)
                release(effects, key, cascade=False)


def recheck(effects: Effects, known: Known, column: str) -> None:
    """A column's other type makes PostgreSQL drop and add again what uses it."""
    for each in list(effects.world.constraints):
        if each.kind == "f" and each.table == known.key and column in each.columns:
            other = effects.world.relations.get(each.references)
        elif each.kind == "f" and each.references == known.key and column in each.referenced:
            other = effects.world.relations.get(each.table)
        else:
            continue
        if other:
            effects.lock_all(effects.world.family(other), Lock.ACCESS_EXCLUSIVE)
            effects.notes.append(f"the foreign key {each.name} is tested again")
