"""Small words: lengths of time, moments, counts, and people's text made fit for one line."""

import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DROPPED = ("Cf", "Cs")  # direction marks and zero-width characters, halves of characters
_BREAKS = ("Cc", "Zl", "Zp")  # line breaks and other control characters
_JOINER = "\u200d"  # holds emoji sequences together, so it stays


def utc(at: float) -> str:
    """A moment as people read it: hours and minutes, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of an IANA name; ``None`` where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def moment(at: float, zone: str = "UTC") -> str:
    """A moment with its date in somebody's zone, and in UTC beside it where that differs."""
    there = zone_of(zone)
    if there is None or zone == "UTC":
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    local = datetime.fromtimestamp(at, there)
    if not local.utcoffset():
        return moment(at)
    return f"{local:%Y-%m-%d %H:%M %Z} ({utc(at)})"


def duration(seconds: float) -> str:
    """A length of time in the two units that matter: seconds below ten minutes, then minutes."""
    whole = round(seconds)
    if whole >= 600:
        return _two(*divmod(round(whole / 60), 60), "hour", "minute")
    return _two(*divmod(whole, 60), "minute", "second")


def _two(big: int, little: int, large: str, small: str) -> str:
    parts = [counted(each, unit) for each, unit in ((big, large), (little, small)) if each]
    return " ".join(parts) or f"0 {small}s"


def counted(number: int, noun: str) -> str:
    """``1 minute``, ``2 minutes``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def one_line(text: str, limit: int = 300) -> str:
    """People's words on one line of at most ``limit`` characters, without direction and control marks."""
    start = text[: limit * 4]
    plain = start if start.isprintable() else "".join(map(_tame, start))
    line = " ".join(plain.split())
    return line if len(line) <= limit and len(start) == len(text) else line[: limit - 1].rstrip() + "…"


def _tame(character: str) -> str:
    if character.isprintable():
        return character
    kind = unicodedata.category(character)
    if kind in _DROPPED and character != _JOINER:
        return ""
    return " " if kind in _BREAKS else character
