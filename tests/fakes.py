"""Small real stand-ins for the ports: they keep state, and the contract tests hold them to what the real ones do."""

from collections.abc import Mapping

from bot.ports import Address, Busy, Letter, Unclear
from bot.target import Service, Target


class FakePlatform:
    """Services that are only names and releases; held to the same contract as ``LocalPlatform``."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.releases: dict[str, str] = {}  # what was started last
        self.idle: set[str] = set()
        self.run: str | None = None  # whose memory ``idle`` and ``found`` are; None before the first stop
        self.found: dict[str, str] = {}
        self.logs: dict[str, tuple[str, ...]] = {}

    def where(self, target: Target) -> str:
        return "a platform of this test"

    async def status(self, target: Target) -> dict[str, bool]:
        return {service.name: service.name in self.running for service in target.services}

    async def wanted(self, target: Target) -> tuple[str, ...]:
        return tuple(service.name for service in target.services if service.name not in self.idle)

    async def remember(self, target: Target, run: str) -> None:
        if self.run == run:
            return
        names = {service.name for service in target.services}
        self.idle = names - self.running if self.run is None else (self.idle - self.running)
        self.found = {name: self.releases[name] for name in names - self.idle if name in self.releases}
        self.run = run

    async def stop(self, target: Target) -> None:
        if self.run is None:
            await self.remember(target, "")
        self.idle -= self.running
        self.running -= {service.name for service in target.services}

    async def start(self, target: Target, *, previous: bool = False) -> None:
        for service in target.services:
            if service.name in await self.wanted(target) and service.name not in self.running:
                before = self.found.get(service.name) if previous else None
                self.releases[service.name] = _release(service) if before is None else before
                self.running.add(service.name)

    async def release(self, target: Target, service: Service) -> str:
        return self.releases.get(service.name, "") if service.name in self.running else _release(service)

    async def previous(self, target: Target, service: Service) -> str:
        return self.found.get(service.name, "")

    async def known(self, target: Target, run: str) -> tuple[str, ...]:
        return tuple(self.found) if self.run == run else ()

    async def deploys_held(self, target: Target) -> str:
        return "Automatic deploys: held on this platform"

    async def log(self, target: Target, service: Service, lines: int) -> tuple[str, ...]:
        return self.logs.get(service.name, ())[-lines:]


def _release(service: Service) -> str:
    """``--release R`` of the command."""
    pairs = dict(zip(service.command, service.command[1:], strict=False))
    return pairs.get("--release", "")


class FakeChannel:
    """A channel in memory that can lose answers; held to the same contract as ``SlackChannel``.

    ``faults`` are taken one per post: ``drop_after`` (posted, the answer is lost), ``drop_before`` and ``http_500``
    (not posted, unclear), ``ratelimited`` (not posted, busy).
    """

    def __init__(self) -> None:
        self.messages: dict[Address, Letter] = {}
        self.payloads: dict[Address, Mapping[str, object]] = {}
        self.threads: dict[Address, Address | None] = {}
        self.pins: set[Address] = set()
        self.waiting: dict[str, tuple[str, str, float]] = {}
        self.faults: list[str] = []

    async def post(self, letter: Letter, thread: Address | None) -> Address:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "ratelimited":
            raise Busy(0.01)
        if fault in ("drop_before", "http_500"):
            raise Unclear(fault)
        address = self._put(letter, thread)
        if fault == "drop_after":
            raise Unclear(fault)
        return address

    async def find(self, letter: Letter, thread: Address | None) -> Address | None:
        return next((where for where, each in self.messages.items() if each.key == letter.key), None)

    async def update(self, address: Address, payload: Mapping[str, object]) -> Address:
        if address not in self.messages:
            replacing = Letter(key=f"replaces {address.ts}", run_id="", channel=address.channel, payload=payload)
            return await self.find(replacing, None) or self._put(replacing, None)
        self.payloads[address] = payload
        return address

    async def pin(self, address: Address) -> None:
        self.pins.add(address)

    async def unpin(self, address: Address) -> None:
        self.pins.discard(address)

    async def schedule(self, channel: str, text: str, at: float) -> str:
        name = f"Q{len(self.waiting) + 1}"
        self.waiting[name] = (channel, text, at)
        return name

    async def scheduled(self, channel: str, words: str) -> tuple[str, ...]:
        return tuple(name for name, (where, text, _) in self.waiting.items() if where == channel and words in text)

    async def unschedule(self, channel: str, scheduled: str) -> None:
        self.waiting.pop(scheduled, None)

    def texts(self, channel: str) -> list[str]:
        """What is to be read in a channel, oldest first."""
        return [str(payload["text"]) for where, payload in self.payloads.items() if where.channel == channel]

    def _put(self, letter: Letter, thread: Address | None) -> Address:
        address = Address(channel=letter.channel, ts=f"{1000 + len(self.messages)}.000001")
        self.messages[address], self.payloads[address], self.threads[address] = letter, letter.payload, thread
        return address
