"""Who is looking: the browser (or player) connections, and what to tell each of them."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from bot.demo.workspace.seed import Channel

Json = dict[str, Any]


class Hub:
    """Frames to people, by user id; a person may look from several places at once."""

    def __init__(self) -> None:
        self._queues: dict[str, list[asyncio.Queue[Mapping[str, Any]]]] = {}

    def join(self, user_id: str) -> asyncio.Queue[Mapping[str, Any]]:
        """Open a queue of frames for one connection of a person."""
        queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._queues.setdefault(user_id, []).append(queue)
        return queue

    def leave(self, user_id: str, queue: asyncio.Queue[Mapping[str, Any]]) -> None:
        """Forget a connection."""
        self._queues[user_id].remove(queue)

    def tell(self, users: Iterable[str], frame: Mapping[str, Any]) -> None:
        """Queue a frame for every connection of these people."""
        for user_id in dict.fromkeys(users):
            for queue in self._queues.get(user_id, ()):
                queue.put_nowait(frame)

    def tell_channel(self, channel: Channel, frame: Mapping[str, Any]) -> None:
        """Queue a frame for every member of a channel."""
        self.tell(channel.members, {**frame, "channel": channel.id})
