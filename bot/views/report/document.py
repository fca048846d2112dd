"""A report before it has a form: sections of tables, lists, boxes and charts, in people's plain words."""

from dataclasses import dataclass
from typing import TypeAlias


class Code(str):
    """A cell that is shown letter by letter, e.g. a digest."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Named:
    """One recorded value under its name."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Bullets:
    """``to_do``: with a box to tick."""

    items: tuple[str | Named, ...]
    to_do: bool = False


@dataclass(frozen=True, kw_only=True)
class Box:
    """Lines exactly as they are."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Words:
    """Our own sentence; what stands between two backticks is code.  Nothing that people wrote goes in here."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measurement; ``value`` is ``None`` where nothing was measured."""

    at: float
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One figure over time, in ``unit``; ``limit`` is the runbook's threshold, ``marks`` are moments with a word."""

    title: str
    unit: str
    points: tuple[Point, ...]
    limit: float | None = None
    marks: tuple[tuple[float, str], ...] = ()

    @property
    def values(self) -> tuple[float, ...]:
        """What was measured."""
        return tuple(each.value for each in self.points if each.value is not None)


Part: TypeAlias = Table | Bullets | Box | Words | Chart


@dataclass(frozen=True, kw_only=True)
class Section:
    title: str
    parts: tuple[Part, ...]
    level: int = 2


@dataclass(frozen=True, kw_only=True)
class Document:
    title: str
    sections: tuple[Section, ...]
