"""One SQL file as it would be run: its bytes, its statements, whether one transaction can hold it, what is refused.

Read by PostgreSQL's own parser.  What does not parse is run in one transaction or not at all.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.migrations import path_of
from bot.ports import StepError
from bot.target import Target
from integrations.postgres import statements as st
from integrations.postgres.parser import postgast
from integrations.postgres.statements import Statement

LARGEST = 50_000_000  # bytes; a larger file is data, not a migration
_META = re.compile(rb"(?m)^\s*\\(?!\.\s*$)|\\(?:!|gexec|gset|g\b|i\b|ir\b|c\b|connect\b|copy\b|o\b|setenv\b|watch\b)")
_CONTROL = re.compile(rb"(?im)(?:^|;)\s*(begin|start\s+transaction|commit|end|rollback|abort)\b[^;$]*;")
_PROGRAM = re.compile(rb"(?is)\bcopy\b.{1,2000}?\b(from|to)\s+program\b")
# These change how psql itself reads quotes, and could hide a backslash command from the parser.
_LEXING = re.compile(rb"(?i)standard_conforming_strings|client_encoding|backslash_quote|\bset\s+names\b")
_LEXING_AS_USUAL = re.compile(
    rb"(?i)set\s+(session\s+|local\s+)?(standard_conforming_strings\s*(=|to)\s*'?on'?|"
    rb"client_encoding\s*(=|to)\s*'?utf-?8'?)\s*;"
)


@dataclass(frozen=True, kw_only=True)
class Script:
    """A migration file.  ``statements`` is empty when it could not be parsed; ``trouble`` then says why."""

    name: str
    data: bytes
    statements: tuple[Statement, ...] = ()
    trouble: str = ""

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def outside(self) -> str:
        """Why one transaction cannot hold the file, or nothing: then it is run in one."""
        return next((each.outside for each in self.statements if each.outside), "")

    @property
    def repeatable(self) -> bool:
        """May the whole file be run again after it got only half-way?"""
        return bool(self.statements) and all(each.repeatable for each in self.statements)

    @property
    def indexes(self) -> frozenset[str]:
        """Names of the indexes it builds concurrently."""
        return frozenset(each.index for each in self.statements if each.index)

    @property
    def drops_rows(self) -> bool:
        """Does it say that it removes rows, or is that hidden (DO, CALL, unparsed)?"""
        return not self.statements or any(each.drops_rows for each in self.statements)

    def at_line(self, line: int) -> int | None:
        """Which statement (from 0) psql meant by a line number: it names the line of the final semicolon."""
        for number, each in enumerate(self.statements):
            if line <= each.last_line:
                return number
        return None


def read_migration(target: Target, name: str) -> Script:
    """A migration by its listed name, or its DOWN script: a file, or the one in Prisma's folder of that name."""
    path = path_of(target, name)
    if path.parent == target.migrations:
        return read_script(target.migrations, name)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", path.parent.name) or path.parent.parent != target.migrations:
        raise _refused(name, "is not a plain name of a folder", "Use letters, digits, dots, dashes and underscores.")
    if path.parent.resolve().parent != target.migrations.resolve():
        raise _refused(name, "leads out of the migrations folder", f"Put the folder itself into {target.migrations}.")
    return read_script(path.parent, path.name, called=name)


def read_script(folder: Path, name: str, *, called: str = "") -> Script:
    """Read a file once and judge it, ``called`` by another name; ``StepError`` when it may not be run at all."""
    data, name = _read(folder, name), called or name
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _refused(name, "is not UTF-8", "Save it as UTF-8.") from None
    _refuse_commands(name, data)
    try:
        return Script(name=name, data=data, statements=st.parse(text))
    except postgast.PgQueryError as error:
        return _unparsed(name, data, error)


def _read(folder: Path, name: str) -> bytes:
    """Only plain .sql files of the folder itself: no path, no option, no link out of it."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_. -]*\.sql", name) or ".." in name:
        raise _refused(name, "is not a plain name of a .sql file", "Use letters, digits, dots, dashes and underscores.")
    path = folder / name
    try:
        if path.resolve(strict=True).parent != folder.resolve(strict=True) or not path.is_file():
            raise _refused(name, "leads out of the migrations folder", f"Put the file itself into {folder}.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise _refused(name, f"is not in {folder}", "Put it there, or start the run with the right name.") from None
    except OSError as error:
        raise _refused(name, f"cannot be read: {error.strerror}", "Mend its permissions.") from error
    if not data.strip() or len(data) > LARGEST:
        raise _refused(name, f"has {len(data)} bytes", "A migration is between 1 byte and 50 MB.")
    return data


def _refuse_commands(name: str, data: bytes) -> None:
    if b"\0" in data:
        raise _refused(name, "holds a zero byte", "Save it as plain text.")
    if _LEXING.search(_LEXING_AS_USUAL.sub(b"", data)):
        raise _refused(name, "changes how quotes are read", "Remove standard_conforming_strings and client_encoding.")
    if _PROGRAM.search(data):
        raise _refused(name, "runs a program on the server (COPY … PROGRAM)", "Load the data another way.")


def _unparsed(name: str, data: bytes, error: Exception) -> Script:
    """Newer syntax, or something only psql understands: the latter is refused."""
    if _META.search(data):
        what = "holds psql commands (backslash), which could do anything on this machine"
        raise _refused(name, what, "Write it as plain SQL.")
    if _CONTROL.search(data):
        what = f"cannot be parsed ({error}) and opens or ends transactions of its own"
        raise _refused(name, what, "Mend its syntax, or remove BEGIN and COMMIT: the bot runs it in one transaction.")
    return Script(name=name, data=data, trouble=str(error))


def _refused(name: str, why: str, advice: str) -> StepError:
    return StepError(f"The migration file “{name}” {why}: it is not run.", advice)
