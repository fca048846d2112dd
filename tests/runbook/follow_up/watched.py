"""Follow-ups told step by step, and the measurements they are told of."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from bot.runbook.follow_up import events as e
from bot.runbook.follow_up import intents as i
from bot.runbook.follow_up.apply import apply, begin
from bot.runbook.follow_up.decide import decide
from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.follow_up.queries import Counted, Counts
from bot.runbook.follow_up.timers import FollowTimer, follow_timers
from bot.runbook.people import Timing
from bot.runbook.samples import Sample
from tests.kit import plan

T0 = 1_795_000_000.0
DAY = 86400.0


def sample(at: float, errors: float = 0.002, p95: float = 210.0, latency: float = 9.0, **more: object) -> Sample:
    """A healthy measurement, unless it is said otherwise."""
    made = Sample(at=at, healthy=("web",), error_rate=errors, p95_ms=p95, latency_ms=latency)
    return replace(made, **more)  # type: ignore[arg-type]


def noisy(seed: int, worse: Callable[[int], float] = lambda _: 1.0) -> Iterator[Sample]:
    """Measurements as real services give them: log-normal noise, now and then a spike; ``worse`` multiplies them."""
    dice = random.Random(seed)
    number = 0
    while True:
        spike = 4.0 if dice.random() < 0.02 else 1.0
        factor = worse(number)
        yield sample(
            T0 + 300.0 * number,
            errors=min(1.0, 0.002 * dice.lognormvariate(0, 0.5) * spike * factor),
            p95=210.0 * dice.lognormvariate(0, 0.15) * spike * factor,
            latency=9.0 * dice.lognormvariate(0, 0.25) * factor,
        )
        number += 1


def counts(at: float, since: str = "long ago", **mean: tuple[int, float]) -> Counts:
    """Statements by name: how often, and how long on average."""
    made = tuple(Counted(id=name, text=f"SELECT {name}", calls=n, total_ms=n * ms) for name, (n, ms) in mean.items())
    return Counts(at=at, statements=made, since=since)


YARDSTICK = tuple(sample(T0 - 1800 + 30 * number) for number in range(60))


@dataclass(kw_only=True)
class Tale:
    """A follow-up that is told, with all its events."""

    counted: Counts | None = None
    yardstick: tuple[Sample, ...] = YARDSTICK
    now: float = T0
    events: list[e.Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        began = e.FollowUpBegan(
            run="m-1", plan=plan(timing=Timing()), asked=("U4",), completed_at=T0, at=T0, yardstick=self.yardstick,
            counts=self.counted,
        )  # fmt: skip
        self.state: FollowUp = begin("f-m-1", began)

    def say(self, intent: i.Intent) -> tuple[e.Event, ...]:
        made = decide(self.state, intent, self.now)
        for event in made:
            self.state = apply(self.state, event)
        self.events += made
        return made

    def due(self, kind: FollowTimer) -> float:
        found = next(each.due for each in follow_timers(self.state) if each.kind is kind)
        self.now = max(self.now, found)
        return found

    def look(self, taken: Sample, slow: tuple[Counted, ...] = ()) -> tuple[e.Event, ...]:
        due = self.due(FollowTimer.LOOK)
        return self.say(i.TakeLook(due=due, sample=replace(taken, at=self.now), slow=slow))

    def tick(self, kind: FollowTimer) -> tuple[e.Event, ...]:
        return self.say(i.FollowTick(kind=kind.value, due=self.due(kind)))

    def review(self, found: Counts | None = None) -> tuple[e.Event, ...]:
        due = self.due(FollowTimer.REVIEW)
        return self.say(i.PostReview(due=due, counts=found or Counts(at=self.now, known=False, why="No extension.")))

    def told(self, kind: type[e.Event]) -> list[e.Event]:
        return [each for each in self.events if isinstance(each, kind)]
