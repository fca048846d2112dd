"""Delivers the outbox: in order, never lost, never doubled.

A letter is marked before the call that posts it and recorded after; what is found marked may or may not be there, so
the channel is asked for its key first.  The job's lock keeps two publishers of one run apart.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from bot import store
from bot.engine import Engine
from bot.ports import Address, Attachment, Busy, Channel, Letter, Unclear, Undeliverable
from bot.store import Waiting

_log = structlog.get_logger()
Draw = Callable[[Attachment], bytes]


def as_it_is(file: Attachment) -> bytes:
    """Where nobody draws: the file's text."""
    return file.text.encode()


class Publisher:
    """Brings what is true to where people are; ``draw`` makes a picture of its file."""

    def __init__(self, engine: Engine, channel: Channel, draw: Draw = as_it_is) -> None:
        self._engine = engine
        self._channel = channel
        self._draw = draw

    async def publish(self, run_id: str) -> None:
        """Deliver everything of a run that waits.

        A letter the channel refuses is set aside for this time, so that it keeps no other from being read.  What is
        left over is queued again by the clock for as long as it waits.
        """
        refused: set[str] = set()
        while letters := [each for each in await self._waiting(run_id) if each.key not in refused]:
            for letter in letters:
                try:
                    await self._deliver(letter)
                except Undeliverable as error:
                    _log.error("letter.refused", key=letter.key, why=str(error))
                    refused.add(letter.key)

    async def _waiting(self, run_id: str) -> list[Waiting]:
        async with self._engine.connection() as conn:
            return await store.waiting_letters(conn, run_id)

    async def _deliver(self, letter: Waiting) -> None:
        for pause in (0.2, 1.0, 3.0, 10.0):
            try:
                return await self._once(letter)
            except Busy as busy:
                await asyncio.sleep(busy.seconds)
            except Unclear as unclear:
                _log.warning("letter.unclear", key=letter.key, why=str(unclear))
                await asyncio.sleep(pause)
            letter = await self._reread(letter)
        await self._once(letter)

    async def _once(self, letter: Waiting) -> None:
        if letter.address is not None:
            self._engine.checkpoint("update", letter.key)
            address = await self._redrawn(letter, letter.address)
            self._engine.checkpoint("updated", letter.key)
        else:
            thread = await self._thread(letter)
            address = await self._found_or_posted(letter, thread)
            if letter.pin:
                await self._channel.pin(address)
        async with self._engine.connection() as conn:
            await store.execute(
                conn, "posted_letter", key=letter.key, posted=letter.wanted, at=address.channel, ts=address.ts
            )

    async def _found_or_posted(self, letter: Waiting, thread: Address | None) -> Address:
        found = await self._channel.find(letter.letter, thread) if letter.trying else None
        if found is not None:  # in the form it had when it was posted; it may have been redrawn since
            return await self._redrawn(letter, found)
        await self._mark(letter)
        self._engine.checkpoint("post", letter.key)
        posted = await self._channel.post(await self._drawn(letter.letter), thread)
        self._engine.checkpoint("posted", letter.key)
        return posted

    async def _drawn(self, letter: Letter) -> Letter:
        """A picture is drawn when it is sent, beside the loop: what is kept of it is what it shows."""
        file = letter.file
        if file is None or not file.name.endswith(".png"):
            return letter
        return replace(letter, file=replace(file, data=await asyncio.to_thread(self._draw, file)))

    async def _redrawn(self, letter: Waiting, address: Address) -> Address:
        """In its present form; a file stays as it was uploaded."""
        return address if letter.file else await self._channel.update(address, letter.payload)

    async def _thread(self, letter: Waiting) -> Address | None:
        if not letter.thread:
            return None
        async with self._engine.connection() as conn:
            parent = await store.letter(conn, letter.thread)
        return parent.address if parent else None

    async def _mark(self, letter: Waiting) -> None:
        async with self._engine.connection() as conn:
            await store.execute(conn, "trying_letter", key=letter.key)

    async def _reread(self, letter: Waiting) -> Waiting:
        async with self._engine.connection() as conn:
            return await store.letter(conn, letter.key) or letter
