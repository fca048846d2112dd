"""A run played in a few words: what the example tests read like."""

from dataclasses import dataclass, field
from typing import Any

from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook.apply import apply, begin
from bot.runbook.decide import decide
from bot.runbook.run import Plan, Run, State
from bot.runbook.samples import Sample
from bot.runbook.steps import StepName
from bot.runbook.timers import TimerKind, timers
from tests.runbook.cast import DIGEST, load, person, plan

CORE = load()


@dataclass
class Play:
    """One run and its clock; every method says one thing to it and returns the events that came of it."""

    run: Run
    now: float = 0.0
    events: list[e.Event] = field(default_factory=list)
    digest: str = DIGEST  # of what the worker finds to be done

    def say(self, intent: i.Intent, *, after: float = 1.0) -> tuple[e.Event, ...]:
        self.now += after
        told = decide(self.run, intent, self.now)
        for event in told:
            self.run = apply(self.run, event)
        self.events += told
        return told

    def ask(self) -> tuple[e.Event, ...]:
        """A worker describes the step at hand."""
        return self.say(
            i.Ask(
                number=self.run.asked + 1,
                digest=self.digest,
                inputs=(("sql", self.digest),),
                lines=("psql",),
                step=self.run.step.name,
            )
        )

    def approve(self, who: str = "anna", *, word: str | None = None, after: float = 1.0) -> tuple[e.Event, ...]:
        asked = self.run.question
        assert asked is not None
        typed = asked.word or "" if word is None else word
        intent = i.Approve(person=person(CORE, who), number=asked.number, digest=asked.digest, word=typed)
        return self.say(intent, after=after)

    def reject(self, who: str = "anna", reason: str = "not today") -> tuple[e.Event, ...]:
        return self.say(i.Reject(person=person(CORE, who), number=self.run.asked, reason=reason))

    def begin(self, *, after: float = 1.0) -> tuple[e.Event, ...]:
        """A worker starts an attempt at the step."""
        digest = self.digest if self.run.step.destructive else ""
        return self.say(i.Begin(attempt=self.run.attempt + 1, digest=digest, step=self.run.step.name), after=after)

    def finish(self, **facts: str) -> tuple[e.Event, ...]:
        return self.say(i.Finish(claim=self.run.claim or 0, evidence=("seen",), facts=tuple(facts.items())))

    def fail(self, **more: Any) -> tuple[e.Event, ...]:
        return self.say(i.Fail(claim=self.run.claim or 0, problem="it broke", **more))

    def people(self, kind: type[Any], who: str, **words: str) -> tuple[e.Event, ...]:
        """Say one of people's intents."""
        return self.say(kind(person=person(CORE, who), **words))

    def tick(self, kind: TimerKind) -> tuple[e.Event, ...]:
        """Let the clock reach the run's next timer of this kind."""
        due = min(timer.due for timer in timers(self.run) if timer.kind is kind)
        self.now = max(self.now, due)
        return self.say(i.Tick(kind=kind, due=due), after=0.0)

    def measure(self, **values: Any) -> tuple[e.Event, ...]:
        """Let the clock take the next sample."""
        due = min(timer.due for timer in timers(self.run) if timer.kind is TimerKind.SAMPLE)
        self.now = max(self.now, due)
        return self.say(i.TakeSample(due=due, sample=Sample(at=self.now, **values)), after=0.0)

    def grant(self) -> None:
        """Prepare, ask and collect the quorum for the present step, where it needs one."""
        if self.run.state is State.PREPARING:
            self.ask()
            for who in ("anna", "boris")[: self.run.plan.policy.quorum]:
                self.approve(who)

    def do(self) -> tuple[e.Event, ...]:
        """The whole present step."""
        if self.run.state is State.WATCHING:
            return self.watch()
        self.grant()
        self.begin()
        return self.finish()

    def watch(self) -> tuple[e.Event, ...]:
        """A healthy watch, to its end."""
        told: tuple[e.Event, ...] = ()
        while self.run.state is State.WATCHING:
            told = self.measure(healthy=("web",), error_rate=0.0, failed_rate=0.0)
        return told

    def until(self, step: StepName) -> "Play":
        """Everything before ``step``, done."""
        while self.run.step.name is not step:
            self.do()
        return self

    def to_the_end(self) -> Run:
        """Everything that is left, done."""
        while not self.run.final:
            self.do()
        return self.run


def play(the_plan: Plan | None = None, **settings: Any) -> Play:
    """A run that has just been started."""
    chosen = the_plan or plan(CORE, **{"quorum": 1, "risk": "low", **settings})
    event = e.Started(plan=chosen, at=0.0)
    return Play(run=begin("m-1", event), events=[event])


def kinds(events: tuple[e.Event, ...] | list[e.Event]) -> list[str]:
    """The names of the events."""
    return [type(each).__name__ for each in events]
