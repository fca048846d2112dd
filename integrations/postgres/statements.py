"""What one SQL statement means for the way it must be run, by PostgreSQL's own parse tree."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.postgres.parser import nodes as pb
from integrations.postgres.parser import postgast

_LEADING = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement; lines count from 1.

    ``outside``: why it cannot be in a transaction.  ``repeatable``: running it again does no harm.  ``setting``:
    it touches the session only.  ``index``: the index it builds concurrently.  ``drops_rows``: it removes rows.
    """

    text: str
    first_line: int
    last_line: int
    kind: str
    outside: str = ""
    repeatable: bool = False
    setting: bool = False
    index: str = ""
    drops_rows: bool = False


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a file, in order; raises ``postgast.PgQueryError``."""
    data = text.encode()
    found = []
    for raw in postgast.parse(text).stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(data)
        whole = data[raw.stmt_location : end].decode()
        core = bare(whole)
        start = raw.stmt_location + len(whole[: len(whole) - len(core)].encode())
        found.append(_statement(raw.stmt, core.rstrip(), data[:start].count(b"\n") + 1, data[:end].count(b"\n") + 1))
    return tuple(found)


def bare(text: str) -> str:
    """A statement without the spaces and comments before it."""
    leading = _LEADING.match(text)
    return text[leading.end() :] if leading else text


def normalised(query: str) -> str:
    """A query as people may see it: literals removed, one line; never the raw text."""
    try:
        plain = postgast.normalize(query)
    except postgast.PgQueryError:  # cut off by track_activity_query_size, or no SQL
        plain = re.sub(r"'(?:[^']|'')*('|$)|\$\w*\$.*|\b\d+(\.\d+)?\b", "?", query, flags=re.DOTALL)
    return " ".join(plain.split())[:300]


def _statement(node: Any, core: str, first: int, last: int) -> Statement:
    kind = node.WhichOneof("node") or ""
    inner: Any = getattr(node, kind) if kind else None
    outside = _OUTSIDE.get(kind, lambda _: "")(inner)
    return Statement(
        text=core,
        first_line=first,
        last_line=last,
        kind=kind,
        outside=outside,
        repeatable=_repeatable(kind, inner),
        setting=kind in ("variable_set_stmt", "variable_show_stmt"),
        index=inner.idxname if kind == "index_stmt" and inner.concurrent else "",
        drops_rows=kind in ("delete_stmt", "truncate_stmt", "merge_stmt", "do_stmt", "call_stmt")
        or bool(re.search(r"(?i)\b(delete\s+from|truncate)\b", core))
        or (kind == "drop_stmt" and inner.remove_type in (pb.OBJECT_TABLE, pb.OBJECT_SCHEMA)),
    )


def _repeatable(kind: str, inner: Any) -> bool:
    if kind in ("variable_set_stmt", "variable_show_stmt", "vacuum_stmt", "reindex_stmt", "refresh_mat_view_stmt"):
        return True
    if getattr(inner, "if_not_exists", False) is True or getattr(inner, "missing_ok", False) is True:
        return True
    return getattr(inner, "replace", False) is True


def _transaction(inner: Any) -> str:
    savepoints = (pb.TRANS_STMT_SAVEPOINT, pb.TRANS_STMT_RELEASE, pb.TRANS_STMT_ROLLBACK_TO)
    return "" if inner.kind in savepoints else "it opens or ends transactions of its own"


def _index(inner: Any) -> str:
    return "CREATE INDEX CONCURRENTLY" if inner.concurrent else ""


def _drop(inner: Any) -> str:
    return "DROP INDEX CONCURRENTLY" if inner.concurrent else ""


def _reindex(inner: Any) -> str:
    options = {each.def_elem.defname for each in inner.params}
    whole = inner.kind in (pb.REINDEX_OBJECT_DATABASE, pb.REINDEX_OBJECT_SCHEMA, pb.REINDEX_OBJECT_SYSTEM)
    return "REINDEX" if whole or "concurrently" in options else ""


def _vacuum(inner: Any) -> str:
    return "VACUUM" if inner.is_vacuumcmd else ""


def _alter_table(inner: Any) -> str:
    for each in inner.cmds:
        command = each.alter_table_cmd
        if command.subtype == pb.AT_DetachPartition and getattr(command, "def").partition_cmd.concurrent:
            return "DETACH PARTITION CONCURRENTLY"
    return ""


def _always(name: str) -> Callable[[Any], str]:
    return lambda _: name


#: Statements PostgreSQL refuses inside a transaction block (PreventInTransactionBlock in its source).
_OUTSIDE: dict[str, Callable[[Any], str]] = {
    "transaction_stmt": _transaction,
    "index_stmt": _index,
    "drop_stmt": _drop,
    "reindex_stmt": _reindex,
    "vacuum_stmt": _vacuum,
    "alter_table_stmt": _alter_table,
    "cluster_stmt": lambda inner: "" if inner.HasField("relation") else "CLUSTER",
    "alter_system_stmt": _always("ALTER SYSTEM"),
    "createdb_stmt": _always("CREATE DATABASE"),
    "dropdb_stmt": _always("DROP DATABASE"),
    "create_table_space_stmt": _always("CREATE TABLESPACE"),
    "drop_table_space_stmt": _always("DROP TABLESPACE"),
    "create_subscription_stmt": _always("CREATE SUBSCRIPTION"),
    "drop_subscription_stmt": _always("DROP SUBSCRIPTION"),
}
