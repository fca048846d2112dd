"""How the server would run the application's costliest statements: before the migration, on its rehearsal, and after.

``EXPLAIN (GENERIC_PLAN)`` plans a normalised statement without its values, and runs nothing (PostgreSQL 16 and newer;
postgresql.org/docs/current/sql-explain.html).  A plan that changed is a *flip*; a statement that no longer plans is
what the application will fail with.

Planning evaluates functions whose arguments are known, and does so with the bot's rights.  So only statements on tables
of the database's owners are planned, and none that names a function or an operator that somebody else has made.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql

from bot.ports import StepError
from bot.runbook.wording import counted, one_line
from bot.target import Target
from integrations.postgres.blocks import blocks
from integrations.postgres.checks import Finding, Findings
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.parser import postgast
from integrations.postgres.risk.tree import inside, strings
from integrations.postgres.statement_costs import UNSEEN
from integrations.postgres.words import several

FACT = "query_plans"  # of the backup step
MOST = 15  # statements
LONGEST = 1200  # characters of one; a cut one would not plan
COSTLIER = 2.0  # times its estimated cost from before: below, a flip is a matter of taste
_SINCE = 160000  # server_version_num that knows GENERIC_PLAN
_KINDS = {"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}
NOT_OURS = "it uses what others than the database's owners have made, and is not looked at"
_OWN = ("migrate_bot.", "pg_catalog.", "pg_stat", "information_schema.")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """``shape`` is a line for each node that reads or joins, ``cost`` the planner's estimate; or ``problem`` says why
    there is no plan."""

    text: str
    shape: tuple[str, ...] = ()
    cost: float = 0.0
    problem: str = ""


Plans = tuple[Planned, ...]


async def costliest(target: Target) -> tuple[str, ...]:
    """The texts of the target's costliest statements; none where they cannot be seen."""
    try:
        async with session(target.dsn, "migrate/statements") as db:
            queries = blocks("statements.sql")
            where = await (await db.execute(queries["statements_schema"])).fetchone()
            if where is None or db.info.server_version < _SINCE:
                return ()
            query = queries["statement_texts"].format(sql.Identifier(str(where[0])))
            found = await (await db.execute(query)).fetchall()
    except (StepError, psycopg.Error):
        return ()
    return tuple(str(text) for (text,) in found if _is_the_applications(str(text)))[:MOST]


async def planned(db: Session, texts: Sequence[str]) -> Plans:
    """Each of them as the server would run it now."""
    return tuple([await _planned(db, each) for each in texts])


async def as_fact(target: Target, application_name: str) -> dict[str, str]:
    """The plans as they are now, for the verification to compare with; nothing where none can be had."""
    texts = await costliest(target)
    if not texts:
        return {}
    try:
        async with session(target.dsn, application_name) as db:
            return {FACT: json.dumps([asdict(each) for each in await planned(db, texts)])}
    except (StepError, psycopg.Error):  # it is only for comparison: no backup fails for it
        return {}


def of_fact(text: str) -> Plans:
    """The same back."""
    return tuple(Planned(**{**each, "shape": tuple(each["shape"])}) for each in json.loads(text))


async def compared(db: Session, before: Plans) -> Findings:
    """The same statements planned again: what flipped, what got dearer, what no longer plans."""
    return tuple(differences(before, await planned(db, [each.text for each in before])))


def differences(before: Plans, after: Plans) -> Iterator[Finding]:
    """In words; flips that the planner holds for cheaper are told, and are no reason to worry."""
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if not old.problem]
    if not pairs:
        return
    lost = [f"{_short(new.text)} ({one_line(new.problem, 160)})" for _, new in pairs if new.problem]
    flips = [(old, new) for old, new in pairs if not new.problem and new.shape != old.shape]
    dear = [_flip(old, new) for old, new in flips if new.cost > COSTLIER * old.cost]
    rest = [_flip(old, new) for old, new in flips if new.cost <= COSTLIER * old.cost]
    if lost:
        what = f"{counted(len(lost), 'statement')} that the application has run can no longer be planned"
        yield Finding(text=f"Query plans: {what}: {several(lost)}", notable=True)
    if dear:
        yield Finding(text=f"Query plans: flipped, and costlier: {several(dear)}", notable=True)
    if rest:
        yield Finding(text=f"Query plans: flipped, and not much costlier: {several(rest)}")
    if not lost and not flips:
        yield Finding(text=f"Query plans: {counted(len(pairs), 'statement')} planned as before")


def _flip(old: Planned, new: Planned) -> str:
    gone = [each for each in old.shape if each not in new.shape]
    come = [each for each in new.shape if each not in old.shape]
    change = f"{', '.join(gone) or 'as before'} became {', '.join(come) or 'another order'}"
    return f"{_short(old.text)}: {change}, cost {old.cost:,.0f} to {new.cost:,.0f}"


def _short(text: str) -> str:
    return f"“{one_line(text, 90)}”"


async def _planned(db: Session, text: str) -> Planned:
    try:
        async with db.transaction(force_rollback=True):
            await db.execute("SET TRANSACTION READ ONLY")
            await db.execute("SET LOCAL statement_timeout = '2s'")
            await db.execute("SET LOCAL lock_timeout = '1s'")
            await db.execute("SET LOCAL row_security = off")
            await db.execute("SET LOCAL search_path TO DEFAULT")  # the bot's own sessions have none
            ((safe,),) = await rows(db, "nobody_elses", _named(text), "statements.sql")
            if not safe:
                return Planned(text=text, problem=NOT_OURS)
            row = await (await db.execute(b"EXPLAIN (GENERIC_PLAN, FORMAT JSON) " + text.encode())).fetchone()
    except psycopg.Error as error:
        return Planned(text=text, problem=f"{error.sqlstate or ''} {error.diag.message_primary or error}".strip())
    found: Any = row[0] if row else [{"Plan": {}}]
    root = found[0]["Plan"]
    return Planned(text=text, shape=tuple(_nodes(root)), cost=float(root.get("Total Cost", 0.0)))


def _named(text: str) -> dict[str, list[str]]:
    """The tables, functions and operators of a statement, by their names as they stand there."""
    [raw] = postgast.parse(text).stmts
    found: dict[str, list[str]] = {"relations": [], "functions": [], "operators": []}
    own: set[str] = set()
    for node in inside(raw.stmt):
        match node.DESCRIPTOR.name:
            case "RangeVar":
                parts = [each for each in (node.schemaname, node.relname) if each]
                found["relations"].append(sql.Identifier(*parts).as_string(None))
            case "FuncCall":
                found["functions"].append(strings(node.funcname)[-1])
            case "A_Expr":
                found["operators"].append(strings(node.name)[-1])
            case "SubLink" if node.oper_name:
                found["operators"].append(strings(node.oper_name)[-1])
            case "CommonTableExpr":
                own.add(sql.Identifier(node.ctename).as_string(None))
    return {**found, "relations": [each for each in found["relations"] if each not in own]}


def _nodes(node: dict[str, Any]) -> Iterator[str]:
    """What reads and joins, from the top; sorting and the like follow from that."""
    kind, relation = str(node.get("Node Type", "")), node.get("Relation Name")
    index = f" using {node['Index Name']}" if "Index Name" in node else ""
    if relation or index or "Join" in kind or kind == "Nested Loop":
        yield f"{kind}{index}{f' on {relation}' if relation else ''}"
    for each in node.get("Plans", ()):
        yield from _nodes(each)


def _is_the_applications(text: str) -> bool:
    """One plain statement of somebody's, whole, and not about the server itself."""
    if text == UNSEEN or len(text) > LONGEST or any(each in text for each in _OWN):
        return False
    try:
        parsed = postgast.parse(text).stmts
    except postgast.PgQueryError:
        return False
    return len(parsed) == 1 and parsed[0].stmt.WhichOneof("node") in _KINDS
