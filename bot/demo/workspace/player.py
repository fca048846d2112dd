"""A scripted person on the page's protocol: says, clicks, fills in, and waits for what they should see."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp

from bot.demo.workspace.elements import elements
from bot.demo.workspace.forms import filled

Json = dict[str, Any]
Pred = Callable[[Json], bool]
T = TypeVar("T")
_WAIT: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Button:
    """A button as it stands in a message now; `channel` is where the message is."""

    channel: str
    message: Json
    block_id: str
    action_id: str
    value: str | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Done:
    """How an action ended: acked by the app, or the error the person was shown."""

    ok: bool
    error: str | None = None


class Player:
    """One person; use as an async context manager. Waiting raises TimeoutError that says what was there."""

    def __init__(self, url: str, user_id: str) -> None:
        self.user_id = user_id
        self.notices: list[str] = []
        self.views: list[Json] = []
        self.view_errors: dict[str, Json] = {}
        self.home: Json | None = None
        self._url = url
        self._seen = asyncio.Condition()
        self._messages: dict[str, dict[str, Json]] = {}
        self._ephemeral: dict[str, dict[str, Json]] = {}
        self._channels: list[str] = []
        self._done: dict[str, Done] = {}
        self._count = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(f"{self._url}/ui?user={self.user_id}")
        self._take(await self._socket.receive_json())
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        await self._socket.close()
        await self._session.close()

    async def _read(self) -> None:
        async for message in self._socket:
            async with self._seen:
                self._take(message.json())
                self._seen.notify_all()

    def _take(self, frame: Json) -> None:
        """Fold one frame into what this person sees."""
        kind, channel = frame["type"], frame.get("channel", "")
        if kind == "hello":
            self._greet(frame)
        elif kind in ("message", "message_changed"):
            self._messages.setdefault(channel, {})[frame["message"]["ts"]] = frame["message"]
        elif kind == "message_deleted":
            self._messages[channel].pop(frame["ts"], None)
        elif kind in ("ephemeral", "ephemeral_changed"):
            self._ephemeral.setdefault(channel, {})[frame["message"]["ts"]] = frame["message"]
        elif kind == "ephemeral_deleted":
            self._ephemeral[channel].pop(frame["ts"], None)
        elif kind == "done":
            self._done[frame["id"]] = Done(ok=frame["ok"], error=frame.get("error"))
        else:
            self._take_other(kind, frame)

    def _take_other(self, kind: str, frame: Json) -> None:
        if kind == "notice":
            self.notices.append(frame["text"])
        elif kind == "home":
            self.home = frame["view"]
        elif kind == "view_errors":
            self.view_errors[frame["view_id"]] = frame["errors"]
        elif kind == "view":
            self._take_view(frame)

    def _take_view(self, frame: Json) -> None:
        if frame["action"] == "close":
            self.views = [v for v in self.views if v["id"] != frame["view_id"]]
        elif frame["action"] == "update":
            self.views = [frame["view"] if v["id"] == frame["view"]["id"] else v for v in self.views]
        else:
            self.views.append(frame["view"])

    def _greet(self, frame: Json) -> None:
        self._channels = [c["id"] for c in frame["channels"]]
        self._messages = {c: {m["ts"]: m for m in found} for c, found in frame["messages"].items()}
        self._ephemeral = {c: {m["ts"]: m for m in found} for c, found in frame["ephemeral"].items()}
        self.home, self.views = frame["home"], list(frame["views"])

    def messages(self, channel: str | None = None) -> list[Json]:
        """Messages of a channel (the first by default), oldest first."""
        return list(self._messages.get(channel or self._channels[0], {}).values())

    @property
    def ephemerals(self) -> list[Json]:
        """What only this person was shown, oldest first."""
        return [m for found in self._ephemeral.values() for m in found.values()]

    def _newest(self) -> Iterator[tuple[str, Json]]:
        both = [
            (channel, message)
            for seen in (self._messages, self._ephemeral)
            for channel, found in seen.items()
            for message in found.values()
        ]
        return iter(sorted(both, key=lambda item: item[1]["ts"], reverse=True))

    async def _wait(self, what: str, look: Callable[[], T | None], timeout: float) -> T:  # noqa: ASYNC109
        found: list[T] = []

        def seen() -> bool:
            value = look()
            found[:] = [] if value is None else [value]
            return value is not None

        try:
            async with asyncio.timeout(timeout), self._seen:
                await self._seen.wait_for(seen)
        except TimeoutError:
            said = [m.get("text", "") for _, m in self._newest()][:5]
            raise TimeoutError(f"{self.user_id} waited {timeout:g} s for {what}; last seen: {said}") from None
        return found[0]

    async def _do(self, kind: str, **frame: Any) -> Done:
        """Send a frame and wait until the app acked it or the 3 s passed."""
        self._count += 1
        name = str(self._count)
        await self._socket.send_json({"type": kind, "id": name, **frame})
        return await self._wait(f"an answer to {kind}", lambda: self._done.pop(name, None), _WAIT)

    async def command(self, text: str, *, channel: str | None = None) -> Done:
        """Type a slash command."""
        return await self._do("command", text=text, channel=channel or self._channels[0])

    async def say(self, text: str, *, channel: str | None = None, thread_ts: str | None = None) -> Done:
        """Write a message; mentions as `<@U…>`."""
        return await self._do("say", text=text, channel=channel or self._channels[0], thread_ts=thread_ts)

    async def open_home(self) -> Done:
        """Look at the app's Home tab."""
        return await self._do("open_home")

    async def wait_message(self, pred: Pred, timeout: float = _WAIT) -> Json:  # noqa: ASYNC109
        """The newest message or ephemeral this is true of, now or later."""
        return await self._wait("a message", lambda: next((m for _, m in self._newest() if pred(m)), None), timeout)

    async def wait_notice(self, part: str, timeout: float = _WAIT) -> str:  # noqa: ASYNC109
        """The latest notice that contains this text."""
        return await self._wait(
            f"a notice with {part!r}",
            lambda: next((n for n in reversed(self.notices) if part in n), None),
            timeout,
        )

    async def wait_home(self, pred: Pred = bool, timeout: float = _WAIT) -> Json:  # noqa: ASYNC109
        """The Home tab, once this is true of it."""
        return await self._wait("the Home tab", lambda: self.home if self.home and pred(self.home) else None, timeout)

    async def wait_button(
        self,
        action_id: str,
        *,
        pred: Callable[[Button], bool] | None = None,
        timeout: float = _WAIT,  # noqa: ASYNC109
    ) -> Button:
        """A button that is there now, in the newest message that has it."""
        wanted = pred or (lambda button: True)
        return await self._wait(
            f"the button {action_id}",
            lambda: next((b for b in self._buttons() if b.action_id == action_id and wanted(b)), None),
            timeout,
        )

    def _buttons(self) -> Iterator[Button]:
        for channel, message in self._newest():
            for block, element in elements(message.get("blocks") or ()):
                if element["type"] == "button":
                    yield Button(
                        channel=channel,
                        message=message,
                        block_id=block["block_id"],
                        action_id=element["action_id"],
                        value=element.get("value"),
                        text=element["text"]["text"],
                    )

    async def click(self, button: Button, *, state: Mapping[str, Any] | None = None) -> Done:
        """Press a button."""
        return await self._do(
            "click",
            channel=button.channel,
            ts=button.message["ts"],
            block_id=button.block_id,
            action_id=button.action_id,
            value=button.value,
            **({"state": state} if state else {}),
        )

    async def wait_view(self, timeout: float = _WAIT, *, pred: Pred | None = None) -> Json:  # noqa: ASYNC109
        """The modal on top."""
        wanted = pred or (lambda view: True)
        return await self._wait(
            "a modal",
            lambda: self.views[-1] if self.views and wanted(self.views[-1]) else None,
            timeout,
        )

    async def submit(self, view: Json, values: Mapping[str, Any]) -> Done:
        """Fill in a modal by block_id and send it; blocks left out keep what they start with."""
        self.view_errors.pop(view["id"], None)
        return await self._do("submit", view_id=view["id"], values=filled(view, values))

    async def view_action(self, view: Json, block_id: str, action_id: str, **picked: Any) -> Done:
        """Use an element of a modal or of Home that tells the app at once."""
        return await self._do("view_action", view_id=view["id"], block_id=block_id, action_id=action_id, **picked)

    async def close_view(self, view: Json) -> Done:
        """Dismiss a modal."""
        return await self._do("close", view_id=view["id"])
