"""Events of an ICS calendar (RFC 5545) that overlap a time, recurrences included; pure.

Recurrences are expanded in the event's own wall-clock time: 22:00 stays 22:00 when the clocks change.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import icalendar
from dateutil.rrule import rrule, rruleset, rrulestr

from bot.ports import StepError
from bot.target import Freeze

_OFTEN = ("SECONDLY", "MINUTELY")
_MOST = 100_000  # occurrences of one event that are looked at: hourly for eleven years
_USED = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"})
_DAY = timedelta(days=1)
_SHIFT = 7200.0  # seconds by which a wall-clock length may be longer in truth, when the clocks change


@dataclass(frozen=True, kw_only=True)
class _Time:
    """A moment as it is written: ``wall`` on the clock of ``zone``."""

    wall: datetime
    zone: tzinfo

    @property
    def at(self) -> float:
        return self.wall.replace(tzinfo=self.zone).timestamp()


def events(text: str, start: float, end: float, zone: tzinfo) -> tuple[Freeze, ...]:
    """Those that overlap, earliest first; ``zone`` is for times that name none.  ``StepError`` for no calendar."""
    try:
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
    except (ValueError, IndexError, KeyError) as error:
        raise _unreadable("it is no ICS calendar") from error
    found = [each for one in calendars for each in one.walk("VEVENT") if isinstance(each, icalendar.Event)]
    if not calendars:
        raise _unreadable("it is empty")
    for event in found:
        if broken := _USED & {str(name) for name, _ in event.errors}:
            raise _unreadable(f"“{_text(event, 'SUMMARY')}” has no readable {', '.join(sorted(broken))}")
    return tuple(sorted(_overlapping(found, start, end, zone), key=lambda each: (each.start, each.end)))


def _overlapping(found: list[icalendar.Event], start: float, end: float, zone: tzinfo) -> Iterator[Freeze]:
    moved = _moved(found, zone)
    for event in found:
        if _text(event, "STATUS").upper() == "CANCELLED":
            continue
        length, why = _length(event), _text(event, "SUMMARY")
        for each in _occurrences(
            event, zone, moved.get(_text(event, "UID"), set()), start - length.total_seconds(), end
        ):
            last = _Time(wall=each.wall + length, zone=each.zone).at
            if each.at < end and last > start:
                yield Freeze(start=each.at, end=last, why=why)


def _moved(found: Iterable[icalendar.Event], zone: tzinfo) -> dict[str, set[float]]:
    """Occurrences that an event of their own stands for (RECURRENCE-ID), by their series."""
    moved: dict[str, set[float]] = {}
    for event in found:
        if "RECURRENCE-ID" in event:
            moved.setdefault(_text(event, "UID"), set()).add(_time(_moment(event, "RECURRENCE-ID"), zone).at)
    return moved


def _occurrences(
    event: icalendar.Event, zone: tzinfo, moved: set[float], since: float, until: float
) -> Iterator[_Time]:
    first = _time(_moment(event, "DTSTART"), zone)
    if "RECURRENCE-ID" in event or not (event.rrules or event.rdates):
        yield first
        return
    series = rruleset()
    series.rdate(first.wall)
    for rule in event.rrules:
        series.rrule(_rule(rule, first))
    for more, *_ in event.rdates:
        series.rdate(_wall(more, first))
    for day in event.exdates:
        series.exdate(_wall(day, first))
    for number, wall in enumerate(series):
        if number >= _MOST:
            raise _unreadable(f"“{_text(event, 'SUMMARY')}” repeats more than {_MOST} times")
        each = _Time(wall=wall, zone=first.zone)
        if each.at > until:
            return
        if each.at >= since and each.at not in moved:
            yield each


def _rule(rule: icalendar.vRecur, first: _Time) -> rrule:
    """The rule on the wall clock, its end (UNTIL, mostly in UTC) too."""
    if str((rule.get("FREQ") or [""])[0]).upper() in _OFTEN:
        raise _unreadable("an event repeats every minute or second, which is no freeze")
    until = rule.get("UNTIL")
    parts = icalendar.vRecur({name: value for name, value in rule.items() if name != "UNTIL"})
    text: str = parts.to_ical().decode()  # type: ignore[no-untyped-call]
    if until:
        text += f";UNTIL={_until(until[0], first):%Y%m%dT%H%M%S}"
    try:
        made: rrule = rrulestr(text, dtstart=first.wall)
    except ValueError as error:
        raise _unreadable("a recurrence rule is wrong") from error
    return made


def _until(value: date | datetime, first: _Time) -> datetime:
    """A bare date lasts to its end."""
    if isinstance(value, datetime):
        return _wall(value, first)
    return datetime(value.year, value.month, value.day, 23, 59, 59)  # noqa: DTZ001 - on the wall clock


def _wall(value: date | datetime, first: _Time) -> datetime:
    """A value of the event on the wall clock of its first occurrence."""
    if isinstance(value, datetime):
        return value.astimezone(first.zone).replace(tzinfo=None) if value.tzinfo else value
    return datetime.combine(value, first.wall.time())


def _time(value: date | datetime, zone: tzinfo) -> _Time:
    if isinstance(value, datetime):
        return _Time(wall=value.replace(tzinfo=None), zone=value.tzinfo or zone)
    return _Time(wall=datetime(value.year, value.month, value.day), zone=zone)  # noqa: DTZ001 - on the wall clock


def _moment(event: icalendar.Event, name: str) -> date | datetime:
    value: object = event.decoded(name, None)
    if not isinstance(value, date):  # a datetime is one
        raise _unreadable(f"“{_text(event, 'SUMMARY')}” has no readable {name}")
    return value


def _length(event: icalendar.Event) -> timedelta:
    """DTEND (exclusive) or DURATION; a bare date without either is that whole day (RFC 5545, 3.6.1)."""
    start = _moment(event, "DTSTART")
    if "DURATION" in event:
        length: object = event.decoded("DURATION", None)
        if not isinstance(length, timedelta):
            raise _unreadable(f"“{_text(event, 'SUMMARY')}” has no readable DURATION")
        return length
    if "DTEND" not in event:
        return timedelta() if isinstance(start, datetime) else _DAY
    end = _moment(event, "DTEND")
    try:
        return _on_clock(end, start) - _on_clock(start, start)
    except TypeError as error:
        raise _unreadable(f"“{_text(event, 'SUMMARY')}” begins and ends in different kinds of time") from error


def _on_clock(value: date | datetime, start: date | datetime) -> datetime:
    """On the wall clock of the event's start, so that an event lasts to its written end when the clocks change."""
    if isinstance(value, datetime) != isinstance(start, datetime):
        raise TypeError
    if isinstance(value, datetime) and isinstance(start, datetime):
        if (value.tzinfo is None) != (start.tzinfo is None):
            raise TypeError
        return value.astimezone(start.tzinfo).replace(tzinfo=None) if value.tzinfo else value
    return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - likewise


def _text(event: icalendar.Event, name: str) -> str:
    return str(event.get(name, ""))


def _unreadable(why: str) -> StepError:
    return StepError(f"The ICS calendar cannot be used: {why}.", "Mend it, or export it anew.")
