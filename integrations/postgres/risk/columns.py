"""ALTER TABLE on columns: added, dropped, of another type, not null.

Rules: ATExecAddColumn and ATPrepAlterColumnType in tablecmds.c; constant defaults cost nothing since PostgreSQL 11.
"""

from dataclasses import replace
from typing import Any

from integrations.postgres.risk import constraints, nullness, types
from integrations.postgres.risk.cascade import drop_column
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.expressions import evaluate, is_null, is_volatile
from integrations.postgres.risk.facts import Column
from integrations.postgres.risk.tree import inner, items, pb, type_name
from integrations.postgres.risk.world import Known

_SERIAL = {
    "serial": "integer", "serial4": "integer", "bigserial": "bigint", "serial8": "bigint", "smallserial": "smallint",
    "serial2": "smallint",
}  # fmt: skip


def of(definition: Any) -> Column:
    """A column as its definition says."""
    kind = type_name(definition.type_name)
    parts = {each.contype: each for each in items(definition.constraints)}
    serial = kind in _SERIAL
    return Column(
        name=definition.colname,
        type=_SERIAL.get(kind, kind),
        not_null=bool({pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY, pb.CONSTR_IDENTITY} & parts.keys()) or serial,
        default="yes" if pb.CONSTR_DEFAULT in parts or serial else "",
        identity="a" if pb.CONSTR_IDENTITY in parts else "",
        generated=parts[pb.CONSTR_GENERATED].generated_kind or "s" if pb.CONSTR_GENERATED in parts else "",
    )


def add(effects: Effects, known: Known, command: Any) -> None:
    """ADD COLUMN."""
    definition = inner(getattr(command, "def"))
    column = of(definition)
    if command.missing_ok and column.name in known.columns:
        effects.does.append(f"adds {column.name}, which is there already")
        return
    effects.does.append(f"adds the column {column.name} {column.type}")
    parts = {each.contype: each for each in items(definition.constraints)}
    for each in effects.world.family(known):
        each.columns[column.name] = column
        if not (command.missing_ok and effects.world.relations.get(each.key) is not each):  # it may be there already
            each.new_columns.add(column.name)
        _fill(effects, each, definition, column, parts)
    for contype, part in parts.items():
        if contype in (pb.CONSTR_CHECK, pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE, pb.CONSTR_FOREIGN):
            has_value = pb.CONSTR_DEFAULT in parts and not is_null(parts[pb.CONSTR_DEFAULT].raw_expr)
            constraints.of_new_column(effects, known, part, column.name, has_value=has_value)


def _fill(effects: Effects, known: Known, definition: Any, column: Column, parts: dict[int, Any]) -> None:
    """What the existing rows cost: nothing, a look at each, or all of them written anew."""
    default = parts[pb.CONSTR_DEFAULT].raw_expr if pb.CONSTR_DEFAULT in parts else None
    _, constrained = types.base_of(effects.world, column.type)
    serial = type_name(definition.type_name) in _SERIAL
    if default is not None:
        evaluate(effects, default)
    why = ""
    if column.generated == "s":
        why = f"{column.name} is computed and stored for every row"
    elif serial or column.identity:
        why = f"{column.name} gets a number in every row"
    elif default is not None and is_volatile(effects.world, default):
        why = f"the default of {column.name} is another one for each row"
    elif default is not None and effects.world.facts.major < 11:
        why = f"before PostgreSQL 11 the default of {column.name} is written into every row"
    elif constrained and column.generated != "v":
        why = f"the domain of {column.name} is checked for every row"
    if why:
        effects.rewrite(known, why)
        effects.safer.append(
            f"add {column.name} without a default, set the default afterwards, fill old rows in batches, "
            "then CHECK … NOT VALID, VALIDATE, SET NOT NULL"
        )
    elif column.not_null and (default is None or is_null(default)) and not column.generated:
        effects.scan(known, f"{column.name} may not be NULL")
        if not known.fresh and not known.empty and known.kind == "r":
            effects.fails.append(f"{known.shown} has rows, and {column.name} is NOT NULL without a default")
            effects.safer.append(f"add {column.name} without NOT NULL, fill it in batches, then CHECK … NOT VALID")


def drop(effects: Effects, known: Known, command: Any) -> None:
    """DROP COLUMN: the values are out of reach at once, though their room is freed later."""
    name = command.name
    if known.columns and name not in known.columns:
        effects.does.append(f"drops {name}, which is not there")
        if command.missing_ok:
            return
    effects.does.append(f"drops the column {name}")
    effects.safer.append(f"stop using {known.shown}.{name} in one release, drop it in the next; keep a copy until then")
    for each in effects.world.family(known):
        drop_column(effects, each, name, cascade=command.behavior == pb.DROP_CASCADE)


def change_type(effects: Effects, known: Known, command: Any) -> None:
    """ALTER COLUMN … TYPE."""
    definition = inner(getattr(command, "def"))
    using = definition.raw_default if definition.HasField("raw_default") else None
    new = type_name(definition.type_name)
    for each in effects.world.family(known):
        old = each.columns.get(command.name)
        was = old.type if old else "unknown"
        if each is known:
            effects.does.append(f"changes {command.name} from {was} to {new}")
        _change(effects, each, old, new, using)
        if old:
            each.columns[command.name] = replace(old, type=new)
    if using is not None:
        evaluate(effects, using)


def _change(effects: Effects, known: Known, old: Column | None, new: str, using: Any) -> None:
    if old is None:
        _unknown_type(effects, known, new, using)
        return
    name, was = old.name, old.type
    if types.rewrites(effects.world, was, new, using):
        effects.rewrite(known, f"every {name} is stored another way ({was} to {new})")
        effects.safer.append(
            f"add a new column of type {new}, keep it equal by a trigger, fill it in batches, then switch the names"
        )
    elif was != new:
        effects.notes.append(f"{was} to {new} changes no stored byte")
    if (was != new or using is not None) and name not in known.new_columns:
        if why := types.loses(effects.world, was, new, using):
            effects.destroy(f"{known.shown}.{name} from {was} to {new}: {why}", known)
        elif using is not None or types.rewrites(effects.world, was, new, using):
            effects.undoable_only_by(f"{known.shown}.{name} has to be changed back, row by row", known)
    constraints.recheck(effects, known, name)


def _unknown_type(effects: Effects, known: Known, new: str, using: Any) -> None:
    """The facts are thin: only types that take anything in are sure to lose nothing."""
    effects.rewrite(known, f"a column is stored another way (now {new})")
    lost = "" if using is None else types.loses(effects.world, "unknown", new, using)
    if lost or new not in ("text", "character varying", "numeric", "json", "jsonb"):
        effects.unjudged.append(f"what the column of {known.shown} is now, so whether {new} can hold its values")


def set_not_null(effects: Effects, known: Known, command: Any) -> None:
    """SET NOT NULL reads all rows, unless a valid CHECK or a primary key already says so."""
    effects.does.append(f"forbids NULL in {command.name}")
    nullness.require(effects, known, [command.name])


def drop_not_null(effects: Effects, known: Known, command: Any) -> None:
    effects.does.append(f"allows NULL in {command.name}")
    for each in effects.world.family(known):
        if column := each.columns.get(command.name):
            each.columns[command.name] = replace(column, not_null=False)


def set_expression(effects: Effects, known: Known, command: Any) -> None:
    """SET EXPRESSION computes a stored generated column anew (PostgreSQL 17)."""
    effects.does.append(f"changes how {command.name} is computed")
    for each in effects.world.family(known):
        column = each.columns.get(command.name)
        if column is None or column.generated != "v":
            effects.rewrite(each, f"{command.name} is computed anew in every row")
