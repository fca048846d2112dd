"""Everything the workspace knows, in one place, and the arguments its methods read."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.demo.workspace.errors import SlackError
from bot.demo.workspace.frames import Frames
from bot.demo.workspace.hub import Hub
from bot.demo.workspace.messages import Messages
from bot.demo.workspace.modals import Views
from bot.demo.workspace.seed import Seed
from bot.demo.workspace.tickets import Ids, Tickets

Json = dict[str, Any]


@dataclass(kw_only=True)
class File:
    """An upload: announced, then filled, then shared."""

    id: str
    name: str
    title: str = ""
    alt: str = ""
    content: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """A message of chat.scheduleMessage; `post_at` in epoch seconds."""

    id: str
    channel: str
    post_at: int
    created: int
    payload: Json


@dataclass(kw_only=True)
class Core:
    """The state of one workspace; used from one event loop only. `url` is known once it listens."""

    seed: Seed
    clock: Callable[[], float] = time.time
    url: str = ""
    files: dict[str, File] = field(default_factory=dict)
    scheduled: dict[str, Scheduled] = field(default_factory=dict)
    on_schedule: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.hub = Hub()
        self.ids = Ids(self.clock)
        self.frames = Frames(seed=self.seed)
        self.messages = Messages(self.seed, self.ids, self.hub)
        self.views = Views(self.seed, self.ids, self.hub)
        self.tickets = Tickets(clock=self.clock, ids=self.ids)

    def response_url(self, token: str) -> str:
        """Where a response_url token is answered."""
        return f"{self.url}/response/{token}"


@dataclass(frozen=True)
class Args:
    """Arguments of a method, from JSON, a form or the query; forms hold JSON inside their fields."""

    given: Json

    def get(self, name: str) -> Any:
        """The raw value, or None."""
        return self.given.get(name)

    def need(self, name: str) -> Any:
        """A value that must be there; `invalid_arguments` names it otherwise."""
        if self.given.get(name) in (None, ""):
            message = f"[ERROR] missing required field: {name}"
            raise SlackError("invalid_arguments", response_metadata={"messages": [message]})
        return self.given[name]

    def text(self, name: str) -> str | None:
        """A string, or None when it was not given."""
        value = self.given.get(name)
        return None if value is None else str(value)

    def flag(self, name: str) -> bool:
        """A boolean, however it is spelled."""
        return str(self.given.get(name, "")).lower() in ("1", "true")

    def whole(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.given.get(name)
        if value in (None, ""):
            return default
        try:
            return int(str(value))
        except ValueError:
            raise SlackError("invalid_arguments") from None

    def decoded(self, name: str, error: str) -> Any:
        """A list or object, decoded when it came as text; `error` when it cannot be read."""
        value = self.given.get(name)
        if not isinstance(value, str) or not value:
            return value or None
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise SlackError(error) from None
