"""``FreezeCalendar``: the freezes of a target, from its settings and from its ICS calendar (a file or an address)."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bot.ports import StepError
from bot.runbook.wording import zone_of
from bot.target import Freeze, Target
from integrations.freeze.ics import events

LARGEST = 5_000_000  # bytes; a calendar of a company's freezes has a few thousand
_KEPT = 300.0  # seconds for which a fetched calendar is believed
_SECONDS = 5.0  # for fetching it


class FreezeCalendar:
    """``Calendar``.  A calendar that is configured and cannot be read is an error, never an empty one."""

    def __init__(self, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._texts: dict[str, tuple[float, str]] = {}

    async def freezes(self, target: Target, start: float, end: float) -> tuple[Freeze, ...]:
        """Those that overlap ``start`` to ``end``, earliest first."""
        found = [each for each in target.freezes if each.start < end and each.end > start]
        if target.freeze_ics:
            text = await self._text(target.freeze_ics)
            zone = zone_of(target.freeze_zone) or UTC
            found += await asyncio.to_thread(events, text, start, end, zone)
        return tuple(sorted(found, key=lambda each: (each.start, each.end)))

    async def _text(self, where: str) -> str:
        if not where.startswith(("https://", "http://")):
            return await asyncio.to_thread(_read, Path(where))
        at, text = self._texts.get(where, (float("-inf"), ""))
        if self._clock() - at > _KEPT:
            text = await self._fetched(where)
            self._texts[where] = (self._clock(), text)
        return text

    async def _fetched(self, address: str) -> str:
        """The address may hold a key, so only its host is ever named; a redirect could lead anywhere."""
        host = urlsplit(address).hostname or "its address"
        try:
            async with asyncio.timeout(self._seconds):
                return (await _body(address, host)).decode(errors="replace")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise _unfetched(host, f"did not answer ({type(error).__name__})") from None


async def _body(address: str, host: str) -> bytes:
    data = b""
    async with httpx.AsyncClient() as client, client.stream("GET", address) as answer:
        if answer.status_code != httpx.codes.OK:
            raise _unfetched(host, f"answered {answer.status_code}")
        async for chunk in answer.aiter_bytes():
            data += chunk
            if len(data) > LARGEST:
                raise _unfetched(host, f"sent more than {LARGEST // 1_000_000} MB")
    return data


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise StepError(f"{path} is larger than {LARGEST // 1_000_000} MB.", "Export the freezes alone.")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise StepError(
            f"{path} cannot be read: {why}.", "Put the calendar there, or mend the freeze settings."
        ) from None


def _unfetched(host: str, why: str) -> StepError:
    return StepError(
        f"{host} {why}.", "Check the address in the freeze settings, and that the bot's host may reach it."
    )
