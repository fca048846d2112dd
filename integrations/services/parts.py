"""What the service steps need of the world, and the words they share."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from bot.ports import Platform
from bot.runbook.digest import canonical, digest_of
from bot.runbook.samples import Verdict
from bot.target import Service, Target


class Session(Protocol):
    """A database session that is neither the bot's nor a step's."""

    @property
    def pid(self) -> int: ...
    @property
    def application(self) -> str: ...
    @property
    def user(self) -> str: ...


class Sessions(Protocol):
    """What the database itself says about who uses it; a module with these two functions will do."""

    async def application_sessions(self, dsn: str, /) -> Sequence[Session]:
        """Who is connected to the database, the bot and ``migrate/…`` left out."""

    async def writes_still(self, dsn: str, seconds: float, /) -> Verdict:
        """Did the tuple counters of the database stay as they are over so many seconds?"""


class Services(Platform, Protocol):
    """A platform that remembers, run by run, what ran before its first stop, and can show a service's log."""

    def where(self, target: Target) -> str:
        """Where the services run, for people: "processes of this machine"."""

    async def wanted(self, target: Target) -> tuple[str, ...]:
        """The services that ``start`` brings up."""

    async def remember(self, target: Target, run: str) -> None:
        """Keep what run ``run`` finds, durably, before it stops anything; said again, it changes nothing.

        From then on ``previous`` means the deploys that were found now, until another run remembers.
        """

    async def known(self, target: Target, run: str) -> tuple[str, ...]:
        """The services whose deploy from before ``run`` is remembered; the others ``start`` as configured."""

    async def deploys_held(self, target: Target) -> str:
        """In words, how automatic deploys are kept from bringing new code back after ``start(previous=True)``."""

    async def log(self, target: Target, service: Service, lines: int) -> tuple[str, ...]:
        """The last lines a service wrote, secrets masked."""


def listed(names: Iterable[str]) -> str:
    """``a, b`` or ``none``."""
    return ", ".join(names) or "none"


def named(sessions: Sequence[Session]) -> str:
    """Each session as people look for it: pid, application, user."""
    return ", ".join(f"pid {s.pid} ({s.application or 'no application name'}, user {s.user})" for s in sessions)


def fingerprint(service: Service) -> str:
    """What will be started, as a hash; of the environment only the names: even a hash can give a weak secret away."""
    names = sorted(name for name, _ in service.environment)
    started = (service.folder, service.command, names, service.replicas)
    return digest_of((("service", canonical(started)),))
