"""Kinds of errors in a service's log: lines that say the same of other values are one kind.

Structured lines (JSON with a level) and plain ones are read; values, ids, times and secrets are no part of a kind.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from bot.runbook.blame import SHAPED
from bot.runbook.samples import ErrorKind

MOST, LONGEST = 8, 160  # kinds of one service; characters of one
_LEVELS = ("error", "critical", "fatal", "panic", "emerg", "alert")
_WORDS = ("error", "exception", "exc_info", "err", "message", "msg", "event")  # in this order, what says most
_PLAIN = re.compile(r"\b(?:ERROR|FATAL|CRITICAL|PANIC)\b|\b\w*(?:Error|Exception)\b|\berrors\.\w+:|^panic:")
_VALUES = (
    (re.compile(r"\s+LINE \d+:.*", re.DOTALL), ""),  # where in the statement: the statement's own business
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{13,}\b", re.IGNORECASE), "…"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?"), ""),
    (re.compile(r"=\([^)]*\)"), "=(…)"),  # PostgreSQL's DETAIL: Key (email)=(ann@example.com)
    (re.compile(r"'[^']*'"), "'…'"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "…"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{12,}\b", re.IGNORECASE), "…"),
    (re.compile(r"(?<![\w$])\d+(?:\.\d+)?(?![\w])"), "N"),
    (re.compile(r"\s+"), " "),
)
_CODE = re.compile(r"(?:SQLSTATE|code|pgcode|sqlstate)\W{0,4}(" + "|".join(SHAPED) + r")\b")
#: PostgreSQL's own words, and its drivers' names, where no SQLSTATE is logged.
_STATES = (
    (r"column .*does not exist|UndefinedColumn|Unknown (?:arg|field)", "42703"),
    (r"relation .*does not exist|UndefinedTable|table .*does not exist", "42P01"),
    (r"function .*does not exist|UndefinedFunction", "42883"),
    (r"type .*does not exist|UndefinedObject", "42704"),
    (r"violates not-null constraint|NotNullViolation", "23502"),
    (r"violates foreign key constraint|ForeignKeyViolation", "23503"),
    (r"duplicate key value|UniqueViolation", "23505"),
    (r"violates check constraint|CheckViolation", "23514"),
    (r"permission denied for|InsufficientPrivilege", "42501"),
)


def kinds(service: str, lines: Iterable[str]) -> tuple[ErrorKind, ...]:
    """The kinds of error among these lines, the most frequent first."""
    found = Counter(text for line in lines if (text := _error(line)))
    listed = sorted(found.items(), key=lambda each: (-each[1], each[0]))[:MOST]
    return tuple(ErrorKind(service=service, text=text, count=count, state=state_of(text)) for text, count in listed)


def state_of(text: str) -> str:
    """The SQLSTATE that a changed schema could have made, by its code or by PostgreSQL's words; empty for others."""
    if code := _CODE.search(text):
        return code[1]
    return next((state for pattern, state in _STATES if re.search(pattern, text, re.IGNORECASE)), "")


def _error(line: str) -> str:
    """The kind of a line, or nothing for one that is no error."""
    structured = _structured(line)
    if structured is not None:
        return _normal(_said(structured)) if str(structured.get("level", "")).lower() in _LEVELS else ""
    return _normal(line) if _PLAIN.search(line) else ""


def _structured(line: str) -> Mapping[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "level" in found else None


def _said(line: Mapping[str, Any]) -> str:
    return next((str(line[name]) for name in _WORDS if line.get(name)), "an error without words")


def _normal(text: str) -> str:
    code = _CODE.search(text)
    for pattern, mark in _VALUES:
        text = pattern.sub(mark, text)
    text = text.strip()
    kept = f" (SQLSTATE {code[1]})" if code and code[1] not in text else ""
    return text[: LONGEST - len(kept)] + kept
