"""What is told outside of the channel, and the seams to those it is told to: status page, pager and mail.

Every verb of the three ports may be repeated: it reads first what is there already and says nothing twice.  Who
cannot do what is asked raises ``StepError`` (what happened, what to do) or one of ``bot.ports``' ``Unclear``, ``Busy``
and ``Undeliverable``.  Times are POSIX seconds (UTC).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Medium(StrEnum):
    """Where something is told."""

    STATUS_PAGE = "status_page"
    PAGER = "pager"
    MAIL = "mail"


#: Which media a target has, by its name.
Media = Callable[[str], frozenset[Medium]]


class Phase(StrEnum):
    """How far a maintenance is, as the public sees it."""

    IN_PROGRESS = "in progress"
    VERIFYING = "verifying"  # the services are back and watched
    COMPLETED = "completed"


class Condition(StrEnum):
    """How the affected services are."""

    OPERATIONAL = "operational"
    MAINTENANCE = "under maintenance"
    DEGRADED = "degraded"
    OUTAGE = "outage"


class Audience(StrEnum):
    """Who reads a mail."""

    STAKEHOLDERS = "stakeholders"
    TEAM = "team"  # the DevOps team (runbook "Alert Channels")


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """The whole of what the status page shows from now on.

    ``condition`` is that of every affected service; ``None`` leaves them as they are shown.  ``aloud``: subscribers
    are told.
    """

    title: str
    phase: Phase
    words: str
    condition: Condition | None
    starts: float
    ends: float
    at: float
    aloud: bool = False


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Somebody has to come.  ``alert`` is the same for the same trouble: raised twice, it calls once."""

    alert: str
    summary: str
    details: tuple[tuple[str, str], ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class AlarmOver:
    """Nobody has to come any more; of an alarm that was never raised it is fine to say so."""

    alert: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something is being changed; it calls nobody and stands beside whatever alarms follow."""

    summary: str
    details: tuple[tuple[str, str], ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Until ``ends`` the affected services raise no alarms of their own: they are expected to be away."""

    reason: str
    starts: float
    ends: float


@dataclass(frozen=True, kw_only=True)
class QuietOver:
    """The affected services raise alarms again."""

    at: float


@dataclass(frozen=True, kw_only=True)
class WhoIsOnCall:
    """Ask who is on call, and say so in the run's thread (runbook checklist 3)."""

    at: float


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail of a run's thread.  ``text`` is plain; its HTML is made of it."""

    subject: str
    text: str
    audience: tuple[Audience, ...]
    at: float
    first: bool = False  # it opens the thread


Body = Maintenance | Alarm | AlarmOver | Change | Quiet | QuietOver | WhoIsOnCall | Mail


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing to be told once.

    ``key`` is unique for ever.  ``about`` names what it is about: when a later notice about the same thing has been
    told, an earlier one that could not be is no longer worth telling.
    """

    key: str
    run_id: str
    target: str
    medium: Medium
    about: str
    body: Body


@dataclass(frozen=True, kw_only=True)
class OnCall:
    """Who is called, and until when; ``None``: for good."""

    name: str
    until: float | None = None


class StatusPage(Protocol):
    """What the public reads."""

    async def show(self, notice: Notice, update: Maintenance) -> None:
        """Show ``update``; the run's first opens a maintenance, a completed one that never was is not opened."""


class Pager(Protocol):
    """Who calls people out of bed, and what the affected services' own alarms do meanwhile."""

    async def on_call(self) -> tuple[OnCall, ...]:
        """Who is called first, now; empty where nobody is or that is not configured."""

    async def alarm(self, notice: Notice, alarm: Alarm) -> None: ...

    async def over(self, notice: Notice, over: AlarmOver) -> None: ...

    async def changed(self, notice: Notice, change: Change) -> None: ...

    async def quiet(self, notice: Notice, quiet: Quiet) -> None:
        """One stretch of quiet per run: a second notice moves its end."""

    async def loud(self, notice: Notice, over: QuietOver) -> None: ...


class PostOffice(Protocol):
    """Who delivers mail."""

    async def send(self, notice: Notice, mail: Mail) -> tuple[str, ...]:
        """Hand it over for everybody of its audience; who of them was refused, and why.

        A mail server cannot be asked what it has taken: after an unclear answer the very same mail is sent again,
        with the same Message-ID, by which mailboxes know it for the same.
        """


@dataclass(frozen=True, kw_only=True)
class Outside:
    """The outside systems of one target, as far as it has them."""

    status_page: StatusPage | None = None
    pager: Pager | None = None
    mail: PostOffice | None = None

    @property
    def media(self) -> frozenset[Medium]:
        found = {Medium.STATUS_PAGE: self.status_page, Medium.PAGER: self.pager, Medium.MAIL: self.mail}
        return frozenset(medium for medium, port in found.items() if port is not None)


def no_media(_target: str) -> frozenset[Medium]:
    """Of a bot that knows the channel and nothing else."""
    return frozenset()


def media_of(outside: Mapping[str, Outside]) -> Media:
    """Which media each of the targets has."""
    return lambda target: outside[target].media if target in outside else frozenset()
