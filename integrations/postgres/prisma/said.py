"""What Prisma's command line says, read leniently: it is for people and for hints, never for the truth.

Native engines print codes (``Error: P3018``) and the SQLSTATE; driver adapters print neither (prisma/orm#27403 and
others), so the words themselves are looked at as well.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.postgres.prisma.codes import CODES

_CODE = re.compile(r"\b(P[13]0\d\d)\b")
_NAME = re.compile(r"(?:Migration name: |migration_name=\"|The `|Applying migration `)([\w.-]+)")
_STATE = re.compile(r"Database error code: ([0-9A-Z]{5})\b|SqlState\(E?([0-9A-Z]{5})\)|code: ['\"]([0-9A-Z]{5})['\"]")
_ERROR = re.compile(r"^(?:.*?\b)?(?:ERROR|FATAL): +(.*?)(?: +\d+: \w+::.*)?$")
_PLACE = re.compile(
    r'PostgreSQL database "(?P<database>[^"]*)"(?:, schema "(?P<schema>[^"]*)")?(?: at "(?P<server>[^"]*)")?'
)
#: Words that stand for a code where none is printed, first match wins.
_WORDS = (
    (r"Timed out trying to acquire a postgres advisory lock", "P1002"),
    (r"Can't reach database server", "P1001"),
    (r"Authentication failed against", "P1000"),
    (r"[Dd]atabase [`\"'].*[`\"'] does not exist", "P1003"),
    (r"was denied access on the database", "P1010"),
    (r"Server has closed the connection|Connection terminated unexpectedly", "P1017"),
    (r"Environment variable not found|Error validating", "P1012"),
)
#: PostgreSQL's own words where no SQLSTATE is printed.
_STATES = (
    (r"canceling statement due to lock timeout", "55P03"),
    (r"canceling statement due to (statement timeout|user request)", "57014"),
    (r"terminating connection due to administrator command", "57P01"),
    (r"deadlock detected", "40P01"),
    (r"already exists", "42P07"),
    (r"violates foreign key constraint|Foreign key constraint", "23503"),  # the second as an adapter words it
    (r"duplicate key value|could not create unique index|Unique constraint", "23505"),
    (r"contains null values|violates not-null constraint|Null constraint", "23502"),
    (r"violates check constraint|is violated by some row", "23514"),
    (r"cannot run inside a transaction block|cannot be executed .*within a pipeline", "25001"),
    (r"permission denied|must be owner", "42501"),
    (r"syntax error at", "42601"),
    (r'relation ".*" does not exist', "42P01"),
    (r'column ".*" does not exist', "42703"),
)
_EMPTY = re.compile(r"P[13]0\d\d|external connector error")
_VALUES = re.compile(r"=\(.*?\)(?= |$|\.)")


@dataclass(frozen=True, kw_only=True)
class Said:
    """``code``: Prisma's; ``state``: SQLSTATE; ``text``: the error in one line without people's data; ``migration``:
    the one it speaks of; ``database``, ``schema``, ``server``: where it says that it acts.  Empty where not said."""

    code: str = ""
    state: str = ""
    text: str = ""
    migration: str = ""
    database: str = ""
    schema: str = ""
    server: str = ""
    advisory: bool = False  # it was Prisma's own lock that was not had

    @property
    def lock(self) -> bool:
        """Was it only that a lock was not had: a table's, or Prisma's own?"""
        return self.state == "55P03" or self.advisory

    @property
    def words(self) -> str:
        """For people: the code with its meaning, then the error itself."""
        meaning = f"{self.code}: {CODES[self.code].meaning}" if self.code in CODES else self.code
        error = f"ERROR {self.state}: {self.text}" if self.state else self.text
        return ". ".join(each.rstrip(".") for each in (meaning, error) if each)


def read(lines: Sequence[str]) -> Said:
    """From the output of a command, stdout and stderr together."""
    text = "\n".join(lines)
    place, names = _PLACE.search(text), _NAME.findall(text)
    error, code = failure(lines), _code(text)
    return Said(
        code=code, state=sqlstate(text), text=error, migration=names[-1] if names else "",
        database=(place and place["database"]) or "", schema=(place and place["schema"]) or "",
        server=(place and place["server"]) or "",
        advisory=code == "P1002" and "advisory lock" in text,
    )  # fmt: skip


def failure(lines: Sequence[str]) -> str:
    """The one line that says why: PostgreSQL's, else the one after Prisma's ``Error:``."""
    for each in lines:
        if found := _ERROR.match(each.strip()):
            return without_values(found[1])
    told = [each.strip() for each in lines]
    for number, each in enumerate(told):
        if each.startswith("Error:"):
            rest = [each.removeprefix("Error:").strip(), *told[number + 1 :]]
            said = next((line for line in rest if line and not _EMPTY.fullmatch(line)), "")
            return without_values(said.removeprefix("Error querying the database: "))
    return ""


def sqlstate(text: str) -> str:
    """As printed, or by PostgreSQL's own words."""
    if found := _STATE.search(text):
        return next(each for each in found.groups() if each)
    return next((state for pattern, state in _STATES if re.search(pattern, text)), "")


def without_values(line: str) -> str:
    """Without the values of rows, which are people's data."""
    return _VALUES.sub("=(…)", line)


def _code(text: str) -> str:
    if found := re.search(r"Error: (P[13]0\d\d)\b", text) or _CODE.search(text):
        return found[1]
    return next((code for pattern, code in _WORDS if re.search(pattern, text)), "")
