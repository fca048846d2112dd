"""A PL/pgSQL body taken apart by PostgreSQL's own parser: the SQL in it, the SQL it puts together, its variables."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from integrations.postgres.parser import postgast
from integrations.postgres.risk.fold import Unknowable
from integrations.postgres.risk.tree import inner

#: Words that must not get lost: every one in the body has to turn up in what was found.
_GRAVE = ("drop", "truncate", "delete", "execute", "update", "alter", "call")
_NATIVE: Any = import_module("postgast.native")
_ERRORS: Any = import_module("postgast.errors")
_EXTRA_BRACE = re.compile(r"(?<=[\[,])\{\}\}")


@dataclass(kw_only=True)
class Body:
    """``static`` are parsed statements, ``dynamic`` expressions whose text EXECUTE runs, in the order of the body."""

    static: list[Any] = field(default_factory=list)
    dynamic: list[Any] = field(default_factory=list)
    variables: dict[str, list[Any]] = field(default_factory=dict)
    commits: bool = False
    unparsed: list[str] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)


def take_apart(definition: str, source: str) -> Body:
    """The parts of a DO or CREATE FUNCTION statement; raises ``Unknowable`` when the parser cannot read it whole."""
    try:
        functions = _functions(definition)
        wanted = _words(source)
    except (postgast.PgQueryError, ValueError, RecursionError) as error:
        raise Unknowable from error
    if not functions:
        raise Unknowable
    body = Body()
    for each in functions:
        function = each.get("PLpgSQL_function", {})
        _declared(body, function.get("datums", []))
        _gather(body, function.get("action", {}), function.get("datums", []))
    if any(body.words[word] < wanted[word] for word in _GRAVE):
        raise Unknowable
    return body


def _functions(definition: str) -> list[dict[str, Any]]:
    """Ask libpg_query itself: its answer for a trigger function has one brace too many for each TG_ variable."""
    answer = _NATIVE.lib.pg_query_parse_plpgsql(definition.encode())
    try:
        _ERRORS.check_error(answer)
        head, mark, tail = answer.plpgsql_funcs.decode().partition('"action":')
    finally:
        _NATIVE.lib.pg_query_free_plpgsql_parse_result(answer)
    found: list[dict[str, Any]] = json.loads(_EXTRA_BRACE.sub("{}", head) + mark + tail)
    return found


def _words(text: str) -> Counter[str]:
    """The grave words of a text, those in strings and comments left out."""
    data = text.encode()
    tokens = postgast.scan(text).tokens
    found = (
        data[each.start : each.end].decode(errors="replace").lower() for each in tokens if each.end - each.start < 9
    )
    return Counter(word for word in found if word in _GRAVE)


def _declared(body: Body, datums: list[dict[str, Any]]) -> None:
    for each in datums:
        variable = each.get("PLpgSQL_var", {})
        if "default_val" in variable:
            _assign(body, variable["refname"], _expression(body, variable["default_val"]["PLpgSQL_expr"]))
        if "cursor_explicit_expr" in variable:
            _add(body, variable["cursor_explicit_expr"]["PLpgSQL_expr"])


def _assign(body: Body, name: str, value: Any) -> None:
    body.variables.setdefault(name, []).append(value)


def _gather(body: Body, node: Any, datums: list[dict[str, Any]]) -> None:
    for kind, value in _messages(node):
        if kind in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
            body.commits = True
        elif kind == "PLpgSQL_stmt_assign":
            _add_assignment(body, value["expr"]["PLpgSQL_expr"])
        elif kind == "PLpgSQL_stmt_foreach_a":
            _add_loop(body, value, datums)
        elif kind == "PLpgSQL_row":
            for each in value.get("fields", []):
                _assign(body, each.get("name", ""), None)
        elif kind in ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"):
            body.words["execute"] += 1
            _add_dynamic(body, value["query"]["PLpgSQL_expr"])
        elif "dynquery" in value:
            body.words["execute"] += 1
            _add_dynamic(body, value["dynquery"]["PLpgSQL_expr"])
        _add_all(body, kind, value)


def _add_all(body: Body, kind: str, value: dict[str, Any]) -> None:
    """The plain expressions of a statement; what was dealt with already is left out."""
    for name, child in value.items():
        dynamic = name == "dynquery" or (name == "query" and "_dyn" in kind)
        if isinstance(child, dict) and "PLpgSQL_expr" in child and not dynamic and kind != "PLpgSQL_stmt_assign":
            _add(body, child["PLpgSQL_expr"])
        elif isinstance(child, list):
            for each in child:
                if isinstance(each, dict) and "PLpgSQL_expr" in each:
                    _add(body, each["PLpgSQL_expr"])


def _messages(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement and part, in the order of the text."""
    if isinstance(node, list):
        for each in node:
            yield from _messages(each)
    elif isinstance(node, dict):
        for kind, value in node.items():
            if kind.startswith("PLpgSQL_") and isinstance(value, dict) and kind != "PLpgSQL_expr":
                yield kind, value
            if isinstance(value, (dict, list)):
                yield from _messages(value)


def _add_assignment(body: Body, expr: dict[str, Any]) -> None:
    text = expr["query"]
    colon, equals = text.find(":="), text.find("=")
    place, width = (colon, 2) if 0 <= colon <= equals else (equals, 1)
    name = text[:place].strip().lower()
    value = _expression(body, {"query": text[place + width :]})
    _assign(body, name, value)
    if value is not None:
        body.static.append(value)


def _add_loop(body: Body, value: dict[str, Any], datums: list[dict[str, Any]]) -> None:
    """FOREACH over literals gives its variable each of them."""
    variable = datums[value.get("varno", 0)].get("PLpgSQL_var", {})
    array = inner(_expression(body, value["expr"]["PLpgSQL_expr"]))
    elements = list(array.elements) if array is not None and array.DESCRIPTOR.name == "A_ArrayExpr" else [None]
    for each in elements:
        _assign(body, variable.get("refname", ""), each)


def _add_dynamic(body: Body, expr: dict[str, Any]) -> None:
    value = _expression(body, expr)
    if value is not None:
        body.dynamic.append(value)
        body.static.append(value)


def _add(body: Body, expr: dict[str, Any]) -> None:
    """A statement as it stands, or an expression."""
    if expr.get("parseMode", 2) != 0:
        value = _expression(body, expr)
        if value is not None:
            body.static.append(value)
        return
    body.words.update(_words(expr["query"]))
    try:
        body.static += [raw.stmt for raw in postgast.parse(expr["query"]).stmts]
    except postgast.PgQueryError:
        body.unparsed.append(expr["query"])


def _expression(body: Body, expr: dict[str, Any]) -> Any:
    """The parsed value of an expression, or None."""
    body.words.update(_words(expr["query"]))
    try:
        [raw] = postgast.parse(f"SELECT {expr['query']}").stmts
    except (postgast.PgQueryError, ValueError):
        body.unparsed.append(expr["query"])
        return None
    targets = raw.stmt.select_stmt.target_list
    if len(targets) == 1 and not len(raw.stmt.select_stmt.from_clause):
        return targets[0].res_target.val
    return raw.stmt
