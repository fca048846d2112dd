"""One accepted intent, and what an onlooker remembers who only hears a run's events."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.runbook.cast import Core


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What an onlooker remembers of a run, told only by its events."""

    pulled: bool = False  # somebody pulled the cord and nobody with authority has answered it
    down: bool = False  # services were stopped and no restart is proven
    gone_back: bool = False  # the way back was really gone
    kept: bool = False  # a named person took the run into their hands
    destroys: bool = False  # the last question about the migration said that it destroys something
    tried: dict[str, str] = field(default_factory=dict)  # what was said of the one check by hand, before and after
    proposed: tuple[Any, ...] = ()  # what the step that failed last said may help, until something began again

    def seeing(self, core: Core, event: Any) -> "Memory":
        """What is remembered after ``event``."""
        e, steps = core.e, core.steps.StepName
        match event:
            case e.HoldAsked() | e.Held():
                return replace(self, pulled=True)
            case e.Resumed() | e.Retried():
                return replace(self, pulled=False)
            case e.Entered(route=route):
                tried = {moment: word for moment, word in self.tried.items() if moment == "before"}
                return replace(self, kept=self.kept and route == "close", tried=tried)
            case e.CheckAnswered(answer=said):
                word = "works" if said.works else "broken"
                return replace(self, tried={**self.tried, str(said.moment): word})
            case e.Asked(question=question) if question.step == steps.APPLY:
                return replace(self, destroys=bool(question.destroys))
            case e.HandedOver():
                return replace(self, kept=True)
            case e.StepFailed(fixes=fixes):
                return replace(self, proposed=fixes)
            case e.StepBegan(step=steps.STOP_SERVICES | steps.RESTART_SERVICES):
                return replace(self, down=True, proposed=())
            case e.StepFinished(step=steps.RESTART_SERVICES):
                return replace(self, down=False)
            case e.StepBegan(step=steps.ANNOUNCE_ROLLBACK | steps.APPLY):
                return replace(self, gone_back=False, proposed=())
            case e.StepBegan():
                return replace(self, proposed=())
            case e.StepFinished(step=steps.GO_BACK):
                return replace(self, gone_back=True)
        return self


@dataclass(frozen=True, kw_only=True)
class Move:
    """One accepted intent: the run before and after it, what was remembered, and the moment."""

    core: Core
    before: Any
    intent: Any
    events: tuple[Any, ...]
    after: Any
    now: float
    recalled: Memory
    remembered: Memory

    def of(self, *kinds: str) -> list[Any]:
        """The move's events of these kinds."""
        return [each for each in self.events if type(each).__name__ in kinds]


class Broken(AssertionError):
    """A promise does not hold."""


def holds(promise: object, words: str) -> None:
    """Raise ``Broken`` unless ``promise`` is true."""
    if not promise:
        raise Broken(words)


def remember(core: Core, memory: Memory, events: Iterable[Any]) -> Memory:
    """What is remembered after all of ``events``."""
    for event in events:
        memory = memory.seeing(core, event)
    return memory


def needs(run: Any) -> float:
    """The runbook's own minutes for what is left, a minute for each answer, the watch as the plan has it, and for
    going back its 15 minutes and all that is around it: announcing, stopping, verifying, restarting, announcing."""
    left = run.steps[run.position :]
    work = sum(run.plan.timing.monitor_for if each.watches else each.minutes * 60.0 for each in left)
    return work + 60.0 * sum(each.asked_by == each.name for each in left) + 900.0 + (1 + 3 + 5 + 5 + 2) * 60.0
