"""Code inside SQL: DO blocks, functions, procedures, EXECUTE.  What they run is judged as if it stood there."""

import re
from typing import Any

from integrations.postgres.parser import postgast
from integrations.postgres.risk import rows
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.facts import Function
from integrations.postgres.risk.fold import Unknowable, statements, texts
from integrations.postgres.risk.plpgsql import Body, take_apart
from integrations.postgres.risk.tree import inner, items, kind_of, strings

_DEEPEST = 6
#: Functions of PostgreSQL and its extensions that reach beyond what can be read here.
_GRAVE = {
    "lo_unlink": "a large object", "dblink": "", "dblink_exec": "", "drop_chunks": "chunks of a hypertable",
    "pg_file_unlink": "", "pg_file_write": "", "pg_terminate_backend": "", "set_chunk_time_interval": "",
    "run_maintenance": "", "drop_partition_time": "partitions", "drop_partition_id": "partitions",
    "dropgeometrycolumn": "a geometry column", "dropgeometrytable": "a geometry table", "cron.schedule": "",
}  # fmt: skip
#: Taken for PostgreSQL's own where the server's list is not at hand.
_COMMON = frozenset({
    "now", "count", "sum", "min", "max", "avg", "random", "gen_random_uuid", "nextval", "setval", "currval", "lower",
    "upper", "length", "format", "quote_ident", "quote_literal", "set_config", "current_setting", "generate_series",
    "clock_timestamp", "concat", "replace", "substring", "left", "right", "to_tsvector", "json_build_object",
    "jsonb_build_object", "to_jsonb", "row_number", "array_agg", "string_agg", "md5", "date_trunc", "timezone",
    "convert_from", "decode", "encode", "btrim", "pg_get_serial_sequence", "to_regclass", "jsonb_set", "unnest",
})  # fmt: skip
_READS_ONLY = ("i", "s")  # immutable and stable functions cannot write (CREATE FUNCTION documentation)


def run(effects: Effects, name: str, what: str) -> None:
    """What a function does when it runs; PostgreSQL's own are known to be harmless, but for some."""
    bare = name.rpartition(".")[2].lower()
    if bare in _GRAVE or name in _GRAVE:
        lost = _GRAVE.get(bare) or _GRAVE.get(name)
        (effects.destroys if lost else effects.unjudged).append(lost or f"{what} acts outside this migration")
        return
    found = effects.world.function(name)
    if not found:
        _unknown(effects, name, what)
    for each in found:
        _run_one(effects, each, what)


def _unknown(effects: Effects, name: str, what: str) -> None:
    schema, _, bare = name.rpartition(".")
    known = effects.world.facts.builtins or _COMMON
    if bare.lower() not in known and schema != "pg_catalog":
        why = "is not in the database" if effects.world.facts.read else "could not be looked up"
        effects.unjudged.append(f"{what} {why}, so what it does is unknown")


def _run_one(effects: Effects, function: Function, what: str) -> None:
    if function.volatility in _READS_ONLY or function.key in effects.calling:
        return
    if function.language in ("c", "internal") and function.extension:
        return
    if function.language not in ("plpgsql", "sql"):
        effects.unjudged.append(f"{what} is written in {function.language}, which cannot be read here")
        return
    if effects.depth >= _DEEPEST:
        effects.unjudged.append(f"{what} is called too deep to follow")
        return
    effects.depth, effects.calling, before = effects.depth + 1, (*effects.calling, function.key), effects.calling
    if function.language == "sql":
        _sql(effects, function, what)
    else:
        _plpgsql(effects, function.definition, function.source, what)
    effects.depth, effects.calling = effects.depth - 1, before


def _sql(effects: Effects, function: Function, what: str) -> None:
    text = function.source or _atomic(function.definition)
    try:
        found = statements(text)
    except Unknowable:
        effects.unjudged.append(f"{what} cannot be parsed")
        return
    for each in found:
        effects.judge(effects, each)


def _atomic(definition: str) -> str:
    """The statements of ``BEGIN ATOMIC … END``."""
    body = re.search(r"(?is)\bbegin\s+atomic\b(.*)\bend\b", definition)
    returned = re.search(r"(?is)\breturn\b(.*)$", definition)
    return body[1] if body else f"SELECT {returned[1]}" if returned else ""


def _plpgsql(effects: Effects, definition: str, source: str, what: str) -> None:
    try:
        body = take_apart(definition, source)
    except Unknowable:
        effects.unjudged.append(f"{what} cannot be taken apart")
        return
    for each in body.unparsed:
        effects.unjudged.append(f"part of {what} cannot be parsed: {' '.join(each.split())[:60]}")
    if body.commits:
        effects.notes.append(f"{what} ends transactions of its own")
    for each in body.static:
        if kind_of(each).endswith("_stmt"):
            effects.judge(effects, each)
        else:
            rows.read(effects, each)
    _dynamic(effects, body, what)


def _dynamic(effects: Effects, body: Body, what: str) -> None:
    for each in body.dynamic:
        try:
            found = list(dict.fromkeys(texts(each, body.variables)))
        except Unknowable:
            effects.unjudged.append(f"{what} runs SQL that is only put together when it runs (EXECUTE)")
            continue
        for text in found:
            _run_text(effects, text, what)


def _run_text(effects: Effects, text: str, what: str) -> None:
    try:
        found = statements(text)
    except Unknowable:
        effects.unjudged.append(f"{what} runs what cannot be parsed: {' '.join(text.split())[:60]}")
        return
    for each in found:
        effects.judge(effects, each)


def do(effects: Effects, node: Any) -> None:
    """A DO block: its body is judged."""
    options = {each.defname: each.arg for each in items(node.args)}
    source = options["as"].string.sval if "as" in options else ""
    language = options["language"].string.sval.lower() if "language" in options else "plpgsql"
    effects.does.append("runs a DO block")
    if language != "plpgsql":
        effects.unjudged.append(f"the DO block is written in {language}, which cannot be read here")
        return
    _plpgsql(effects, f"DO {_quoted(source)}", source, "the DO block")


def _quoted(source: str) -> str:
    tag = next(f"$risk{number}$" for number in range(10**6) if f"$risk{number}$" not in source)
    return f"{tag}{source}{tag}"


def create(effects: Effects, node: Any, text: str) -> None:
    """A function is remembered; nothing runs yet, but an SQL body is analysed and locks what it names."""
    name = ".".join(strings(node.funcname))
    key = effects.world.where(name)
    effects.does.append(f"{'replaces or makes' if node.replace else 'makes'} the function {name}")
    options = {each.defname: each.arg for each in items(node.options)}
    body = strings(options["as"].list.items) if "as" in options else []
    language = options["language"].string.sval.lower() if "language" in options else "sql"
    volatility = options["volatility"].string.sval[:1] if "volatility" in options else "v"
    made = Function(key=key, language=language, volatility=volatility, source=body[0] if body else "", definition=text)
    others = [each for each in effects.world.functions.get(key, []) if not (node.replace and _replaces(node, each))]
    effects.world.functions[key] = [*others, made]
    if language == "sql":
        _analysed(effects, node, made)
    if grave := _grave_words(made):
        effects.notes.append(f"when it is called, {name}() can {grave}")


def _replaces(node: Any, old: Function) -> bool:
    """As many parameters: another number makes a second function of the same name."""
    try:
        [raw] = postgast.parse(old.definition).stmts
    except (postgast.PgQueryError, ValueError):
        return False
    return len(raw.stmt.create_function_stmt.parameters) == len(node.parameters)


def _analysed(effects: Effects, node: Any, made: Function) -> None:
    """CREATE FUNCTION checks an SQL body (check_function_bodies) and keeps the locks of that until the end."""
    try:
        found = (
            [inner(each) for each in items([node.sql_body])] if node.HasField("sql_body") else statements(made.source)
        )
    except Unknowable:
        return
    for each in found:
        rows.read(effects, each, runs=False)


def _grave_words(made: Function) -> str:
    try:
        tokens = postgast.scan(made.source).tokens
    except postgast.PgQueryError:
        return ""
    data = made.source.encode()
    found = {data[each.start : each.end].decode(errors="replace").lower() for each in tokens}
    return ", ".join(word for word in ("drop", "truncate", "delete") if word in found)


def procedure(effects: Effects, node: Any) -> None:
    """CALL."""
    effects.does.append(f"calls {'.'.join(strings(node.funccall.funcname))}()")
    rows.read(effects, node.funccall)


def prepare(effects: Effects, node: Any) -> None:
    effects.does.append(f"prepares the statement {node.name}")
    effects.world.prepared[node.name] = node.query
    rows.read(effects, node.query, runs=False)


def execute(effects: Effects, node: Any) -> None:
    effects.does.append(f"executes the prepared statement {node.name}")
    found = effects.world.prepared.get(node.name)
    if found is None:
        effects.unjudged.append(f"the prepared statement {node.name} is not in this migration")
    else:
        effects.judge(effects, found)


def explain(effects: Effects, node: Any) -> None:
    """EXPLAIN ANALYZE runs the statement."""
    runs = any(each.defname == "analyze" for each in items(node.options))
    effects.does.append("explains a statement" + (" and runs it" if runs else ""))
    if runs:
        effects.judge(effects, node.query)
    else:
        rows.read(effects, node.query, runs=False)
