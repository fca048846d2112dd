"""What a look of the doctor answers: is it well, why, and what exactly mends it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.ports import StepError


class Verdict(StrEnum):
    """How grave it is."""

    OK = "ok"
    WARN = "warn"  # migrations are possible, but less well
    FAIL = "fail"  # a migration would fail, or must not be begun


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.  ``fix`` is the command to type or the line to write; no secret is in it."""

    check: str
    verdict: Verdict
    why: str
    fix: str = ""


Findings = Sequence[Finding]
Look = Callable[[], Awaitable[Findings]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One look: the system it is about, the target that it belongs to (empty: the bot itself), and its seconds."""

    system: str
    look: Look
    target: str = ""
    seconds: float = 15.0


@dataclass(frozen=True, kw_only=True)
class Section:
    """What was found of one system."""

    system: str
    target: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that was found."""

    sections: tuple[Section, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(each.verdict is verdict for section in self.sections for each in section.findings)

    @property
    def well(self) -> bool:
        """Nothing would fail; warnings do not count."""
        return not self.count(Verdict.FAIL)


def ok(check: str, why: str) -> Finding:
    """It is as it should be."""
    return Finding(check=check, verdict=Verdict.OK, why=why)


def warn(check: str, why: str, fix: str) -> Finding:
    """It is worse than it could be."""
    return Finding(check=check, verdict=Verdict.WARN, why=why, fix=fix)


def fail(check: str, why: str, fix: str) -> Finding:
    """It must be mended."""
    return Finding(check=check, verdict=Verdict.FAIL, why=why, fix=fix)


def failed(check: str, error: StepError) -> Finding:
    """The error of a port, whose advice is the fix."""
    return fail(check, error.problem, error.advice)


def told(check: str, words: str, verdict: Verdict = Verdict.FAIL) -> Finding:
    """A finding of the bot's proofs, which say what is wrong in one sentence and then how to mend it."""
    why, _, fix = words.removeprefix("⚠️ ").partition(". ")
    return Finding(check=check, verdict=verdict, why=why + ("." if fix else ""), fix=fix or "Mend that, and ask again.")
