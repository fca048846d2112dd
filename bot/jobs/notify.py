"""Tells the outside what the outbox holds: the status page, the pager, the mail; each thing once.

Every verb of the ports reads first what is there, so what was told before a crash is not told again.  What cannot be
told keeps neither the run nor any other medium waiting: the thread says so, and the clock brings it back.
"""

import asyncio
from collections.abc import Mapping

import structlog

from bot import outbox, store
from bot.engine import Engine
from bot.errands import publishing
from bot.outbox import WaitingNotice
from bot.outside import (
    Alarm,
    AlarmOver,
    Change,
    Mail,
    Maintenance,
    Medium,
    Notice,
    Outside,
    Pager,
    Quiet,
    QuietOver,
    WhoIsOnCall,
)
from bot.ports import Busy, Letter, Queue, StepError, Unclear, Undeliverable
from bot.runbook.wording import utc
from bot.views import outside as words
from bot.views.letters import card_key_of

_log = structlog.get_logger()
PAUSES = (10.0, 30.0, 60.0, 120.0, 300.0)  # seconds until it is tried again; the last from then on
GIVE_UP = 86_400.0  # seconds: what could not be told in a day is told by people, as the thread asked them to
_AGAIN = 0.5  # seconds before the one repeat that follows at once: most lost answers are that


class NotThere(Exception):
    """The target no longer has the medium that this is for."""


class Notifier:
    """Brings what is true to those who are not in the channel."""

    def __init__(
        self,
        engine: Engine,
        queue: Queue,
        outside: Mapping[str, Outside],
        *,
        pauses: tuple[float, ...] = PAUSES,
        again: float = _AGAIN,
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._outside = outside
        self._pauses = pauses
        self._again = again

    async def notify(self, run_id: str, medium: str) -> None:
        """Tell one medium everything of a run that is due, oldest first; one that fails keeps no later one waiting."""
        tried: set[str] = set()
        while (waiting := await self._next(run_id, medium, tried)) is not None:
            tried.add(waiting.key)
            await self._deliver(waiting)

    async def _next(self, run_id: str, medium: str, tried: set[str]) -> WaitingNotice | None:
        async with self._engine.connection() as conn:
            waiting = await outbox.waiting_notices(conn, run_id, medium)
        now = self._engine.now()
        return next((each for each in waiting if each.key not in tried and each.due <= now), None)

    async def _deliver(self, waiting: WaitingNotice) -> None:
        if waiting.medium == Medium.PAGER and waiting.outdated:  # nobody is called for what is over
            return await self._settle(waiting, "overtaken")
        try:
            said = await self._told(waiting)
        except NotThere:
            await self._settle(waiting, "dropped")
        except (StepError, Unclear, Busy, Undeliverable) as error:
            await self._put_off(waiting, _why(error))
        except Exception as error:  # noqa: BLE001 - whatever it was: the other notices and the run go on
            _log.exception("notice.failed", key=waiting.key)
            await self._put_off(waiting, f"an unexpected error ({type(error).__name__}, see the logs)")
        else:
            await self._settle(waiting, "told", said)

    async def _told(self, waiting: WaitingNotice) -> str:
        """What is to be said of it in the thread.  A failure is followed by one more look, at once."""
        try:
            return await self._once(waiting)
        except (StepError, Unclear, Busy, Undeliverable) as error:
            _log.warning("notice.again", key=waiting.key, why=_why(error))
        await asyncio.sleep(self._again)
        return await self._once(waiting)

    async def _once(self, waiting: WaitingNotice) -> str:
        self._engine.checkpoint("tell", waiting.key)
        said = await _tell(self._outside.get(waiting.target, Outside()), waiting.notice)
        self._engine.checkpoint("told", waiting.key)
        return said

    async def _settle(self, waiting: WaitingNotice, state: str, said: str = "") -> None:
        """Recorded; the thread that heard of the trouble hears how it came out."""
        channel = await self._channel(waiting.run_id)
        async with self._engine.connection() as conn:
            overtaken = await outbox.settle(conn, waiting, state)
            found = [words.remark(channel, waiting.notice, said)] if said else []
            if waiting.tries or overtaken:
                found.append(words.at_last(channel, waiting.notice, state))
            await self._say(conn, waiting.run_id, found)

    async def _put_off(self, waiting: WaitingNotice, why: str) -> None:
        _log.warning("notice.not_told", key=waiting.key, why=why)
        now = self._engine.now()
        if now > waiting.put_at + GIVE_UP:
            return await self._settle(waiting, "given up")
        due = now + self._pauses[min(waiting.tries, len(self._pauses) - 1)]
        letter = words.untold(await self._channel(waiting.run_id), waiting.notice, why)
        async with self._engine.connection() as conn:
            await store.execute(conn, "put_off_notice", key=waiting.key, due=due)
            await self._say(conn, waiting.run_id, [letter])

    async def _channel(self, run_id: str) -> str:
        """Where the card of that run or plan is."""
        async with self._engine.connection() as conn:
            card = await store.letter(conn, card_key_of(run_id))
        return card.channel if card else ""

    async def _say(self, conn: store.Connection, run_id: str, letters: list[Letter]) -> None:
        for letter in letters:
            await store.put_letter(conn, letter)
        if letters:
            await self._queue.defer(conn, publishing(run_id))


def _why(error: Exception) -> str:
    advice = error.advice if isinstance(error, StepError) else ""
    return f"{error}. {advice}".strip() if advice else str(error)


async def _tell(outside: Outside, notice: Notice) -> str:
    """Tell it to whom it is for; what is to be said of it in the thread."""
    match notice.medium:
        case Medium.STATUS_PAGE if outside.status_page and isinstance(notice.body, Maintenance):
            await outside.status_page.show(notice, notice.body)
            return ""
        case Medium.PAGER if outside.pager:
            return await _page(outside.pager, notice)
        case Medium.MAIL if outside.mail and isinstance(notice.body, Mail):
            return "; ".join(await outside.mail.send(notice, notice.body))
    raise NotThere(notice.medium)


async def _page(pager: Pager, notice: Notice) -> str:
    match notice.body:
        case Alarm():
            await pager.alarm(notice, notice.body)
        case AlarmOver():
            await pager.over(notice, notice.body)
        case Change():
            await pager.changed(notice, notice.body)
        case Quiet():
            await pager.quiet(notice, notice.body)
        case QuietOver():
            await pager.loud(notice, notice.body)
        case WhoIsOnCall():
            found = [(each.name, utc(each.until) if each.until else "") for each in await pager.on_call()]
            return words.on_call(tuple(found))
    return ""
