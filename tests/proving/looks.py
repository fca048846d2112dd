"""A plan to look at, and small stand-ins for those who are asked."""

from dataclasses import dataclass, field, replace

from bot.ports import StepError
from bot.proving.subject import Files, Looked, Subject
from bot.runbook.people import Person, Policy
from bot.runbook.refusals import NotAMember
from bot.runbook.samples import Sample
from bot.target import Freeze, Service, Target
from tests.kit import target
from tests.runbook.preparation.people import ALEX, POLICY, T0, draft

WEB = Service(name="web", health_url="http://127.0.0.1:1/health")


def subject(**changes: object) -> Subject:
    """Alex is on call for a window of two hours."""
    own = replace(target(), **{"policy": POLICY, "services": (WEB,), **changes})  # type: ignore[arg-type]
    return Subject(plan="p-1", target=own, draft=draft(), files=Files(), now=T0 - 86400)


@dataclass
class SmallDirectory:
    """Knows who it is told."""

    known: dict[str, Person] = field(default_factory=lambda: {ALEX.id: ALEX})

    async def person(self, user_id: str, policy: Policy) -> Person:
        if user_id not in self.known:
            raise NotAMember(f"{user_id} is nobody.", "Ask somebody else.")
        return self.known[user_id]


@dataclass
class SmallCalendar:
    """Freezes, or a failure."""

    known: tuple[Freeze, ...] = ()
    failure: StepError | None = None

    async def freezes(self, target: Target, start: float, end: float) -> tuple[Freeze, ...]:
        if self.failure:
            raise self.failure
        return tuple(each for each in self.known if each.start < end and each.end > start)


@dataclass
class SmallMaintenance:
    """What a platform plans, or a failure."""

    words: tuple[str, ...] = ()
    failure: StepError | None = None

    async def during(self, target: Target, start: float, end: float) -> tuple[str, ...]:
        if self.failure:
            raise self.failure
        return self.words


@dataclass
class SmallPager:
    """Who is paged, as it was told."""

    answer: tuple[bool | None, str] = (True, "on call until Monday")
    failure: StepError | None = None

    async def covers(self, target: Target, user_id: str, start: float, end: float) -> tuple[bool | None, str]:
        if self.failure:
            raise self.failure
        return self.answer


@dataclass
class SmallProbe:
    """Measures what it was told."""

    healthy: tuple[str, ...] = ("web",)
    unhealthy: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    async def sample(self, target: Target) -> Sample:
        return Sample(at=T0, healthy=self.healthy, unhealthy=self.unhealthy, broken=self.broken)


def said(looked: Looked) -> str:
    """All findings as one text."""
    return "\n".join(looked.findings)
