"""What a plan agrees on beforehand about going back: until when, and how far without asking."""

from dataclasses import dataclass

from bot.runbook.rungs import Envelope
from bot.target import Target
from bot.views.ids import Field
from commands.parse import Request

_LONGEST = 24.0 * 30  # hours; a later rollback is no rollback any more
_MOST_ROWS = 10**12
_BOTH = "Fill in both the rows and the minutes of the envelope, or neither."


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """``deadline`` in seconds after the migration; ``None`` where nothing was agreed on."""

    deadline: float | None
    envelope: Envelope | None


def way_back(target: Target, request: Request) -> tuple[WayBack, dict[Field, str]]:
    """What was filled in, and what is wrong with it.  Fields that were not shown keep the target's settings."""
    errors: dict[Field, str] = {}
    deadline, envelope = target.rollback_deadline, target.envelope
    if Field.DEADLINE in request.fields:
        hours = _number(request, Field.DEADLINE, _LONGEST, errors, "Give the rollback deadline in hours, up to 720.")
        deadline = None if hours is None else hours * 3600
    if {Field.ENVELOPE_ROWS, Field.ENVELOPE_MINUTES} & request.fields.keys():
        envelope = _envelope(request, errors)
    return WayBack(deadline=deadline, envelope=envelope), errors


def _envelope(request: Request, errors: dict[Field, str]) -> Envelope | None:
    asked = "Give the most rows that may be lost, as a whole number from 0."
    rows = _number(request, Field.ENVELOPE_ROWS, _MOST_ROWS, errors, asked, whole=True)
    asked = "Give the longest way back in minutes, more than 0 and up to 1440."
    minutes = _number(request, Field.ENVELOPE_MINUTES, 1440.0, errors, asked)
    if errors.keys() & {Field.ENVELOPE_ROWS, Field.ENVELOPE_MINUTES}:
        return None
    if (rows is None) != (minutes is None):
        errors[Field.ENVELOPE_ROWS if rows is None else Field.ENVELOPE_MINUTES] = _BOTH
    return Envelope(rows=int(rows), minutes=minutes) if rows is not None and minutes is not None else None


def _number(
    request: Request, field: Field, most: float, errors: dict[Field, str], asked: str, *, whole: bool = False
) -> float | None:
    """The number of a field, ``None`` where it is empty; what is wrong with it goes to ``errors``."""
    typed = request.text(field).strip()
    if not typed:
        return None
    try:
        number = float(typed)
    except ValueError:
        number = float("nan")
    if number <= most and (typed.isdigit() if whole else number > 0):
        return number
    errors[field] = asked
    return None
