"""On which line of a TOML file an entry stands: ``tomllib`` reads the values and forgets where they were.

Statement by statement: as many lines as ``tomllib`` needs to take them as one.  What it cannot tell it leaves out, and
the nearest entry above is named.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

Path = tuple[str | int, ...]


class Places:
    """The line of each entry, counted from 1."""

    def __init__(self, text: str = "") -> None:
        self._lines: dict[Path, int] = {}
        for path, line in _entries(text.splitlines()):
            self._lines.setdefault(path, line)

    def line(self, path: Sequence[str | int]) -> int | None:
        """Of the entry, or of the nearest one above it that is written down; ``None`` where there is none."""
        found = (self._lines.get(tuple(path[:end])) for end in range(len(path), 0, -1))
        return next((each for each in found if each is not None), None)

    def line_of(self, entry: str) -> int | None:
        """The same for an entry as people write it, ``targets.casework.policy``."""
        return self.line([int(each) if each.isdigit() else each for each in entry.split(".")])


def _entries(lines: list[str]) -> Iterator[tuple[Path, int]]:
    table: Path = ()
    counted: dict[Path, int] = {}
    for start, chunk in _statements(lines):
        if chunk[0].lstrip().startswith("["):
            table = _header(chunk, counted)
            for end in range(1, len(table) + 1):
                yield table[:end], start
        else:
            yield from _values(table, tomllib.loads("\n".join(chunk)), chunk, start)


def _statements(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Headers and key-value pairs, with the line that each begins on; comments and blank lines are left out."""
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        end = next((each for each in range(at + 1, len(lines) + 1) if _whole(lines[at:each])), at + 1)
        if _whole(lines[at:end]):
            yield at + 1, lines[at:end]
        at = end


def _whole(lines: list[str]) -> bool:
    try:
        tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _header(chunk: list[str], counted: dict[Path, int]) -> Path:
    """The table's path; a table in an array of tables has the number of the newest one in it."""
    found: object = tomllib.loads("\n".join(chunk))
    path: Path = ()
    while isinstance(found, dict) and found:
        ((name, found),) = found.items()
        path = (*path, name)
        if isinstance(found, list):
            counted[path] = counted.get(path, -1) + 1
        if path in counted:
            path = (*path, counted[path])
        found = found[0] if isinstance(found, list) else found
    return path


def _values(table: Path, found: object, chunk: list[str], start: int) -> Iterator[tuple[Path, int]]:
    """Everything in a value, each on the line that names it; what has no name of its own is on the line above it."""
    if isinstance(found, Mapping):
        for name, each in found.items():
            there = start + _named(chunk, str(name))
            yield (*table, str(name)), there
            yield from _values((*table, str(name)), each, chunk[there - start :], there)
    elif isinstance(found, list):
        for number, each in enumerate(found):
            yield (*table, number), start
            yield from _values((*table, number), each, chunk, start)


def _named(chunk: list[str], name: str) -> int:
    """How many lines below the first one the name is given a value."""
    wanted = re.compile(rf"""(^|[\s{{,."']){re.escape(name)}["']?\s*[=.]""")
    return next((number for number, line in enumerate(chunk) if wanted.search(line)), 0)
