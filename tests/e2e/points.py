"""The points of the crash campaign: where a process of the bot is killed, and how it is recovered."""

import os
from dataclasses import dataclass
from enum import StrEnum

from tests.e2e.crashing import ANNOUNCING, ASKED, STEPS

WORK = tuple(step for step in STEPS if step != "monitor")
AROUND = ("intent", "commit", "committed")  # before the transaction, in it just before its commit, after it


class Variant(StrEnum):
    """How the dead worker is followed."""

    ONE = "one recoverer"
    AGAIN = "killed again while recovering"
    TWO = "two recoverers at once"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of the migration: the points at which its worker is killed, in the order they come."""

    points: tuple[str, ...]
    variant: Variant = Variant.ONE

    def __str__(self) -> str:
        named = self.points[0] if len(self.points) == 1 else f"{self.where} x{len(self.points)}"
        return f"{named}, {self.variant}"

    @property
    def where(self) -> str:
        """The names of the checkpoints, each once."""
        return " ".join(dict.fromkeys(point.split(maxsplit=1)[0] for point in self.points))


def intents(where: str) -> dict[str, tuple[str, ...]]:
    """The points around the intents of a worker, by the intent."""
    return {
        "Ask": tuple(f"{where} Ask {step}" for step in ASKED),
        "Begin": tuple(f"{where} Begin {step}" for step in WORK),
        "Finish": tuple(f"{where} Finish {step}" for step in STEPS if where != "intent" or step != "monitor"),
        "Sample": (f"{where} Sample monitor",),
    }


def posts(where: str) -> dict[str, tuple[str, ...]]:
    """The points around what is said in Slack, by what it is."""
    return {
        "question": tuple(f"{where} question {step}" for step in ASKED),
        "finished": tuple(f"{where} finished {step}" for step in STEPS),
        "others": (f"{where} card", *(f"{where} announcement {step}" for step in ANNOUNCING), f"{where} ended"),
    }


def kinds() -> list[tuple[str, ...]]:
    """Every point, grouped so that a group's points follow one another within one run."""
    found = [_all(intents(where)) for where in AROUND]
    found += [_work("effect", "effected"), _work("during")]
    found += [_all(posts(where)) for where in ("post", "posted")]
    return [*found, ("update card", "updated card", "schedule deadman", "scheduled deadman")]


def _all(found: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(point for points in found.values() for point in points)


def _work(*wheres: str) -> tuple[str, ...]:
    return tuple(f"{where} {step}" for step in WORK for where in wheres)


def repeated() -> list[tuple[str, ...]]:
    """What is also tried with a recoverer killed in its turn, and with two at once: every step, five ways."""
    finishing = [intents(where)["Finish"] for where in ("commit", "committed")]
    return [*finishing, _work("effect"), _work("effected"), posts("posted")["finished"]]


def full() -> list[Trial]:
    """Every point by itself: one kill, one run."""
    alone = [Trial(points=(point,)) for kind in kinds() for point in kind]
    others = (Variant.AGAIN, Variant.TWO)
    return alone + [
        Trial(points=(point,), variant=variant) for variant in others for kind in repeated() for point in kind
    ]


def covering() -> list[Trial]:
    """For the gate: every point, several kills in one run; the other recoveries after two of the five."""
    chained = [Trial(points=kind) for kind in kinds()]
    others = (Variant.AGAIN, Variant.TWO)
    return chained + [Trial(points=kind, variant=variant) for variant in others for kind in repeated()[1:3]]


def trials() -> list[Trial]:
    """``MIGRATE_BOT_CAMPAIGN=full`` chooses every point by itself instead of the covering set."""
    return full() if os.environ.get("MIGRATE_BOT_CAMPAIGN") == "full" else covering()
