"""``ConsoleChannel``: the ``Channel`` port without Slack.  It prints what people would read."""

import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from bot.ports import Address, Attachment, Letter
from bot.views.text import plain


class ConsoleChannel:
    """Messages as text on a stream (standard output unless another is given); a key is printed once.

    Files are written to ``folder``.
    """

    def __init__(self, stream: TextIO | None = None, *, folder: Path = Path("reports")) -> None:
        self._stream = stream
        self._folder = folder
        self._numbers = itertools.count(1)
        self._posted: dict[str, Address] = {}
        self._shown: dict[Address, str] = {}

    async def post(self, letter: Letter, thread: Address | None) -> Address:
        """Print the message; threads are indented."""
        known = self._posted.get(letter.key)
        if known is not None:
            return known
        address = Address(channel=letter.channel, ts=str(next(self._numbers)))
        self._posted[letter.key] = address
        self._print(address, letter.payload, "  ↳ " if thread else "")
        if letter.file is not None:
            self._print(address, {"text": self._written(letter.file)}, "  ↳ ")
        return address

    async def find(self, letter: Letter, thread: Address | None) -> Address | None:
        """What this process printed; an earlier one's lines cannot be found again."""
        return self._posted.get(letter.key)

    async def update(self, address: Address, payload: Mapping[str, object]) -> Address:
        """Print the first lines anew where they changed: a console cannot redraw what scrolled away."""
        if self._lead(payload) != self._shown.get(address):
            self._print(address, {"text": self._lead(payload)}, "  ~ ")
        return address

    async def pin(self, address: Address) -> None:
        """Nothing to pin on a console."""

    async def unpin(self, address: Address) -> None:
        """Nothing to unpin on a console."""

    async def schedule(self, channel: str, text: str, at: float) -> str:
        """Nobody would post it once the process is gone: it is not kept."""
        return f"console-{next(self._numbers)}"

    async def scheduled(self, channel: str, words: str) -> tuple[str, ...]:
        """Nothing was kept."""
        return ()

    async def unschedule(self, channel: str, scheduled: str) -> None:
        """Nothing was kept."""

    def _written(self, file: Attachment) -> str:
        """Where the file is; its text, where it cannot be written."""
        path = self._folder / Path(file.name).name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.body)
        except OSError as error:
            return f"{file.title} could not be written to {path} ({error}); it says:\n{file.alt or file.text}"
        return f"{file.title}: {path.absolute()}"

    def _lead(self, payload: Mapping[str, object]) -> str:
        return "\n".join(str(payload.get("text", "")).splitlines()[:2])

    def _print(self, address: Address, payload: Mapping[str, object], mark: str) -> None:
        self._shown[address] = self._lead(payload)
        for line in plain(str(payload.get("text", ""))).splitlines():
            print(f"[{address.channel}] {mark}{line}", file=self._stream or sys.stdout, flush=True)
