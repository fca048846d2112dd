"""WINDOW: free of freezes and of the platform's own maintenance, and a quiet time."""

from collections.abc import Awaitable, Callable

from bot.ports import Calendar, Maintenance, StepError
from bot.proving.subject import Looked, Looks, Subject, fine, untold, wrong
from bot.proving.traffic import Count, judged
from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.preparation import Window
from bot.runbook.refusals import Invalid
from bot.runbook.wording import duration, moment, one_line
from bot.target import Freeze, Target

ITEMS = (Item.WINDOW,)
Traffic = Callable[[Target], Awaitable[tuple[Count, ...]]]


class Frozen(Invalid):
    """The window is in a time in which nothing is to be changed."""

    def __init__(self, freeze: Freeze, zone: str) -> None:
        super().__init__(f"{_inside(freeze, zone)}.", "Choose another window.")


class WindowProof:
    """What is not given is not looked at; traffic that is not known leaves the item to people."""

    def __init__(
        self,
        *,
        calendar: Calendar | None = None,
        maintenance: Maintenance | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._calendar = calendar
        self._maintenance = maintenance
        self._traffic = traffic

    async def look(self, subject: Subject) -> Looks:
        """The one item, the gravest finding first."""
        found = [
            await self._freezes(subject.target, subject.draft.window),
            await self._planned(subject.target, subject.draft.window),
            await self._quiet(subject.target, subject.draft.window),
        ]
        found.sort(key=lambda each: (each.ok is not False, each.ok is not None))
        return {Item.WINDOW: Looked(ok=found[0].ok, findings=tuple(line for each in found for line in each.findings))}

    async def _freezes(self, target: Target, window: Window) -> Looked:
        if self._calendar is None:
            return fine()
        try:
            ahead = await self._calendar.freezes(target, window.start, window.end + target.freeze_warning)
        except StepError as error:
            return wrong(_unread(error))
        if inside := _overlapping(ahead, window):
            return wrong(*(f"{_inside(each, window.zone)}. Postpone the migration." for each in inside))
        return fine("No freeze in the window", *(_soon(each, window) for each in ahead))

    async def _planned(self, target: Target, window: Window) -> Looked:
        if self._maintenance is None:
            return fine()
        try:
            found = await self._maintenance.during(target, window.start, window.end)
        except StepError as error:
            return wrong(f"{error.problem} {error.advice}".strip())
        if found:
            return wrong(*(f"The platform plans {one_line(each)}. Postpone the migration." for each in found))
        return fine("No maintenance of the platform in the window")

    async def _quiet(self, target: Target, window: Window) -> Looked:
        if self._traffic is None:
            return untold("Traffic is not measured; tick with evidence that the window is a quiet time")
        try:
            return judged(await self._traffic(target), window)
        except StepError as error:
            return untold(f"Traffic could not be measured: {error.problem}")


async def require_no_freeze(calendar: Calendar | None, target: Target, window: Window) -> tuple[str, ...]:
    """For whoever plans or postpones: raises ``Frozen``; else what they should hear beside (a freeze that is near).

    A calendar that cannot be read is said and does not keep people from planning: the proof keeps them from starting.
    """
    if calendar is None:
        return ()
    try:
        ahead = await calendar.freezes(target, window.start, window.end + target.freeze_warning)
    except StepError as error:
        return (f"⚠️ {_unread(error)}",)
    if inside := _overlapping(ahead, window):
        raise Frozen(inside[0], window.zone)
    return tuple(_soon(each, window) for each in ahead)


def _overlapping(freezes: tuple[Freeze, ...], window: Window) -> tuple[Freeze, ...]:
    return tuple(each for each in freezes if each.start < window.end and each.end > window.start)


def _inside(freeze: Freeze, zone: str) -> str:
    why = one_line(freeze.why) or "no reason given"
    return f"The window is in a freeze: {why}, {moment(freeze.start, zone)} to {moment(freeze.end, zone)}"


def _soon(freeze: Freeze, window: Window) -> str:
    why, after = one_line(freeze.why) or "no reason given", duration(max(0.0, freeze.start - window.end))
    return f"⚠️ A freeze begins {after} after the window: {why}, {moment(freeze.start, window.zone)}"


def _unread(error: StepError) -> str:
    return f"The freeze calendar cannot be read: {error.problem} {error.advice}".strip()
