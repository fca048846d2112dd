"""What is looked at, and what a look answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.preparation import Draft
from bot.target import Target


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One item's answer.  ``ok`` is ``None`` only where the bot has no means to tell: then a person may tick.

    ``findings`` say it in words, the gravest first; what is wrong says how to mend it.  They hold no secret.
    """

    ok: bool | None
    findings: tuple[str, ...]


Looks = Mapping[Item, Looked]


@dataclass(frozen=True, kw_only=True)
class File:
    """One planned file as it was read; ``sha256`` is of its bytes."""

    name: str
    sha256: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Files:
    """The planned files.  ``digest`` is empty where one of them cannot be read, and ``unreadable`` says why."""

    migrations: tuple[File, ...] = ()
    down: tuple[File, ...] = ()
    digest: str = ""
    unreadable: str = ""
    looks: Looks = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What one look is about: the plan with the id ``plan``; ``now`` is POSIX seconds."""

    plan: str
    target: Target
    draft: Draft
    files: Files
    now: float


Look = Callable[[Subject], Awaitable[Looks]]


def fine(*findings: str) -> Looked:
    """It is so."""
    return Looked(ok=True, findings=findings)


def wrong(*findings: str) -> Looked:
    """It is not so."""
    return Looked(ok=False, findings=findings)


def untold(*findings: str) -> Looked:
    """There is no means to tell."""
    return Looked(ok=None, findings=findings)
