"""Constraints that are validated in a transaction of their own (runbook, "Foreign Key Constraint Violations").

ADD CONSTRAINT … NOT VALID holds for new rows at once and takes its strong lock for a moment only; VALIDATE CONSTRAINT
then reads every row under a lock that lets others read and write (PostgreSQL documentation, ALTER TABLE, Notes).
"""

from psycopg import sql

from integrations.postgres.parser import nodes as pb
from integrations.postgres.parser import postgast
from integrations.postgres.script import Script
from integrations.postgres.statements import Statement, parse

SUFFIX = " (validation)"


def separated(script: Script) -> tuple[Script, ...]:
    """The file with its constraints added NOT VALID, and the script that validates them; itself where it has none."""
    found = [(each, validation) for each in script.statements if (validation := _validation(each))]
    if not found or script.outside:
        return (script,)
    text, at = script.text, 0
    for statement, _ in found:
        at = text.index(statement.text, at) + len(statement.text)
        text = f"{text[:at]}\nNOT VALID{text[at:]}"  # on a line of its own: the statement may end in a comment
    settings = [each.text for each in script.statements if each.setting]
    after = "".join(f"{each};\n" for each in (*settings, *(validation for _, validation in found)))
    return _script(script.name, text), _script(f"{script.name}{SUFFIX}", after)


def can_be_separated(script: Script, statement: int | None) -> bool:
    """Does that statement (from 0) add a constraint in a way that can be split?"""
    return statement is not None and not script.outside and bool(_validation(script.statements[statement]))


def _script(name: str, text: str) -> Script:
    return Script(name=name, data=text.encode(), statements=parse(text))


def _validation(statement: Statement) -> str:
    """The statement that validates the one constraint this one adds; empty for anything else."""
    if statement.kind != "alter_table_stmt":
        return ""
    [raw] = postgast.parse(statement.text).stmts
    node = raw.stmt.alter_table_stmt
    commands = [each.alter_table_cmd for each in node.cmds]
    if len(commands) != 1 or commands[0].subtype != pb.AT_AddConstraint:
        return ""
    part = getattr(commands[0], "def").constraint
    splits = part.contype in (pb.CONSTR_FOREIGN, pb.CONSTR_CHECK) and part.is_enforced and not part.skip_validation
    if not splits or not part.conname:
        return ""
    names = (each for each in (node.relation.schemaname, node.relation.relname) if each)
    validate = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}")
    return validate.format(sql.Identifier(*names), sql.Identifier(part.conname)).as_string(None)
