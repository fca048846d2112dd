"""The small checks that Slack's limits are made of: each yields what is wrong with one value.

Wording follows what Slack answers (`must be less than 3001 characters`), so a refusal reads the same here
and there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class LimitProblem:
    """One broken limit: where (a JSON pointer such as `/blocks/0/text/text`) and what is wrong, in words."""

    pointer: str
    message: str


Problems = Iterator[LimitProblem]
Check = Callable[[Any, str], Problems]
Fields = Mapping[str, Check | None]
"""Allowed fields of an object; None: anything goes. A name that ends in `*` must be there."""


def problem(pointer: str, message: str) -> LimitProblem:
    """Shorthand for a `LimitProblem`."""
    return LimitProblem(pointer=pointer, message=message)


def length(value: str, pointer: str, low: int, high: int) -> Problems:
    """Hold a string between `low` and `high` characters."""
    if len(value) < low:
        yield problem(pointer, f"must be more than {low - 1} characters")
    if len(value) > high:
        yield problem(pointer, f"must be less than {high + 1} characters")


def string(high: int, low: int = 0) -> Check:
    """A string of `low` to `high` characters."""

    def check(value: Any, pointer: str) -> Problems:
        if not isinstance(value, str):
            yield problem(pointer, "must be a string")
        else:
            yield from length(value, pointer, low, high)

    return check


def number(low: float, high: float) -> Check:
    """A number from `low` to `high`."""

    def check(value: Any, pointer: str) -> Problems:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            yield problem(pointer, f"must be a number from {low:g} to {high:g}")

    return check


def flag(value: Any, pointer: str) -> Problems:
    """True or false."""
    if not isinstance(value, bool):
        yield problem(pointer, "must be a boolean")


def one_of(*values: str) -> Check:
    """One of a closed set of words."""

    def check(value: Any, pointer: str) -> Problems:
        if value not in values:
            yield problem(pointer, f"must be one of: {', '.join(values)}")

    return check


def fields(table: Fields) -> Check:
    """An object with these fields, no others, and none of the required ones missing."""
    allowed = {name.rstrip("*"): check for name, check in table.items()}
    required = [name.rstrip("*") for name in table if name.endswith("*")]

    def check(value: Any, pointer: str) -> Problems:
        if not isinstance(value, Mapping):
            yield problem(pointer, "must be an object")
            return
        for name in required:
            if value.get(name) is None:
                yield problem(pointer, f"missing required field: {name}")
        for name, found in value.items():
            if name not in allowed:
                yield problem(pointer, f"invalid additional property: {name}")
            elif (inner := allowed[name]) is not None and found is not None:
                yield from inner(found, f"{pointer}/{name}")

    return check


def items(low: int, high: int, each: Check | None = None) -> Check:
    """A list of `low` to `high` things, each held to `each`."""

    def check(value: Any, pointer: str) -> Problems:
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            yield problem(pointer, "must be an array")
            return
        if len(value) < low:
            yield problem(pointer, f"no fewer than {low} items allowed")
        if len(value) > high:
            yield problem(pointer, f"no more than {high} items allowed")
        for index, found in enumerate(value):
            if each is not None:
                yield from each(found, f"{pointer}/{index}")

    return check


def nullable(check: Check) -> Check:
    """The same, but nothing at all is fine too."""

    def allowed(value: Any, pointer: str) -> Problems:
        if value is not None:
            yield from check(value, pointer)

    return allowed


_PLAIN = {"type*": one_of("plain_text"), "emoji": flag}
_EITHER = {"type*": one_of("plain_text", "mrkdwn"), "emoji": flag, "verbatim": flag}


def plain(high: int) -> Check:
    """A plain_text object of 1 to `high` characters (/composition-objects/text-object)."""
    return fields({**_PLAIN, "text*": string(high, 1)})


def text(high: int) -> Check:
    """A plain_text or mrkdwn object of 1 to `high` characters."""
    return fields({**_EITHER, "text*": string(high, 1)})


def by_type(table: Mapping[str, Check]) -> Check:
    """An object whose `type` picks the check; a type that is not in the table is a problem."""

    def check(value: Any, pointer: str) -> Problems:
        kind = value.get("type") if isinstance(value, Mapping) else None
        if kind is None:
            yield problem(pointer, "missing required field: type")
        elif kind not in table:
            yield problem(pointer, f"unsupported type: {kind}")
        else:
            yield from table[kind](value, pointer)

    return check
