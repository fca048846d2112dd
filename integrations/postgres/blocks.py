"""SQL in named blocks: ``-- name: what_it_does`` starts one, the next comment line says what it answers."""

import re
from functools import cache
from pathlib import Path

from psycopg import sql

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def blocks(file: str) -> dict[str, sql.SQL]:
    """The blocks of a .sql file of this folder, by name; ready for ``execute``."""
    parts = _NAME.split(Path(__file__).with_name(file).read_text())
    return {name: sql.SQL(body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
