"""``PagerDuty``: the ``Pager`` port."""

from bot.outside import Alarm, AlarmOver, Change, Notice, OnCall, Quiet, QuietOver
from integrations.pagerduty.events import Events
from integrations.pagerduty.rest import Rest


class PagerDuty:
    """Alarms by the Events API; the rest by the REST API, where the target has a key for it.

    Without that key a change event whose answer was lost may stand there twice: it calls nobody.
    """

    def __init__(self, events: Events, rest: Rest | None) -> None:
        self._events = events
        self._rest = rest

    async def on_call(self) -> tuple[OnCall, ...]:
        """Who is called first, now."""
        return await self._rest.on_call() if self._rest else ()

    async def alarm(self, notice: Notice, alarm: Alarm) -> None:
        """Call somebody, once while it is open."""
        await self._events.trigger(notice, alarm)

    async def over(self, notice: Notice, over: AlarmOver) -> None:
        """Nobody has to come any more."""
        await self._events.resolve(over)

    async def changed(self, notice: Notice, change: Change) -> None:
        """A change event, unless it is there already."""
        if self._rest is None or not await self._rest.changed(notice, change.at):
            await self._events.change(notice, change)

    async def quiet(self, notice: Notice, quiet: Quiet) -> None:
        """A maintenance window for the affected services."""
        if self._rest is not None:
            await self._rest.quiet(notice, quiet)

    async def loud(self, notice: Notice, over: QuietOver) -> None:
        """The window is over."""
        if self._rest is not None:
            await self._rest.loud(notice)
