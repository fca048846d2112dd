"""The DOWN scripts as a way back: possible only as rehearsed, byte for byte; and what they drop, said beforehand."""

from collections.abc import Iterator
from typing import Any

from bot.ports import Context, StepError
from bot.runbook.rungs import Option, Rung
from integrations.postgres.connect import identity, session
from integrations.postgres.costs import came_back
from integrations.postgres.markers import read_markers, settled
from integrations.postgres.note import recorded
from integrations.postgres.offer import Offer, impossible, salvage_line
from integrations.postgres.parser import nodes as pb
from integrations.postgres.parser import postgast
from integrations.postgres.psql import shown
from integrations.postgres.rehearse import Scripts, digest, downs_of, ups_of
from integrations.postgres.scene import Scene
from integrations.postgres.tools import Tools, find_tools

_DROPPED = {
    pb.OBJECT_TABLE: "the rows of table",
    pb.OBJECT_MATVIEW: "the materialized view",
    pb.OBJECT_SCHEMA: "everything in the schema",
    pb.OBJECT_SEQUENCE: "the sequence",
}


async def offer_down(scene: Scene, *, ahead: bool = False) -> Offer:
    """``ahead``: as it will be once the migration is in."""
    context = scene.context
    facts = recorded(context)
    if not context.run.plan.down:
        return impossible(Rung.DOWN, "the plan has no DOWN script")
    if problem := facts.get("down_problem"):
        return impossible(Rung.DOWN, f"its rehearsal failed: {problem}")
    if "down_rehearsed" not in facts:
        return impossible(Rung.DOWN, "the DOWN scripts were not rehearsed in this run")
    try:
        ups, downs = ups_of(context), downs_of(context)
        if digest(ups, downs) != facts["down_rehearsed"]:
            return impossible(Rung.DOWN, "a file has changed since the rehearsal")
        tools, applied = await _as_it_is(context, ups)
    except StepError as error:
        return impossible(Rung.DOWN, error.problem)
    if applied < len(ups) and not ahead:
        return impossible(Rung.DOWN, f"only {applied} of the plan's {len(ups)} files are marked as applied")
    return _offer(context, tools, downs, float(facts["down_seconds"]))


async def _as_it_is(context: Context, ups: Scripts) -> tuple[Tools, int]:
    """The tools, and how many of the plan's files are in."""
    async with session(context.target.dsn, context.application_name) as db:
        who = await identity(db, context.target.dsn)
        applied = len(settled(ups, await read_markers(db, context.run.id)))
    return await find_tools(who.major, context.target.client_tools), applied


def _offer(context: Context, tools: Tools, downs: Scripts, seconds: float) -> Offer:
    dropped = tuple(dict.fromkeys(each for script in downs for each in drops(script.text)))
    loses = ", ".join(dropped[:8]) + (f" and {len(dropped) - 8} more" if len(dropped) > 8 else "")
    basis = f"measured in this run's rehearsal: {seconds:.1f} s"
    # What services have written since into what is dropped is counted nowhere, so it is never taken for nothing.
    unknown = bool(loses) and came_back(context.run)
    rows = None if unknown else 0
    option = Option(rung=Rung.DOWN, possible=True, seconds=max(1.0, seconds), basis=basis, rows=rows, loses=loses)
    lines = (
        "Run the DOWN scripts, as rehearsed on a copy, and see that the schema is then the backup's:",
        *(f"{shown(tools, each)} (sha256 {each.sha256[:12]}…)" for each in downs),
        f"Expected downtime of the database: about {max(1.0, seconds):.0f} s ({basis}).",
        salvage_line(context),
        "No failed database is kept: where not every such row can be saved, the scripts are not run.",
    )
    lost = (f"Lost: no row that was written; {loses or 'nothing is dropped'}.",)
    if unknown:
        lost = (f"⚠️ Lost, but for the saved files: {loses}; how much was written there since is not known.",)
    return Offer(option=option, lines=lines, lost=lost, attachments={each.name: each.text for each in downs})


def drops(text: str) -> Iterator[str]:
    """What a script drops, in words; of what cannot be parsed nothing can be said."""
    try:
        statements = [raw.stmt for raw in postgast.parse(text).stmts]
    except postgast.PgQueryError:
        yield "whatever it drops (it cannot be parsed)"
        return
    for node in statements:
        kind = node.WhichOneof("node") or ""
        yield from _dropped(kind, getattr(node, kind) if kind else None)


def _dropped(kind: str, inner: Any) -> Iterator[str]:
    if kind == "alter_table_stmt":
        for each in inner.cmds:
            if each.alter_table_cmd.subtype == pb.AT_DropColumn:
                yield f"the values in {_table(inner.relation)}.{each.alter_table_cmd.name}"
    elif kind == "drop_stmt" and inner.remove_type in _DROPPED:
        for each in inner.objects:
            yield f"{_DROPPED[inner.remove_type]} {_name(each)}"
    elif kind == "truncate_stmt":
        yield from (f"the rows of table {_table(each.range_var)}" for each in inner.relations)
    elif kind == "delete_stmt":
        yield f"deleted rows of {_table(inner.relation)}"
    elif kind in ("update_stmt", "merge_stmt"):
        yield f"changed values in {_table(inner.relation)}"


def _table(relation: Any) -> str:
    return ".".join(filter(None, (relation.schemaname, relation.relname)))


def _name(node: Any) -> str:
    parts = node.list.items if node.WhichOneof("node") == "list" else [node]
    return ".".join(part.string.sval for part in parts)
