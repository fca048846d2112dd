"""Events as JSON and back, by their type hints: what the ledger stores and the hash chain covers.

Reading tolerates fields it does not know (written by a newer version) and fills absent ones with their
defaults (written by an older one), so a run goes on across upgrades and downgrades.
"""

import json
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from bot.runbook import events
from bot.runbook.digest import canonical

_EVENTS = {kind.__name__: kind for kind in typing.get_args(events.Event)}


def encode(event: events.Event) -> tuple[str, str]:
    """The event's kind and its canonical JSON body."""
    return type(event).__name__, canonical(_plain(event))


def decode(kind: str, body: str) -> events.Event:
    """The event of that kind; raises ``ValueError`` for a kind this version has never heard of."""
    if kind not in _EVENTS:
        raise ValueError(f"The ledger holds an event “{kind}” that this version of the bot does not know. Upgrade it.")
    found: events.Event = _build(_EVENTS[kind], json.loads(body))
    return found


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(_plain(each) for each in value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _build(_not_none(hint), value)
    if origin is tuple:
        return _tuple(typing.get_args(hint), value)
    if origin is frozenset:
        return frozenset(_build(typing.get_args(hint)[0], each) for each in value)
    if is_dataclass(hint):
        return _dataclass(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return float(value) if hint is float else value


def _not_none(hint: Any) -> Any:
    return next(each for each in typing.get_args(hint) if each is not types.NoneType)


def _tuple(args: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_build(args[0], each) for each in value)
    return tuple(_build(arg, each) for arg, each in zip(args, value, strict=True))


def _dataclass(kind: Any, value: dict[str, Any]) -> Any:
    given = {}
    for field in fields(kind):
        if field.name in value:
            given[field.name] = _build(_hints(kind)[field.name], value[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"The ledger's {kind.__name__} lacks “{field.name}”.")
    return kind(**given)
