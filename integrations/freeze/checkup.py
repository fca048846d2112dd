"""The doctor's look at a target's freeze calendar: can it be read?"""

import time

from bot.doctor.findings import Findings, fail, ok
from bot.ports import StepError
from bot.runbook.wording import counted
from bot.target import Target
from integrations.freeze.calendar import FreezeCalendar

_YEAR = 365 * 86400.0


async def look_at_freezes(target: Target) -> Findings:
    """A calendar that cannot be read keeps every migration from beginning."""
    now = time.time()
    try:
        found = await FreezeCalendar().freezes(target, now, now + _YEAR)
    except StepError as error:
        fix = f"{error.advice} It is named by [targets.{target.name}.freeze]."
        return [fail("calendar", error.problem, fix.strip())]
    return [ok("calendar", f"{counted(len(found), 'freeze')} in the next year")]
