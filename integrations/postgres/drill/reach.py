"""Why some files are not rehearsed: on a copy beside production they would act on production's server, or elsewhere.

A copy is a database of its own; roles, databases, tablespaces, settings of the server and foreign servers are not.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.ports import StepError
from integrations.postgres.parser import nodes as pb
from integrations.postgres.parser import postgast
from integrations.postgres.risk.model import Assessment, Lock
from integrations.postgres.script import Script

#: Statements on shared objects (PostgreSQL documentation, "Shared" catalogs: pg_database, pg_authid, pg_tablespace …).
_SHARED = {
    "createdb_stmt": "CREATE DATABASE", "dropdb_stmt": "DROP DATABASE", "alter_database_stmt": "ALTER DATABASE",
    "alter_database_set_stmt": "ALTER DATABASE", "alter_database_refresh_coll_stmt": "ALTER DATABASE",
    "alter_system_stmt": "ALTER SYSTEM", "create_table_space_stmt": "CREATE TABLESPACE",
    "drop_table_space_stmt": "DROP TABLESPACE", "alter_table_space_options_stmt": "ALTER TABLESPACE",
    "create_role_stmt": "CREATE ROLE", "alter_role_stmt": "ALTER ROLE", "alter_role_set_stmt": "ALTER ROLE",
    "drop_role_stmt": "DROP ROLE", "grant_role_stmt": "GRANT of a role", "reassign_owned_stmt": "REASSIGN OWNED",
    "drop_owned_stmt": "DROP OWNED", "create_subscription_stmt": "CREATE SUBSCRIPTION",
    "alter_subscription_stmt": "ALTER SUBSCRIPTION", "drop_subscription_stmt": "DROP SUBSCRIPTION",
}  # fmt: skip
_OBJECTS = (pb.OBJECT_DATABASE, pb.OBJECT_ROLE, pb.OBJECT_TABLESPACE, pb.OBJECT_SUBSCRIPTION)
# Where no parser looks: bodies of functions and DO, and what does not parse.
_WORDS = re.compile(
    r"(?i)\b(create|alter|drop|rename)\s+(role|user(?!\s+mapping)|group|database|tablespace|subscription|system)\b"
    r"|\b(reassign|drop)\s+owned\b|\bon\s+(database|tablespace)\b"
)
_CALLS = re.compile(
    r"(?i)\b(dblink\w*|pg_(terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_promote|lo_export"
    r"|pg_file_\w+|pg_\w*replication_slot\w*|pg_switch_wal)\s*\("
)
_BODIES = ("do_stmt", "create_function_stmt")
_WRITES = (
    "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "truncate_stmt", "copy_stmt", "do_stmt", "call_stmt",
    "select_stmt",
)  # fmt: skip


def require_within(scripts: Sequence[Script]) -> None:
    """``StepError`` where a statement reaches beyond its database."""
    for script in scripts:
        for line, what in _beyond(script):
            raise _refused(script, line, what)


def require_at_home(scripts: Sequence[Script], found: Assessment, foreign: frozenset[str]) -> None:
    """``StepError`` where a statement writes to a foreign table: the copy's is production's, too."""
    kinds = {(each.name, n): one.kind for each in scripts for n, one in enumerate(each.statements, start=1)}
    for risk in found.statements:
        written = {name for name, mode in risk.locks.items() if mode >= Lock.ROW_EXCLUSIVE} & foreign
        if written and kinds.get((risk.file, risk.number)) in _WRITES:
            script = next(each for each in scripts if each.name == risk.file)
            raise _refused(script, risk.line, f"a write to the foreign table {', '.join(sorted(written))}")


def _beyond(script: Script) -> Sequence[tuple[int, str]]:
    if not script.statements:
        hidden = _WORDS.search(script.text) or _CALLS.search(script.text)
        return [(script.text[: hidden.start()].count("\n") + 1, _shown(hidden))] if hidden else []
    found = []
    for each in script.statements:
        if what := _what(each.kind, each.text):
            found.append((each.first_line, what))
    return found


def _what(kind: str, text: str) -> str:
    if kind in _SHARED:
        return _SHARED[kind]
    [raw] = postgast.parse(text).stmts
    if _names_shared(kind, getattr(raw.stmt, kind) if kind else None):
        return "a change of a database, role or tablespace"
    hidden = _CALLS.search(text) or (_WORDS.search(text) if kind in _BODIES else None)
    return _shown(hidden) if hidden else ""


def _names_shared(kind: str, inner: Any) -> bool:
    """Statements whose object may be a shared one."""
    names: Mapping[str, str] = {
        "rename_stmt": "rename_type", "alter_owner_stmt": "object_type", "comment_stmt": "objtype",
        "sec_label_stmt": "objtype", "grant_stmt": "objtype",
    }  # fmt: skip
    return kind in names and getattr(inner, names[kind]) in _OBJECTS


def _shown(found: "re.Match[str]") -> str:
    return " ".join(found[0].rstrip("( ").split())


def _refused(script: Script, line: int, what: str) -> StepError:
    return StepError(
        f"{script.name} cannot be rehearsed: line {line} has {what}, which reaches beyond the copy, "
        "and would really be done on production's server.",
        "Put it into a file of its own that is run by hand or in a run without a rehearsal; rehearse the others.",
    )
