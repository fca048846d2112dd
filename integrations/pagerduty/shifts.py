"""``Shifts``: is somebody the one whom PagerDuty calls during a window?  The ``OnCall`` port of the checklist."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime

from bot.ports import Busy, StepError, Unclear
from bot.target import Target
from integrations.pagerduty.rest import Rest, Shift

Address = Callable[[str], Awaitable[str]]


class Shifts:
    """``rests`` by target; ``address`` is the e-mail address of a Slack id, by which people are the same in both."""

    def __init__(self, rests: Mapping[str, Rest], address: Address) -> None:
        self._rests = rests
        self._address = address

    async def covers(self, target: Target, user_id: str, start: float, end: float) -> tuple[bool | None, str]:
        """Do that person's shifts at the first level cover all of it?  Empty words where nobody is to be asked."""
        rest = self._rests.get(target.name)
        if rest is None:
            return None, ""
        try:
            address = await self._address(user_id)
        except (Busy, Unclear) as error:
            raise StepError("Slack did not say their e-mail address.", "It is asked again by itself.") from error
        if not address:
            return None, "Slack does not say their e-mail address (scope users:read.email), so PagerDuty cannot tell"
        shifts = await rest.shifts(start, end)
        mine = [each for each in shifts if each.address.lower() == address.lower()]
        if _whole(mine, start, end):
            return True, f"PagerDuty calls {mine[0].name} first during the whole window"
        others = dict.fromkeys(f"{each.name}{_until(each)}" for each in shifts if each not in mine)
        who = f"PagerDuty calls {', '.join(others)}" if others else "PagerDuty calls nobody first for all of it"
        return False, f"{who}; {mine[0].name} is on call for a part of it" if mine else who


def _whole(shifts: Iterable[Shift], start: float, end: float) -> bool:
    """Without a gap; a shift without a beginning or an end is for good."""
    reached = start
    for each in sorted(shifts, key=lambda shift: shift.start or 0.0):
        if (each.start or 0.0) <= reached:
            reached = max(reached, each.end or end)
    return reached >= end


def _until(shift: Shift) -> str:
    return f" until {datetime.fromtimestamp(shift.end, UTC):%Y-%m-%d %H:%M} UTC" if shift.end else ""
