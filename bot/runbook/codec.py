"""Events as JSON and back, by their type hints: what the ledger stores and the hash chain covers.

Reading tolerates fields it does not know (written by a newer version) and fills absent ones with their
defaults (written by an older one), so a run goes on across upgrades and downgrades.
"""

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from bot.runbook import events
from bot.runbook.digest import canonical
from bot.runbook.follow_up import events as after
from bot.runbook.preparation import events as before

_RUN = {kind.__name__: kind for kind in typing.get_args(events.Event)}
_PLAN = {kind.__name__: kind for kind in typing.get_args(before.Event)}
_FOLLOW_UP = {kind.__name__: kind for kind in typing.get_args(after.Event)}


def encode(event: events.Event | before.Event | after.Event) -> tuple[str, str]:
    """The event's kind and its canonical JSON body."""
    return type(event).__name__, canonical(plain(event))


def decode(kind: str, body: str) -> events.Event:
    """The event of a run; raises ``ValueError`` for a kind this version has never heard of."""
    found: events.Event = _known(_RUN, kind, body)
    return found


def decode_plan(kind: str, body: str) -> before.Event:
    """The event of a plan, likewise."""
    found: before.Event = _known(_PLAN, kind, body)
    return found


def decode_follow_up(kind: str, body: str) -> after.Event:
    """The event of a follow-up, likewise."""
    found: after.Event = _known(_FOLLOW_UP, kind, body)
    return found


def _known(kinds: Mapping[str, type], kind: str, body: str) -> Any:
    if kind not in kinds:
        raise ValueError(f"The ledger holds an event “{kind}” that this version of the bot does not know. Upgrade it.")
    return build(kinds[kind], json.loads(body))


def plain(value: Any) -> Any:
    """A frozen dataclass, or any value of one, as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(plain(each) for each in value)
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def build(hint: Any, value: Any) -> Any:
    """The value of type ``hint`` that ``plain`` made ``value`` of."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else build(_not_none(hint), value)
    if origin is tuple:
        return _tuple(typing.get_args(hint), value)
    if origin is frozenset:
        return frozenset(build(typing.get_args(hint)[0], each) for each in value)
    if is_dataclass(hint):
        return _dataclass(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return float(value) if hint is float else value


def _not_none(hint: Any) -> Any:
    return next(each for each in typing.get_args(hint) if each is not types.NoneType)


def _tuple(args: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(build(args[0], each) for each in value)
    return tuple(build(arg, each) for arg, each in zip(args, value, strict=True))


def _dataclass(kind: Any, value: dict[str, Any]) -> Any:
    given = {}
    for field in fields(kind):
        if field.name in value:
            given[field.name] = build(_hints(kind)[field.name], value[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"The ledger's {kind.__name__} lacks “{field.name}”.")
    return kind(**given)
